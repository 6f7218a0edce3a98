//! What a backend keeps of one guard on one relation between statements: where its rows are, the binding and the buffers.
//! Never stale: guard, version and binding are looked at anew in every statement.

use std::cell::RefCell;
use std::sync::Arc;

use finai_engine::Model;
use pgrx::pg_sys;

use crate::cache;
use crate::error::Result;
use crate::registry::{Guard, Known, KnownGuard, Statement, Version};
use crate::statistics;

use super::ready::{Buffers, Deadline, Ready};

/// Rows scored at once.
const BATCH: usize = 256;
/// Sites kept in one backend.
const SITES: usize = 32;

thread_local! {
    /// Least recently used first. A site that is in use is not in it.
    static KEPT: RefCell<Vec<(Key, Box<Site>)>> = const { RefCell::new(Vec::new()) };
}

#[derive(PartialEq, Eq)]
struct Key {
    guard: String,
    relation: pg_sys::Oid,
}

/// Binding and buffers, and for triggers that fire row by row, what was found out in this statement.
#[derive(Default)]
pub struct Site {
    buffers: Option<Buffers>,
    current: Option<Current>,
    known_guard: KnownGuard,
    known: Known,
}

struct Current {
    statement: Statement,
    guard: Arc<Guard>,
    version: Arc<Version>,
}

/// The site of a guard on a relation, taken out for one statement: whoever asks meanwhile gets one of its own.
pub fn take(guard: &str, relation: pg_sys::Oid) -> Box<Site> {
    KEPT.with(|kept| {
        let mut kept = kept.try_borrow_mut().ok()?;
        let found = kept
            .iter()
            .position(|(key, _)| key.relation == relation && key.guard == guard)?;
        Some(kept.remove(found).1)
    })
    .unwrap_or_default()
}

/// Keeps a site for the next statement. Those whose model left the cache meanwhile go, so that the cache's bound holds.
pub fn keep(guard: &str, relation: pg_sys::Oid, site: Box<Site>) {
    KEPT.with(|kept| {
        let Ok(mut kept) = kept.try_borrow_mut() else {
            return;
        };
        kept.retain(|(key, site)| {
            site.is_cached() && !(key.relation == relation && key.guard == guard)
        });
        if kept.len() >= SITES {
            kept.remove(0);
        }
        let guard = guard.to_owned();
        kept.push((Key { guard, relation }, site));
    });
}

impl Site {
    fn is_cached(&self) -> bool {
        self.buffers
            .as_ref()
            .is_some_and(|buffers| cache::holds(buffers.scorer.model()))
    }

    /// The guard of the site's name, as this statement finds it.
    pub fn find_guard(&mut self, name: &str) -> Result<Option<Arc<Guard>>> {
        self.known_guard.find(name)
    }

    /// Finds the version that the guard's model means for the current role in this statement, and makes room for batches
    /// where more than one row is expected.
    pub fn begin(
        &mut self,
        guard: &Guard,
        rows: usize,
        deadline: Option<Deadline>,
    ) -> Result<Ready<'_>> {
        let version = self.known.resolve(&guard.model)?;
        let model = match self.cached(&version) {
            Some(model) => model,
            None => cache::model(&version).inspect_err(|_| statistics::count_error(&version))?,
        };
        let capacity = if rows > 1 { BATCH } else { 1 };
        let kept = self.buffers.take();
        let buffers = match kept.filter(|kept| Arc::ptr_eq(kept.scorer.model(), &model)) {
            Some(mut buffers) => {
                buffers.renew(&version, capacity)?;
                buffers
            }
            None => Buffers::new(&version, model, capacity)?,
        };
        Ok(Ready::new(version, self.buffers.insert(buffers), deadline))
    }

    /// The version's model, where it is the one that the buffers are for.
    fn cached(&self, version: &Arc<Version>) -> Option<Arc<Model>> {
        let buffers = self.buffers.as_ref()?;
        let buffers = Some(buffers).filter(|buffers| Arc::ptr_eq(&buffers.version, version))?;
        cache::again(version, buffers.scorer.model())
    }

    /// The guard as this statement found it, for its next row; for the role that writes the row.
    pub fn guard(&self) -> Option<Arc<Guard>> {
        let current = self.current.as_ref()?;
        // A statement that another's trigger ran may have left buffers of another version.
        let buffers = self.buffers.as_ref()?;
        let is_current =
            Arc::ptr_eq(&buffers.version, &current.version) && current.statement.is_current();
        is_current.then(|| current.guard.clone())
    }

    /// Remembers what a statement's first row found out.
    pub fn remember(&mut self, statement: Statement, guard: Arc<Guard>, version: Arc<Version>) {
        self.current = Some(Current {
            statement,
            guard,
            version,
        });
    }

    /// As [`Site::begin`], for a row after the statement's first.
    pub fn resume(&mut self, deadline: Option<Deadline>) -> Option<Ready<'_>> {
        let version = self.current.as_ref()?.version.clone();
        let buffers = self.buffers.as_mut()?;
        buffers.scorer.batch().clear();
        Some(Ready::new(version, buffers, deadline))
    }
}
