//! The cluster's counts, in shared memory: there where the library is preloaded.
//!
//! The lock says who may change which version a slot belongs to; counts change under a shared lock, by atomic additions.

use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicPtr, AtomicU64, Ordering::Relaxed};

use pgrx::prelude::*;

use super::counts::Words;
use super::{Counts, Key, VERSIONS};

/// Zeroes are an empty table.
struct Table {
    slots: [Slot; VERSIONS],
}

struct Slot {
    /// 0 for a slot that is free.
    hash: AtomicU64,
    key: [AtomicU64; size_of::<Words>() / 8],
    calls: AtomicU64,
    rows: AtomicU64,
    errors: AtomicU64,
    nanoseconds: AtomicU64,
    alerts: AtomicU64,
    last_scored: AtomicI64,
}

/// Whether to wait for a lock that somebody holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    None,
    Waits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Shared,
    Exclusive,
}

static TABLE: AtomicPtr<Table> = AtomicPtr::new(ptr::null_mut());
static LOCK: AtomicPtr<pg_sys::LWLock> = AtomicPtr::new(ptr::null_mut());
static STARTUP_BEFORE: OnceLock<pg_sys::shmem_startup_hook_type> = OnceLock::new();
#[cfg(not(any(feature = "pg13", feature = "pg14")))]
static REQUEST_BEFORE: OnceLock<pg_sys::shmem_request_hook_type> = OnceLock::new();

const NAME: &std::ffi::CStr = c"finai";

/// Asks for the memory, in a server that is starting up.
pub fn init() {
    // SAFETY: the postmaster, of one thread, loads libraries before it makes its shared memory; the hooks found are called.
    unsafe {
        if !pg_sys::process_shared_preload_libraries_in_progress {
            return;
        }
        let _ = STARTUP_BEFORE.set(pg_sys::shmem_startup_hook);
        pg_sys::shmem_startup_hook = Some(startup);
        #[cfg(any(feature = "pg13", feature = "pg14"))]
        request_memory();
        #[cfg(not(any(feature = "pg13", feature = "pg14")))]
        {
            let _ = REQUEST_BEFORE.set(pg_sys::shmem_request_hook);
            pg_sys::shmem_request_hook = Some(request);
        }
    }
}

#[cfg(not(any(feature = "pg13", feature = "pg14")))]
#[pg_guard]
unsafe extern "C-unwind" fn request() {
    // SAFETY: the hook that was there before, in its place; then what a request hook is for.
    unsafe {
        if let Some(before) = REQUEST_BEFORE.get().copied().flatten() {
            pg_sys::ffi::pg_guard_ffi_boundary(|| before());
        }
        request_memory();
    }
}

