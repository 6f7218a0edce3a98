//! Rows taken back and cells read: what a caller that scores rows of unknown quality needs.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use finai_engine::{Declaration, Limits, Model, Scorer, Value};

fn scorer(capacity: usize) -> Scorer {
    let bytes = std::fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/german_mlp.onnx"
    ))
    .unwrap();
    let model = Model::load_as(&bytes, &Declaration::default(), &Limits::default()).unwrap();
    Scorer::new(Arc::new(model), capacity).unwrap()
}

fn push(scorer: &mut Scorer, first: f64) {
    let features = scorer.model().signature().features.len();
    let batch = scorer.batch();
    batch.push_row().unwrap();
    for feature in 0..features {
        batch.set_float(feature, first + feature as f64).unwrap();
    }
}

#[test]
fn a_row_that_is_taken_back_leaves_no_trace() {
    let mut clean = scorer(4);
    let mut other = scorer(4);
    for row in [3.0, 5.0] {
        push(&mut clean, row);
        // A row that is refused half-way, as a NULL is, and one that was finished.
        other.batch().push_row().unwrap();
        other.batch().set_float(0, 99.0).unwrap();
        other.batch().drop_row();
        push(&mut other, 77.0);
        other.batch().finish_row().unwrap();
        other.batch().drop_row();
        push(&mut other, row);
    }
    assert_eq!(other.batch().finish_row(), Ok(()));
    assert_eq!(other.batch().rows(), 2);
    clean.run(&|| false).unwrap();
    other.run(&|| false).unwrap();
    for row in 0..2 {
        let (a, b) = (clean.scores().score(row), other.scores().score(row));
        assert_eq!(a.unwrap().to_bits(), b.unwrap().to_bits());
    }
    let batch = other.batch();
    batch.drop_row();
    batch.drop_row();
    batch.drop_row();
    assert_eq!(batch.rows(), 0);
}

#[test]
fn a_feature_that_was_set_in_a_dropped_row_is_missing_in_the_next() {
    let mut scorer = scorer(2);
    let features = scorer.model().signature().features.len();
    push(&mut scorer, 1.0);
    scorer.batch().drop_row();
    let batch = scorer.batch();
    batch.push_row().unwrap();
    batch.set_float(0, 1.0).unwrap();
    // Every other one follows its policy for NULL, or refuses.
    match batch.finish_row() {
        Ok(()) => assert!(
            (1..features).all(|f| batch.value(0, f) != Some(Value::Float32(f as f32 + 1.0)))
        ),
        Err(error) => assert!(error.to_string().contains("null"), "{error}"),
    }
}

#[test]
fn cells_are_read_as_the_model_reads_them() {
    let mut scorer = scorer(2);
    push(&mut scorer, 0.1);
    let batch = scorer.batch();
    batch.finish_row().unwrap();
    assert!(
        matches!(
            batch.value(0, 0),
            Some(Value::Float32(value)) if value == 0.1_f32
        ) || matches!(batch.value(0, 0), Some(Value::Float64(value)) if value == 0.1)
    );
    assert_eq!(batch.value(1, 0), None);
    assert_eq!(batch.value(0, 1000), None);
}
