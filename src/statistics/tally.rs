//! The counts of one call site in one statement.

use std::time::{Duration, Instant};

use pgrx::pg_sys;

use super::{Counts, Key, add, database};
use crate::registry::{Guard, Version};

/// Of so many rows one is timed, and the first: reading a clock twice costs a twentieth of a row.
const TIMED: u32 = 16;

/// Counts rows until it is dropped, which adds them to the statistics: at the end of the statement, failed or not.
pub struct Tally {
    key: Key,
    rows: u64,
    errors: u64,
    /// Rows until one is timed.
    left: u32,
    /// Nanoseconds of the first row, which finds memory and caches cold.
    first: u64,
    /// Nanoseconds and number of the other rows that were timed.
    timed: (u64, u64),
    last: Option<Instant>,
}

impl Tally {
    pub fn new(version: &Version) -> Tally {
        let database = u32::from(database());
        Tally {
            key: Key::of_version(database, &version.model, version.version, &version.sha256),
            rows: 0,
            errors: 0,
            left: 0,
            first: 0,
            timed: (0, 0),
            last: None,
        }
    }

    /// Before a row is scored: the time, where this one is timed.
    #[inline]
    pub fn begin(&self) -> Option<Instant> {
        (self.left == 0).then(Instant::now)
    }

    /// After a row was scored.
    #[inline]
    pub fn scored(&mut self, began: Option<Instant>) {
        match began {
            None => self.left -= 1,
            Some(began) => self.time(began),
        }
        self.rows += 1;
    }

    /// After rows were scored together, all of them timed.
    pub fn scored_batch(&mut self, began: Instant, rows: u64) {
        let now = Instant::now();
        let taken = u64::try_from((now - began).as_nanos()).unwrap_or(u64::MAX);
        self.first = self.first.saturating_add(taken);
        self.rows += rows;
        self.last = Some(now);
    }

    /// After a row raised an error.
    pub fn failed(&mut self) {
        self.errors += 1;
    }

    /// The second row is timed, too: it stands for those that follow the first.
    #[cold]
    fn time(&mut self, began: Instant) {
        let now = Instant::now();
        let taken = u64::try_from((now - began).as_nanos()).unwrap_or(u64::MAX);
        if self.rows == 0 {
            self.first = taken;
        } else {
            self.timed.0 = self.timed.0.saturating_add(taken);
            self.timed.1 += 1;
            self.left = TIMED - 1;
        }
        self.last = Some(now);
    }

    fn counts(&self) -> Counts {
        let (taken, rows) = self.timed;
        let others = self.rows.saturating_sub(1) as f64 * taken as f64 / rows.max(1) as f64;
        Counts {
            calls: 1,
            rows: self.rows,
            errors: self.errors,
            nanoseconds: self.first.saturating_add(others as u64),
            alerts: 0,
            last_scored: self.last.map_or(0, |last| {
                // SAFETY: reads the clock.
                let now = unsafe { pg_sys::GetCurrentTimestamp() };
                now - i64::try_from(last.elapsed().as_micros()).unwrap_or(0)
            }),
        }
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        if self.rows + self.errors > 0 {
            add(self.key, self.counts());
        }
    }
}

/// Counts a call that failed before its first row: its version could not be loaded.
pub fn count_error(version: &Version) {
    Tally::new(version).failed();
}

/// Counts what a guard did with the rows of a statement, or with one.
pub fn count_guard(guard: &Guard, rows: u64, alerts: u64, unscored: u64, taken: Duration) {
    let database = u32::from(database());
    // SAFETY: reads the clock.
    let now = unsafe { pg_sys::GetCurrentTimestamp() };
    let counts = Counts {
        calls: 1,
        rows,
        errors: unscored,
        nanoseconds: u64::try_from(taken.as_nanos()).unwrap_or(u64::MAX),
        alerts,
        last_scored: now,
    };
    let key = Key::of_guard(database, &guard.name, guard.created_at);
    add(key, counts);
}
