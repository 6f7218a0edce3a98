//! What scoring cost, by model and version, and what guards did: counted in each call site, added up for the backend, and for the cluster where the
//! library is preloaded.

mod counts;
mod shared;
mod tally;

use std::cell::{Cell, RefCell};

use pgrx::prelude::*;

pub use counts::{Counts, Key};
pub use shared::init;
pub use tally::{Tally, count_error, count_guard};

/// Versions and guards that are counted at once; beyond, the one that scored longest ago is forgotten.
const VERSIONS: usize = 1024;

thread_local! {
    /// This backend's counts; those that the cluster does not have yet where it has any.
    static OWN: RefCell<Vec<(Key, Counts)>> = const { RefCell::new(Vec::new()) };
    static PUSHED_AT_EXIT: Cell<bool> = const { Cell::new(false) };
}

/// Whose calls are counted: all of this database, or this backend's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Cluster,
    Backend,
}

impl Scope {
    pub const fn name(self) -> &'static str {
        match self {
            Scope::Cluster => "cluster",
            Scope::Backend => "backend",
        }
    }
}

/// The scope of this server.
pub fn scope() -> Scope {
    if shared::is_there() {
        Scope::Cluster
    } else {
        Scope::Backend
    }
}

/// Everything counted in this database so far.
pub fn all() -> Vec<(Key, Counts)> {
    if scope() == Scope::Backend {
        return replace(Vec::new(), |own| own.clone());
    }
    push(shared::Patience::Waits);
    shared::all(database())
}

/// Forgets everything counted in this database.
pub fn reset() {
    replace(Vec::new(), std::mem::take);
    shared::reset(database());
}

/// Adds a call site's counts. Takes no lock that somebody holds; never raises.
fn add(key: Key, counts: Counts) {
    replace((), |own| merge(own, key, counts));
    if shared::is_there() {
        push(shared::Patience::None);
    }
}

fn merge(own: &mut Vec<(Key, Counts)>, key: Key, counts: Counts) {
    if let Some((_, sum)) = own.iter_mut().find(|(known, _)| *known == key) {
        sum.add(&counts);
        return;
    }
    if own.len() >= VERSIONS {
        let oldest = (0..own.len()).min_by_key(|i| own[*i].1.last_scored);
        oldest.map(|oldest| own.swap_remove(oldest));
    }
    own.push((key, counts));
}

/// Moves this backend's counts to the cluster's; what it has no place for now stays.
fn push(patience: shared::Patience) {
    let mut pending = replace(Vec::new(), std::mem::take);
    if !pending.is_empty() {
        shared::push(&mut pending, patience);
    }
    let waits = !pending.is_empty();
    replace((), |own| {
        let meanwhile = std::mem::replace(own, pending);
        meanwhile
            .into_iter()
            .for_each(|(key, counts)| merge(own, key, counts));
    });
    if waits && !PUSHED_AT_EXIT.replace(true) {
        // SAFETY: registers a function of this library, which is never unloaded, once per process.
        unsafe { pg_sys::before_shmem_exit(Some(push_at_exit), pg_sys::Datum::null()) };
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn push_at_exit(_code: std::ffi::c_int, _argument: pg_sys::Datum) {
    push(shared::Patience::Waits);
}

/// What `work` makes of this backend's counts; `otherwise` while a process ends.
fn replace<T>(otherwise: T, work: impl FnOnce(&mut Vec<(Key, Counts)>) -> T) -> T {
    let done = OWN.try_with(|own| own.try_borrow_mut().ok().map(|mut own| work(&mut own)));
    done.ok().flatten().unwrap_or(otherwise)
}

fn database() -> pg_sys::Oid {
    // SAFETY: reads a variable that is set once a process has chosen its database.
    unsafe { pg_sys::MyDatabaseId }
}
