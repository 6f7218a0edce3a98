//! Compiled models of this backend, bounded. Keyed by content, so an entry can be cold but never stale.

use std::cell::RefCell;
use std::sync::Arc;

use finai_engine::{Declaration, Model};

use crate::error::{Error, Result};
use crate::guc;
use crate::registry::Version;

struct Entry {
    sha256: Vec<u8>,
    declaration: Declaration,
    model: Arc<Model>,
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
    let onnx = version.onnx()?;
    let model = Model::load_as(&onnx, &version.declaration, &guc::registered_limits())
        .map_err(Error::of(&version.model))?;
    let model = Arc::new(model);
    insert(Entry {
        sha256: version.sha256.clone(),
        declaration: version.declaration.clone(),
        model: model.clone(),
    });
    Ok(model)
}

fn lookup(version: &Version) -> Option<Arc<Model>> {
    CACHE.with(|cache| {
        let mut entries = cache.try_borrow_mut().ok()?;
        let found = entries.iter().position(|entry| {
            entry.sha256 == version.sha256 && entry.declaration == version.declaration
        })?;
        let entry = entries.remove(found);
        let model = entry.model.clone();
        entries.push(entry);
        Some(model)
    })
}

fn insert(entry: Entry) {
    CACHE.with(|cache| {
        if let Ok(mut entries) = cache.try_borrow_mut() {
            entries.push(entry);
            let mut held: usize = entries.iter().map(|entry| entry.model.memory()).sum();
            while held > guc::cache_memory() && entries.len() > 1 {
                held -= entries.remove(0).model.memory();
            }
        }
    });
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
fn interrupt_pending() -> bool {
    use pgrx::pg_sys;
    // SAFETY: reads variables of this single-threaded backend, the first of which signal handlers set.
    unsafe {
        std::ptr::read_volatile(&raw const pg_sys::InterruptPending) != 0
            && pg_sys::InterruptHoldoffCount == 0
            && pg_sys::QueryCancelHoldoffCount == 0
            && pg_sys::CritSectionCount == 0
    }
}
