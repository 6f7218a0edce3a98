//! Acting as the owner of finai's tables, and back.

use std::ffi::CStr;

use pgrx::prelude::*;

use crate::error::Result;
use crate::registry;

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
    let identity = Identity::assume(owner);
    let result = work();
    identity.restore_settings();
    result
}

/// The caller's identity while another one is assumed.
struct Identity {
    user: pg_sys::Oid,
    context: i32,
    settings: i32,
}

impl Identity {
    fn assume(owner: pg_sys::Oid) -> Identity {
        let mut user = pg_sys::InvalidOid;
        let mut context = 0;
        // SAFETY: the identity is restored by Drop, and by PostgreSQL itself when a transaction aborts; the search path
        // is set inside a nesting level that restore_settings or the abort closes.
        unsafe {
            pg_sys::GetUserIdAndSecContext(&raw mut user, &raw mut context);
            let restricted = (pg_sys::SECURITY_LOCAL_USERID_CHANGE
                | pg_sys::SECURITY_RESTRICTED_OPERATION) as i32;
            pg_sys::SetUserIdAndSecContext(owner, context | restricted);
            let settings = pg_sys::NewGUCNestLevel();
            let identity = Identity {
                user,
                context,
                settings,
            };
            pg_sys::set_config_option(
                c"search_path".as_ptr(),
                c"pg_catalog, pg_temp".as_ptr(),
                pg_sys::GucContext::PGC_USERSET,
                pg_sys::GucSource::PGC_S_SESSION,
                pg_sys::GucAction::GUC_ACTION_SAVE,
                true,
                0,
                false,
            );
            identity
        }
    }

    fn restore_settings(self) {
        // SAFETY: closes the nesting level that `assume` opened.
        unsafe { pg_sys::AtEOXact_GUC(true, self.settings) };
    }
}

impl Drop for Identity {
    fn drop(&mut self) {
        // SAFETY: gives back the identity that `assume` found; cannot raise.
        unsafe { pg_sys::SetUserIdAndSecContext(self.user, self.context) };
    }
}

/// Reads what is committed now, whatever the statement's own snapshot is.
pub fn under_latest_snapshot<T>(read: impl FnOnce() -> Result<T>) -> Result<T> {
    // SAFETY: the snapshot is popped on the way out; an error raised inside aborts the transaction, which pops it too.
    unsafe {
        pg_sys::CommandCounterIncrement();
        pg_sys::PushActiveSnapshot(pg_sys::GetLatestSnapshot());
    }
    let result = read();
    // SAFETY: pops what was pushed above.
    unsafe { pg_sys::PopActiveSnapshot() };
    result
}

/// Reads what the transaction may see, its running command's own rows included, as SQL inside a trigger does.
pub fn under_fresh_snapshot<T>(read: impl FnOnce() -> Result<T>) -> Result<T> {
    // SAFETY: as in `under_latest_snapshot`.
    unsafe {
        pg_sys::CommandCounterIncrement();
        pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
    }
    let result = read();
    // SAFETY: pops what was pushed above.
    unsafe { pg_sys::PopActiveSnapshot() };
    result
}
