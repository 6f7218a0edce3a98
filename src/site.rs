//! One place in a query that scores: the statement's version, the row type's binding, the buffers.

use std::sync::Arc;

use finai_engine::Scorer;

use crate::cache;
use crate::error::{Error, Result};
use crate::registry::{self, Reference, Statement, Target, Version};
use crate::row::{Bind, Binding};
use crate::statistics::{self, Tally};

/// What a call site keeps between rows, which bind as `B` does.
pub struct Site<B = Binding> {
    called: Called,
    statement: Option<Statement>,
    ready: Option<Ready<B>>,
}

impl<B> Default for Site<B> {
    fn default() -> Site<B> {
        Site {
            called: Called::default(),
            statement: None,
            ready: None,
        }
    }
}

/// What a call asks for.
#[derive(Clone, Copy)]
enum Call<'a> {
    /// Whatever a reference means.
    Reference(&'a str),
    /// A version whose scores are immutable.
    Version(&'a str, i32),
}

/// What the last call asked for.
#[derive(Default)]
struct Called {
    text: String,
    version: Option<i32>,
}

struct Ready<B> {
    version: Version,
    scorer: Scorer,
    binding: Option<B>,
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
            .map_err(|source| Error::Model {
                model: self.version.reference(),
                source,
            })
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

impl<B: Bind> Site<B> {
    /// Scores one row with the version that `reference` means in this statement.
    #[inline]
    pub fn score(&mut self, reference: &str, row: &B::Row<'_>) -> Result<Scored<'_>> {
        self.call(Call::Reference(reference), row)
    }

    /// Scores one row with a version; one that runs as a graph is refused, because its scores depend on the processor.
    #[inline]
    pub fn score_version(
        &mut self,
        model: &str,
        version: i32,
        row: &B::Row<'_>,
    ) -> Result<Scored<'_>> {
        self.call(Call::Version(model, version), row)
    }

    /// As [`Site::score`], for counting: nothing where this row cannot be scored, or its score is no number.
    pub fn score_if_any(&mut self, reference: &str, row: &B::Row<'_>) -> Result<Option<f64>> {
        let ready = self.ready(Call::Reference(reference))?;
        match ready.score(row).and_then(|scored| scored.score()) {
            Ok(score) => Ok(Some(score).filter(|score| !score.is_nan())),
            // Past the binding, which is the row type's, an error is the row's.
            Err(error @ Error::Model { .. }) if !error.is_out_of_memory() => Ok(None),
            Err(error) => Err(error),
        }
    }

    #[inline]
    fn call(&mut self, call: Call<'_>, row: &B::Row<'_>) -> Result<Scored<'_>> {
        self.ready(call)?.score(row)
    }

    #[inline]
    fn ready(&mut self, call: Call<'_>) -> Result<&mut Ready<B>> {
        if !self.called.is(call) || !self.statement.as_ref().is_some_and(Statement::is_current) {
            self.prepare(call)?;
        }
        let unknown = || Error::UnknownModel(call.parts().0.to_owned());
        self.ready.as_mut().ok_or_else(unknown)
    }

    /// Resolves the call under the statement's snapshot; keeps buffers and binding where they still fit.
    fn prepare(&mut self, call: Call<'_>) -> Result<()> {
        self.statement = None;
        let version = registry::resolve(&call.reference()?)?;
        let model = cache::model(&version).inspect_err(|_| statistics::count_error(&version))?;
        if matches!(call, Call::Version(..)) && !model.is_tabular() {
            statistics::count_error(&version);
            return Err(Error::Graph {
                model: version.model,
                version: version.version,
            });
        }
        self.ready = match self.ready.take() {
            Some(ready) if Arc::ptr_eq(ready.scorer.model(), &model) => Some(Ready {
                tally: Tally::new(&version),
                version,
                scorer: ready.scorer,
                binding: ready.binding.filter(B::is_current),
            }),
            _ => Some(Ready {
                scorer: Scorer::new(model, 1).map_err(Error::of(&version.model))?,
                tally: Tally::new(&version),
                version,
                binding: None,
            }),
        };
        self.called.remember(call);
        self.statement = Some(Statement::current());
        Ok(())
    }
}

impl<'a> Call<'a> {
    fn parts(self) -> (&'a str, Option<i32>) {
        match self {
            Call::Reference(reference) => (reference, None),
            Call::Version(model, version) => (model, Some(version)),
        }
    }

    fn reference(self) -> Result<Reference> {
        match self {
            Call::Reference(reference) => Reference::parse(reference),
            Call::Version(model, version) => Ok(Reference {
                model: model.to_owned(),
                target: Target::Version(version),
            }),
        }
    }
}

impl Called {
    #[inline]
    fn is(&self, call: Call<'_>) -> bool {
        (self.text.as_str(), self.version) == call.parts()
    }

    fn remember(&mut self, call: Call<'_>) {
        let (text, version) = call.parts();
        self.text.clear();
        self.text.push_str(text);
        self.version = version;
    }
}

impl<B: Bind> Ready<B> {
    fn score(&mut self, row: &B::Row<'_>) -> Result<Scored<'_>> {
        let began = self.tally.begin();
        match self.evaluate(row) {
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
    fn evaluate(&mut self, row: &B::Row<'_>) -> Result<()> {
        let binding = match &mut self.binding {
            Some(binding) if binding.fits(row) => binding,
            binding => binding.insert(B::new(
                row,
                self.scorer.model().signature(),
                &self.version.reference(),
            )?),
        };
        let engine_error = |source| Error::Model {
            model: self.version.reference(),
            source,
        };
        let batch = self.scorer.batch();
        batch.clear();
        binding.push(row, batch).map_err(engine_error)?;
        cache::restarted(|interrupted| self.scorer.run(interrupted).map(|_| ()))
            .map_err(engine_error)
    }
}
