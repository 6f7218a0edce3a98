//! A table of microseconds a row and of ratios: engines take turns round by round, medians over the rounds.
//!
//! `cargo bench --bench ratios -- [part of a model's name]`

use std::time::Instant;

use finai_engine_benches::{Case, Contender, difference};

const ROUNDS: usize = 9;
const BATCH: usize = 1024;
/// Rows of one round that are scored one at a time.
const SINGLE: usize = 2000;

fn main() {
    let filter = std::env::args()
        .skip(1)
        .find(|a| !a.starts_with('-'))
        .unwrap_or_default();
    println!(
        "Microseconds a row, filling excluded; in brackets how many times finai's. {ROUNDS} rounds, medians.\n"
    );
    println!(
        "| model | rows at a time | finai | onnxruntime | native XGBoost |\n|---|---:|---:|---:|---:|"
    );
    for case in Case::all(&filter) {
        let mut contenders = case.contenders();
        for size in [1, BATCH] {
            let rounds: Vec<Vec<f64>> = (0..ROUNDS)
                .map(|round| measure(&case, &mut contenders, size, round))
                .collect();
            let found = difference(contenders[0].as_ref(), contenders[1].as_ref());
            assert!(
                found <= 1e-6,
                "{}: finai and onnxruntime differ by {found}",
                case.name
            );
            let cells = (0..3).map(|i| match contenders.get(i) {
                None => String::new(),
                Some(_) if i == 0 => format!("{:.3}", median(rounds.iter().map(|r| r[0]))),
                Some(_) => {
                    let ratio = median(rounds.iter().map(|r| r[i] / r[0]));
                    format!("{:.3} ({ratio:.1})", median(rounds.iter().map(|r| r[i])))
                }
            });
            println!(
                "| {} | {size} | {} |",
                case.name,
                cells.collect::<Vec<_>>().join(" | ")
            );
        }
    }
}

/// Microseconds a row of every contender over the same rows, another one first in each round.
fn measure(
    case: &Case,
    contenders: &mut [Box<dyn Contender>],
    size: usize,
    round: usize,
) -> Vec<f64> {
    let batches = if size == 1 {
        SINGLE
    } else {
        case.rows() / size
    };
    let skipped = if size == 1 {
        round * SINGLE % case.rows()
    } else {
        0
    };
    let clock = median((0..1000).map(|_| Instant::now().elapsed().as_secs_f64()));
    let mut times = vec![0.0; contenders.len()];
    for turn in 0..contenders.len() {
        let i = (turn + round) % contenders.len();
        let mut seconds = 0.0;
        for batch in case.batches(size).skip(skipped).take(batches) {
            contenders[i].fill(batch, case.features);
            let start = Instant::now();
            contenders[i].score();
            seconds += start.elapsed().as_secs_f64() - clock;
        }
        times[i] = seconds * 1e6 / (batches * size) as f64;
    }
    times
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
