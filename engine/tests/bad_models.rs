//! Models that admission lets through and whose contents are wrong: each is an error, none a crash or a wrong number.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;

use common::onnx::*;
use finai_engine::{Error, Limits, Model, Scorer};
use tract_onnx::pb::AttributeProto;
use tract_onnx::pb::tensor_proto::DataType;

fn load(bytes: &[u8]) -> Result<Model, Error> {
    Model::load(bytes, &Limits::default())
}

/// The message of a model whose tree attributes are changed, which must be `Error::Invalid`.
fn refused(changes: Vec<AttributeProto>, says: &str) {
    match load(&trees(stump_with(changes))) {
        Err(Error::Invalid(message)) => assert!(
            message.contains(says),
            "\"{message}\" does not say \"{says}\""
        ),
        other => panic!("{says}: {other:?}"),
    }
}

/// Score and label of one row of `a` and `b`.
fn score(bytes: &[u8], a: f64, b: f64) -> (f64, String) {
    let mut scorer = Scorer::new(Arc::new(load(bytes).unwrap()), 1).unwrap();
    scorer.batch().push_row().unwrap();
    scorer.batch().set_float(0, a).unwrap();
    scorer.batch().set_float(1, b).unwrap();
    let scores = scorer.run(&|| false).unwrap();
    (
        scores.score(0).unwrap(),
        scores.label(0).unwrap().to_owned(),
    )
}

#[test]
fn the_unchanged_model_scores() {
    assert_eq!(score(&trees(stump()), 0.5, 0.0), (1.0, "1".into()));
    assert_eq!(score(&trees(stump()), 0.6, 0.0), (-1.0, "0".into()));
}

#[test]
fn class_ids_outside_the_classes() {
    for id in [2, -1, 1 << 32, (1 << 32) + 1, i64::MAX, i64::MIN] {
        refused(vec![ints("class_ids", &[0, id])], "of 2");
    }
}

#[test]
fn cycles() {
    refused(vec![ints("nodes_truenodeids", &[0, 0, 0])], "cycle");
    let modes = strings("nodes_modes", &["BRANCH_LEQ", "BRANCH_LEQ", "LEAF"]);
    refused(
        vec![
            modes.clone(),
            ints("nodes_truenodeids", &[1, 0, 0]),
            ints("nodes_falsenodeids", &[2, 1, 0]),
        ],
        "two parents",
    );
    refused(
        vec![
            modes.clone(),
            ints("nodes_truenodeids", &[1, 1, 0]),
            ints("nodes_falsenodeids", &[2, 2, 0]),
        ],
        "two parents",
    );
    refused(
        vec![
            modes,
            ints("nodes_truenodeids", &[1, 2, 0]),
            ints("nodes_falsenodeids", &[2, 2, 0]),
        ],
        "two parents",
    );
    refused(vec![ints("nodes_falsenodeids", &[1, 0, 0])], "two parents");
    // Equalities that lead to each other are no chain.
    let equal = strings("nodes_modes", &["BRANCH_EQ", "BRANCH_EQ", "LEAF"]);
    for (falses, what) in [([1, 0, 0], "cycle"), ([1, 1, 0], "two parents")] {
        refused(
            vec![
                equal.clone(),
                ints("nodes_truenodeids", &[2, 2, 0]),
                ints("nodes_falsenodeids", &falses),
                ints("class_nodeids", &[2, 2]),
            ],
            what,
        );
    }
}

#[test]
fn children_outside_the_tree() {
    for id in [3, -1, 1 << 32, i64::MAX] {
        refused(
            vec![ints("nodes_falsenodeids", &[id, 0, 0])],
            "not in the tree",
        );
    }
    refused(vec![ints("nodes_treeids", &[0, 0, 1])], "not in the tree");
}

#[test]
fn features_outside_the_row() {
    for feature in [2, -1, 1 << 33, i64::MAX] {
        refused(vec![ints("nodes_featureids", &[feature, 0, 0])], "of 2");
    }
}

