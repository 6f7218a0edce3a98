//! Microseconds a row: engines take turns round by round, so that what else the machine does touches them all.

use std::time::Instant;

use crate::{Contender, Table};

/// Rows of one round that are scored one at a time.
const SINGLE: usize = 2000;

/// Microseconds a row of every contender, for each of `count` rounds over batches of `size` rows, filling excluded.
pub fn rounds(
    table: &Table,
    contenders: &mut [Box<dyn Contender>],
    size: usize,
    count: usize,
) -> Vec<Vec<f64>> {
    (0..count)
        .map(|round| measure(table, contenders, size, round))
        .collect()
}

/// One round over the same rows for all, another contender first in each.
fn measure(
    table: &Table,
    contenders: &mut [Box<dyn Contender>],
    size: usize,
    round: usize,
) -> Vec<f64> {
    let (skipped, batches) = match size {
        1 => (round * SINGLE % table.rows, SINGLE.min(table.rows)),
        _ => (0, table.rows / size),
    };
    let clock = median((0..1000).map(|_| Instant::now().elapsed().as_secs_f64()));
    let mut times = vec![0.0; contenders.len()];
    for turn in 0..contenders.len() {
        let i = (turn + round) % contenders.len();
        let mut seconds = 0.0;
        for rows in table.batches(size).cycle().skip(skipped).take(batches) {
            contenders[i].fill(table, rows);
            let start = Instant::now();
            contenders[i].score();
            seconds += start.elapsed().as_secs_f64() - clock;
        }
        times[i] = seconds * 1e6 / (batches * size) as f64;
    }
    times
}

pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
