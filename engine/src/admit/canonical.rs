//! Spellings that differ between exporters, brought to one form once a model is admitted.
//!
//! tract parses symbolic dimensions as expressions, recursively and without a depth limit, while exporters write
//! anything there: `batch size`, `unk__6`, `s0 + 1`, an empty string. A symbol that is a plain identifier is kept, any
//! other gets a fresh one, the same for the same spelling; descriptions of inner values are dropped, and outputs keep
//! their element type only, because their shapes are computed and what files say of them is often wrong.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb;
use tract_onnx::pb::tensor_shape_proto::dimension::Value;

use super::operators;

/// Longest identifier that is kept.
const SYMBOL_SIZE: usize = 64;

/// Rewrites an admitted model in place.
pub(super) fn rewrite(model: &mut pb::ModelProto) {
    let mut seen = HashSet::new();
    model.opset_import.retain_mut(|import| {
        if import.domain == operators::ONNX {
            import.domain.clear();
        }
        seen.insert(import.domain.clone())
    });
    let Some(graph) = &mut model.graph else {
        return;
    };
    graph.value_info.clear();
    graph.quantization_annotation.clear();
    symbols(graph);
    names(graph);
    for node in &mut graph.node {
        if node.domain == operators::ONNX {
            node.domain.clear();
        }
        trim(&mut node.input);
        trim(&mut node.output);
    }
}

/// Drops optional inputs or outputs that are left out at the end.
fn trim(names: &mut Vec<String>) {
    let given = names
        .iter()
        .rposition(|name| !name.is_empty())
        .map_or(0, |last| last + 1);
    names.truncate(given);
}

/// The dimensions of a value that is a tensor.
fn dimensions(
    info: &mut pb::ValueInfoProto,
) -> Option<&mut Vec<pb::tensor_shape_proto::Dimension>> {
    let pb::type_proto::Value::TensorType(typed) = info.r#type.as_mut()?.value.as_mut()?;
    Some(&mut typed.shape.as_mut()?.dim)
}

fn symbols(graph: &mut pb::GraphProto) {
    for output in &mut graph.output {
        if let Some(pb::type_proto::Value::TensorType(typed)) = output
            .r#type
            .as_mut()
            .and_then(|typed| typed.value.as_mut())
        {
            typed.shape = None;
        }
    }
    let mut kept = HashSet::new();
    for input in &mut graph.input {
        for dimension in dimensions(input).into_iter().flatten() {
            match &dimension.value {
                Some(Value::DimParam(symbol)) if is_identifier(symbol) => {
                    kept.insert(symbol.clone());
                }
                _ => {}
            }
        }
    }
    let mut fresh = (0..)
        .map(|index| format!("dim_{index}"))
        .filter(|symbol| !kept.contains(symbol));
    let mut renamed: HashMap<String, Option<String>> = HashMap::new();
    for input in &mut graph.input {
        for dimension in dimensions(input).into_iter().flatten() {
            dimension.value = match dimension.value.take() {
                Some(Value::DimValue(-1)) => None,
                Some(Value::DimParam(symbol)) if symbol.is_empty() || symbol == "?" => None,
                Some(Value::DimParam(symbol)) if !is_identifier(&symbol) => renamed
                    .entry(symbol)
                    .or_insert_with(|| fresh.next())
                    .clone()
                    .map(Value::DimParam),
                other => other,
            };
        }
    }
}

/// A name that tract reads as one symbol. `min`, `max`, `floor` and `broadcast` are functions only before a bracket.
fn is_identifier(symbol: &str) -> bool {
    let mut bytes = symbol.bytes();
    symbol.len() <= SYMBOL_SIZE
        && bytes
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Gives nodes without a name, or with one already in use, a name of their own: tract refuses duplicates.
fn names(graph: &mut pb::GraphProto) {
    let mut used: HashSet<String> = graph.input.iter().map(|input| input.name.clone()).collect();
    used.extend(
        graph
            .initializer
            .iter()
            .map(|initializer| initializer.name.clone()),
    );
    let mut rename = vec![];
    for (index, node) in graph.node.iter().enumerate() {
        if node.name.is_empty() || !used.insert(node.name.clone()) {
            rename.push(index);
        }
    }
    let mut counter = 0usize;
    for index in rename {
        let node = &mut graph.node[index];
        node.name = loop {
            let name = format!("{}_{counter}", node.op_type);
            counter += 1;
            if used.insert(name.clone()) {
                break name;
            }
        };
    }
}
