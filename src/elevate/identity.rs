//! Acting as the owner of finai's tables, and back.

use std::ffi::CStr;

use pgrx::prelude::*;

use crate::error::Result;
use crate::registry;

use super::role::{acting_as, with_own_names};

/// Runs `write` as the owner of finai's tables; the caller's identity and settings are back on every path.
pub fn as_owner<T>(write: impl FnOnce() -> Result<T>) -> Result<T> {
    as_owner_for(c"a change of a model", write)
}

/// As `as_owner`, for a change that an error in a read-only transaction calls so.
pub fn as_owner_for<T>(change: &CStr, write: impl FnOnce() -> Result<T>) -> Result<T> {
    // SAFETY: raises 25006 in a read-only transaction and on a standby; nothing is held yet.
    unsafe { pg_sys::PreventCommandIfReadOnly(change.as_ptr()) };
    acting_as_owner(write)
}

/// As `as_owner`, for work that writes nothing.
pub fn acting_as_owner<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    let owner = registry::extension_owner()?;
    acting_as(owner, || with_own_names(work))
}

/// Reads what is committed now, whatever the statement's own snapshot is.
pub fn under_latest_snapshot<T>(read: impl FnOnce() -> Result<T>) -> Result<T> {
    // SAFETY: a transaction is open.
    under(|| unsafe { pg_sys::GetLatestSnapshot() }, read)
}

/// Reads what the transaction may see, its running command's own rows included, as SQL inside a trigger does.
pub fn under_fresh_snapshot<T>(read: impl FnOnce() -> Result<T>) -> Result<T> {
    // SAFETY: a transaction is open.
    under(|| unsafe { pg_sys::GetTransactionSnapshot() }, read)
}

fn under<T>(
    snapshot: impl FnOnce() -> pg_sys::Snapshot,
    read: impl FnOnce() -> Result<T>,
) -> Result<T> {
    // SAFETY: the snapshot is popped on the way out; an error raised inside aborts the transaction, which pops it too.
    unsafe {
        pg_sys::CommandCounterIncrement();
        pg_sys::PushActiveSnapshot(snapshot());
    }
    let result = read();
    // SAFETY: pops what was pushed above.
    unsafe { pg_sys::PopActiveSnapshot() };
    result
}
