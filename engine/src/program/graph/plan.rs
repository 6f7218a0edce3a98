//! From a lowered model to a plan of a fixed number of rows.

use std::sync::Arc;

use tract_onnx::pb::tensor_shape_proto::Dimension;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Dim;
use tract_onnx::pb::type_proto::Value as Type;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorShapeProto};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::model::TypedModelPatch;
use tract_onnx::tract_core::ops::TypedOp;
use tract_onnx::tract_core::ops::array::Gather;
use tract_onnx::tract_core::optim::Optimizer;

use super::convolve::Convolve;
use super::lookup::Lookup;
use super::multiply::Multiply;
use super::recurrent::Recurrent;
use super::{bounded, convolve, evaluation, failure, multiply, pool, recurrent, reduce};
use crate::admit::budget;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::ops::tensor::Constant;
use crate::ops::tract::register;
use crate::ops::{Labels, array_feature_extractor, labels_of};
use crate::signature::inputs::Declared;
use crate::signature::outputs::Output;

/// Bytes of weights that our operators may hold. A model of the largest size has a fourth of it; packing them takes a second.
const HELD: usize = 64 << 20;

/// Reads a lowered model as a typed graph for batches of `rows` rows, not yet optimised.
pub fn typed(
    model: &ModelProto,
    inputs: &[Declared],
    rows: usize,
    limits: &Limits,
) -> Result<TypedModel> {
    let mut fixed = model.clone();
    if let Some(graph) = &mut fixed.graph {
        budget::network(graph)?;
        fix_batch(graph, inputs, rows);
        flatten_indices(graph);
    }
    let invalid = |e: TractError| failure(&e, Error::Invalid);
    let mut onnx = onnx().with_ignore_output_shapes(true);
    onnx.ignore_value_info = true;
    register(&mut onnx);
    recurrent::register(&mut onnx);
    bounded::register(&mut onnx);
    let parsed = onnx.parse(&fixed, None).map_err(invalid)?;
    if let Some(name) = parsed.unresolved_inputs.first() {
        return Err(Error::Invalid(format!("nothing produces value \"{name}\"")));
    }
    let mut typed = parsed.model.into_typed().map_err(invalid)?;
    budget::typed(&typed, limits)?;
    replace(&mut typed)?;
    Ok(typed)
}

/// Puts our operators in the place of tract's that look outside an index's axis, or add in an order of their own.
fn replace(model: &mut TypedModel) -> Result<()> {
    let invalid = |e: TractError| failure(&e, Error::Invalid);
    let mut held = 0usize;
    for id in 0..model.nodes.len() {
        let Some(node) = model.nodes.get(id) else {
            continue;
        };
        let (op, inputs, end): (Box<dyn TypedOp>, TVec<OutletId>, usize) =
            if let Some(lookup) = lookup(model, node)? {
                (Box::new(lookup), node.inputs.iter().copied().collect(), id)
            } else if let Some((multiply, inputs, end)) = multiply::replacement(model, node) {
                (Box::new(multiply), inputs, end)
            } else if let Some((convolve, input)) = convolve::replacement(model, node) {
                (Box::new(convolve), tvec!(input), id)
            } else if let Some(pool) = pool::replacement(model, node) {
                (Box::new(pool), node.inputs.iter().copied().collect(), id)
            } else if let Some(op) = reduce::replacement(model, node) {
                (op, node.inputs.iter().copied().collect(), id)
            } else {
                continue;
            };
        let name = node.name.clone();
        // Nodes share the weights of a file, our operators do not.
        held = held.saturating_add(packed(&*op));
        if held > HELD {
            return Err(Error::TooLarge {
                what: "bytes of weights in operators",
                found: held as u64,
                limit: HELD as u64,
            });
        }
        let patched = || -> TractResult<()> {
            let mut patch = TypedModelPatch::default();
            let taps = patch.taps(model, &inputs)?;
            let wires = patch.wire_node(name, op, &taps)?;
            for (slot, wire) in wires.iter().enumerate() {
                patch.shunt_outside(model, OutletId::new(end, slot), *wire)?;
            }
            patch.obliterate(id)?;
            patch.apply(model)
        };
        patched().map_err(invalid)?;
    }
    model.compact().map_err(invalid)
}

