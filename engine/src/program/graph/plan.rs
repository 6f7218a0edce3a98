//! From a lowered model to a plan of one row.

use std::sync::Arc;

use tract_onnx::pb::tensor_shape_proto::Dimension;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Dim;
use tract_onnx::pb::type_proto::Value as Type;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorShapeProto};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::array::Gather;
use tract_onnx::tract_core::optim::Optimizer;

use super::{evaluation, failure};
use crate::admit::budget;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::ops::tensor::Constant;
use crate::ops::tract::register;
use crate::ops::{Labels, array_feature_extractor, labels_of};
use crate::signature::inputs::Declared;
use crate::signature::outputs::Output;

/// A plan, what its outputs hold and the bytes of its constants.
pub struct Plan {
    pub plan: Arc<TypedRunnableModel>,
    pub outputs: Vec<Output>,
    pub memory: usize,
}

/// Parses a lowered model for batches of one row and optimises it.
pub fn plan(model: &ModelProto, inputs: &[Declared], limits: &Limits) -> Result<Plan> {
    let mut single = model.clone();
    if let Some(graph) = &mut single.graph {
        budget::network(graph)?;
        fix_batch(graph, inputs);
        flatten_indices(graph);
    }
    let invalid = |e: TractError| failure(&e, Error::Invalid);
    let mut onnx = onnx().with_ignore_output_shapes(true);
    onnx.ignore_value_info = true;
    register(&mut onnx);
    let parsed = onnx.parse(&single, None).map_err(invalid)?;
    if let Some(name) = parsed.unresolved_inputs.first() {
        return Err(Error::Invalid(format!("nothing produces value \"{name}\"")));
    }
    let mut typed = parsed.model.into_typed().map_err(invalid)?;
    budget::row(&typed, limits)?;
    check_indices(&typed)?;
    for pass in [Optimizer::declutter(), Optimizer::codegen()] {
        pass.stopping_at(limits.optimizer_steps)
            .optimize(&mut typed)
            .map_err(invalid)?;
    }
    let outputs = outputs(&single, &typed)?;
    let constants = typed
        .nodes
        .iter()
        .flat_map(|node| &node.outputs)
        .filter_map(|o| o.fact.konst.as_ref());
    let memory = constants
        .map(|t| t.len().saturating_mul(t.datum_type().size_of()))
        .sum();
    let plan = typed.into_runnable().map_err(invalid)?;
    Ok(Plan {
        plan,
        outputs,
        memory,
    })
}

/// tract's Gather looks for an index outside its axis in the whole tensor, where it finds cells of a neighbour.
fn check_indices(model: &TypedModel) -> Result<()> {
    for node in &model.nodes {
        let Some(gather) = node.op_as::<Gather>() else {
            continue;
        };
        let fact = |i| {
            model
                .node_input_facts(node.id)
                .ok()
                .and_then(|facts| facts.get(i).copied())
        };
        let (Some(data), Some(indices)) = (fact(0), fact(1)) else {
            return Err(Error::Invalid(format!("\"{}\" has no indices", node.name)));
        };
        let dims = data.shape.as_concrete().unwrap_or(&[]);
        let Some(len) = dims
            .get(gather.axis)
            .and_then(|len| i64::try_from(*len).ok())
        else {
            return Err(Error::Invalid(format!(
                "\"{}\" indexes a missing axis",
                node.name
            )));
        };
        let single = dims.iter().take(gather.axis).all(|dim| *dim == 1);
        let Some(konst) = &indices.konst else {
            if single {
                continue;
            }
            return Err(Error::Unsupported(format!(
                "\"{}\", whose indices depend on the row,",
                node.name
            )));
        };
        let wide = konst.cast_to::<i64>().map_err(evaluation)?;
        let view = wide.try_as_plain_ram().map_err(evaluation)?;
        let cells = view.as_slice::<i64>().map_err(evaluation)?;
        if let Some(index) = cells.iter().find(|i| !(-len..len).contains(*i)) {
            return Err(Error::Invalid(format!(
                "\"{}\" takes index {index} of {len}",
                node.name
            )));
        }
    }
    Ok(())
}

/// Gives every input a batch of one row.
fn fix_batch(graph: &mut GraphProto, inputs: &[Declared]) {
    for info in &mut graph.input {
        let Some(declared) = inputs.iter().find(|d| d.input.name == info.name) else {
            continue;
        };
        let Some(Type::TensorType(tensor)) = info.r#type.as_mut().and_then(|t| t.value.as_mut())
        else {
            continue;
        };
        let dim = declared.dims().into_iter().map(|d| {
            let value = i64::try_from(d).ok().map(Dim::DimValue);
            Dimension {
                value,
                ..Dimension::default()
            }
        });
        tensor.shape = Some(TensorShapeProto { dim: dim.collect() });
    }
}

/// Gives the constant indices of ArrayFeatureExtractor one dimension. The operator keeps that dimension whatever theirs
/// are, tract drops it for a scalar.
fn flatten_indices(graph: &mut GraphProto) {
    let extractors = graph
        .node
        .iter()
        .filter(|node| node.op_type == "ArrayFeatureExtractor");
    let indices: Vec<&String> = extractors.filter_map(|node| node.input.get(1)).collect();
    for tensor in graph
        .initializer
        .iter_mut()
        .filter(|t| indices.contains(&&t.name))
    {
        if let Some(cells) = tensor.dims.iter().try_fold(1i64, |n, d| n.checked_mul(*d)) {
            tensor.dims = vec![cells];
        }
    }
}

/// Class labels that a node brings: its own, or those of a constant that it reads by index.
fn labels(graph: &GraphProto, node: &NodeProto) -> Option<Labels> {
    if node.op_type != "ArrayFeatureExtractor" {
        return labels_of(node).ok().flatten();
    }
    let constant = graph
        .initializer
        .iter()
        .find(|t| node.input.first() == Some(&t.name))?;
    array_feature_extractor::classes(&Constant::read(constant).ok()?)
}

/// What each output of the graph holds. Class labels are those of the graph's last classifier.
fn outputs(model: &ModelProto, typed: &TypedModel) -> Result<Vec<Output>> {
    let mut outputs = Vec::new();
    let Some(graph) = &model.graph else {
        return Ok(outputs);
    };
    let labels = graph.node.iter().rev().find_map(|node| labels(graph, node));
    for (i, info) in graph.output.iter().enumerate() {
        let fact = typed
            .output_fact(i)
            .map_err(|e| failure(&e, Error::Invalid))?;
        let width = fact
            .shape
            .as_concrete()
            .map(|dims| dims.iter().product::<usize>());
        outputs.push(match (fact.datum_type, width) {
            (DatumType::F32 | DatumType::F64, Some(width @ 1..)) => {
                let maker = graph
                    .node
                    .iter()
                    .find(|node| node.output.contains(&info.name));
                let distribution = maker.is_some_and(|node| node.op_type == "Softmax");
                Output::Numbers {
                    width,
                    distribution,
                }
            }
            (DatumType::I64 | DatumType::I32 | DatumType::TDim | DatumType::String, Some(1)) => {
                Output::Label(labels.clone())
            }
            (_, Some(1..)) => Output::Other,
            (datum, _) => {
                return Err(Error::Unsupported(format!(
                    "output \"{}\" of type {datum:?} whose size is not fixed",
                    info.name
                )));
            }
        });
    }
    Ok(outputs)
}
