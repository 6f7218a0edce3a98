//! Models built node by node.
#![allow(dead_code)]

use prost::Message;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension::Value};
use tract_onnx::pb::*;

pub fn ints(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: 7,
        ints: values.to_vec(),
        ..Default::default()
    }
}

pub fn floats(name: &str, values: &[f32]) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: 6,
        floats: values.to_vec(),
        ..Default::default()
    }
}

pub fn strings(name: &str, values: &[&str]) -> AttributeProto {
    let strings = values.iter().map(|v| v.as_bytes().to_vec()).collect();
    AttributeProto {
        name: name.into(),
        r#type: 8,
        strings,
        ..Default::default()
    }
}

pub fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: 2,
        i: value,
        ..Default::default()
    }
}

pub fn string(name: &str, value: &str) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: 3,
        s: value.as_bytes().to_vec(),
        ..Default::default()
    }
}

pub fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: 1,
        f: value,
        ..Default::default()
    }
}

pub fn node(
    op: &str,
    domain: &str,
    inputs: &[&str],
    outputs: &[&str],
    attribute: Vec<AttributeProto>,
) -> NodeProto {
    let own = |names: &[&str]| names.iter().map(|n| n.to_string()).collect();
    NodeProto {
        op_type: op.into(),
        domain: domain.into(),
        input: own(inputs),
        output: own(outputs),
        attribute,
        ..Default::default()
    }
}

pub fn ml(
    op: &str,
    inputs: &[&str],
    outputs: &[&str],
    attribute: Vec<AttributeProto>,
) -> NodeProto {
    node(op, "ai.onnx.ml", inputs, outputs, attribute)
}

/// An input or output `[N, width]`.
pub fn value(name: &str, element: DataType, width: i64) -> ValueInfoProto {
    let dim = |value| Dimension {
        value: Some(value),
        ..Default::default()
    };
    let dims = vec![
        dim(Value::DimParam("N".into())),
        dim(Value::DimValue(width)),
    ];
    let tensor = type_proto::Tensor {
        elem_type: element as i32,
        shape: Some(TensorShapeProto { dim: dims }),
    };
    let r#type = TypeProto {
        value: Some(type_proto::Value::TensorType(tensor)),
        ..Default::default()
    };
    ValueInfoProto {
        name: name.into(),
        r#type: Some(r#type),
        ..Default::default()
    }
}

pub fn constant(name: &str, dims: &[i64], cells: &[f32]) -> TensorProto {
    let data_type = DataType::Float as i32;
    TensorProto {
        name: name.into(),
        dims: dims.to_vec(),
        data_type,
        float_data: cells.to_vec(),
        ..Default::default()
    }
}

pub fn integers(name: &str, dims: &[i64], cells: &[i64]) -> TensorProto {
    let data_type = DataType::Int64 as i32;
    TensorProto {
        name: name.into(),
        dims: dims.to_vec(),
        data_type,
        int64_data: cells.to_vec(),
        ..Default::default()
    }
}

/// A graph of operator sets 17 and ai.onnx.ml 3.
pub fn model(
    inputs: Vec<ValueInfoProto>,
    outputs: &[&str],
    nodes: Vec<NodeProto>,
    initializer: Vec<TensorProto>,
) -> Vec<u8> {
    let output = outputs
        .iter()
        .map(|name| value(name, DataType::Float, 1))
        .collect();
    let graph = GraphProto {
        name: "g".into(),
        node: nodes,
        input: inputs,
        output,
        initializer,
        ..Default::default()
    };
    let opset = |domain: &str, version| OperatorSetIdProto {
        domain: domain.into(),
        version,
    };
    let opset_import = vec![opset("", 17), opset("ai.onnx.ml", 3)];
    ModelProto {
        ir_version: 8,
        opset_import,
        graph: Some(graph),
        ..Default::default()
    }
    .encode_to_vec()
}

/// Attributes of a classifier of two classes over one tree: node 0 compares feature 0 with 0.5, leaf 1 (true) adds 1 and
/// leaf 2 adds -1.
pub fn stump() -> Vec<AttributeProto> {
    vec![
        ints("nodes_treeids", &[0, 0, 0]),
        ints("nodes_nodeids", &[0, 1, 2]),
        ints("nodes_featureids", &[0, 0, 0]),
        strings("nodes_modes", &["BRANCH_LEQ", "LEAF", "LEAF"]),
        floats("nodes_values", &[0.5, 0.0, 0.0]),
        ints("nodes_truenodeids", &[1, 0, 0]),
        ints("nodes_falsenodeids", &[2, 0, 0]),
        ints("class_treeids", &[0, 0]),
        ints("class_nodeids", &[1, 2]),
        ints("class_ids", &[0, 0]),
        floats("class_weights", &[1.0, -1.0]),
        ints("classlabels_int64s", &[0, 1]),
    ]
}

/// [`stump`] with some attributes replaced or added.
pub fn stump_with(changes: Vec<AttributeProto>) -> Vec<AttributeProto> {
    let mut attributes = stump();
    attributes.retain(|a| changes.iter().all(|c| c.name != a.name));
    attributes.extend(changes);
    attributes
}

/// A classifier over features `a` and `b`.
pub fn trees(attributes: Vec<AttributeProto>) -> Vec<u8> {
    let concat = node("Concat", "", &["a", "b"], &["x"], vec![int("axis", 1)]);
    let ensemble = ml(
        "TreeEnsembleClassifier",
        &["x"],
        &["label", "probabilities"],
        attributes,
    );
    let inputs = vec![
        value("a", DataType::Float, 1),
        value("b", DataType::Float, 1),
    ];
    model(
        inputs,
        &["label", "probabilities"],
        vec![concat, ensemble],
        vec![],
    )
}
