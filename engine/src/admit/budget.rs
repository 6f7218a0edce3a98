//! What tract may be given to compile, and what one row of the compiled graph may take.
//!
//! Compiling is quadratic in nodes and edges and cannot be interrupted, a merge of nested concatenations allocates
//! their product, and an operator runs to its end once started: so each is bounded before it begins.

use std::sync::Arc;

use tract_onnx::pb;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::Cost;
use tract_onnx::tract_core::ops::array::Gather;
use tract_onnx::tract_core::ops::cast::Cast;
use tract_onnx::tract_core::ops::cnn::{MaxPool, SumPool};

use super::prescan::limit;
use crate::{Error, Limits, Result};

/// Nodes of a network. 500 products in a chain compile in 2 s without optimisation, 1,000 in 12 s.
const NODES: usize = 512;
/// Inputs and outputs of these nodes; one of 20,000 inputs compiles in 10 to 30 s.
const EDGES: usize = 4_096;
/// Nodes that these become, a sum of many inputs one for each.
const TYPED_NODES: usize = 8_192;
/// Multiplications, additions and comparisons for one row.
const OPERATIONS: usize = 1 << 30;

/// Refuses a graph that would take tract too long to compile. Programs that do not go through tract need not ask.
pub(crate) fn network(graph: &pb::GraphProto) -> Result<()> {
    limit("nodes of a network", graph.node.len(), NODES)?;
    let edges = graph
        .node
        .iter()
        .map(|node| node.input.len() + node.output.len())
        .sum();
    limit("inputs and outputs of network nodes", edges, EDGES)
}

/// Refuses a typed graph of one row, not yet optimised, whose values or operations are too many.
///
/// # Errors
/// [`Error::Unsupported`] where a size depends on the data, [`Error::Invalid`] for a value without elements,
/// [`Error::TooLarge`] above `limits.tensor_memory` or the bound on operations.
pub(crate) fn row(model: &TypedModel, limits: &Limits) -> Result<()> {
    limit(
        "nodes of a compiled network",
        model.nodes.len(),
        TYPED_NODES,
    )?;
    let (mut memory, mut operations) = (0usize, 0usize);
    for node in &model.nodes {
        indices(model, node)?;
        let mut cells = 0usize;
        for output in &node.outputs {
            let Some(dims) = output.fact.shape.as_concrete() else {
                return Err(Error::Unsupported(
                    "a value whose size depends on the data".into(),
                ));
            };
            let size = dims
                .iter()
                .fold(1usize, |product, dim| product.saturating_mul(*dim));
            if size == 0 {
                return Err(Error::Invalid(format!(
                    "node \"{}\" computes a value without elements",
                    node.name
                )));
            }
            cells = cells.saturating_add(size);
            if output.fact.konst.is_none() {
                memory =
                    memory.saturating_add(size.saturating_mul(output.fact.datum_type.size_of()));
            }
        }
        limit("bytes of tensors", memory, limits.tensor_memory)?;
        operations = operations.saturating_add(cost(model, node, cells));
        limit("operations for one row", operations, OPERATIONS)?;
    }
    Ok(())
}

/// tract compares the index of a gather with the end of the whole tensor, not of the axis: where there is anything
/// before the axis, an index out of range reads a neighbour. So these indices must be known, and in range.
fn indices(model: &TypedModel, node: &TypedNode) -> Result<()> {
    let Some(gather) = node.op_as::<Gather>() else {
        return Ok(());
    };
    let [data, indices] = node.inputs.as_slice() else {
        return Ok(());
    };
    let fact = model.outlet_fact(*data).ok();
    let Some(dims) = fact.and_then(|fact| fact.shape.as_concrete()) else {
        return Err(Error::Unsupported(
            "a value whose size depends on the data".into(),
        ));
    };
    let Some((before, Some(&end))) = dims
        .split_at_checked(gather.axis)
        .map(|(before, rest)| (before, rest.first()))
    else {
        return Err(Error::Invalid(format!(
            "node \"{}\" has no axis {}",
            node.name, gather.axis
        )));
    };
    if before.iter().all(|&dim| dim == 1) {
        return Ok(());
    }
    let range = -(end as i64)..end as i64;
    let known = constant(model, *indices).and_then(|indices| {
        let wide = indices.cast_to::<i64>().ok()?;
        let view = wide.try_as_plain_ram().ok()?;
        Some(
            view.as_slice::<i64>()
                .ok()?
                .iter()
                .all(|index| range.contains(index)),
        )
    });
    match known {
        Some(true) => Ok(()),
        Some(false) => Err(Error::Invalid(format!(
            "node \"{}\" has an index outside {end}",
            node.name
        ))),
        None => Err(Error::Unsupported(format!(
            "node \"{}\", whose indices are not constant,",
            node.name
        ))),
    }
}

/// The constant at the end of a chain of casts.
fn constant(model: &TypedModel, outlet: OutletId) -> Option<Arc<Tensor>> {
    if let Some(constant) = &model.outlet_fact(outlet).ok()?.konst {
        return Some(Arc::clone(constant));
    }
    let node = model.nodes.get(outlet.node)?;
    node.op_as::<Cast>()?;
    constant(model, *node.inputs.first()?)
}

/// Operations of a node: its outputs, times what it reads for each of them.
fn cost(model: &TypedModel, node: &TypedNode, cells: usize) -> usize {
    let pool = node.op_as::<MaxPool>().map(|pool| &pool.pool_spec);
    let pool = pool.or_else(|| node.op_as::<SumPool>().map(|pool| &pool.pool_spec));
    if let Some(pool) = pool {
        return pool
            .kernel_shape
            .iter()
            .fold(cells, |product, dim| product.saturating_mul(*dim));
    }
    let inputs = node
        .inputs
        .iter()
        .map(|input| model.outlet_fact(*input))
        .collect::<TractResult<TVec<_>>>();
    let costs = inputs
        .and_then(|inputs| node.op.cost(&inputs))
        .unwrap_or_default();
    let counted = costs
        .iter()
        .filter(|(kind, _)| matches!(kind, Cost::FMA(_) | Cost::Div(_)));
    let counted = counted.filter_map(|(_, count)| count.to_i64().ok());
    counted
        .map(|count| usize::try_from(count).unwrap_or(usize::MAX))
        .fold(cells, usize::saturating_add)
}
