//! Encoders, vectors and numbers of every type score the same through kernels and through a network's plan.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;

use common::onnx::*;
use finai_engine::{Limits, Model, Scorer};
use tract_onnx::pb::tensor_proto::DataType;

/// A machine over an integer, a double and an encoded text; `detour` computes a value that only a network's plan has.
fn bytes(detour: bool) -> Vec<u8> {
    let relu = node(
        "ThresholdedRelu",
        "",
        &["f"],
        &["g"],
        vec![float("alpha", 0.0)],
    );
    let encoder = |from: &str, to: &str, attributes| ml("LabelEncoder", &[from], &[to], attributes);
    let cast =
        |from: &str, to: &str, element| node("Cast", "", &[from], &[to], vec![int("to", element)]);
    let mut nodes = vec![
        cast("i", "f", 1),
        encoder(
            "t",
            "long",
            vec![
                strings("keys_strings", &["a", "b"]),
                strings("values_strings", &["one", "two"]),
                string("default_string", "none"),
            ],
        ),
        ml(
            "CategoryMapper",
            &["long"],
            &["code"],
            vec![
                strings("cats_strings", &["one", "two"]),
                ints("cats_int64s", &[3, 5]),
            ],
        ),
        cast("code", "coded", 11),
        cast(if detour { "g" } else { "f" }, "wide", 11),
        node(
            "Concat",
            "",
            &["wide", "coded", "d"],
            &["x"],
            vec![int("axis", 1)],
        ),
        ml(
            "SVMClassifier",
            &["x"],
            &["label", "p"],
            vec![
                string("kernel_type", "RBF"),
                floats("kernel_params", &[0.05, 0.0, 3.0]),
                ints("vectors_per_class", &[1, 2]),
                floats(
                    "support_vectors",
                    &[1.0, 3.0, 0.5, 2.0, 5.0, -0.5, 4.0, -1.0, 1.5],
                ),
                floats("coefficients", &[1.0, -0.5, -0.5]),
                floats("rho", &[0.1]),
                floats("prob_a", &[-2.0]),
                floats("prob_b", &[0.1]),
                strings("classlabels_strings", &["good", "bad"]),
            ],
        ),
    ];
    if detour {
        nodes.insert(1, relu);
    }
    let inputs = vec![
        value("i", DataType::Int64, 1),
        value("t", DataType::String, 1),
        value("d", DataType::Double, 1),
    ];
    model(inputs, &["label", "p"], nodes, vec![])
}

fn scores(detour: bool) -> Vec<(f64, String)> {
    let model = Model::load(&bytes(detour), &Limits::default()).unwrap();
    assert_eq!(model.is_tabular(), !detour);
    let mut scorer = Scorer::new(Arc::new(model), 12).unwrap();
    for i in 0..4 {
        for text in ["a", "b", "z"] {
            scorer.batch().push_row().unwrap();
            scorer.batch().set_integer(0, i).unwrap();
            scorer.batch().set_text(1, text).unwrap();
            scorer.batch().set_float(2, i as f64 / 3.0).unwrap();
        }
    }
    let scores = scorer.run(&|| false).unwrap();
    (0..12)
        .map(|row| {
            (
                scores.score(row).unwrap(),
                scores.label(row).unwrap().to_owned(),
            )
        })
        .collect()
}

#[test]
fn kernels_and_plans_agree() {
    let (kernels, plan) = (scores(false), scores(true));
    let labels: Vec<&str> = kernels.iter().map(|(_, label)| label.as_str()).collect();
    assert!(labels.contains(&"good") && labels.contains(&"bad"));
    for ((a, first), (b, second)) in kernels.iter().zip(&plan) {
        assert!((a - b).abs() < 1e-6 && first == second, "{a} {b}");
    }
}
