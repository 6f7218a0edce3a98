//! The buffers of one caller: rows in, scores out, nothing allocated per row.

use std::sync::Arc;

use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::outputs::Outputs;
use crate::program::State;
use crate::program::sink::Scoring;
use crate::signature::Task;

/// A model with the batch a caller fills, the memory of its runs and their scores.
#[derive(Debug)]
pub struct Scorer {
    model: Arc<Model>,
    batch: Batch,
    state: State,
    scores: Scores,
}

impl Scorer {
    /// Allocates everything for batches of up to `capacity` rows.
    pub fn new(model: Arc<Model>, capacity: usize) -> Result<Scorer> {
        let batch = Batch::new(model.signature(), capacity)?;
        let state = model.program.state(capacity)?;
        let width = model.head.width;
        let mut scores = Scores {
            model: model.clone(),
            rows: 0,
            width,
            labels: Vec::new(),
            probabilities: Vec::new(),
        };
        let cells = capacity.checked_mul(width).ok_or(Error::OutOfMemory)?;
        scores
            .labels
            .try_reserve_exact(capacity)
            .map_err(|_| Error::OutOfMemory)?;
        scores
            .probabilities
            .try_reserve_exact(cells)
            .map_err(|_| Error::OutOfMemory)?;
        scores.labels.resize(capacity, 0);
        scores.probabilities.resize(cells, 0.0);
        Ok(Scorer {
            model,
            batch,
            state,
            scores,
        })
    }

    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    pub fn batch(&mut self) -> &mut Batch {
        &mut self.batch
    }

    /// Scores all rows of the batch, which stay in it. `interrupted` is asked at least every 1,024 rows; true ends the run
    /// with `Error::Interrupted`. After a failed run there are no scores and the scorer can be used again.
    pub fn run(&mut self, interrupted: &dyn Fn() -> bool) -> Result<&Scores> {
        self.scores.rows = 0;
        self.batch.finish_row()?;
        let Scores {
            labels,
            probabilities,
            width,
            ..
        } = &mut self.scores;
        let mut sink = Scoring {
            head: &self.model.head,
            labels,
            probabilities,
            width: *width,
        };
        self.model
            .program
            .run(&self.batch, &mut self.state, &mut sink, interrupted)?;
        self.scores.rows = self.batch.rows();
        Ok(&self.scores)
    }

    /// Every output of the graph for all rows of the batch, in memory of its own; otherwise as [`Scorer::run`]. The scores
    /// of the last run stay.
    pub fn outputs(&mut self, interrupted: &dyn Fn() -> bool) -> Result<Outputs> {
        self.batch.finish_row()?;
        let mut outputs = Outputs::new(&self.model, self.batch.rows());
        self.model
            .program
            .run(&self.batch, &mut self.state, &mut outputs, interrupted)?;
        Ok(outputs)
    }

    /// The scores of the last run; none after a failed one.
    pub fn scores(&self) -> &Scores {
        &self.scores
    }
}

/// The scores of the last run, row by row.
#[derive(Debug)]
pub struct Scores {
    model: Arc<Model>,
    rows: usize,
    width: usize,
    labels: Vec<usize>,
    probabilities: Vec<f64>,
}

impl Scores {
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Probability of the positive class, or the value of a regression. `Error::NoScore` for several values, `Error::AmbiguousOutput` where no class is the
    /// positive one, `Error::Invalid` for a row that was not scored.
    #[inline]
    pub fn score(&self, row: usize) -> Result<f64> {
        let signature = self.model.signature();
        let column = match (signature.task, signature.positive) {
            (Task::Regression, _) => 0,
            (Task::Vector, _) => {
                return Err(Error::NoScore { values: self.width });
            }
            (_, Some(positive)) => positive,
            _ => {
                return Err(Error::AmbiguousOutput {
                    labels: signature.labels.clone(),
                });
            }
        };
        let score = self.probabilities(row).get(column).copied();
        score.ok_or_else(|| Error::Invalid(format!("row {row} of {} scores", self.rows)))
    }

    /// Label of a classifier; `None` for a regression and for a row that was not scored.
    #[inline]
    pub fn label(&self, row: usize) -> Option<&str> {
        if row >= self.rows {
            return None;
        }
        let labels = &self.model.signature().labels;
        labels.get(*self.labels.get(row)?).map(String::as_str)
    }

    /// One probability per label, the value of a regression or the values of a vector; empty for a row that was not scored.
    #[inline]
    pub fn probabilities(&self, row: usize) -> &[f64] {
        if row >= self.rows {
            return &[];
        }
        self.probabilities
            .get(row * self.width..(row + 1) * self.width)
            .unwrap_or(&[])
    }
}
