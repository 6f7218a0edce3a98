//! Compiled models of this backend, bounded. Keyed by content, so an entry can be cold but never stale.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use finai_engine::{Declaration, Model};
use pgrx::pg_sys;

use crate::allocator;
use crate::error::{Error, Result};
use crate::guc;
use crate::registry::Version;

struct Entry {
    sha256: Vec<u8>,
    declaration: Declaration,
    model: Arc<Model>,
    /// Names it was asked for by last; other versions can have the same bytes.
    name: String,
    version: i32,
    hits: u64,
    load: Duration,
    loaded_at: pg_sys::TimestampTz,
    last_used: pg_sys::TimestampTz,
}

/// What is known of a compiled model.
#[derive(Debug)]
pub struct Cached {
    pub model: String,
    pub version: i32,
    pub sha256: Vec<u8>,
    pub bytes: usize,
    pub hits: u64,
    pub load: Duration,
    pub loaded_at: pg_sys::TimestampTz,
    pub last_used: pg_sys::TimestampTz,
}

thread_local! {
    /// Least recently used first.
    static CACHE: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

/// The compiled model of a version, from the cache or compiled now.
pub fn model(version: &Version) -> Result<Arc<Model>> {
    if let Some(model) = lookup(version) {
        return Ok(model);
    }
    let began = Instant::now();
    let onnx = version.onnx()?;
    let before = allocator::allocated();
    let model = Model::load_as(&onnx, &version.declaration, &guc::registered_limits())
        .map_err(Error::of(&version.model))?;
    let held = allocator::allocated().saturating_sub(before);
    drop(onnx);
    let model = Arc::new(model.counted(held));
    let now = now();
    insert(Entry {
        sha256: version.sha256.clone(),
        declaration: version.declaration.clone(),
        model: model.clone(),
        name: version.model.clone(),
        version: version.version,
        hits: 0,
        load: began.elapsed(),
        loaded_at: now,
        last_used: now,
    });
    Ok(model)
}

/// As [`model`], where this one was the version's before. Nothing where it has left the cache.
pub fn again(version: &Version, model: &Arc<Model>) -> Option<Arc<Model>> {
    take(version, |entry| Arc::ptr_eq(&entry.model, model))
}

/// Whether a compiled model is in the cache still.
pub fn holds(model: &Arc<Model>) -> bool {
    with(|entries| entries.iter().any(|entry| Arc::ptr_eq(&entry.model, model))).unwrap_or_default()
}

/// The models in the cache, the one used last first.
pub fn all() -> Vec<Cached> {
    with(|entries| {
        trim(entries);
        entries
            .iter()
            .rev()
            .map(|entry| Cached {
                model: entry.name.clone(),
                version: entry.version,
                sha256: entry.sha256.clone(),
                bytes: entry.model.memory(),
                hits: entry.hits,
                load: entry.load,
                loaded_at: entry.loaded_at,
                last_used: entry.last_used,
            })
            .collect()
    })
    .unwrap_or_default()
}

/// Bytes of the models in the cache.
pub fn memory() -> usize {
    with(|entries| {
        trim(entries);
        held(entries)
    })
    .unwrap_or_default()
}

fn lookup(version: &Version) -> Option<Arc<Model>> {
    take(version, |entry| {
        entry.sha256 == version.sha256 && entry.declaration == version.declaration
    })
}

/// The model of an entry, which is the one used last from now on.
fn take(version: &Version, is_it: impl Fn(&Entry) -> bool) -> Option<Arc<Model>> {
    let now = now();
    with(|entries| {
        let found = entries.iter().rposition(is_it)?;
        let mut entry = entries.remove(found);
        entry.hits += 1;
        entry.last_used = now;
        if entry.version != version.version || entry.name != version.model {
            entry.name.clone_from(&version.model);
            entry.version = version.version;
        }
        let model = entry.model.clone();
        entries.push(entry);
        trim(entries);
        Some(model)
    })
    .flatten()
}

fn insert(entry: Entry) {
    with(|entries| {
        entries.push(entry);
        trim(entries);
    });
}

/// Drops what was used longest ago until the rest fits, but for the last: a statement needs it whatever its size.
fn trim(entries: &mut Vec<Entry>) {
    let mut held = held(entries);
    while held > guc::cache_memory() && entries.len() > 1 {
        held -= entries.remove(0).model.memory();
    }
}

fn held(entries: &[Entry]) -> usize {
    entries.iter().map(|entry| entry.model.memory()).sum()
}

/// Nothing where the cache is in use: a panic on its way out.
fn with<T>(work: impl FnOnce(&mut Vec<Entry>) -> T) -> Option<T> {
    CACHE.with(|cache| {
        cache
            .try_borrow_mut()
            .ok()
            .map(|mut entries| work(&mut entries))
    })
}

fn now() -> pg_sys::TimestampTz {
    // SAFETY: reads the clock.
    unsafe { pg_sys::GetCurrentTimestamp() }
}

/// Runs interruptible work, from the start again where the interrupt was none that ends the statement.
pub fn restarted<T>(
    mut work: impl FnMut(&dyn Fn() -> bool) -> finai_engine::Result<T>,
) -> finai_engine::Result<T> {
    loop {
        match work(&interrupt_pending) {
            Err(finai_engine::Error::Interrupted) => {
                pgrx::check_for_interrupts!();
            }
            done => return done,
        }
    }
}

/// Whether PostgreSQL's own check would act on something now: a cancel, or as often a message from a parallel worker.
pub fn interrupt_pending() -> bool {
    // SAFETY: reads variables of this single-threaded backend, the first of which signal handlers set.
    unsafe {
        std::ptr::read_volatile(&raw const pg_sys::InterruptPending) != 0
            && pg_sys::InterruptHoldoffCount == 0
            && pg_sys::QueryCancelHoldoffCount == 0
            && pg_sys::CritSectionCount == 0
    }
}
