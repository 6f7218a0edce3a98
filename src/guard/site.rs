//! What a backend keeps of one guard on one relation between statements: where its rows are, the binding and the buffers.
//! Never stale: guard, version and binding are looked at anew in every statement.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

use finai_engine::{Model, Scorer, Value};
use pgrx::prelude::*;

use crate::cache;
use crate::error::{Error, GuardError, Result};
use crate::feature_set;
use crate::registry::{Guard, Known, KnownGuard, Statement, Version};
use crate::row::{Bind, Binding, Tuple, TupleBinding};
use crate::statistics::{self, Tally};

/// Rows scored at once.
const BATCH: usize = 256;
/// Sites kept in one backend.
const SITES: usize = 32;

thread_local! {
    /// Least recently used first. A site that is in use is not in it.
    static KEPT: RefCell<Vec<(Key, Site)>> = const { RefCell::new(Vec::new()) };
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

struct Buffers {
    version: Arc<Version>,
    scorer: Scorer,
    binding: Option<TupleBinding>,
    /// Of what a feature set computes.
    computed: Option<Binding>,
}

/// When a statement's scoring has to be done.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    pub at: Instant,
    pub budget: std::time::Duration,
}

impl Deadline {
    pub fn has_passed(&self) -> bool {
        Instant::now() >= self.at
    }

    pub fn error(&self) -> Error {
        GuardError::OverBudget(self.budget.as_millis()).into()
    }
}

/// A site that scores with one version, until its statement has ended.
pub struct Ready<'site> {
    pub version: Arc<Version>,
    buffers: &'site mut Buffers,
    deadline: Option<Deadline>,
    tally: Tally,
}

/// The site of a guard on a relation, taken out for one statement: whoever asks meanwhile gets one of its own.
pub fn take(guard: &str, relation: pg_sys::Oid) -> Site {
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
pub fn keep(guard: &str, relation: pg_sys::Oid, site: Site) {
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
        let kept = self
            .buffers
            .take()
            .filter(|buffers| Arc::ptr_eq(buffers.scorer.model(), &model));
        let buffers = match kept {
            Some(mut buffers) => {
                buffers.version = version.clone();
                buffers.binding = buffers.binding.filter(TupleBinding::is_current);
                // The row type of a view that was dropped cannot be asked about.
                buffers.computed = None;
                if buffers.scorer.batch().capacity() < capacity {
                    buffers.scorer =
                        Scorer::new(model, capacity).map_err(Error::of(&version.model))?;
                }
                buffers.scorer.batch().clear();
                buffers
            }
            None => Buffers {
                version: version.clone(),
                scorer: Scorer::new(model, capacity).map_err(Error::of(&version.model))?,
                binding: None,
                computed: None,
            },
        };
        Ok(Ready {
            tally: Tally::new(&version),
            version,
            buffers: self.buffers.insert(buffers),
            deadline,
        })
    }

    /// The version's model, where it is the one that the buffers are for.
    fn cached(&self, version: &Arc<Version>) -> Option<Arc<Model>> {
        let buffers = self.buffers.as_ref()?;
        let buffers = Some(buffers).filter(|buffers| Arc::ptr_eq(&buffers.version, version))?;
        cache::again(version, buffers.scorer.model())
    }

    /// The guard as this statement found it, for its next row; for the role that asks for the row.
    pub fn guard(&self) -> Option<Arc<Guard>> {
        let current = self.current.as_ref()?;
        let is_current = self.buffers.is_some() && current.statement.is_current();
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
        Some(Ready {
            tally: Tally::new(&version),
            version,
            buffers,
            deadline,
        })
    }
}

