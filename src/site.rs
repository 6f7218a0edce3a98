//! One place in a query that scores: the statement's version, the row type's binding, the buffers.

use std::sync::Arc;

use finai_engine::Scorer;

use crate::cache;
use crate::error::{Error, Result};
use crate::registry::{self, Reference, Statement, Version};
use crate::row::{Binding, Record};
use crate::statistics::{self, Tally};

/// What a call site keeps between rows.
#[derive(Default)]
pub struct Site {
    called: String,
    statement: Option<Statement>,
    ready: Option<Ready>,
}

struct Ready {
    version: Version,
    scorer: Scorer,
    binding: Option<Binding>,
    tally: Tally,
}

/// A scored row and the version that scored it.
pub struct Scored<'site> {
    pub version: &'site Version,
    scorer: &'site Scorer,
}

impl Scored<'_> {
    /// The probability of the positive class, or a regression's value.
    #[inline]
    pub fn score(&self) -> Result<f64> {
        self.scorer
            .scores()
            .score(0)
            .map_err(Error::of(&self.version.model))
    }

    /// The predicted class; nothing for a regression.
    pub fn label(&self) -> Option<&str> {
        self.scorer.scores().label(0)
    }

    /// Every label with its probability, in the model's order; empty for a regression.
    pub fn probabilities(&self) -> impl Iterator<Item = (&str, f64)> {
        let labels = self.scorer.model().signature().labels.iter();
        let probabilities = self.scorer.scores().probabilities(0).iter();
        labels.map(String::as_str).zip(probabilities.copied())
    }
}

impl Site {
    /// Scores one row with the version that `reference` means in this statement.
    pub fn score(&mut self, reference: &str, record: &Record) -> Result<Scored<'_>> {
        if self.called != reference || !self.statement.as_ref().is_some_and(Statement::is_current) {
            self.prepare(reference)?;
        }
        let Some(ready) = &mut self.ready else {
            return Err(Error::UnknownModel(reference.to_owned()));
        };
        ready.score(record)
    }

    /// Resolves the reference under the statement's snapshot; keeps buffers and binding where they still fit.
    fn prepare(&mut self, reference: &str) -> Result<()> {
        self.statement = None;
        let version = registry::resolve(&Reference::parse(reference)?)?;
        let model = cache::model(&version).inspect_err(|_| statistics::count_error(&version))?;
        self.ready = match self.ready.take() {
            Some(ready) if Arc::ptr_eq(ready.scorer.model(), &model) => Some(Ready {
                tally: Tally::new(&version),
                version,
                scorer: ready.scorer,
                binding: ready.binding.filter(Binding::is_current),
            }),
            _ => Some(Ready {
                scorer: Scorer::new(model, 1).map_err(Error::of(&version.model))?,
                tally: Tally::new(&version),
                version,
                binding: None,
            }),
        };
        self.called.clear();
        self.called.push_str(reference);
        self.statement = Some(Statement::current());
        Ok(())
    }
}

impl Ready {
    fn score(&mut self, record: &Record) -> Result<Scored<'_>> {
        let began = self.tally.begin();
        match self.evaluate(record) {
            Ok(()) => self.tally.scored(began),
            Err(error) => {
                self.tally.failed();
                return Err(error);
            }
        }
        Ok(Scored {
            version: &self.version,
            scorer: &self.scorer,
        })
    }

    #[inline]
    fn evaluate(&mut self, record: &Record) -> Result<()> {
        let binding = match &mut self.binding {
            Some(binding) if binding.fits(record) => binding,
            binding => binding.insert(Binding::new(
                record,
                self.scorer.model().signature(),
                &self.version.model,
            )?),
        };
        let engine_error = |source| Error::Model {
            model: self.version.model.clone(),
            source,
        };
        let batch = self.scorer.batch();
        batch.clear();
        binding.push(record, batch).map_err(engine_error)?;
        cache::restarted(|interrupted| self.scorer.run(interrupted).map(|_| ()))
            .map_err(engine_error)
    }
}
