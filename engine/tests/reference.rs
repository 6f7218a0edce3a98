//! Models written by real exporters against the outputs that onnxruntime gave for them.

mod common;

use common::{Table, bundled, close, fixture, json, load, load_as, run};
use finai_engine::{Declaration, Model, Scorer, Task};
use serde_json::Value;
use std::sync::Arc;

/// Compares every recorded row of a fixture.
fn check(name: &str) -> Arc<Model> {
    let model = load(&fixture(&format!("{name}.onnx")));
    let recorded = json(&fixture(&format!("{name}.json")));
    let table = Table::new(&recorded["columns"], &recorded["rows"]);
    assert!(table.len() >= 20, "{name} has {} rows", table.len());
    let regression = model.signature().task == Task::Regression;
    for (i, (label, probabilities)) in run(&model, &table, 64).into_iter().enumerate() {
        let expected: Vec<f64> = match &recorded["probabilities"] {
            Value::Null => vec![recorded["scores"][i].as_f64().unwrap()],
            rows => serde_json::from_value(rows[i].clone()).unwrap(),
        };
        assert_eq!(probabilities.len(), expected.len(), "{name} row {i}");
        for (found, expected) in probabilities.iter().zip(&expected) {
            assert!(close(*found, *expected, regression), "{name} row {i}: {found} is not {expected}");
        }
        assert_eq!(label.as_deref(), recorded["labels"][i].as_str(), "{name} row {i}");
    }
    assert!(model.is_tabular(), "{name} is not tabular");
    model
}

#[test]
fn gradient_boosting_regressor() {
    assert_eq!(check("german_gbr").signature().task, Task::Regression);
}

#[test]
fn hist_gradient_boosting_with_ordinal_texts() {
    let model = check("german_hgb");
    assert_eq!(model.signature().labels, ["bad", "good"]);
    assert_eq!(model.signature().positive, Some(0));
}

#[test]
fn dense_network() {
    check("german_mlp");
}

#[test]
fn multinomial_logistic() {
    assert_eq!(check("german_multi").signature().task, Task::Multiclass);
}

#[test]
fn random_forest_with_one_hot_texts() {
    check("german_rf");
}

#[test]
fn imputed_scaled_logistic_takes_null() {
    let model = check("fraud_imputed");
    assert!(model.signature().features.iter().all(|f| f.handles_nan));
}

/// Compares the reference rows of a bundled model, loaded with its own declaration.
fn check_bundled(name: &str) {
    let recorded = json(&bundled(&format!("{name}.json")));
    let mut declaration: Declaration = serde_json::from_value(recorded["declaration"].clone()).unwrap();
    declaration.output = recorded["output"].as_str().map(str::to_owned);
    let model = load_as(&bundled(&format!("{name}.onnx")), &declaration);
    let rows = recorded["reference"]["rows"].as_array().unwrap();
    assert!(rows.len() >= 50);
    let mut scorer = Scorer::new(model.clone(), rows.len()).unwrap();
    for row in rows {
        scorer.batch().push_row().unwrap();
        for (f, feature) in model.signature().features.iter().enumerate() {
            common::set(scorer.batch(), f, feature.kind, &row["row"][&feature.name]).unwrap();
        }
    }
    let scores = scorer.run(&|| false).unwrap();
    for (i, row) in rows.iter().enumerate() {
        let (found, expected) = (scores.score(i).unwrap(), row["score"].as_f64().unwrap());
        assert!(close(found, expected, false), "{name} row {i}: {found} is not {expected}");
        assert_eq!(scores.label(i), row["label"].as_str(), "{name} row {i}");
    }
    assert!(model.is_tabular());
}

#[test]
fn credit_score() {
    check_bundled("credit_score");
}

#[test]
fn fraud_prob() {
    check_bundled("fraud_prob");
}
