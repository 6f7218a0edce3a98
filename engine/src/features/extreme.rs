//! The least or greatest value in a window.

use std::cmp::Ordering;
use std::collections::VecDeque;

/// Candidates, best first: each is better than all that came after it up to the next.
#[derive(Debug)]
pub struct Extreme {
    is_maximum: bool,
    /// Whether values ever leave; where they do not, one candidate is enough.
    slides: bool,
    candidates: VecDeque<(u64, f64)>,
}

/// The order of PostgreSQL's double precision: NaN equals itself and is greater than everything.
fn order(a: f64, b: f64) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
    }
}

impl Extreme {
    pub fn new(is_maximum: bool, slides: bool) -> Extreme {
        Extreme {
            is_maximum,
            slides,
            candidates: VecDeque::new(),
        }
    }

    pub fn add(&mut self, sequence: u64, x: f64) {
        // -0 and 0 are equal, and which is shown must not depend on what is outside the window.
        let x = if x == 0.0 { 0.0 } else { x };
        let beaten = match self.is_maximum {
            true => Ordering::Less,
            false => Ordering::Greater,
        };
        while let Some(&(_, last)) = self.candidates.back() {
            let order = order(last, x);
            if order != beaten && order != Ordering::Equal {
                break;
            }
            self.candidates.pop_back();
        }
        if self.slides || self.candidates.is_empty() {
            self.candidates.push_back((sequence, x));
        }
    }

    /// The event of this number leaves.
    pub fn remove(&mut self, sequence: u64) {
        if self
            .candidates
            .front()
            .is_some_and(|&(first, _)| first == sequence)
        {
            self.candidates.pop_front();
        }
    }

    pub fn value(&self) -> Option<f64> {
        self.candidates.front().map(|&(_, x)| x)
    }

    #[cfg(test)]
    pub fn held(&self) -> usize {
        self.candidates.len()
    }
}
