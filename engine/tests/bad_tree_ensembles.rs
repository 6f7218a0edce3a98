//! Crafted `TreeEnsemble` nodes (ai.onnx.ml 5): each is an error that says what is wrong, none a crash or a wrong number.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;

use common::onnx::{constant, int, ints, ml, model, value};
use finai_engine::{Error, Limits, Model, Scorer};
use prost::Message;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, ModelProto, TensorProto};

fn tensor(name: &str, tensor: TensorProto) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: 4,
        t: Some(tensor),
        ..Default::default()
    }
}

fn floats(name: &str, cells: &[f32]) -> AttributeProto {
    tensor(name, constant(name, &[cells.len() as i64], cells))
}

fn modes(cells: &[i32]) -> AttributeProto {
    let bytes = TensorProto {
        name: "modes".into(),
        dims: vec![cells.len() as i64],
        data_type: DataType::Uint8 as i32,
        int32_data: cells.to_vec(),
        ..Default::default()
    };
    tensor("nodes_modes", bytes)
}

/// Node 0 compares feature 0 with 0.5 and goes on to node 1, or to leaf 2 (4.0). Node 1 finds feature 1 among 2 and 3, leaf 0
/// (1.0), or not, leaf 1 (2.0).
fn attributes() -> Vec<AttributeProto> {
    vec![
        ints("tree_roots", &[0]),
        ints("nodes_featureids", &[0, 1]),
        modes(&[0, 6]),
        floats("nodes_splits", &[0.5, 0.0]),
        ints("nodes_truenodeids", &[1, 0]),
        ints("nodes_trueleafs", &[0, 1]),
        ints("nodes_falsenodeids", &[2, 1]),
        ints("nodes_falseleafs", &[1, 1]),
        ints("leaf_targetids", &[0, 0, 0]),
        floats("leaf_weights", &[1.0, 2.0, 4.0]),
        floats("membership_values", &[3.0, 2.0, f32::NAN]),
        int("n_targets", 1),
    ]
}

/// The ensemble over features a and b, some attributes replaced.
fn bytes(changes: Vec<AttributeProto>) -> Vec<u8> {
    let mut attributes = attributes();
    attributes.retain(|a| changes.iter().all(|c| c.name != a.name));
    attributes.extend(changes);
    let concat = common::onnx::node("Concat", "", &["a", "b"], &["x"], vec![int("axis", 1)]);
    let inputs = ["a", "b"]
        .map(|name| value(name, DataType::Float, 1))
        .to_vec();
    let node = ml("TreeEnsemble", &["x"], &["y"], attributes);
    let mut model =
        ModelProto::decode(&*model(inputs, &["y"], vec![concat, node], vec![])).unwrap();
    for opset in &mut model.opset_import {
        if opset.domain == "ai.onnx.ml" {
            opset.version = 5;
        }
    }
    model.encode_to_vec()
}

fn load(changes: Vec<AttributeProto>) -> Result<Model, Error> {
    Model::load(&bytes(changes), &Limits::default())
}

fn refused(changes: Vec<AttributeProto>, says: &str) {
    match load(changes) {
        Err(Error::Invalid(message)) => {
            assert!(
                message.contains(says),
                "\"{message}\" does not say \"{says}\""
            )
        }
        other => panic!("{says}: {other:?}"),
    }
}

fn score(changes: Vec<AttributeProto>, a: f64, b: f64) -> f64 {
    let mut scorer = Scorer::new(Arc::new(load(changes).unwrap()), 1).unwrap();
    scorer.batch().push_row().unwrap();
    scorer.batch().set_float(0, a).unwrap();
    scorer.batch().set_float(1, b).unwrap();
    scorer.run(&|| false).unwrap().score(0).unwrap()
}

#[test]
fn the_unchanged_model_scores() {
    let nan = f64::NAN;
    for (a, b, expected) in [
        (0.5, 2.0, 1.0),
        (0.5, 3.0, 1.0),
        (0.5, 2.5, 2.0),
        (0.5, nan, 2.0),
        (0.6, 2.0, 4.0),
        (nan, 2.0, 4.0),
    ] {
        assert_eq!(score(vec![], a, b), expected, "{a} {b}");
    }
    let tracks = || vec![ints("nodes_missing_value_tracks_true", &[1, 1])];
    assert_eq!(score(tracks(), nan, nan), 1.0);
}

#[test]
fn a_tree_of_one_leaf_and_shared_leaves() {
    let leaf = vec![
        ints("nodes_featureids", &[0]),
        modes(&[0]),
        floats("nodes_splits", &[0.5]),
        ints("nodes_truenodeids", &[2]),
        ints("nodes_trueleafs", &[1]),
        ints("nodes_falsenodeids", &[2]),
        ints("nodes_falseleafs", &[1]),
        floats("membership_values", &[]),
    ];
    assert_eq!(score(leaf, 9.0, 9.0), 4.0);
    assert_eq!(
        score(vec![ints("nodes_falsenodeids", &[0, 1])], 0.6, 0.0),
        1.0
    );
}

#[test]
fn cycles_and_two_parents() {
    refused(vec![ints("nodes_truenodeids", &[0, 0])], "cycle");
    let all_nodes = ints("nodes_falseleafs", &[0, 1]);
    refused(
        vec![all_nodes.clone(), ints("nodes_falsenodeids", &[1, 1])],
        "two parents",
    );
    refused(
        vec![all_nodes, ints("nodes_falsenodeids", &[0, 1])],
        "cycle",
    );
    refused(
        vec![
            ints("nodes_trueleafs", &[0, 0]),
            ints("nodes_truenodeids", &[1, 1]),
        ],
        "two parents",
    );
}

