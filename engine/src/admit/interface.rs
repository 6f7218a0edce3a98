//! What goes into a graph and comes out of it: its inputs, its initialisers and its outputs.

use std::collections::HashSet;

use tract_onnx::pb;

use super::graph::{Value, Values};
use super::prescan::limit;
use super::{maps, tensor};
use crate::{Error, Limits, Result};

/// Checks the stored values and lists them.
pub(super) fn initializers<'a>(graph: &'a pb::GraphProto, values: &mut Values<'a>) -> Result<()> {
    for initializer in &graph.initializer {
        let name = initializer.name.as_str();
        if name.is_empty() {
            return Err(Error::Invalid("an initializer has no name".into()));
        }
        let elements = tensor::check(initializer, &format!("initializer \"{name}\""))?;
        let value = Value {
            constant: Some(elements),
            computed: false,
            rank: Some(initializer.dims.len()),
            parts: 1,
        };
        if values.insert(name, value).is_some() {
            return Err(Error::Invalid(format!(
                "two initializers are named \"{name}\""
            )));
        }
    }
    Ok(())
}

/// Checks the inputs that a caller feeds; files of IR version 3 list initialisers among them too.
pub(super) fn inputs<'a>(
    graph: &'a pb::GraphProto,
    limits: &Limits,
    values: &mut Values<'a>,
) -> Result<()> {
    let mut names = HashSet::new();
    let mut fed = 0;
    for input in &graph.input {
        let name = input.name.as_str();
        if name.is_empty() {
            return Err(Error::Invalid("an input has no name".into()));
        }
        if !names.insert(name) {
            return Err(Error::Invalid(format!("two inputs are named \"{name}\"")));
        }
        let what = format!("input \"{name}\"");
        let typed = input.r#type.as_ref().and_then(|typed| typed.value.as_ref());
        if typed.is_none() && !values.contains_key(name) && maps::is_map(graph, name) {
            let value = Value {
                constant: None,
                computed: false,
                rank: Some(2),
                parts: 1,
            };
            values.insert(name, value);
            fed += 1;
            continue;
        }
        let Some(pb::type_proto::Value::TensorType(typed)) = typed else {
            return Err(Error::Invalid(format!("{what} has no tensor type")));
        };
        tensor::element_type(typed.elem_type, &what)?;
        shape(typed, &what)?;
        if !values.contains_key(name) {
            let rank = typed.shape.as_ref().map(|shape| shape.dim.len());
            values.insert(
                name,
                Value {
                    constant: None,
                    computed: false,
                    rank,
                    parts: 1,
                },
            );
            fed += 1;
        }
    }
    if fed == 0 {
        return Err(Error::Invalid("model has no inputs".into()));
    }
    limit("inputs", fed, limits.features)
}

/// Checks the dimensions that are numbers; -1 means unknown to some exporters.
fn shape(typed: &pb::type_proto::Tensor, what: &str) -> Result<()> {
    let Some(shape) = &typed.shape else {
        return Ok(());
    };
    limit("dimensions in a tensor", shape.dim.len(), tensor::RANK)?;
    let known: Vec<i64> = shape
        .dim
        .iter()
        .filter_map(|dim| match dim.value {
            Some(pb::tensor_shape_proto::dimension::Value::DimValue(value)) if value != -1 => {
                Some(value)
            }
            _ => None,
        })
        .collect();
    if tensor::elements(&known, what)? == 0 {
        return Err(Error::Invalid(format!("{what} has dimension 0")));
    }
    Ok(())
}

/// Checks that the outputs exist.
pub(super) fn outputs(graph: &pb::GraphProto, limits: &Limits, values: &Values) -> Result<()> {
    let mut names = HashSet::new();
    for output in &graph.output {
        let name = output.name.as_str();
        if !values.contains_key(name) {
            return Err(Error::Invalid(format!(
                "nothing produces output \"{name}\""
            )));
        }
        if !names.insert(name) {
            return Err(Error::Invalid(format!("two outputs are named \"{name}\"")));
        }
    }
    if names.is_empty() {
        return Err(Error::Invalid("model has no outputs".into()));
    }
    limit("outputs", names.len(), limits.features)
}