#[test]
fn tables_of_different_length() {
    for name in [
        "nodes_treeids",
        "nodes_featureids",
        "nodes_truenodeids",
        "nodes_falsenodeids",
    ] {
        refused(vec![ints(name, &[0, 0])], name);
        refused(vec![ints(name, &[0, 0, 0, 0])], name);
    }
    refused(
        vec![ints("nodes_missing_value_tracks_true", &[0, 0])],
        "nodes_missing_value_tracks_true",
    );
    refused(vec![floats("nodes_values", &[0.5, 0.0])], "nodes_values");
    refused(
        vec![strings("nodes_modes", &["BRANCH_LEQ", "LEAF"])],
        "nodes_modes",
    );
    refused(vec![floats("nodes_hitrates", &[1.0])], "nodes_hitrates");
    for name in ["class_treeids", "class_nodeids", "class_ids"] {
        refused(vec![ints(name, &[0])], name);
    }
    refused(
        vec![floats("class_weights", &[1.0, -1.0, 0.0])],
        "class_weights",
    );
    refused(vec![floats("base_values", &[0.0; 3])], "base values");
}

#[test]
fn numbers_that_are_none() {
    for bad in [f32::NAN, f32::INFINITY] {
        refused(
            vec![floats("class_weights", &[1.0, bad])],
            "class_weights 1",
        );
        refused(vec![floats("base_values", &[bad])], "base_values 0");
    }
    refused(
        vec![floats("nodes_values", &[f32::NAN, 0.0, 0.0])],
        "threshold",
    );
}

#[test]
fn modes() {
    refused(
        vec![strings("nodes_modes", &["BRANCH_MAYBE", "LEAF", "LEAF"])],
        "unknown mode",
    );
    refused(
        vec![strings("nodes_modes", &["", "LEAF", "LEAF"])],
        "unknown mode",
    );
    let member = stump_with(vec![strings(
        "nodes_modes",
        &["BRANCH_MEMBER", "LEAF", "LEAF"],
    )]);
    assert!(matches!(load(&trees(member)), Err(Error::Unsupported(_))));
    refused(vec![string("post_transform", "SQUARE")], "SQUARE");
}

#[test]
fn nodes_and_leaves_listed_wrongly() {
    refused(vec![ints("nodes_nodeids", &[0, 1, 1])], "listed twice");
    refused(vec![ints("class_nodeids", &[1, 1])], "two weights");
    refused(vec![ints("class_nodeids", &[1, 0])], "no leaf");
    refused(vec![ints("class_nodeids", &[1, 7])], "does not exist");
    refused(vec![ints("class_treeids", &[0, 5])], "does not exist");
    refused(vec![ints("classlabels_int64s", &[3, 3])], "distinct");
    refused(vec![ints("classlabels_int64s", &[])], "class labels");
    refused(
        vec![strings("classlabels_strings", &["a", "b"])],
        "two types",
    );
    let mut twice = stump();
    twice.push(ints("class_ids", &[0, 0]));
    assert!(load(&trees(twice)).is_err());
}

/// tract reads BRANCH_GTE as a leaf.
#[test]
fn every_mode_compares_as_it_says() {
    let cases: [(&str, [bool; 3]); 6] = [
        ("BRANCH_LEQ", [true, true, false]),
        ("BRANCH_LT", [true, false, false]),
        ("BRANCH_GTE", [false, true, true]),
        ("BRANCH_GT", [false, false, true]),
        ("BRANCH_EQ", [false, true, false]),
        ("BRANCH_NEQ", [true, false, true]),
    ];
    for (mode, expected) in cases {
        let bytes = trees(stump_with(vec![strings(
            "nodes_modes",
            &[mode, "LEAF", "LEAF"],
        )]));
        for (x, yes) in [0.25, 0.5, 0.75].into_iter().zip(expected) {
            assert_eq!(
                score(&bytes, x, 0.0).0,
                if yes { 1.0 } else { -1.0 },
                "{mode} {x}"
            );
        }
        for tracks in [0, 1] {
            let tracked = ints("nodes_missing_value_tracks_true", &[tracks, 0, 0]);
            let bytes = trees(stump_with(vec![
                strings("nodes_modes", &[mode, "LEAF", "LEAF"]),
                tracked,
            ]));
            let yes = tracks == 1 || mode == "BRANCH_NEQ";
            assert_eq!(
                score(&bytes, f64::NAN, 0.0).0,
                if yes { 1.0 } else { -1.0 },
                "{mode} {tracks}"
            );
        }
    }
}

