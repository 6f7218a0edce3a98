//! Models for the admission tests: real ones, hand-built ones and bytes that no exporter writes.
#![allow(dead_code, clippy::unwrap_used)]

use prost::Message;
use tract_onnx::pb;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension::Value};

/// Small real models by name, written by `make_seeds.py`.
pub const SEEDS: [(&str, &[u8]); 9] = [
    (
        "boosted_regressor",
        include_bytes!("seeds/boosted_regressor.onnx"),
    ),
    ("convolution", include_bytes!("seeds/convolution.onnx")),
    (
        "credit_pipeline",
        include_bytes!("seeds/credit_pipeline.onnx"),
    ),
    ("dense", include_bytes!("seeds/dense.onnx")),
    ("forest", include_bytes!("seeds/forest.onnx")),
    ("lightgbm", include_bytes!("seeds/lightgbm.onnx")),
    (
        "scaler_logistic",
        include_bytes!("seeds/scaler_logistic.onnx"),
    ),
    ("shapes", include_bytes!("seeds/shapes.onnx")),
    ("zipmap", include_bytes!("seeds/zipmap.onnx")),
];

pub const FLOAT: i32 = pb::tensor_proto::DataType::Float as i32;
pub const INT64: i32 = pb::tensor_proto::DataType::Int64 as i32;

pub fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| name.to_string()).collect()
}

pub fn node(op: &str, inputs: &[&str], outputs: &[&str]) -> pb::NodeProto {
    pb::NodeProto {
        op_type: op.into(),
        input: strings(inputs),
        output: strings(outputs),
        ..Default::default()
    }
}

pub fn ml(op: &str, inputs: &[&str], outputs: &[&str]) -> pb::NodeProto {
    pb::NodeProto {
        domain: "ai.onnx.ml".into(),
        ..node(op, inputs, outputs)
    }
}

pub fn integer(name: &str, value: i64) -> pb::AttributeProto {
    pb::AttributeProto {
        name: name.into(),
        r#type: 2,
        i: value,
        ..Default::default()
    }
}

pub fn integers(name: &str, values: &[i64]) -> pb::AttributeProto {
    pb::AttributeProto {
        name: name.into(),
        r#type: 7,
        ints: values.to_vec(),
        ..Default::default()
    }
}

pub fn floats(name: &str, dims: &[i64], values: Vec<f32>) -> pb::TensorProto {
    let dims = dims.to_vec();
    pb::TensorProto {
        name: name.into(),
        data_type: FLOAT,
        dims,
        float_data: values,
        ..Default::default()
    }
}

pub fn int64s(name: &str, dims: &[i64], values: Vec<i64>) -> pb::TensorProto {
    let dims = dims.to_vec();
    pb::TensorProto {
        name: name.into(),
        data_type: INT64,
        dims,
        int64_data: values,
        ..Default::default()
    }
}

pub fn known(value: i64) -> Dimension {
    Dimension {
        value: Some(Value::DimValue(value)),
        ..Default::default()
    }
}

pub fn symbol(name: &str) -> Dimension {
    Dimension {
        value: Some(Value::DimParam(name.into())),
        ..Default::default()
    }
}

pub fn value(name: &str, elem_type: i32, dim: Vec<Dimension>) -> pb::ValueInfoProto {
    let tensor = pb::type_proto::Tensor {
        elem_type,
        shape: Some(pb::TensorShapeProto { dim }),
    };
    let typed = pb::TypeProto {
        value: Some(pb::type_proto::Value::TensorType(tensor)),
        ..Default::default()
    };
    pb::ValueInfoProto {
        name: name.into(),
        r#type: Some(typed),
        ..Default::default()
    }
}

/// A valid model `y = Relu(x)` of three features in operator set 18 and ai.onnx.ml 3.
pub fn relu() -> pb::ModelProto {
    let graph = pb::GraphProto {
        name: "g".into(),
        node: vec![node("Relu", &["x"], &["y"])],
        input: vec![value("x", FLOAT, vec![symbol("N"), known(3)])],
        output: vec![value("y", FLOAT, vec![symbol("N"), known(3)])],
        ..Default::default()
    };
    let sets = [("", 18), ("ai.onnx.ml", 3)];
    let opset_import = sets
        .iter()
        .map(|&(domain, version)| pb::OperatorSetIdProto {
            domain: domain.into(),
            version,
        })
        .collect();
    pb::ModelProto {
        ir_version: 8,
        opset_import,
        graph: Some(graph),
        ..Default::default()
    }
}

/// [`relu`] changed in its graph.
pub fn with(change: impl FnOnce(&mut pb::GraphProto)) -> Vec<u8> {
    let mut model = relu();
    change(model.graph.as_mut().unwrap());
    model.encode_to_vec()
}

/// [`relu`] with other nodes; the last one's first output is the model's.
pub fn with_nodes(nodes: Vec<pb::NodeProto>) -> Vec<u8> {
    with(|graph| {
        graph.output[0].name = nodes.last().unwrap().output[0].clone();
        graph.node = nodes;
    })
}

/// A length-delimited field.
pub fn field(number: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![];
    prost::encoding::encode_varint(u64::from(number << 3 | 2), &mut bytes);
    prost::encoding::encode_varint(payload.len() as u64, &mut bytes);
    bytes.extend_from_slice(payload);
    bytes
}

/// A reproducible sequence of numbers (SplitMix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

