//! Rows of a statement, scored in batches.

use std::sync::Arc;

use pgrx::pg_sys;

use crate::elevate::{self, Failure};
use crate::error::{Error, GuardError, Result};
use crate::registry::{Guard, Statement, Version};
use crate::row::{Shape, Tuple};
use crate::trigger::{self, Rows, Scratch};

use super::ready::Ready;
use super::site::Site;
use super::{Watch, catalogue, features};

/// What a guard found in a statement.
#[derive(Debug, Default)]
pub struct Judged {
    /// Version that scored; nothing where none could be found.
    pub version: Option<(String, i32)>,
    /// Rows that were looked at.
    pub rows: usize,
    /// Rows that the guard has something to say about, by their number.
    pub verdicts: Vec<(usize, Verdict)>,
}

/// What there is to say about a row.
#[derive(Debug)]
pub enum Verdict {
    /// It scores at least the threshold.
    High { score: f64, features: String },
    /// It could not be scored.
    Unscored(String),
}

impl Judged {
    pub fn unscored(&self) -> usize {
        let is_unscored = |verdict: &&(usize, Verdict)| matches!(verdict.1, Verdict::Unscored(_));
        self.verdicts.iter().filter(is_unscored).count()
    }
}

/// Scores the rows of a statement that changed in what the guard watches. For the table's owner.
pub fn statement(watch: &Watch, site: &mut Site, rows: &mut Rows) -> Result<Judged> {
    let mut judged = Judged::default();
    let guard = match &watch.guard {
        Ok(guard) => guard,
        Err(error) => {
            let excuse = format!("{}: {error}", error.state());
            return Ok(unscored((0..rows.count()).collect(), excuse));
        }
    };
    let positions = match watched(watch, guard) {
        Ok(positions) => positions,
        Err(error) => {
            let excuse = watch.excuse(error)?;
            return Ok(unscored((0..rows.count()).collect(), excuse));
        }
    };
    let changed = |new: &Tuple, old: Option<&Tuple>| has_changed(&positions, new, old);
    match site.begin(guard, rows.count(), watch.deadline()) {
        Ok(mut ready) => {
            judged.version = Some((ready.version.model.clone(), ready.version.version));
            let mut run = Run {
                watch,
                guard,
                ready: &mut ready,
                pending: Vec::new(),
                again: Vec::new(),
                late: None,
                current: None,
                view: None,
                judged,
            };
            run.every(rows, changed)?;
            judged = run.judged;
        }
        Err(error) => {
            let numbers = numbers(rows, changed);
            if numbers.is_empty() {
                return Ok(judged);
            }
            return Ok(unscored(numbers, watch.excuse(error)?));
        }
    }
    judged.verdicts.sort_by_key(|(number, _)| *number);
    Ok(judged)
}

/// Which row of a statement one is, where rows are looked at one by one.
pub enum Turn {
    /// What is found out is remembered for this statement's next row; the statement is of the role that writes.
    First(Statement),
    /// [`Site::guard`] has just said that the site is of this statement.
    Next,
    /// Nothing is known of other rows.
    Alone,
}

/// Scores one row, whatever changed in it, and says how high, also where there is nothing to say about it. For the table's
/// owner.
pub fn row(
    watch: &Watch,
    site: &mut Site,
    row: &Tuple,
    turn: Turn,
) -> Result<(Judged, Option<f64>)> {
    let mut judged = Judged {
        rows: 1,
        ..Judged::default()
    };
    let scored = match &watch.guard {
        Err(error) => Ok(Err(format!("{}: {error}", error.state()))),
        Ok(guard) => match score(watch, guard, site, row, &turn, &mut judged) {
            Ok((score, features, version)) => {
                if let Turn::First(statement) = turn {
                    site.remember(statement, guard.clone(), version);
                }
                Ok(Ok((score, features)))
            }
            Err(error) => watch.excuse(error).map(Err),
        },
    };
    let score = match scored? {
        Ok((score, Some(features))) => {
            let verdict = Verdict::High { score, features };
            judged.verdicts.push((0, verdict));
            Some(score)
        }
        Ok((score, None)) => Some(score),
        Err(excuse) => {
            judged.verdicts.push((0, Verdict::Unscored(excuse)));
            None
        }
    };
    Ok((judged, score))
}

type Scored = (f64, Option<String>, Arc<Version>);