#[test]
fn a_chain_of_many_nodes() {
    let n = 20_001i64;
    let branch = |i: i64| i % 2 == 0 && i + 2 < n;
    let yes: Vec<i64> = (0..n).map(|i| if branch(i) { i + 1 } else { 0 }).collect();
    let no: Vec<i64> = (0..n).map(|i| if branch(i) { i + 2 } else { 0 }).collect();
    let modes: Vec<&str> = (0..n)
        .map(|i| if branch(i) { "BRANCH_LEQ" } else { "LEAF" })
        .collect();
    let leaves: Vec<i64> = (0..n).filter(|i| !branch(*i)).collect();
    let zeros = vec![0; n as usize];
    let thresholds: Vec<f32> = (0..n).map(|i| i as f32).collect();
    let weights: Vec<f32> = leaves.iter().map(|i| *i as f32).collect();
    let bytes = trees(stump_with(vec![
        ints("nodes_treeids", &zeros),
        ints("nodes_nodeids", &(0..n).collect::<Vec<_>>()),
        ints("nodes_featureids", &zeros),
        strings("nodes_modes", &modes),
        floats("nodes_values", &thresholds),
        ints("nodes_truenodeids", &yes),
        ints("nodes_falsenodeids", &no),
        ints("class_treeids", &vec![0; leaves.len()]),
        ints("class_nodeids", &leaves),
        ints("class_ids", &vec![0; leaves.len()]),
        floats("class_weights", &weights),
    ]));
    assert_eq!(score(&bytes, 10_000.0, 0.0).0, 10_001.0);
    assert_eq!(score(&bytes, 1e9, 0.0).0, 20_000.0);
}

/// Message of a model of one operator over inputs of three floats named a, b, c.
fn operator_refused(op: &str, attributes: Vec<AttributeProto>, says: &str) {
    let concat = node("Concat", "", &["a", "b", "c"], &["x"], vec![int("axis", 1)]);
    let outputs: &[&str] = if op.ends_with("Classifier") {
        &["y", "p"]
    } else {
        &["y"]
    };
    let inputs = ["a", "b", "c"]
        .map(|name| value(name, DataType::Float, 1))
        .to_vec();
    match load(&model(
        inputs,
        outputs,
        vec![concat, ml(op, &["x"], outputs, attributes)],
        vec![],
    )) {
        Err(Error::Invalid(message)) => assert!(
            message.contains(says),
            "\"{message}\" does not say \"{says}\""
        ),
        other => panic!("{op} {says}: {other:?}"),
    }
}

