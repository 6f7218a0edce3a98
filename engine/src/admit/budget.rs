//! What tract may be given to compile, and what one row of the compiled graph may take.
//!
//! Compiling is quadratic in nodes and edges and cannot be interrupted, a merge of nested concatenations allocates
//! their product, and an operator runs to its end once started: so each is bounded before it begins.

use tract_onnx::pb;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::Cost as Kind;
use tract_onnx::tract_core::ops::array::{MultiBroadcastTo, Slice, TypedConcat};
use tract_onnx::tract_core::ops::change_axes::AxisOp;
use tract_onnx::tract_core::ops::cnn::{MaxPool, SumPool};
use tract_onnx::tract_core::ops::source::TypedSource;

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

/// Refuses a typed graph of some rows, not yet optimised, whose values are too many.
///
/// # Errors
/// [`Error::Unsupported`] where a size depends on the data, [`Error::Invalid`] for a value without elements,
/// [`Error::TooLarge`] above `limits.tensor_memory`, or `limits.decode_memory` for constants.
pub(crate) fn typed(model: &TypedModel, limits: &Limits) -> Result<()> {
    limit(
        "nodes of a compiled network",
        model.nodes.len(),
        TYPED_NODES,
    )?;
    let (mut memory, mut constants) = (0usize, 0usize);
    for node in &model.nodes {
        for output in &node.outputs {
            let size = elements(&output.fact)?;
            // A constant without elements is an empty shape, or a list of axes.
            if size == 0 && output.fact.konst.is_none() {
                return Err(Error::Invalid(format!(
                    "node \"{}\" computes a value without elements",
                    node.name
                )));
            }
            let total = if output.fact.konst.is_none() {
                &mut memory
            } else {
                &mut constants
            };
            *total = total.saturating_add(size.saturating_mul(output.fact.datum_type.size_of()));
        }
        limit("bytes of tensors", memory, limits.tensor_memory)?;
        limit("bytes of constants", constants, limits.decode_memory)?;
    }
    Ok(())
}

/// What one row of a network takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// Bytes of all tensors that are not constant.
    pub(crate) memory: usize,
    /// Operations of all nodes.
    pub(crate) operations: usize,
    /// Operations of the largest node, which runs to its end once started.
    pub(crate) longest: usize,
}

/// Adds up a typed graph of one row.
///
/// # Errors
/// [`Error::TooLarge`] above the bound on operations.
pub(crate) fn row(model: &TypedModel) -> Result<Cost> {
    let mut row = Cost {
        memory: 0,
        operations: 0,
        longest: 0,
    };
    for node in &model.nodes {
        let mut cells = 0usize;
        for output in &node.outputs {
            let size = elements(&output.fact)?;
            cells = cells.saturating_add(size);
            if output.fact.konst.is_none() {
                let bytes = size.saturating_mul(output.fact.datum_type.size_of());
                row.memory = row.memory.saturating_add(bytes);
            }
        }
        let operations = cost(model, node, cells);
        row.longest = row.longest.max(operations);
        row.operations = row.operations.saturating_add(operations);
        limit("operations for one row", row.operations, OPERATIONS)?;
    }
    Ok(row)
}

fn elements(fact: &TypedFact) -> Result<usize> {
    let Some(dims) = fact.shape.as_concrete() else {
        return Err(Error::Unsupported(
            "a value whose size depends on the data".into(),
        ));
    };
    Ok(dims.iter().fold(1usize, |n, dim| n.saturating_mul(*dim)))
}

/// Operations for a cell that an operator reads or writes which does not say what it costs: functions and searches.
const EACH: usize = 8;

/// Operators that take cells as they are.
fn moves(node: &TypedNode) -> bool {
    node.op_is::<TypedSource>()
        || node.op_is::<AxisOp>()
        || node.op_is::<TypedConcat>()
        || node.op_is::<Slice>()
        || node.op_is::<MultiBroadcastTo>()
        || node
            .outputs
            .iter()
            .all(|output| output.fact.konst.is_some())
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
    let inputs = inputs.unwrap_or_default();
    let costs = node.op.cost(&inputs).unwrap_or_default();
    let counted = costs
        .iter()
        .filter(|(kind, _)| matches!(kind, Kind::FMA(_) | Kind::Div(_)));
    let counted = counted.filter_map(|(_, count)| count.to_i64().ok());
    let counted: Vec<i64> = counted.collect();
    if counted.is_empty() && !moves(node) {
        let read = inputs.iter().filter(|fact| fact.konst.is_none());
        let read = read.filter_map(|fact| elements(fact).ok()).max();
        return cells.max(read.unwrap_or(0)).saturating_mul(EACH);
    }
    counted
        .into_iter()
        .map(|count| usize::try_from(count).unwrap_or(usize::MAX))
        .fold(cells, usize::saturating_add)
}