fn score(
    watch: &Watch,
    guard: &Guard,
    site: &mut Site,
    row: &Tuple,
    turn: &Turn,
    judged: &mut Judged,
) -> Result<Scored> {
    let deadline = watch.deadline();
    let mut ready = match turn {
        Turn::Next => site.resume(deadline).ok_or(Error::Outdated)?,
        Turn::First(_) | Turn::Alone => site.begin(guard, 1, deadline)?,
    };
    judged.version = Some((ready.version.model.clone(), ready.version.version));
    match &guard.features {
        None => ready.push(row)?,
        Some(features) => {
            let view = features::view_type(features)?;
            if let Some(error) = computing(&guard.name, || ready.push_computed(view, row))? {
                return Err(error);
            }
        }
    }
    ready.run()?;
    let score = ready.score(0)?;
    let features = (score >= guard.threshold).then(|| ready.features(0));
    Ok((score, features, ready.version.clone()))
}

/// Runs SQL of a feature set in a subtransaction; what PostgreSQL raises comes back as an error that says nothing of values.
fn computing(guard: &str, work: impl FnOnce() -> Result<()>) -> Result<Option<Error>> {
    let work = || elevate::under_fresh_snapshot(work);
    match elevate::attempt(|| elevate::with_own_names(work)) {
        Ok(()) => Ok(None),
        Err(Failure::Error(error)) => Err(error),
        Err(Failure::Caught(caught)) => {
            let error: Error = GuardError::Features {
                sqlstate: caught.sqlstate,
            }
            .into();
            trigger::log(&format!(
                "guard \"{guard}\" could not compute features: {}: {}",
                error.state(),
                caught.message
            ));
            Ok(Some(error))
        }
    }
}

/// Rows, by their number, of which none could be scored.
fn unscored(numbers: Vec<usize>, excuse: String) -> Judged {
    let verdict = |number| (number, Verdict::Unscored(excuse.clone()));
    Judged {
        rows: numbers.len(),
        verdicts: numbers.into_iter().map(verdict).collect(),
        ..Judged::default()
    }
}

/// The rows that are due, by their number.
fn numbers(rows: &mut Rows, changed: impl Fn(&Tuple, Option<&Tuple>) -> bool) -> Vec<usize> {
    let scratch = Scratch::enter();
    let mut numbers = Vec::new();
    while let Some((number, new, old)) = rows.next() {
        if changed(&new, old.as_ref()) {
            numbers.push(number);
        }
        scratch.reset();
    }
    numbers
}

/// Whether a row is new, or differs from what it was in one of these columns.
pub fn has_changed(positions: &[usize], new: &Tuple, old: Option<&Tuple>) -> bool {
    match old {
        Some(old) => positions.iter().any(|at| !new.same(old, *at)),
        None => true,
    }
}

/// Positions of the watched columns; none for an insert, which is looked at whole.
pub fn watched(watch: &Watch, guard: &Guard) -> Result<Vec<usize>> {
    if !watch.event.is_update() {
        return Ok(Vec::new());
    }
    positions(watch.event.shape(), &guard.watch, watch)
}

fn positions(shape: Shape, names: &[String], watch: &Watch) -> Result<Vec<usize>> {
    let columns = shape.columns();
    let position = |name: &String| {
        let column = columns.iter().find(|column| column.name == *name);
        let column = column.ok_or_else(|| GuardError::UnknownColumn {
            column: name.clone(),
            relation: catalogue::name(watch.event.relation()),
            parameter: "watch",
        })?;
        Ok(column.position)
    };
    names.iter().map(position).collect()
}

/// One pass over a statement's rows.
struct Run<'run, 'site> {
    watch: &'run Watch<'run>,
    guard: &'run Guard,
    ready: &'run mut Ready<'site>,
    /// Numbers of the rows in the batch.
    pending: Vec<usize>,
    /// Rows of batches that failed: one of them is to blame.
    again: Vec<usize>,
    /// What is said of all rows from now on: time is up, or features cannot be computed.
    late: Option<String>,
    /// The row whose features are being computed.
    current: Option<usize>,
    /// What computes features, where a feature set does.
    view: Option<pg_sys::Oid>,
    judged: Judged,
}

