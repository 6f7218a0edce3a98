//! Rows of a statement on their way through a model.

use std::sync::Arc;
use std::time::{Duration, Instant};

use finai_engine::{Model, Scorer, Value};
use pgrx::prelude::*;

use crate::cache;
use crate::error::{Error, GuardError, Result};
use crate::feature_set;
use crate::registry::Version;
use crate::row::{Bind, Binding, Tuple, TupleBinding};
use crate::statistics::Tally;

/// A model's rooms for rows, and where their columns come from.
pub struct Buffers {
    pub version: Arc<Version>,
    pub scorer: Scorer,
    binding: Option<TupleBinding>,
    /// Of what a feature set computes.
    computed: Option<Binding>,
}

impl Buffers {
    pub fn new(version: &Arc<Version>, model: Arc<Model>, capacity: usize) -> Result<Buffers> {
        Ok(Buffers {
            version: version.clone(),
            scorer: Scorer::new(model, capacity).map_err(Error::of(&version.model))?,
            binding: None,
            computed: None,
        })
    }

    /// For another statement with the same model: rows may have other columns by now.
    pub fn renew(&mut self, version: &Arc<Version>, capacity: usize) -> Result<()> {
        self.version = version.clone();
        self.binding.take_if(|binding| !binding.is_current());
        // The row type of a view that was dropped cannot be asked about.
        self.computed = None;
        if self.scorer.batch().capacity() < capacity {
            let model = self.scorer.model().clone();
            self.scorer = Scorer::new(model, capacity).map_err(Error::of(&version.model))?;
        }
        self.scorer.batch().clear();
        Ok(())
    }
}

/// When a statement's scoring has to be done.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    pub at: Instant,
    pub budget: Duration,
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

impl<'site> Ready<'site> {
    pub fn new(
        version: Arc<Version>,
        buffers: &'site mut Buffers,
        deadline: Option<Deadline>,
    ) -> Ready<'site> {
        Ready {
            tally: Tally::new(&version),
            version,
            buffers,
            deadline,
        }
    }

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
