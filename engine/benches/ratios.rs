//! A table of microseconds a row and of ratios, for ensembles, dense networks and a pipeline: medians over the rounds.
//!
//! `cargo bench --bench ratios -- [part of a model's name]`

use finai_engine_benches::{Case, difference, filter, median, rounds};

const ROUNDS: usize = 9;
const BATCH: usize = 1024;

fn main() {
    println!(
        "Microseconds a row, filling excluded; in brackets how many times finai's. {ROUNDS} rounds, medians.\n"
    );
    println!(
        "| model | rows at a time | finai | onnxruntime | native XGBoost |\n|---|---:|---:|---:|---:|"
    );
    for case in Case::all(&filter()) {
        let mut contenders = case.contenders();
        for size in [1, BATCH] {
            let rounds = rounds(&case.table, &mut contenders, size, ROUNDS);
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
                    format!("{:.3} ({ratio:.2})", median(rounds.iter().map(|r| r[i])))
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
