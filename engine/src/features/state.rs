//! One entity's events, one after the other.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use super::plan::{Aggregate, Plan, Role};
use super::range::{Kept, Range};
use super::value::{Key, Value};

/// An event came before one that had come already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfOrder;

/// The values of all features, in the order of the plan.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// As many for each feature as it is wide.
    pub numbers: &'a [Option<f64>],
    /// One for each feature; of those that give a text.
    pub texts: &'a [Option<Rc<[u8]>>],
}

/// What is remembered of the past, and the event that features are asked for now.
#[derive(Debug)]
pub struct State {
    pub(super) plan: Rc<Plan>,
    pub(super) ranges: Vec<Range>,
    /// By feature: its range and what is kept there.
    pub(super) places: Vec<Place>,
    history: History,
    /// Time of the event before.
    pub(super) previous: Option<i64>,
    /// By column, where a feature asks for it: the latest value that is not null, and when.
    pub(super) last: Vec<Option<(i64, Value)>>,
    /// By column, where a feature asks for it: when each value was there last.
    pub(super) seen: Vec<HashMap<Key, i64>>,
    /// By feature: the last known place.
    pub(super) places_known: Vec<Option<(i64, f64, f64)>>,
    /// By feature: the values of the events before, the oldest first.
    pub(super) sequences: Vec<VecDeque<Option<f64>>>,
    latest: i64,
    pub(super) current: Current,
    pub(super) values: Vec<Value>,
    pub(super) numbers: Vec<Option<f64>>,
    pub(super) texts: Vec<Option<Rc<[u8]>>>,
}

/// Where a feature's window is kept.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub range: usize,
    pub tally: usize,
}

/// What features are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Current {
    Nothing,
    /// An event that is not part of the past yet.
    Event(i64),
    /// A moment without an event.
    Moment(i64),
    /// Answered; the event is part of the past.
    Answered,
}

/// Events that a window will look at again.
#[derive(Debug, Default)]
struct History {
    /// Number of the first event kept.
    first: u64,
    times: VecDeque<i64>,
    values: VecDeque<Value>,
}

impl History {
    fn end(&self) -> u64 {
        self.first + self.times.len() as u64
    }

    fn time(&self, sequence: u64) -> Option<i64> {
        let position = sequence.checked_sub(self.first)?;
        self.times.get(position as usize).copied()
    }

    fn forget(&mut self, before: u64, width: usize) {
        while self.first < before && self.times.pop_front().is_some() {
            self.values.drain(..width);
            self.first += 1;
        }
    }
}

const NULL: Value = Value::Null;

impl State {
    /// Nothing has happened yet. The plan is valid.
    pub fn new(plan: Rc<Plan>) -> State {
        let (columns, features) = (plan.columns.len(), plan.features.len());
        let mut state = State {
            ranges: Vec::new(),
            places: Vec::with_capacity(features),
            history: History::default(),
            previous: None,
            last: vec![None; columns],
            seen: vec![HashMap::new(); columns],
            places_known: vec![None; features],
            sequences: vec![VecDeque::new(); features],
            latest: i64::MIN,
            current: Current::Nothing,
            values: vec![Value::Null; columns],
            numbers: Vec::new(),
            texts: Vec::new(),
            plan,
        };
        let plan = state.plan.clone();
        for feature in &plan.features {
            let place = state.place(
                feature.window,
                feature.delay,
                kept(feature.aggregate),
                &feature.columns,
            );
            state.places.push(place);
        }
        state
    }

    fn place(
        &mut self,
        window: Option<i64>,
        delay: i64,
        kept: Option<Kept>,
        columns: &[usize],
    ) -> Place {
        let same = |range: &Range| range.window == window && range.delay == delay;
        let range = self.ranges.iter().position(same).unwrap_or_else(|| {
            self.ranges.push(Range::new(window, delay));
            self.ranges.len() - 1
        });
        let tally = match (kept, columns) {
            (Some(kept), [column, ..]) => self.ranges[range].keep(*column, kept),
            _ => 0,
        };
        Place { range, tally }
    }

