//! The value of each feature at an event.

use super::geo;
use super::plan::{Aggregate, Feature};
use super::range::Tally;
use super::state::{Place, State};
use super::value::Value;

impl State {
    /// Computes the features that see the event, or those that do not. Windows are at `time`.
    pub(super) fn read(&mut self, time: i64, is_event: bool, with_current: bool) {
        let plan = self.plan.clone();
        let mut output = 0;
        for (position, feature) in plan.features.iter().enumerate() {
            let width = feature.width();
            if feature.current == with_current {
                match feature.aggregate {
                    Aggregate::Last => self.read_last(position, output, feature, time),
                    Aggregate::Sequence { length } if is_event => {
                        self.read_sequence(position, output, feature.columns.len(), length);
                    }
                    Aggregate::Sequence { .. } => {}
                    _ => self.numbers[output] = self.number(position, feature, time, is_event),
                }
            }
            output += width;
        }
    }

    fn number(&self, position: usize, feature: &Feature, time: i64, is_event: bool) -> Option<f64> {
        use Aggregate::*;
        let Place { range, tally } = self.places[position];
        let column = feature.columns.first().copied();
        let value = column
            .filter(|_| is_event)
            .map(|column| &self.values[column]);
        if column.is_none() && feature.aggregate == Count {
            return Some(self.ranges[range].events() as f64);
        }
        match (feature.aggregate, self.ranges[range].tally(tally)) {
            (Count, Some(Tally::Sums(sums))) => Some(sums.count() as f64),
            (Sum, Some(Tally::Sums(sums))) => sums.sum(),
            (Avg, Some(Tally::Sums(sums))) => sums.mean(),
            (Stddev, Some(Tally::Sums(sums))) => sums.deviation(),
            (Ratio, Some(Tally::Sums(sums))) => {
                let mean = sums.mean().filter(|&mean| mean != 0.0)?;
                Some(value?.number()? / mean)
            }
            (Zscore, Some(Tally::Sums(sums))) => {
                let (deviation, mean, x) = (sums.deviation()?, sums.mean()?, value?.number()?);
                Some(if deviation == 0.0 {
                    0.0
                } else {
                    (x - mean) / deviation
                })
            }
            (Min | Max, Some(Tally::Extreme(extreme))) => extreme.value(),
            (Distinct, Some(Tally::Distinct(counts))) => Some(counts.len() as f64),
            (Share, Some(Tally::Flags { known: 1.., .. }))
            | (Risk, Some(Tally::Flags { known: 1.., .. })) => self.share(range, tally),
            (Risk, _) => Some(0.0),
            (TimeSinceLast, _) => {
                let before = self
                    .before(column, value)?
                    .filter(|&before| is_inside(before, feature, time))?;
                Some(seconds(time, before))
            }
            (FirstSeen, _) => {
                let before = self.before(column, value)?;
                let is_known = before.is_some_and(|before| is_inside(before, feature, time));
                Some(f64::from(u8::from(!is_known)))
            }
            (Distance | Speed, _) if is_event => {
                let to = self.place_of(&feature.columns)?;
                let (before, latitude, longitude) = self.places_known[position]
                    .filter(|&(before, ..)| is_inside(before, feature, time))?;
                let kilometres = geo::kilometres((latitude, longitude), to);
                match feature.aggregate {
                    Speed => Some(geo::speed(kilometres, time.saturating_sub(before))),
                    _ => Some(kilometres),
                }
            }
            _ => None,
        }
    }

    fn share(&self, range: usize, tally: usize) -> Option<f64> {
        match self.ranges[range].tally(tally) {
            Some(Tally::Flags { known, set }) => Some(*set as f64 / *known as f64),
            _ => None,
        }
    }

    /// When the event before happened, or the last one with the same value; the outer None where the value is not known.
    fn before(&self, column: Option<usize>, value: Option<&Value>) -> Option<Option<i64>> {
        match column {
            None => Some(self.previous),
            Some(column) => {
                let key = value?.key()?;
                Some(self.seen[column].get(key).copied())
            }
        }
    }

    fn read_last(&mut self, position: usize, output: usize, feature: &Feature, time: i64) {
        let Some(&column) = feature.columns.first() else {
            return;
        };
        let value = match &self.last[column] {
            Some((before, value)) if is_inside(*before, feature, time) => value,
            _ => return,
        };
        if !self.is_text(column) {
            self.numbers[output] = value.number();
        } else if let Some(super::Key::Bytes(text)) = value.key() {
            self.texts[position] = Some(text.clone());
        }
    }

    fn read_sequence(&mut self, position: usize, output: usize, width: usize, length: usize) {
        let columns = &self.plan.features[position].columns;
        let before = &self.sequences[position];
        let missing = length - 1 - before.len() / width;
        let (values, mask) = (output, output + length * width);
        let numbers = &mut self.numbers;
        numbers[values..mask].fill(Some(0.0));
        let past = before.iter().copied();
        let present = columns.iter().map(|&column| self.values[column].number());
        let slots = numbers[values + missing * width..mask].iter_mut();
        slots
            .zip(past.chain(present))
            .for_each(|(slot, value)| *slot = value);
        for (i, slot) in numbers[mask..mask + length].iter_mut().enumerate() {
            *slot = Some(f64::from(u8::from(i >= missing)));
        }
    }
}

/// Whether an event before `time` is inside the feature's window.
fn is_inside(happened: i64, feature: &Feature, time: i64) -> bool {
    let start = feature.window.and_then(|window| time.checked_sub(window));
    start.is_none_or(|start| happened > start)
}

fn seconds(time: i64, before: i64) -> f64 {
    time.saturating_sub(before) as f64 / 1e6
}