/// A model with one to four changes: bytes flipped, overwritten, inserted, deleted, or spliced from another model.
pub fn mutate(random: &mut Random, seed: &[u8]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        let length = random.below(16).min(bytes.len() - at);
        match random.below(7) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            1 if !bytes.is_empty() => bytes[at] = random.next() as u8,
            2 => bytes.insert(at, random.next() as u8),
            3 => drop(bytes.drain(at..at + length)),
            4 => {
                let copy = bytes[at..at + length].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, copy);
            }
            5 => {
                let (_, donor) = SEEDS[random.below(SEEDS.len())];
                let from = random.below(donor.len());
                let copy = &donor[from..(from + random.below(64)).min(donor.len())];
                bytes.splice(at..at + length, copy.iter().copied());
            }
            _ => {
                const EDGES: [u8; 8] = [0, 1, 2, 4, 0x7f, 0x80, 0xfe, 0xff];
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = EDGES[random.below(EDGES.len())];
                }
            }
        }
    }
    bytes
}

/// A model that stays well-formed protobuf while its contents change: a field of a random node, attribute, tensor,
/// dimension or name takes an edge value or another one's.
pub fn reshape(random: &mut Random, seed: &[u8]) -> Vec<u8> {
    const EDGES: [i64; 14] = [
        0,
        1,
        -1,
        2,
        3,
        7,
        8,
        9,
        64,
        65_536,
        1 << 31,
        1 << 33,
        i64::MAX,
        i64::MIN,
    ];
    let mut model = pb::ModelProto::decode(seed).unwrap();
    for _ in 0..=random.below(3) {
        let edge = EDGES[random.below(EDGES.len())];
        let graph = model.graph.as_mut().unwrap();
        let mut names: Vec<String> = graph
            .initializer
            .iter()
            .map(|tensor| tensor.name.clone())
            .collect();
        names.extend(graph.input.iter().map(|input| input.name.clone()));
        names.extend(graph.node.iter().flat_map(|node| node.output.clone()));
        names.push(String::new());
        let name = names[random.below(names.len())].clone();
        let chosen = random.below(graph.node.len());
        let kind = random.below(12);
        match kind {
            0 => model.opset_import[0].version = random.below(26) as i64,
            1 if !graph.initializer.is_empty() => {
                let index = random.below(graph.initializer.len());
                let tensor = &mut graph.initializer[index];
                let count = tensor.dims.len();
                match random.below(4) {
                    0 => tensor.dims.push(1),
                    1 if count > 0 => drop(tensor.dims.remove(random.below(count))),
                    2 => tensor.dims.reverse(),
                    _ if tensor.data_type == INT64 => {
                        let length = tensor.int64_data.len().max(tensor.raw_data.len() / 8);
                        tensor.raw_data.clear();
                        tensor.int64_data = (0..length)
                            .map(|_| EDGES[random.below(EDGES.len())])
                            .collect();
                    }
                    _ => tensor.data_type = random.below(24) as i32,
                }
            }
            2 => {
                let index = random.below(graph.input.len());
                let elem_type = random.below(14) as i32;
                let dims = (0..random.below(5))
                    .map(|_| known(1 + random.below(8) as i64))
                    .collect();
                graph.input[index] = value(&graph.input[index].name.clone(), elem_type, dims);
            }
            3..=5 => {
                let count = graph.node[chosen].input.len();
                match random.below(3) {
                    0 if count > 0 => graph.node[chosen].input[random.below(count)] = name,
                    1 if count > 0 => drop(graph.node[chosen].input.remove(random.below(count))),
                    _ => graph.node[chosen].input.push(name),
                }
            }
            6 => {
                graph.node[chosen].op_type = {
                    let supported = finai_engine::admit::supported_operators();
                    supported[random.below(supported.len())].to_string()
                }
            }
            7 => {
                let extra = format!("extra{}", random.below(100));
                graph.node[chosen].output.push(extra);
            }
            8 => graph.output[0].name = name,
            _ if !graph.node[chosen].attribute.is_empty() => {
                let count = graph.node[chosen].attribute.len();
                let attribute = &mut graph.node[chosen].attribute[random.below(count)];
                match random.below(4) {
                    0 if !attribute.ints.is_empty() => {
                        let index = random.below(attribute.ints.len());
                        attribute.ints[index] = edge;
                    }
                    1 if !attribute.ints.is_empty() => drop(attribute.ints.pop()),
                    2 if !attribute.floats.is_empty() => {
                        let index = random.below(attribute.floats.len());
                        attribute.floats[index] =
                            [f32::NAN, f32::INFINITY, -0.0, 1e38][random.below(4)];
                    }
                    3 if !attribute.strings.is_empty() => {
                        let index = random.below(attribute.strings.len());
                        attribute.strings[index] =
                            attribute.strings[random.below(attribute.strings.len())].clone();
                    }
                    _ if attribute.r#type == 2 => attribute.i = edge,
                    _ => drop(graph.node[chosen].attribute.remove(random.below(count))),
                }
            }
            _ => {
                let names = [
                    "axis",
                    "axes",
                    "keepdims",
                    "to",
                    "perm",
                    "group",
                    "split",
                    "transA",
                    "allowzero",
                ];
                let name = names[random.below(names.len())];
                let made = if random.below(2) == 0 {
                    integer(name, edge)
                } else {
                    integers(name, &[edge, 1])
                };
                graph.node[chosen].attribute.push(made);
            }
        }
    }
    model.encode_to_vec()
}
