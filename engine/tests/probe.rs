//! What a model does with edge values decides whether it may be stored.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;

use common::onnx::*;
use finai_engine::{Declaration, Error, Limits, Model, probe};
use tract_onnx::pb::tensor_proto::DataType;

#[test]
fn every_real_model_passes() {
    let mut probed = 0;
    for folder in [common::fixture(""), common::bundled("")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "onnx") {
                let declaration = Declaration::default();
                let model = Model::load_as(&common::bytes(&path), &declaration, &Limits::default());
                probe(&Arc::new(model.unwrap()), &|| false)
                    .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                probed += 1;
            }
        }
    }
    assert!(probed >= 8, "{probed} models");
}

/// A classifier whose label output is shifted by 5, so that no row has one of its labels.
fn labels_of_nobody() -> Vec<u8> {
    let ensemble = ml(
        "TreeEnsembleClassifier",
        &["x"],
        &["raw", "probabilities"],
        stump(),
    );
    let shift = node("Add", "", &["raw", "five"], &["label"], vec![]);
    model(
        vec![value("x", DataType::Float, 1)],
        &["label", "probabilities"],
        vec![ensemble, shift],
        vec![integers("five", &[1], &[5])],
    )
}

#[test]
fn a_model_that_fails_on_every_row_is_refused() {
    let declaration = Declaration {
        labels: Some(vec!["0".into(), "1".into()]),
        ..Declaration::default()
    };
    let refused = Model::load_as(&labels_of_nobody(), &declaration, &Limits::default())
        .and_then(|model| probe(&Arc::new(model), &|| false));
    assert!(
        matches!(
            refused,
            Err(Error::Evaluation(_) | Error::Declaration(_) | Error::Unsupported(_))
        ),
        "{refused:?}"
    );
}

#[test]
fn probing_can_be_interrupted() {
    let model = common::load(&common::bundled("fraud_prob.onnx"));
    assert_eq!(probe(&model, &|| true), Err(Error::Interrupted));
}
