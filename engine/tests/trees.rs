//! Tree ensembles of every kind against onnxruntime's outputs, recorded by `fixtures/trees/make_cases.py`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;

use common::{bytes, close, fixture, json};
use finai_engine::{Declaration, Limits, Model, Scorer, Task};
use serde_json::Value;

fn numbers(row: &Value) -> Vec<f64> {
    let texts: Vec<String> = serde_json::from_value(row.clone()).unwrap();
    texts.iter().map(|t| t.parse().unwrap()).collect()
}

/// A model whose columns have no labels of their own is given some.
fn load(name: &str, targets: usize, labelled: bool) -> Arc<Model> {
    let mut declaration = Declaration::default();
    if targets > 1 && !labelled {
        declaration.labels = Some((0..targets).map(|i| i.to_string()).collect());
    }
    let file = bytes(&fixture(&format!("trees/{name}.onnx")));
    let model = Model::load_as(&file, &declaration, &Limits::default());
    Arc::new(model.unwrap_or_else(|e| panic!("{name}: {e}")))
}

#[test]
fn every_kind_of_ensemble() {
    let cases = json(&fixture("trees/cases.json"));
    let cases = cases.as_array().unwrap();
    assert!(cases.len() >= 36);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let targets = case["targets"].as_u64().unwrap() as usize;
        let model = load(name, targets, case["labels"].is_array());
        assert!(model.is_tabular(), "{name}");
        let rows: Vec<Vec<f64>> = case["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(numbers)
            .collect();
        for size in [1, 3, 40] {
            let mut scorer = Scorer::new(model.clone(), size).unwrap();
            for (batch, chunk) in rows.chunks(size).enumerate() {
                scorer.batch().clear();
                for row in chunk {
                    scorer.batch().push_row().unwrap();
                    for (feature, value) in row.iter().enumerate() {
                        scorer.batch().set_float(feature, *value).unwrap();
                    }
                }
                let scores = scorer.run(&|| false).unwrap();
                for i in 0..chunk.len() {
                    let row = batch * size + i;
                    let expected = numbers(&case["expected"][row]);
                    let found = scores.probabilities(i);
                    assert_eq!(found.len(), expected.len(), "{name}");
                    let regression = model.signature().task == Task::Regression;
                    for (found, expected) in found.iter().zip(&expected) {
                        assert!(
                            found == expected || close(*found, *expected, regression),
                            "{name} row {row}: {found} is not {expected}"
                        );
                    }
                    if let Some(labels) = case["labels"].as_array() {
                        assert_eq!(scores.label(i), labels[row].as_str(), "{name} row {row}");
                    }
                }
            }
        }
    }
}