impl Run<'_, '_> {
    fn every(
        &mut self,
        rows: &mut Rows,
        changed: impl Fn(&Tuple, Option<&Tuple>) -> bool,
    ) -> Result<()> {
        let Some(features) = &self.guard.features else {
            self.all(rows, &changed)?;
            return self.once_more(rows);
        };
        match features::view_type(features) {
            Ok(view) => self.view = Some(view),
            Err(error) => self.late = Some(self.watch.excuse(error)?),
        }
        let attempt = computing(&self.guard.name, || {
            self.all(rows, &changed)?;
            self.once_more(rows)
        });
        if let Some(error) = attempt? {
            let excuse = self.watch.excuse(error)?;
            if let Some(number) = self.current.take() {
                let verdict = Verdict::Unscored(excuse.clone());
                self.judged.verdicts.push((number, verdict));
            }
            let again = std::mem::take(&mut self.again).into_iter();
            let verdict = |number| (number, Verdict::Unscored(excuse.clone()));
            self.judged.verdicts.extend(again.map(verdict));
            self.late = Some(excuse);
            self.flush()?;
            self.all(rows, &changed)?;
        }
        Ok(())
    }

    fn push(&mut self, number: usize, row: &Tuple) -> Result<()> {
        let Some(view) = self.view else {
            return self.ready.push(row);
        };
        self.current = Some(number);
        let pushed = self.ready.push_computed(view, row);
        self.current = None;
        pushed
    }

    fn all(
        &mut self,
        rows: &mut Rows,
        changed: &impl Fn(&Tuple, Option<&Tuple>) -> bool,
    ) -> Result<()> {
        let scratch = (rows.count() > 1).then(Scratch::enter);
        while let Some((number, new, old)) = rows.next() {
            if !changed(&new, old.as_ref()) {
                continue;
            }
            self.judged.rows += 1;
            if let Some(excuse) = &self.late {
                let verdict = Verdict::Unscored(excuse.clone());
                self.judged.verdicts.push((number, verdict));
                continue;
            }
            match self.push(number, &new) {
                Ok(()) => self.pending.push(number),
                Err(error) => self.unscored(number, error)?,
            }
            if self.ready.is_full() {
                self.flush()?;
                if let Some(scratch) = &scratch {
                    scratch.reset();
                }
            }
        }
        self.flush()
    }

    /// Scores what is in the batch. Where that fails, its rows are scored once more, one by one, unless time is up.
    fn flush(&mut self) -> Result<()> {
        if !self.pending.is_empty() {
            match self.ready.run() {
                Ok(()) => self.read()?,
                Err(error) if self.pending.len() > 1 && !is_over_budget(&error) => {
                    self.again.append(&mut self.pending);
                }
                Err(error) => {
                    let is_late = is_over_budget(&error);
                    let excuse = self.watch.excuse(error)?;
                    self.late = is_late.then(|| excuse.clone());
                    let unscored = self.pending.drain(..);
                    self.judged
                        .verdicts
                        .extend(unscored.map(|n| (n, Verdict::Unscored(excuse.clone()))));
                }
            }
        }
        self.pending.clear();
        self.ready.clear();
        Ok(())
    }

    fn read(&mut self) -> Result<()> {
        for at in 0..self.pending.len() {
            let number = self.pending[at];
            match self.ready.score(at) {
                Ok(score) if score >= self.guard.threshold => {
                    let features = self.ready.features(at);
                    let verdict = Verdict::High { score, features };
                    self.judged.verdicts.push((number, verdict));
                }
                Ok(_) => {}
                Err(error) => self.unscored(number, error)?,
            }
        }
        Ok(())
    }

    fn once_more(&mut self, rows: &mut Rows) -> Result<()> {
        if self.again.is_empty() {
            return Ok(());
        }
        rows.rewind();
        let scratch = Scratch::enter();
        // What an error leaves in there is still to be looked at.
        self.again.reverse();
        while let Some(number) = self.again.pop() {
            if let Some(excuse) = &self.late {
                let verdict = Verdict::Unscored(excuse.clone());
                self.judged.verdicts.push((number, verdict));
                continue;
            }
            if let Some(row) = rows.skip_to(number) {
                match self.push(number, &row) {
                    Ok(()) => self.pending.push(number),
                    Err(error) => self.unscored(number, error)?,
                }
                self.flush()?;
                scratch.reset();
            }
        }
        Ok(())
    }

    fn unscored(&mut self, number: usize, error: Error) -> Result<()> {
        let excuse = self.watch.excuse(error)?;
        self.judged
            .verdicts
            .push((number, Verdict::Unscored(excuse)));
        Ok(())
    }
}

fn is_over_budget(error: &Error) -> bool {
    matches!(error, Error::Guard(GuardError::OverBudget(_)))
}
