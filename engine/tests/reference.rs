//! Models written by real exporters against the outputs that onnxruntime gave for them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Table, bundled, close, fixture, json, load, load_as, run};
use finai_engine::{Declaration, Limits, Model, Scorer, Task};
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
            assert!(
                close(*found, *expected, regression),
                "{name} row {i}: {found} is not {expected}"
            );
        }
        assert_eq!(
            label.as_deref(),
            recorded["labels"][i].as_str(),
            "{name} row {i}"
        );
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

#[test]
fn texts_by_their_n_grams() {
    let model = check("message_tfidf");
    assert_eq!(model.signature().features[0].name, "message");
}

#[test]
fn texts_beside_categories_and_numbers() {
    check("message_mixed");
}

#[test]
fn support_vectors_of_three_classes() {
    assert_eq!(
        check("vectors_svc").signature().labels,
        ["high", "low", "middle"]
    );
}

#[test]
fn a_map_is_a_feature_for_each_key() {
    let model = check("dictionary_logistic");
    let features = &model.signature().features;
    let names: Vec<&str> = features.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["credit", "debit", "fee"]);
}

/// Compares a folder of generated models, given as FINAI_MODELS, and counts those that agree.
#[test]
#[ignore = "takes a folder of models with recorded outputs"]
fn folder() {
    let folder = std::env::var("FINAI_MODELS").unwrap();
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    names.retain(|path| path.extension().is_some_and(|e| e == "onnx"));
    names.sort();
    let (mut equal, mut failed) = (0, 0);
    for path in names {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        match difference(&path) {
            Ok(()) => equal += 1,
            Err(what) => {
                failed += 1;
                println!("{name}: {what}");
            }
        }
    }
    println!("{equal} models agree, {failed} do not");
    assert_eq!(failed, 0);
}

fn difference(path: &std::path::Path) -> Result<(), String> {
    let recorded = json(&path.with_extension("json"));
    let declaration: Declaration = match &recorded["declaration"] {
        Value::Null => Declaration::default(),
        value => serde_json::from_value(value.clone()).unwrap(),
    };
    let model = Model::load_as(&common::bytes(path), &declaration, &Limits::default())
        .map_err(|e| e.to_string())?;
    let model = Arc::new(model);
    let table = Table::new(&recorded["columns"], &recorded["rows"]);
    let regression = model.signature().task == Task::Regression;
    let mut wrong = 0;
    let mut first = String::new();
    for (i, (label, probabilities)) in common::try_run(&model, &table, 64)
        .map_err(|e| e.to_string())?
        .into_iter()
        .enumerate()
    {
        let expected: Vec<f64> = match &recorded["probabilities"] {
            Value::Null => vec![recorded["scores"][i].as_f64().unwrap_or(f64::NAN)],
            rows => rows[i]
                .as_array()
                .unwrap()
                .iter()
                .map(|v| v.as_f64().unwrap_or(f64::NAN))
                .collect(),
        };
        let same = probabilities.len() == expected.len()
            && probabilities
                .iter()
                .zip(&expected)
                .all(|(f, e)| close(*f, *e, regression))
            && label.as_deref() == recorded["labels"][i].as_str();
        if !same {
            wrong += 1;
            if first.is_empty() {
                first = format!(
                    "row {i}: {probabilities:?} {label:?} is not {expected:?} {}",
                    recorded["labels"][i]
                );
            }
        }
    }
    if wrong == 0 {
        Ok(())
    } else {
        Err(format!(
            "{wrong} of {} rows, {first}, tabular {}",
            table.len(),
            model.is_tabular()
        ))
    }
}

/// Compares the reference rows of a bundled model, loaded with its own declaration.
fn check_bundled(name: &str) {
    let recorded = json(&bundled(&format!("{name}.json")));
    let mut declaration: Declaration =
        serde_json::from_value(recorded["declaration"].clone()).unwrap();
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
        assert!(
            close(found, expected, false),
            "{name} row {i}: {found} is not {expected}"
        );
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