#[test]
fn other_operators() {
    operator_refused(
        "Scaler",
        vec![floats("offset", &[0.0; 2]), floats("scale", &[1.0])],
        "2 offsets for 3 columns",
    );
    operator_refused(
        "Scaler",
        vec![floats("offset", &[0.0]), floats("scale", &[f32::NAN])],
        "scale 0",
    );
    operator_refused("Scaler", vec![floats("offset", &[0.0])], "0 scales");
    operator_refused(
        "Imputer",
        vec![floats("imputed_value_floats", &[0.0; 4])],
        "4 float constants",
    );
    operator_refused(
        "Imputer",
        vec![floats("imputed_value_floats", &[f32::INFINITY])],
        "constant 0",
    );
    operator_refused("Imputer", vec![], "0 float constants");
    operator_refused("Normalizer", vec![string("norm", "L7")], "L7");
    operator_refused(
        "LinearRegressor",
        vec![floats("coefficients", &[1.0; 2])],
        "2 coefficients",
    );
    operator_refused(
        "LinearRegressor",
        vec![
            floats("coefficients", &[1.0; 3]),
            floats("intercepts", &[0.0; 2]),
        ],
        "2 intercepts",
    );
    operator_refused(
        "LinearRegressor",
        vec![floats("coefficients", &[1.0; 3]), int("targets", -1)],
        "targets",
    );
    operator_refused(
        "LinearRegressor",
        vec![floats("coefficients", &[1.0; 3]), int("targets", i64::MAX)],
        "coefficients",
    );
    let labels = ints("classlabels_ints", &[0, 1, 2]);
    operator_refused(
        "LinearClassifier",
        vec![
            labels.clone(),
            floats("coefficients", &[1.0; 6]),
            floats("intercepts", &[0.0; 2]),
        ],
        "classes",
    );
    operator_refused(
        "LinearClassifier",
        vec![
            labels.clone(),
            floats("coefficients", &[1.0; 8]),
            floats("intercepts", &[0.0; 3]),
        ],
        "8 coefficients",
    );
    operator_refused(
        "LinearClassifier",
        vec![
            labels,
            floats("coefficients", &[f32::NAN; 9]),
            floats("intercepts", &[0.0; 3]),
        ],
        "coefficient 0",
    );
    operator_refused("OneHotEncoder", vec![], "categories");
    operator_refused(
        "OneHotEncoder",
        vec![ints("cats_int64s", &[1, 1])],
        "distinct",
    );
    operator_refused(
        "OneHotEncoder",
        vec![strings("cats_strings", &["a"])],
        "text categories",
    );
    operator_refused(
        "LabelEncoder",
        vec![
            floats("keys_floats", &[1.0, 2.0]),
            ints("values_int64s", &[1]),
        ],
        "2 keys",
    );
    operator_refused(
        "FeatureVectorizer",
        vec![ints("inputdimensions", &[2])],
        "width",
    );
}

#[test]
fn columns_outside_the_row() {
    for index in [3, -1, i64::MAX] {
        let nodes = vec![
            node("Concat", "", &["a", "b", "c"], &["x"], vec![int("axis", 1)]),
            ml("ArrayFeatureExtractor", &["x", "i"], &["y"], vec![]),
        ];
        let inputs = ["a", "b", "c"]
            .map(|name| value(name, DataType::Float, 1))
            .to_vec();
        let bytes = model(inputs, &["y"], nodes, vec![integers("i", &[1], &[index])]);
        assert!(
            matches!(load(&bytes), Err(Error::Invalid(message)) if message.contains("of 3 columns"))
        );
    }
}

/// tract's Gather would read the neighbour's cells.
#[test]
fn gathered_indices_outside_their_axis() {
    let load_with = |index: i64| {
        let nodes = vec![
            node(
                "Concat",
                "",
                &["a", "b", "c", "d"],
                &["x"],
                vec![int("axis", 1)],
            ),
            node("Reshape", "", &["x", "cube"], &["pairs"], vec![]),
            node("Gather", "", &["pairs", "i"], &["g"], vec![int("axis", 2)]),
            node("Reshape", "", &["g", "flat"], &["f"], vec![]),
            ml(
                "LinearRegressor",
                &["f"],
                &["y"],
                vec![floats("coefficients", &[1.0, 1.0])],
            ),
        ];
        let inputs = ["a", "b", "c", "d"]
            .map(|name| value(name, DataType::Float, 1))
            .to_vec();
        let constants = vec![
            integers("cube", &[3], &[-1, 2, 2]),
            integers("flat", &[2], &[-1, 2]),
            integers("i", &[1], &[index]),
        ];
        load(&model(inputs, &["y"], nodes, constants))
    };
    for index in [0, 1, -1, -2] {
        load_with(index).unwrap();
    }
    for index in [2, 3, -3, i64::MAX, i64::MIN] {
        assert!(
            matches!(load_with(index), Err(Error::Invalid(m)) if m.contains("of 2")),
            "{index}"
        );
    }
}
