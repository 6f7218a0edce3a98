//! Inputs that are maps: a row is no map, so that each key of the vocabulary becomes a column.
//!
//! The decoder skips map types; the type of a map's values is read from the bytes.

use std::collections::HashSet;

use tract_onnx::pb;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};

use super::graph::label;
use super::prescan::limit;
use super::wire::{Cursor, Value};
use super::{operators, tensor};
use crate::{Error, Limits, Result};

const OP: &str = "DictVectorizer";
/// The metadata key that names the columns of wide inputs.
const NAMES: &str = "feature_names";

/// True for an input that only vectorizers of maps read.
pub(super) fn is_map(graph: &pb::GraphProto, input: &str) -> bool {
    let mut readers = graph
        .node
        .iter()
        .filter(|node| node.input.iter().any(|name| name == input))
        .peekable();
    readers.peek().is_some()
        && readers.all(|node| node.domain == operators::ML && node.op_type == OP)
        && graph.output.iter().all(|output| output.name != input)
}

/// Makes a tensor of every map: its columns are the keys of its vectorizer, which has nothing left to do. A key that a row
/// does not have is 0 to the vectorizer; here it is a feature that is NULL.
pub(super) fn rewrite(model: &mut pb::ModelProto, bytes: &[u8], limits: &Limits) -> Result<()> {
    let Some(graph) = &mut model.graph else {
        return Ok(());
    };
    let maps: Vec<String> = graph
        .input
        .iter()
        .filter(|input| input.r#type.as_ref().is_none_or(|t| t.value.is_none()))
        .map(|input| input.name.clone())
        .collect();
    let mut names = Vec::new();
    for map in &maps {
        let Some((key_type, value_type)) = types(bytes, map) else {
            return Err(Error::Invalid(format!(
                "input \"{map}\" has no tensor type and is no map"
            )));
        };
        let value_type = tensor::element_type(value_type, &format!("input \"{map}\""))?;
        let mut keys = None;
        for node in &mut graph.node {
            if node.input.iter().any(|name| name == map) {
                let vocabulary = vocabulary(node, key_type, limits)?;
                if keys.get_or_insert_with(|| vocabulary.clone()) != &vocabulary {
                    return Err(Error::Unsupported(format!(
                        "input \"{map}\" of two vocabularies"
                    )));
                }
                node.op_type = "Identity".into();
                node.domain.clear();
                node.attribute.clear();
            }
        }
        let keys = keys.unwrap_or_default();
        let columns = Dimension {
            value: Some(dimension::Value::DimValue(keys.len() as i64)),
            ..Dimension::default()
        };
        let shape = pb::TensorShapeProto {
            dim: vec![Dimension::default(), columns],
        };
        let typed = pb::type_proto::Tensor {
            elem_type: value_type as i32,
            shape: Some(shape),
        };
        if let Some(input) = graph.input.iter_mut().find(|input| input.name == *map) {
            input.r#type = Some(pb::TypeProto {
                value: Some(pb::type_proto::Value::TensorType(typed)),
                ..pb::TypeProto::default()
            });
        }
        if keys.len() > 1 {
            names.extend(keys);
        }
    }
    let named = model.metadata_props.iter().any(|entry| entry.key == NAMES);
    if !maps.is_empty() && !named && graph.input.iter().all(|i| maps.contains(&i.name)) {
        model.metadata_props.push(pb::StringStringEntryProto {
            key: NAMES.into(),
            value: serde_json::Value::from(names).to_string(),
        });
    }
    Ok(())
}

/// The keys as texts.
fn vocabulary(node: &pb::NodeProto, key_type: i32, limits: &Limits) -> Result<Vec<String>> {
    let attribute = |name: &str| node.attribute.iter().find(|a| a.name == name);
    let texts = attribute("string_vocabulary").map_or(&[][..], |a| &a.strings);
    let integers = attribute("int64_vocabulary").map_or(&[][..], |a| &a.ints);
    let fits = match DataType::try_from(key_type) {
        Ok(DataType::String) => integers.is_empty() && !texts.is_empty(),
        Ok(DataType::Int64) => texts.is_empty() && !integers.is_empty(),
        _ => false,
    };
    if !fits {
        return Err(Error::Invalid(format!(
            "{} has {} texts and {} integers for the keys of its map",
            label(node),
            texts.len(),
            integers.len()
        )));
    }
    let count = texts.len() + integers.len();
    limit("features", count, limits.features)?;
    let texts = texts.iter().map(|t| String::from_utf8(t.clone()).ok());
    let integers = integers.iter().map(|i| Some(i.to_string()));
    let keys: Option<Vec<String>> = texts.chain(integers).collect();
    let keys = keys.ok_or_else(|| Error::NotOnnx("text that is not UTF-8".into()))?;
    let distinct = keys.iter().collect::<HashSet<_>>().len();
    if distinct != count {
        return Err(Error::Invalid(format!(
            "{} has {count} keys, {distinct} of them distinct",
            label(node)
        )));
    }
    Ok(keys)
}

/// Element types of the keys and the values of an input that is a map.
fn types(bytes: &[u8], name: &str) -> Option<(i32, i32)> {
    let graph = last(bytes, 7)?;
    let mut inputs = Cursor::new(graph);
    while let Some((number, value)) = inputs.field().ok()? {
        let (11, Value::Bytes(input)) = (number, value) else {
            continue;
        };
        if last(input, 1)? != name.as_bytes() {
            continue;
        }
        let map = last(last(input, 2)?, 5)?;
        let values = last(last(map, 2)?, 1)?;
        return Some((integer(map, 1)?, integer(values, 1)?));
    }
    None
}

/// The bytes of a message's field; of several the last.
fn last(message: &[u8], wanted: u32) -> Option<&[u8]> {
    let (mut fields, mut found) = (Cursor::new(message), None);
    while let Some((number, value)) = fields.field().ok()? {
        if let Value::Bytes(bytes) = value
            && number == wanted
        {
            found = Some(bytes);
        }
    }
    found
}

fn integer(message: &[u8], wanted: u32) -> Option<i32> {
    let (mut fields, mut found) = (Cursor::new(message), None);
    while let Some((number, value)) = fields.field().ok()? {
        if let Value::Varint(value) = value
            && number == wanted
        {
            found = i32::try_from(value).ok();
        }
    }
    found
}
