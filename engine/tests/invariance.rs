//! A score does not depend on the size of its batch, its position in it or its neighbours: bit for bit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;

use common::{Table, bundled, fixture, json, load, run};
use finai_engine::{Model, Scorer};

/// Models with their recorded rows.
fn models() -> Vec<(Arc<Model>, Table)> {
    let names = [
        "german_gbr",
        "german_hgb",
        "german_mlp",
        "german_multi",
        "german_rf",
        "fraud_imputed",
    ];
    let fixtures = names.into_iter().map(|name| {
        let recorded = json(&fixture(&format!("{name}.json")));
        (
            load(&fixture(&format!("{name}.onnx"))),
            Table::new(&recorded["columns"], &recorded["rows"]),
        )
    });
    fixtures.collect()
}

#[test]
fn any_batch_size_gives_the_same_bits() {
    for (model, table) in models() {
        let single = run(&model, &table, 1);
        for size in [2, 7, 8, 9, 64, 1000] {
            let batch = run(&model, &table, size);
            for (i, (one, many)) in single.iter().zip(&batch).enumerate() {
                let bits = |p: &[f64]| p.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert_eq!(
                    (&one.0, bits(&one.1)),
                    (&many.0, bits(&many.1)),
                    "row {i} in batches of {size}"
                );
            }
        }
    }
}

#[test]
fn neighbours_do_not_matter() {
    for (model, table) in models() {
        let expected = run(&model, &table, 1);
        let mut scorer = Scorer::new(model.clone(), 4096).unwrap();
        for (step, size) in [(3, 1000), (7, 1000), (11, 4096)] {
            let order: Vec<usize> = (0..size).map(|i| i * step % table.len()).collect();
            scorer.batch().clear();
            for i in &order {
                table.push(*i, model.signature(), scorer.batch()).unwrap();
            }
            let scores = scorer.run(&|| false).unwrap();
            for (row, i) in order.iter().enumerate() {
                assert_eq!(
                    scores.probabilities(row),
                    expected[*i].1.as_slice(),
                    "row {i}"
                );
            }
        }
    }
}

#[test]
fn a_row_with_nan_does_not_change_the_others() {
    let model = load(&bundled("fraud_prob.onnx"));
    let mut scorer = Scorer::new(model.clone(), 9).unwrap();
    let mut fill = |nan: bool| {
        let batch = scorer.batch();
        batch.clear();
        for row in 0..9 {
            batch.push_row().unwrap();
            for f in 0..model.signature().features.len() {
                let value = if nan && row == 4 {
                    f64::NAN
                } else {
                    (row * 31 + f * 7) as f64 % 50.0
                };
                batch.set_float(f, value).unwrap();
            }
        }
        let scores = scorer.run(&|| false).unwrap();
        (0..9)
            .filter(|row| *row != 4)
            .map(|row| scores.score(row).unwrap().to_bits())
            .collect::<Vec<_>>()
    };
    assert_eq!(fill(false), fill(true));
}
