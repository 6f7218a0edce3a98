//! Regression trees made of bytes, and the plain walk that they are compared with.

use std::sync::Arc;

use finai_engine::{Declaration, Limits, Missing, Model, Scorer, Task};
use prost::Message;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension::Value};
use tract_onnx::pb::*;

const MODES: [&str; 6] = [
    "BRANCH_LEQ",
    "BRANCH_LT",
    "BRANCH_GTE",
    "BRANCH_GT",
    "BRANCH_EQ",
    "BRANCH_NEQ",
];
const WIDTH: usize = 5;
const ROWS: usize = 21;

/// Bytes as numbers; zeros once they are used up.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn next(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    /// Few values, so that thresholds and features meet; sometimes any bits at all.
    fn number(&mut self) -> f32 {
        match self.next() {
            255 => f32::from_le_bytes(std::array::from_fn(|_| self.next())),
            254 => f32::INFINITY,
            253 => f32::NEG_INFINITY,
            252 => -0.0,
            b => f32::from(b % 16) / 4.0 - 2.0,
        }
    }
}

enum Node {
    Leaf {
        target: usize,
        weight: f32,
    },
    Branch {
        mode: usize,
        feature: usize,
        threshold: f32,
        missing: bool,
        yes: Box<Node>,
        no: Box<Node>,
    },
}

fn grow(bytes: &mut Bytes<'_>, depth: usize, targets: usize) -> Node {
    if depth == 0 || bytes.0.is_empty() || bytes.next().is_multiple_of(8) {
        return Node::Leaf {
            target: usize::from(bytes.next()) % targets,
            // Sums of eighths are exact in any order.
            weight: f32::from(bytes.next() as i8) / 8.0,
        };
    }
    let choice = bytes.next();
    let threshold = bytes.number();
    Node::Branch {
        mode: usize::from(choice) % MODES.len(),
        feature: usize::from(bytes.next()) % WIDTH,
        threshold: if threshold.is_nan() { 0.0 } else { threshold },
        missing: choice > 127,
        yes: Box::new(grow(bytes, depth - 1, targets)),
        no: Box::new(grow(bytes, depth - 1, targets)),
    }
}

fn walk(node: &Node, row: &[f32]) -> (usize, f32) {
    match node {
        Node::Leaf { target, weight } => (*target, *weight),
        Node::Branch {
            mode,
            feature,
            threshold,
            missing,
            yes,
            no,
        } => {
            let x = row[*feature];
            let holds = match mode {
                0 => x <= *threshold,
                1 => x < *threshold,
                2 => x >= *threshold,
                3 => x > *threshold,
                4 => x == *threshold,
                _ => x != *threshold,
            };
            walk(
                if holds || (x.is_nan() && *missing) {
                    yes
                } else {
                    no
                },
                row,
            )
        }
    }
}

/// The tables of the operator.
#[derive(Default)]
struct Tables {
    trees: Vec<i64>,
    ids: Vec<i64>,
    features: Vec<i64>,
    modes: Vec<Vec<u8>>,
    values: Vec<f32>,
    yes: Vec<i64>,
    no: Vec<i64>,
    missing: Vec<i64>,
    leaf_trees: Vec<i64>,
    leaf_ids: Vec<i64>,
    targets: Vec<i64>,
    weights: Vec<f32>,
}

impl Tables {
    fn add(&mut self, tree: i64, first: usize, node: &Node) -> i64 {
        let at = self.ids.len();
        let id = (at - first) as i64;
        self.trees.push(tree);
        self.ids.push(id);
        let (feature, mode, value, missing) = match node {
            Node::Leaf { .. } => (0, "LEAF", 0.0, false),
            Node::Branch {
                mode,
                feature,
                threshold,
                missing,
                ..
            } => (*feature, MODES[*mode], *threshold, *missing),
        };
        self.features.push(feature as i64);
        self.modes.push(mode.into());
        self.values.push(value);
        self.missing.push(i64::from(missing));
        self.yes.push(0);
        self.no.push(0);
        match node {
            Node::Leaf { target, weight } => {
                self.leaf_trees.push(tree);
                self.leaf_ids.push(id);
                self.targets.push(*target as i64);
                self.weights.push(*weight);
            }
            Node::Branch { yes, no, .. } => {
                self.yes[at] = self.add(tree, first, yes);
                self.no[at] = self.add(tree, first, no);
            }
        }
        id
    }

    /// Overwrites cells of the tables.
    fn damage(&mut self, bytes: &mut Bytes<'_>, times: u8) {
        for _ in 0..times {
            let tables = [
                &mut self.trees,
                &mut self.ids,
                &mut self.features,
                &mut self.yes,
                &mut self.no,
                &mut self.leaf_trees,
                &mut self.leaf_ids,
                &mut self.targets,
            ];
            let choice = usize::from(bytes.next());
            let index = usize::from(bytes.next());
            let value = match bytes.next() {
                255 => i64::from_le_bytes(std::array::from_fn(|_| bytes.next())),
                254 => 1 << 32,
                b => i64::from(b as i8),
            };
            let count = tables.len();
            for (i, table) in tables.into_iter().enumerate() {
                if i == choice % count && !table.is_empty() {
                    let len = table.len();
                    if choice > 250 {
                        table.pop();
                    } else {
                        table[index % len] = value;
                    }
                }
            }
        }
    }