unsafe fn request_memory() {
    // SAFETY: called while shared memory is being planned.
    unsafe {
        pg_sys::RequestAddinShmemSpace(size_of::<Table>());
        pg_sys::RequestNamedLWLockTranche(NAME.as_ptr(), 1);
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn startup() {
    // SAFETY: the hook that was there before, in its place. The memory is as large as a table, aligned for any type, and
    // zeroed before anybody sees it; it lives as long as the processes that see it. The tranche was asked for.
    unsafe {
        if let Some(before) = STARTUP_BEFORE.get().copied().flatten() {
            pg_sys::ffi::pg_guard_ffi_boundary(|| before());
        }
        let mut found = false;
        let memory = pg_sys::ShmemInitStruct(NAME.as_ptr(), size_of::<Table>(), &raw mut found);
        let table = memory.cast::<Table>();
        if !found {
            ptr::write_bytes(table, 0, 1);
        }
        let tranche = pg_sys::GetNamedLWLockTranche(NAME.as_ptr());
        LOCK.store(&raw mut (*tranche).lock, Relaxed);
        TABLE.store(table, Relaxed);
    }
}

/// Whether this cluster counts.
pub fn is_there() -> bool {
    !TABLE.load(Relaxed).is_null()
}

/// Adds counts and takes out what was added. What finds the lock held, and may not wait, stays.
pub fn push(pending: &mut Vec<(Key, Counts)>, patience: Patience) {
    locked(Mode::Shared, patience, |table| {
        pending.retain(|(key, counts)| match table.find(key) {
            Some(slot) => {
                slot.add(counts);
                false
            }
            None => true,
        });
    });
    if pending.is_empty() {
        return;
    }
    locked(Mode::Exclusive, patience, |table| {
        pending.retain(|(key, counts)| match table.find_or_take(key) {
            Some(slot) => {
                slot.add(counts);
                false
            }
            None => true,
        });
    });
}

/// The counts of a database.
pub fn all(database: pg_sys::Oid) -> Vec<(Key, Counts)> {
    // No memory is asked for under the lock.
    let mut found = Vec::with_capacity(VERSIONS);
    locked(Mode::Shared, Patience::Waits, |table| {
        let taken = table.slots.iter().filter(|slot| slot.is_taken());
        let taken = taken.map(|slot| (slot.key(), slot.counts()));
        found.extend(taken.filter(|(key, _)| key.database == u32::from(database)));
    });
    found
}

/// Frees the slots of a database.
pub fn reset(database: pg_sys::Oid) {
    locked(Mode::Exclusive, Patience::Waits, |table| {
        let taken = table.slots.iter().filter(|slot| slot.is_taken());
        taken
            .filter(|slot| slot.key().database == u32::from(database))
            .for_each(|slot| slot.hash.store(0, Relaxed));
    });
}

/// Runs `work`, which neither raises nor allocates, under the lock; not at all where there is no table or no waiting.
fn locked(mode: Mode, patience: Patience, work: impl FnOnce(&Table)) {
    let (table, lock) = (TABLE.load(Relaxed), LOCK.load(Relaxed));
    if table.is_null() || lock.is_null() {
        return;
    }
    let mode = match mode {
        Mode::Shared => pg_sys::LWLockMode::LW_SHARED,
        Mode::Exclusive => pg_sys::LWLockMode::LW_EXCLUSIVE,
    };
    // SAFETY: `startup` found both, and they stay; nothing in the table but atomic numbers changes.
    unsafe {
        match patience {
            Patience::None if !pg_sys::LWLockConditionalAcquire(lock, mode) => return,
            Patience::None => {}
            Patience::Waits => {
                pg_sys::LWLockAcquire(lock, mode);
            }
        }
        work(&*table);
        pg_sys::LWLockRelease(lock);
    }
}

impl Table {
    /// Every slot, beginning where the key belongs.
    fn slots_of(&self, hash: u64) -> impl Iterator<Item = &Slot> {
        let (before, from) = self.slots.split_at(hash as usize / 2 % VERSIONS);
        from.iter().chain(before)
    }

    fn find(&self, key: &Key) -> Option<&Slot> {
        let hash = key.hash();
        self.slots_of(hash)
            .find(|slot| slot.hash.load(Relaxed) == hash && slot.key() == *key)
    }

    /// The key's slot: its own, a free one, or that of the version scored longest ago. Needs the exclusive lock.
    fn find_or_take(&self, key: &Key) -> Option<&Slot> {
        let hash = key.hash();
        let free = || self.slots_of(hash).find(|slot| !slot.is_taken());
        let oldest = || {
            let slots = self.slots.iter();
            slots.min_by_key(|slot| slot.last_scored.load(Relaxed))
        };
        self.find(key).or_else(|| {
            let slot = free().or_else(oldest)?;
            slot.take(hash, key);
            Some(slot)
        })
    }
}

impl Slot {
    fn is_taken(&self) -> bool {
        self.hash.load(Relaxed) != 0
    }

    fn key(&self) -> Key {
        Key::of_words(&std::array::from_fn(|i| {
            self.key.get(i).map_or(0, |word| word.load(Relaxed))
        }))
    }

    fn take(&self, hash: u64, key: &Key) {
        self.hash.store(hash, Relaxed);
        self.key
            .iter()
            .zip(key.words())
            .for_each(|(to, word)| to.store(word, Relaxed));
        [
            &self.calls,
            &self.rows,
            &self.errors,
            &self.nanoseconds,
            &self.alerts,
        ]
        .into_iter()
        .for_each(|count| count.store(0, Relaxed));
        self.last_scored.store(0, Relaxed);
    }

    fn add(&self, counts: &Counts) {
        self.calls.fetch_add(counts.calls, Relaxed);
        self.rows.fetch_add(counts.rows, Relaxed);
        self.errors.fetch_add(counts.errors, Relaxed);
        self.nanoseconds.fetch_add(counts.nanoseconds, Relaxed);
        self.alerts.fetch_add(counts.alerts, Relaxed);
        self.last_scored.fetch_max(counts.last_scored, Relaxed);
    }

    fn counts(&self) -> Counts {
        Counts {
            calls: self.calls.load(Relaxed),
            rows: self.rows.load(Relaxed),
            errors: self.errors.load(Relaxed),
            nanoseconds: self.nanoseconds.load(Relaxed),
            alerts: self.alerts.load(Relaxed),
            last_scored: self.last_scored.load(Relaxed),
        }
    }
}
