//! The row that is being released: guards of its table that would hold it let it through, in the command that inserts it.

use std::cell::Cell;

use pgrx::pg_sys;

thread_local! {
    static PASS: Cell<Option<(pg_sys::Oid, pg_sys::CommandId)>> = const { Cell::new(None) };
}

/// Lets a row into a table while it lives.
pub struct Pass(());

impl Pass {
    /// For the command that begins next; those that its triggers run have other numbers.
    pub fn into_table(table: pg_sys::Oid, command: pg_sys::CommandId) -> Pass {
        PASS.set(Some((table, command)));
        Pass(())
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        PASS.set(None);
    }
}

/// Whether this row of a command is the one that is let through. `is_of` says whether the trigger's table is a table, or a
/// partition of it.
pub fn is_let_through(command: pg_sys::CommandId, is_of: impl FnOnce(pg_sys::Oid) -> bool) -> bool {
    PASS.get()
        .is_some_and(|(table, wanted)| wanted == command && is_of(table))
}