    fn model(self, targets: usize) -> Vec<u8> {
        let ints = |name: &str, ints: Vec<i64>| AttributeProto {
            name: name.into(),
            r#type: 7,
            ints,
            ..Default::default()
        };
        let floats = |name: &str, floats: Vec<f32>| AttributeProto {
            name: name.into(),
            r#type: 6,
            floats,
            ..Default::default()
        };
        let attribute = vec![
            ints("nodes_treeids", self.trees),
            ints("nodes_nodeids", self.ids),
            ints("nodes_featureids", self.features),
            AttributeProto {
                name: "nodes_modes".into(),
                r#type: 8,
                strings: self.modes,
                ..Default::default()
            },
            floats("nodes_values", self.values),
            ints("nodes_truenodeids", self.yes),
            ints("nodes_falsenodeids", self.no),
            ints("nodes_missing_value_tracks_true", self.missing),
            ints("target_treeids", self.leaf_trees),
            ints("target_nodeids", self.leaf_ids),
            ints("target_ids", self.targets),
            floats("target_weights", self.weights),
            AttributeProto {
                name: "n_targets".into(),
                r#type: 2,
                i: targets as i64,
                ..Default::default()
            },
        ];
        let node = NodeProto {
            op_type: "TreeEnsembleRegressor".into(),
            domain: "ai.onnx.ml".into(),
            input: vec!["x".into()],
            output: vec!["y".into()],
            attribute,
            ..Default::default()
        };
        let graph = GraphProto {
            name: "g".into(),
            node: vec![node],
            input: vec![value("x", WIDTH)],
            output: vec![value("y", targets)],
            ..Default::default()
        };
        let opset = |domain: &str, version| OperatorSetIdProto {
            domain: domain.into(),
            version,
        };
        ModelProto {
            ir_version: 8,
            opset_import: vec![opset("", 17), opset("ai.onnx.ml", 3)],
            graph: Some(graph),
            ..Default::default()
        }
        .encode_to_vec()
    }
}

fn value(name: &str, width: usize) -> ValueInfoProto {
    let dim = |value| Dimension {
        value: Some(value),
        ..Default::default()
    };
    let shape = TensorShapeProto {
        dim: vec![
            dim(Value::DimParam("N".into())),
            dim(Value::DimValue(width as i64)),
        ],
    };
    let tensor = type_proto::Tensor {
        elem_type: DataType::Float as i32,
        shape: Some(shape),
    };
    ValueInfoProto {
        name: name.into(),
        r#type: Some(TypeProto {
            value: Some(type_proto::Value::TensorType(tensor)),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub fn check(data: &[u8]) {
    let bytes = &mut Bytes(data);
    let damage = bytes.next() % 4;
    let targets = 1 + usize::from(bytes.next()) % 3;
    let depth = usize::from(bytes.next()) % 9;
    let trees: Vec<Node> = (0..1 + bytes.next() % 12)
        .map(|_| grow(bytes, depth, targets))
        .collect();
    let mut tables = Tables::default();
    for (i, tree) in trees.iter().enumerate() {
        tables.add(i as i64, tables.ids.len(), tree);
    }
    tables.damage(bytes, damage);
    let model = tables.model(targets);
    let names: Vec<String> = (0..WIDTH).map(|i| format!("f{i}")).collect();
    let declaration = Declaration {
        missing: names.iter().map(|n| (n.clone(), Missing::Native)).collect(),
        features: Some(names),
        task: (targets > 1).then_some(Task::Vector),
        ..Declaration::default()
    };
    let model = match Model::load_as(&model, &declaration, &Limits::default()) {
        Ok(model) => Arc::new(model),
        Err(error) => {
            assert!(damage > 0, "{error}");
            return;
        }
    };
    let rows: Vec<Vec<f32>> = (0..ROWS)
        .map(|_| {
            let number = |_| match bytes.next() {
                200.. => f32::NAN,
                _ => bytes.number(),
            };
            (0..WIDTH).map(number).collect()
        })
        .collect();
    for size in [1, ROWS] {
        let mut scorer = Scorer::new(model.clone(), size).unwrap();
        for rows in rows.chunks(size) {
            scorer.batch().clear();
            for row in rows {
                scorer.batch().push_row().unwrap();
                for (i, x) in row.iter().enumerate() {
                    scorer.batch().set_float(i, f64::from(*x)).unwrap();
                }
            }
            let scores = scorer.run(&|| false).unwrap();
            for (i, row) in rows.iter().enumerate().filter(|_| damage == 0) {
                let mut expected = vec![0.0; targets];
                for tree in &trees {
                    let (target, weight) = walk(tree, row);
                    expected[target] += f64::from(weight);
                }
                assert_eq!(scores.probabilities(i), expected, "row {row:?}");
            }
        }
    }
}