impl Ready<'_> {
    /// Adds a row to the batch; one that does not bind leaves the batch as it was.
    pub fn push(&mut self, row: &Tuple) -> Result<()> {
        let Buffers {
            scorer, binding, ..
        } = &mut *self.buffers;
        let pushed = push(scorer, binding, row, &self.version);
        pushed.inspect_err(|_| self.tally.failed())
    }

    /// As [`Ready::push`], of the row that a feature set computes: `view_type` is its view's. Raises what its queries do.
    pub fn push_computed(&mut self, view_type: pg_sys::Oid, row: &Tuple) -> Result<()> {
        if let Some(deadline) = self.deadline.filter(Deadline::has_passed) {
            return Err(deadline.error());
        }
        let Some(record) = row.to_record() else {
            return Ok(());
        };
        let row = feature_set::feature_row(view_type, &record)?;
        let Buffers {
            scorer, computed, ..
        } = &mut *self.buffers;
        let pushed = match row.record() {
            Some(record) => push(scorer, computed, &record, &self.version),
            None => Ok(()),
        };
        pushed.inspect_err(|_| self.tally.failed())
    }

    pub fn is_full(&mut self) -> bool {
        let batch = self.buffers.scorer.batch();
        batch.rows() >= batch.capacity()
    }

    pub fn rows(&mut self) -> usize {
        self.buffers.scorer.batch().rows()
    }

    /// Scores the batch. `Error::Guard` where time runs out; a cancelled statement ends here.
    pub fn run(&mut self) -> Result<()> {
        let rows = self.rows();
        let began = Instant::now();
        let deadline = self.deadline;
        let scorer = &mut self.buffers.scorer;
        loop {
            if deadline.is_some_and(|deadline| deadline.has_passed()) {
                return Err(deadline.map_or(GuardError::OverBudget(0).into(), |d| d.error()));
            }
            let interrupted =
                || cache::interrupt_pending() || deadline.is_some_and(|d| d.has_passed());
            match scorer.run(&interrupted) {
                Ok(_) => break,
                Err(finai_engine::Error::Interrupted) => {
                    pgrx::check_for_interrupts!();
                }
                Err(source) => {
                    self.tally.failed();
                    return Err(Error::Model {
                        model: self.version.reference(),
                        source,
                    });
                }
            }
        }
        self.tally.scored_batch(began, rows as u64);
        Ok(())
    }

    /// The score of a row of the batch that was run.
    pub fn score(&self, row: usize) -> Result<f64> {
        let score = self.buffers.scorer.scores().score(row);
        let score = score.map_err(|source| Error::Model {
            model: self.version.reference(),
            source,
        })?;
        if score.is_nan() {
            return Err(GuardError::NotANumber.into());
        }
        Ok(score)
    }

    /// The features of a row of the batch as the model got them, as a JSON object; a missing number is null.
    pub fn features(&mut self, row: usize) -> String {
        let Buffers { scorer, .. } = &mut *self.buffers;
        let model = scorer.model().clone();
        let batch = scorer.batch();
        let features = model.signature().features.iter().enumerate();
        let object = features
            .map(|(i, feature)| (feature.name.clone(), json(batch.value(row, i))))
            .collect();
        serde_json::Value::Object(object).to_string()
    }

    pub fn clear(&mut self) {
        self.buffers.scorer.batch().clear();
    }
}

fn push<B: Bind>(
    scorer: &mut Scorer,
    binding: &mut Option<B>,
    row: &B::Row<'_>,
    version: &Version,
) -> Result<()> {
    let binding = match binding {
        Some(binding) if binding.fits(row) => binding,
        binding => {
            let signature = scorer.model().signature();
            binding.insert(B::new(row, signature, &version.reference())?)
        }
    };
    let batch = scorer.batch();
    let rows = batch.rows();
    let pushed = binding.push(row, batch).and_then(|()| batch.finish_row());
    pushed.map_err(|source| {
        if batch.rows() > rows {
            batch.drop_row();
        }
        Error::Model {
            model: version.reference(),
            source,
        }
    })
}

fn json(value: Option<Value>) -> serde_json::Value {
    // Single precision has fewer digits than the double of the same value would be written with.
    let number = |value: f64, shortest: String| match shortest.parse::<f64>() {
        Ok(number) if number.is_finite() => number.into(),
        _ if value.is_nan() => serde_json::Value::Null,
        _ => shortest.into(),
    };
    match value {
        None => serde_json::Value::Null,
        Some(Value::Float32(value)) => number(value.into(), value.to_string()),
        Some(Value::Float64(value)) => number(value, value.to_string()),
        Some(Value::Integer(value)) => value.into(),
        Some(Value::Bool(value)) => value.into(),
        Some(Value::Text(value)) => value.into(),
    }
}