#[test]
fn ids_outside_their_tables() {
    for id in [2, 3, -1, 1 << 32, i64::MAX, i64::MIN] {
        refused(vec![ints("nodes_truenodeids", &[id, 0])], "child node");
        refused(vec![ints("nodes_featureids", &[id, 0])], "of 2");
        refused(vec![ints("tree_roots", &[id])], "root");
        refused(vec![ints("leaf_targetids", &[0, 0, id])], "of 1");
    }
    for id in [3, -1, 1 << 32, i64::MAX] {
        refused(vec![ints("nodes_falsenodeids", &[id, 0])], "child leaf");
        refused(
            vec![int("n_targets", if id == 3 { 0 } else { id })],
            "n_targets",
        );
    }
    refused(vec![ints("tree_roots", &[])], "roots");
    refused(vec![ints("tree_roots", &[0, 0])], "twice");
    refused(vec![ints("nodes_trueleafs", &[2, 1])], "1 is a leaf");
    refused(vec![ints("leaf_targetids", &[0, 0, 1])], "of 1");
}

#[test]
fn tables_of_different_length() {
    for name in [
        "nodes_featureids",
        "nodes_truenodeids",
        "nodes_trueleafs",
        "nodes_falsenodeids",
        "nodes_falseleafs",
    ] {
        refused(vec![ints(name, &[0])], name);
        refused(vec![ints(name, &[0, 0, 0])], name);
    }
    refused(vec![floats("nodes_splits", &[0.5])], "nodes_splits");
    refused(vec![floats("nodes_hitrates", &[0.5])], "nodes_hitrates");
    refused(
        vec![ints("nodes_missing_value_tracks_true", &[1])],
        "tracks_true",
    );
    refused(vec![ints("leaf_targetids", &[0, 0])], "leaf_targetids");
    refused(vec![floats("leaf_weights", &[1.0, 2.0])], "leaf_weights");
    refused(vec![modes(&[])], "no nodes");
}

#[test]
fn numbers_modes_and_types() {
    refused(vec![floats("nodes_splits", &[f32::NAN, 0.0])], "threshold");
    for bad in [f32::NAN, f32::INFINITY] {
        refused(
            vec![floats("leaf_weights", &[1.0, bad, 4.0])],
            "leaf_weights 1",
        );
    }
    for mode in [7, 255] {
        refused(vec![modes(&[mode, 6])], "mode");
    }
    refused(vec![int("aggregate_function", 4)], "aggregate function");
    refused(vec![int("post_transform", 5)], "post transform");
    for ambiguous in [1, 2] {
        let found = load(vec![int("post_transform", ambiguous)]);
        assert!(matches!(found, Err(Error::Unsupported(_))), "{found:?}");
    }
    let doubles = TensorProto {
        name: "splits".into(),
        dims: vec![2],
        data_type: DataType::Double as i32,
        double_data: vec![0.5, 0.0],
        ..Default::default()
    };
    refused(vec![tensor("nodes_splits", doubles)], "another type");
    refused(
        vec![tensor("nodes_modes", constant("modes", &[2], &[0.0, 6.0]))],
        "bytes",
    );
}

#[test]
fn sets_and_their_nodes() {
    refused(vec![floats("membership_values", &[])], "membership_values");
    refused(vec![modes(&[6, 6])], "membership_values");
    refused(vec![modes(&[0, 0])], "more membership_values");
    // No end behind the last set, one set without members, repeated members.
    assert_eq!(
        score(vec![floats("membership_values", &[2.0, 2.0])], 0.0, 2.0),
        1.0
    );
    assert_eq!(
        score(vec![floats("membership_values", &[f32::NAN])], 0.0, 2.0),
        2.0
    );
    let found = load(vec![floats("membership_values", &vec![1.0; (1 << 18) + 1])]);
    assert!(matches!(found, Err(Error::TooLarge { .. })), "{found:?}");
    let many: Vec<f32> = (0..10_000).map(|i| (i * 2) as f32).collect();
    let many = || vec![floats("membership_values", &many)];
    assert_eq!(score(many(), 0.0, 12_344.0), 1.0);
    assert_eq!(score(many(), 0.0, 12_345.0), 2.0);
}

#[test]
fn a_chain_of_many_nodes() {
    let n = 100_000i64;
    let next: Vec<i64> = (0..n).map(|i| if i + 1 < n { i + 1 } else { 0 }).collect();
    let last = |i: i64| i64::from(i + 1 == n);
    let chain = || {
        vec![
            ints("nodes_featureids", &vec![0; n as usize]),
            modes(&vec![0; n as usize]),
            floats(
                "nodes_splits",
                &(0..n).map(|i| -(i as f32)).collect::<Vec<_>>(),
            ),
            ints("nodes_truenodeids", &next),
            ints("nodes_trueleafs", &(0..n).map(last).collect::<Vec<_>>()),
            ints("nodes_falsenodeids", &vec![1; n as usize]),
            ints("nodes_falseleafs", &vec![1; n as usize]),
            floats("membership_values", &[]),
        ]
    };
    assert_eq!(score(chain(), -1e9, 0.0), 1.0);
    assert_eq!(score(chain(), -7.5, 0.0), 2.0);
}
