//! The file that a table is stored in, until somebody stores it in another: VACUUM FULL, CLUSTER, TRUNCATE, ALTER TABLE.

use std::cell::Cell;

use pgrx::pg_sys;
use pgrx::prelude::*;

#[cfg(any(feature = "pg13", feature = "pg14", feature = "pg15"))]
type Locator = pg_sys::RelFileNode;
#[cfg(not(any(feature = "pg13", feature = "pg14", feature = "pg15")))]
type Locator = pg_sys::RelFileLocator;

/// Tables that are watched at once; beyond, the one that was left alone longest is forgotten.
const TABLES: usize = 8;

thread_local! {
    /// Tables, each with a number that no other state of any table has had.
    static STATES: Cell<[(pg_sys::Oid, u64); TABLES]> = const { Cell::new([(pg_sys::InvalidOid, 0); TABLES]) };
    static LAST_STATE: Cell<u64> = const { Cell::new(0) };
    static IS_LISTENING: Cell<bool> = const { Cell::new(false) };
}

/// A table's file.
#[derive(Clone, Copy)]
pub struct File {
    pub table: pg_sys::Oid,
    pub locator: Locator,
    state: u64,
}

impl File {
    /// # Safety
    /// The relation is open and locked.
    pub unsafe fn of(relation: pg_sys::Relation) -> File {
        listen();
        // SAFETY: the caller's promise.
        let (table, locator) = unsafe {
            #[cfg(any(feature = "pg13", feature = "pg14", feature = "pg15"))]
            let locator = (*relation).rd_node;
            #[cfg(not(any(feature = "pg13", feature = "pg14", feature = "pg15")))]
            let locator = (*relation).rd_locator;
            ((*relation).rd_id, locator)
        };
        File {
            table,
            locator,
            state: watch(table),
        }
    }

    /// Whether all that the active snapshot sees of the table is in this file, without a lock on it: whoever gives a table
    /// another file says so before its lock is released, and nobody writes to that file earlier.
    pub fn is_current(&self) -> bool {
        // SAFETY: within a transaction.
        unsafe { pg_sys::AcceptInvalidationMessages() };
        state_of(self.table) == Some(self.state)
    }
}

fn state_of(table: pg_sys::Oid) -> Option<u64> {
    let states = STATES.get();
    let found = states.iter().find(|(watched, _)| *watched == table);
    found.map(|(_, state)| *state)
}

fn new_state() -> u64 {
    LAST_STATE.set(LAST_STATE.get() + 1);
    LAST_STATE.get()
}

/// The state of a table, which is watched from now on.
fn watch(table: pg_sys::Oid) -> u64 {
    if let Some(state) = state_of(table) {
        return state;
    }
    let (mut states, state) = (STATES.get(), new_state());
    if let Some(oldest) = states.iter_mut().min_by_key(|(_, state)| *state) {
        *oldest = (table, state);
    }
    STATES.set(states);
    state
}

fn listen() {
    if !IS_LISTENING.replace(true) {
        // SAFETY: registers a function of this library, which is never unloaded, once per process.
        unsafe {
            pg_sys::CacheRegisterRelcacheCallback(Some(has_changed), pg_sys::Datum::null());
        }
    }
}

/// InvalidOid stands for every table.
#[pg_guard]
unsafe extern "C-unwind" fn has_changed(_argument: pg_sys::Datum, table: pg_sys::Oid) {
    let mut states = STATES.get();
    for (watched, state) in &mut states {
        if table == *watched || table == pg_sys::InvalidOid {
            *state = new_state();
        }
    }
    STATES.set(states);
}