    /// How many values of the past it holds.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        let ranges = self.ranges.iter().map(Range::held).sum::<usize>();
        self.history.times.len() + ranges
    }

    /// The next event, with a value for each column; without a time it is no event, and has no features.
    pub fn event(
        &mut self,
        time: Option<i64>,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<(), OutOfOrder> {
        self.settle();
        match time {
            None => self.current = Current::Nothing,
            Some(time) => {
                self.moment(time)?;
                self.values
                    .iter_mut()
                    .for_each(|value| *value = Value::Null);
                for (slot, value) in self.values.iter_mut().zip(values) {
                    *slot = value;
                }
                self.current = Current::Event(time);
            }
        }
        Ok(())
    }

    /// Asks for the features at a moment without an event.
    pub fn moment(&mut self, time: i64) -> Result<(), OutOfOrder> {
        self.settle();
        if time < self.latest {
            return Err(OutOfOrder);
        }
        self.latest = time;
        self.current = Current::Moment(time);
        Ok(())
    }

    /// The features at what was asked for last; None where that has no time.
    pub fn features(&mut self) -> Option<Answer<'_>> {
        let (time, is_event) = match self.current {
            Current::Nothing => return None,
            Current::Answered => return Some(self.answer()),
            Current::Event(time) => (time, true),
            Current::Moment(time) => (time, false),
        };
        self.advance(time);
        self.numbers.clear();
        self.numbers.resize(self.plan.width(), None);
        self.texts.clear();
        self.texts.resize(self.plan.features.len(), None);
        self.read(time, is_event, false);
        if is_event {
            self.settle();
        }
        self.read(time, is_event, true);
        self.current = Current::Answered;
        Some(self.answer())
    }

    fn answer(&self) -> Answer<'_> {
        Answer {
            numbers: &self.numbers,
            texts: &self.texts,
        }
    }

    /// Brings every window to a moment.
    fn advance(&mut self, time: i64) {
        let (history, width) = (&self.history, self.values.len());
        let value = |sequence: u64, column: usize| {
            let position = sequence.saturating_sub(history.first) as usize * width + column;
            history.values.get(position).unwrap_or(&NULL)
        };
        let mut needed = history.end();
        for range in &mut self.ranges {
            if !range.looks_back() {
                continue;
            }
            let end = time.checked_sub(range.delay);
            while range.delay > 0
                && let (Some(end), Some(happened)) = (end, history.time(range.next))
                && happened <= end
            {
                let sequence = range.next;
                range.admit(|column| value(sequence, column));
            }
            let start = end
                .zip(range.window)
                .and_then(|(end, window)| end.checked_sub(window));
            while range.first < range.next
                && let (Some(start), Some(happened)) = (start, history.time(range.first))
                && happened <= start
            {
                let sequence = range.first;
                range.evict(|column| value(sequence, column));
            }
            needed = needed.min(if range.window.is_some() {
                range.first
            } else {
                range.next
            });
        }
        self.history.forget(needed, width);
    }

    /// Makes the current event part of the past.
    fn settle(&mut self) {
        let Current::Event(time) = self.current else {
            return;
        };
        self.current = Current::Answered;
        for range in self.ranges.iter_mut().filter(|range| range.delay == 0) {
            range.admit(|column| &self.values[column]);
        }
        for (position, feature) in self.plan.features.iter().enumerate() {
            let column = feature.columns.first().copied();
            match (feature.aggregate, column) {
                (Aggregate::Last, Some(column)) if self.values[column] != Value::Null => {
                    self.last[column] = Some((time, self.values[column].clone()));
                }
                (Aggregate::TimeSinceLast | Aggregate::FirstSeen, Some(column)) => {
                    if let Some(key) = self.values[column].key() {
                        match self.seen[column].get_mut(key) {
                            Some(seen) => *seen = time,
                            None => _ = self.seen[column].insert(key.clone(), time),
                        }
                    }
                }
                (Aggregate::Distance | Aggregate::Speed, _) => {
                    if let Some((latitude, longitude)) = self.place_of(&feature.columns) {
                        self.places_known[position] = Some((time, latitude, longitude));
                    }
                }
                (Aggregate::Sequence { length }, _) => {
                    let kept = (length - 1) * feature.columns.len();
                    let sequence = &mut self.sequences[position];
                    let values = feature
                        .columns
                        .iter()
                        .map(|&column| self.values[column].number());
                    sequence.extend(values);
                    let excess = sequence.len().saturating_sub(kept);
                    sequence.drain(..excess);
                }
                _ => {}
            }
        }
        self.previous = Some(time);
        if self.ranges.iter().any(Range::looks_back) {
            self.history.times.push_back(time);
            self.history.values.extend(self.values.iter().cloned());
        }
    }

    pub(super) fn place_of(&self, columns: &[usize]) -> Option<(f64, f64)> {
        let [latitude, longitude] = columns else {
            return None;
        };
        self.values[*latitude]
            .number()
            .zip(self.values[*longitude].number())
    }

    /// The text of a column's value.
    pub(super) fn is_text(&self, column: usize) -> bool {
        self.plan.columns[column] == Role::Text
    }
}

/// What a window must keep for an aggregate.
fn kept(aggregate: Aggregate) -> Option<Kept> {
    use Aggregate::*;
    match aggregate {
        Count | Sum | Avg | Ratio => Some(Kept::Sums {
            with_squares: false,
        }),
        Stddev | Zscore => Some(Kept::Sums { with_squares: true }),
        Min => Some(Kept::Minimum),
        Max => Some(Kept::Maximum),
        Distinct => Some(Kept::Distinct),
        Share | Risk => Some(Kept::Flags),
        Last | TimeSinceLast | FirstSeen | Distance | Speed | Sequence { .. } => None,
    }
}