/// Optimises a typed graph; the plan and the bytes of its constants.
pub fn runnable(
    mut typed: TypedModel,
    limits: &Limits,
) -> Result<(Arc<TypedRunnableModel>, usize)> {
    let invalid = |e: TractError| failure(&e, Error::Invalid);
    for pass in [Optimizer::declutter(), Optimizer::codegen()] {
        pass.stopping_at(limits.optimizer_steps)
            .optimize(&mut typed)
            .map_err(invalid)?;
    }
    let constants = typed
        .nodes
        .iter()
        .flat_map(|node| &node.outputs)
        .filter_map(|o| o.fact.konst.as_ref());
    let constants: usize = constants
        .map(|t| t.len().saturating_mul(t.datum_type().size_of()))
        .sum();
    let packed: usize = typed.nodes.iter().map(|node| packed(&*node.op)).sum();
    let plan = typed.into_runnable().map_err(invalid)?;
    Ok((plan, constants + packed))
}

/// Bytes of weights that an operator of ours holds.
fn packed(op: &dyn TypedOp) -> usize {
    let bytes = op.downcast_ref().map(Recurrent::memory);
    let bytes = bytes.or_else(|| op.downcast_ref().map(Multiply::memory));
    let bytes = bytes.or_else(|| op.downcast_ref().map(Convolve::memory));
    bytes.unwrap_or(0)
}

/// What to do about a Gather: constant indices are checked now, others when they are known.
fn lookup(model: &TypedModel, node: &TypedNode) -> Result<Option<Lookup>> {
    let Some(gather) = node.op_as::<Gather>() else {
        return Ok(None);
    };
    let invalid = |e: TractError| failure(&e, Error::Invalid);
    let facts = model.node_input_facts(node.id).map_err(invalid)?;
    let [data, indices] = facts.as_slice() else {
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
    let Some(konst) = &indices.konst else {
        return Ok(Some(Lookup {
            axis: gather.axis,
            feature: origin(model, node),
        }));
    };
    let wide = konst.cast_to::<i64>().map_err(evaluation)?;
    let view = wide.try_as_plain_ram().map_err(evaluation)?;
    let cells = view.as_slice::<i64>().map_err(evaluation)?;
    match cells.iter().find(|i| !(-len..len).contains(*i)) {
        None => Ok(None),
        Some(index) => Err(Error::Invalid(format!(
            "\"{}\" takes index {index} of {len}",
            node.name
        ))),
    }
}

/// The graph's input that a node's second input comes from, or else the node.
fn origin(model: &TypedModel, node: &TypedNode) -> String {
    let mut at = node.inputs.get(1);
    for _ in 0..model.nodes.len() {
        let Some(before) = at.and_then(|outlet| model.nodes.get(outlet.node)) else {
            break;
        };
        if model
            .input_outlets()
            .is_ok_and(|inputs| inputs.iter().any(|input| input.node == before.id))
        {
            return before.name.clone();
        }
        let depends = |outlet: &&OutletId| {
            model
                .outlet_fact(**outlet)
                .is_ok_and(|fact| fact.konst.is_none())
        };
        at = before.inputs.iter().find(depends);
    }
    node.name.clone()
}

/// Gives every input a batch of `rows` rows.
fn fix_batch(graph: &mut GraphProto, inputs: &[Declared], rows: usize) {
    for info in &mut graph.input {
        let Some(declared) = inputs.iter().find(|d| d.input.name == info.name) else {
            continue;
        };
        let Some(Type::TensorType(tensor)) = info.r#type.as_mut().and_then(|t| t.value.as_mut())
        else {
            continue;
        };
        let dim = declared.shape(rows).into_iter().map(|d| {
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

/// Class labels of an output: none for the place of an extreme, which is a label itself, else those of the graph's last
/// classifier.
fn labels_of_output(graph: &GraphProto, output: &str) -> Option<Labels> {
    let mut name = output;
    for _ in &graph.node {
        let maker = graph
            .node
            .iter()
            .find(|n| n.output.iter().any(|o| o == name));
        match maker.map(|n| (n.op_type.as_str(), n.input.first())) {
            Some((
                "Cast" | "Flatten" | "Identity" | "Reshape" | "Squeeze" | "Unsqueeze",
                Some(from),
            )) => name = from,
            Some(("ArgMax" | "ArgMin", _)) => return None,
            _ => break,
        }
    }
    graph.node.iter().rev().find_map(|node| labels(graph, node))
}

/// What each output of the graph holds.
pub fn outputs(model: &ModelProto, typed: &TypedModel) -> Result<Vec<Output>> {
    let mut outputs = Vec::new();
    let Some(graph) = &model.graph else {
        return Ok(outputs);
    };
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
                Output::Label(labels_of_output(graph, &info.name))
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
