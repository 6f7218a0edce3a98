//! What makes two calls one statement: the active snapshot's contents, the subtransaction and the current role.

use pgrx::prelude::*;

/// A fingerprint of active snapshot, subtransaction and role. Equal fingerprints see the same registry rows.
///
/// Contents, not addresses: PL/pgSQL keeps call sites across statements, and a freed snapshot's address is reused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    user: pg_sys::Oid,
    /// A rolled-back subtransaction's writes disappear without a trace in the snapshot.
    subtransaction: pg_sys::SubTransactionId,
    xmin: pg_sys::TransactionId,
    xmax: pg_sys::TransactionId,
    command: pg_sys::CommandId,
    overflowed: bool,
    in_recovery: bool,
    running: Vec<pg_sys::TransactionId>,
    running_children: Vec<pg_sys::TransactionId>,
}

impl Statement {
    /// The statement that is running now.
    pub fn current() -> Statement {
        // SAFETY: a function is called under an active snapshot whose arrays hold as many entries as it counts.
        unsafe {
            let snapshot = &*pg_sys::GetActiveSnapshot();
            Statement {
                user: pg_sys::GetUserId(),
                subtransaction: pg_sys::GetCurrentSubTransactionId(),
                xmin: snapshot.xmin,
                xmax: snapshot.xmax,
                command: snapshot.curcid,
                overflowed: snapshot.suboverflowed,
                in_recovery: snapshot.takenDuringRecovery,
                running: running(snapshot).to_vec(),
                running_children: running_children(snapshot).to_vec(),
            }
        }
    }

    /// Whether this is still the statement that is running.
    pub fn is_current(&self) -> bool {
        // SAFETY: as in `current`.
        unsafe {
            let snapshot = &*pg_sys::GetActiveSnapshot();
            self.command == snapshot.curcid
                && self.xmin == snapshot.xmin
                && self.xmax == snapshot.xmax
                && self.user == pg_sys::GetUserId()
                && self.subtransaction == pg_sys::GetCurrentSubTransactionId()
                && self.overflowed == snapshot.suboverflowed
                && self.in_recovery == snapshot.takenDuringRecovery
                && self.running == running(snapshot)
                && self.running_children == running_children(snapshot)
        }
    }
}

/// The number of the command that is running now.
pub fn current_command() -> pg_sys::CommandId {
    // SAFETY: as in `Statement::current`.
    unsafe { (*pg_sys::GetActiveSnapshot()).curcid }
}

/// The number that the next command gets, where it is the very next thing that writes.
pub fn next_command() -> pg_sys::CommandId {
    // SAFETY: as SQL does between two statements of a function.
    unsafe {
        pg_sys::CommandCounterIncrement();
        pg_sys::GetCurrentCommandId(false)
    }
}

fn running(snapshot: &pg_sys::SnapshotData) -> &[pg_sys::TransactionId] {
    // SAFETY: PostgreSQL keeps xcnt entries at xip, which is null when there are none.
    unsafe { entries(snapshot.xip, snapshot.xcnt as usize) }
}

fn running_children(snapshot: &pg_sys::SnapshotData) -> &[pg_sys::TransactionId] {
    // SAFETY: PostgreSQL keeps subxcnt entries at subxip, which is null when there are none.
    unsafe {
        entries(
            snapshot.subxip,
            usize::try_from(snapshot.subxcnt).unwrap_or(0),
        )
    }
}

unsafe fn entries<'a>(
    first: *const pg_sys::TransactionId,
    count: usize,
) -> &'a [pg_sys::TransactionId] {
    if first.is_null() || count == 0 {
        return &[];
    }
    // SAFETY: the caller says that `count` entries start at `first`.
    unsafe { std::slice::from_raw_parts(first, count) }
}
