//! What is known of the events in one window, kept up as events come and go.

use std::collections::HashMap;

use super::extreme::Extreme;
use super::sums::Sums;
use super::value::{Key, Value};

/// What a window keeps of one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    Flags,
    Sums { with_squares: bool },
    Minimum,
    Maximum,
    Distinct,
}

#[derive(Debug)]
pub enum Tally {
    Flags { known: u64, set: u64 },
    Sums(Sums),
    Extreme(Extreme),
    Distinct(HashMap<Key, u64>),
}

/// The events in (t - delay - window, t - delay], numbered from `first` up to `next`.
#[derive(Debug)]
pub struct Range {
    pub window: Option<i64>,
    pub delay: i64,
    pub first: u64,
    pub next: u64,
    tallies: Vec<(usize, Kept, Tally)>,
}

impl Range {
    pub fn new(window: Option<i64>, delay: i64) -> Range {
        Range {
            window,
            delay,
            first: 0,
            next: 0,
            tallies: Vec::new(),
        }
    }

    /// Whether it looks at an event again after the event has happened.
    pub fn looks_back(&self) -> bool {
        self.window.is_some() || self.delay > 0
    }

    /// Where what is kept of a column is found.
    pub fn keep(&mut self, column: usize, kept: Kept) -> usize {
        let same =
            |(other, existing, _): &(usize, Kept, Tally)| *other == column && *existing == kept;
        if let Some(position) = self.tallies.iter().position(same) {
            return position;
        }
        let slides = self.window.is_some();
        let tally = match kept {
            Kept::Flags => Tally::Flags { known: 0, set: 0 },
            Kept::Sums { with_squares } => Tally::Sums(Sums::new(with_squares)),
            Kept::Minimum => Tally::Extreme(Extreme::new(false, slides)),
            Kept::Maximum => Tally::Extreme(Extreme::new(true, slides)),
            Kept::Distinct => Tally::Distinct(HashMap::new()),
        };
        self.tallies.push((column, kept, tally));
        self.tallies.len() - 1
    }

    pub fn tally(&self, position: usize) -> Option<&Tally> {
        self.tallies.get(position).map(|(_, _, tally)| tally)
    }

    /// How many candidates and values it holds.
    #[cfg(test)]
    pub fn held(&self) -> usize {
        let held = |tally: &Tally| match tally {
            Tally::Extreme(extreme) => extreme.held(),
            Tally::Distinct(counts) => counts.len(),
            Tally::Flags { .. } | Tally::Sums(_) => 0,
        };
        self.tallies.iter().map(|(_, _, tally)| held(tally)).sum()
    }

    /// How many events are in it.
    pub fn events(&self) -> u64 {
        self.next - self.first
    }

    /// The next event comes in.
    pub fn admit<'a>(&mut self, value: impl Fn(usize) -> &'a Value) {
        let sequence = self.next;
        self.next += 1;
        for (column, _, tally) in &mut self.tallies {
            let value = value(*column);
            match tally {
                Tally::Flags { known, set } => {
                    if let Some(flag) = value.number() {
                        *known += 1;
                        *set += u64::from(flag != 0.0);
                    }
                }
                Tally::Sums(sums) => value.number().into_iter().for_each(|x| sums.add(x)),
                Tally::Extreme(extreme) => {
                    value
                        .number()
                        .into_iter()
                        .for_each(|x| extreme.add(sequence, x));
                }
                Tally::Distinct(counts) => {
                    if let Some(key) = value.key() {
                        match counts.get_mut(key) {
                            Some(count) => *count += 1,
                            None => _ = counts.insert(key.clone(), 1),
                        }
                    }
                }
            }
        }
    }

    /// The first event leaves.
    pub fn evict<'a>(&mut self, value: impl Fn(usize) -> &'a Value) {
        let sequence = self.first;
        self.first += 1;
        for (column, _, tally) in &mut self.tallies {
            let value = value(*column);
            match tally {
                Tally::Flags { known, set } => {
                    if let Some(flag) = value.number() {
                        *known -= 1;
                        *set -= u64::from(flag != 0.0);
                    }
                }
                Tally::Sums(sums) => value.number().into_iter().for_each(|x| sums.remove(x)),
                Tally::Extreme(extreme) => extreme.remove(sequence),
                Tally::Distinct(counts) => {
                    if let Some(key) = value.key() {
                        match counts.get_mut(key) {
                            Some(count) if *count > 1 => *count -= 1,
                            _ => _ = counts.remove(key),
                        }
                    }
                }
            }
        }
    }
}
