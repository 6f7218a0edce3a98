//! The third gate: a graph that is what it says. Names are unique, every value exists before it is read, and
//! every node has the inputs, outputs and constants its operator needs.

use std::collections::HashMap;

use tract_onnx::pb;

use super::literals::Literals;
use super::operators::{Folding, ONNX, Operator};
use super::opset::OperatorSets;
use super::prescan::limit;
use super::tensor::RANK;
use super::{attributes, interface, literals, ranks};
use crate::ops::recurrent::Settings;
use crate::ops::scan;
use crate::{Error, Limits, Result};

/// Inputs and outputs of all nodes together, as a multiple of the nodes allowed.
const EDGES_PER_NODE: usize = 10;
/// Inputs or outputs of one node, and values in nested concatenations, as a multiple of the features allowed.
const PARTS_PER_FEATURE: usize = 2;
/// Elements of a folded constant are counted as the widest number.
const ELEMENT_SIZE: u64 = 8;
/// Elements that a constant of a computed size counts for; its real size is bounded when it is compiled.
const COMPUTED: u64 = 1 << 14;
/// Recurrent nodes of a graph.
const RECURRENT: usize = 8;

/// What is known of a value before anything is computed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value {
    /// For a constant, how many elements it can have.
    pub(super) constant: Option<u64>,
    /// That number is not known here: the graph computes it, and compiling bounds it.
    pub(super) computed: bool,
    /// Number of dimensions.
    pub(super) rank: Option<usize>,
    /// Values that it joins: tract merges a concatenation of concatenations into one.
    pub(super) parts: usize,
}

/// Values by name, as far as the graph has been read.
pub(super) type Values<'a> = HashMap<&'a str, Value>;

/// Refuses a graph that contradicts itself or the table of operators.
pub(super) fn check(model: &pb::ModelProto, limits: &Limits) -> Result<()> {
    let graph = model
        .graph
        .as_ref()
        .ok_or_else(|| Error::NotOnnx("no graph".into()))?;
    let sets = OperatorSets::read(model)?;
    let rows = graph
        .node
        .iter()
        .map(|node| sets.row(node))
        .collect::<Result<Vec<_>>>()?;
    let edges = graph
        .node
        .iter()
        .map(|node| node.input.len() + node.output.len())
        .sum();
    limit(
        "inputs and outputs of nodes",
        edges,
        limits.nodes.saturating_mul(EDGES_PER_NODE),
    )?;

    let mut values = Values::new();
    interface::initializers(graph, &mut values)?;
    interface::inputs(graph, limits, &mut values)?;
    let literals = Literals::collect(graph);
    let (mut computed, mut recurrent) = (0u64, 0);
    for (node, row) in graph.node.iter().zip(rows) {
        attributes::check(node)?;
        if matches!(node.op_type.as_str(), "GRU" | "LSTM" | "RNN") && row.domain == ONNX {
            Settings::read(node)?;
            recurrent += 1;
            limit("recurrent nodes", recurrent, RECURRENT)?;
        }
        if node.op_type == "Scan" && row.domain == ONNX {
            scan::distances(node)?;
        }
        literals::check(node, row, &literals)?;
        let inputs = read(node, row, &values)?;
        let ranks: Vec<_> = inputs
            .iter()
            .map(|input| input.and_then(|value| value.rank))
            .collect();
        let rank = ranks::infer(node, row, &ranks, &literals)?;
        let parts = parts(node, row, inputs.iter().flatten(), limits)?;
        let unknown = inputs.iter().flatten().any(|value| value.computed);
        let constant = fold(node, row, unknown, inputs.into_iter().flatten())?;
        let unknown = unknown || row.folding == Folding::Computed;
        computed = computed.saturating_add(constant.unwrap_or(0).saturating_mul(ELEMENT_SIZE));
        let limit = limits.decode_memory as u64;
        if computed > limit {
            return Err(Error::TooLarge {
                what: "bytes of constants to compute",
                found: computed,
                limit,
            });
        }
        for output in node.output.iter().filter(|output| !output.is_empty()) {
            if values
                .insert(
                    output,
                    Value {
                        constant,
                        computed: constant.is_some() && unknown,
                        rank,
                        parts,
                    },
                )
                .is_some()
            {
                return Err(Error::Invalid(format!(
                    "value \"{output}\" is produced twice"
                )));
            }
        }
    }
    interface::outputs(graph, limits, &values)
}

/// Checks a node's outputs and looks up its inputs; optional ones that are left out are `None`.
fn read(node: &pb::NodeProto, row: &Operator, values: &Values) -> Result<Vec<Option<Value>>> {
    let produced = arity(node, "outputs", &node.output, row.outputs)?;
    let optional = matches!(node.op_type.as_str(), "GRU" | "LSTM" | "RNN");
    if let Some(position) = produced
        .iter()
        .position(String::is_empty)
        .filter(|_| !optional)
    {
        return Err(Error::Invalid(format!(
            "output {position} of {} has no name",
            label(node)
        )));
    }
    let mut inputs = vec![];
    for (position, name) in arity(node, "inputs", &node.input, row.inputs)?
        .iter()
        .enumerate()
    {
        let value = match values.get(name.as_str()) {
            _ if name.is_empty() => {
                if position < row.inputs.0 || row.inputs.1 == usize::MAX {
                    return Err(Error::Invalid(format!(
                        "input {position} of {} has no name",
                        label(node)
                    )));
                }
                None
            }
            None => {
                let label = label(node);
                return Err(Error::Invalid(format!(
                    "{label} reads \"{name}\", which nothing produced before it"
                )));
            }
            Some(Value { constant: None, .. }) if position >= row.constant_from => {
                let label = label(node);
                return Err(Error::Unsupported(format!(
                    "input \"{name}\" of {label}, which is not constant,"
                )));
            }
            Some(value) => Some(*value),
        };
        inputs.push(value);
    }
    Ok(inputs)
}

/// The names that are given: optional ones at the end may be left out by an empty name.
fn arity<'a>(
    node: &pb::NodeProto,
    what: &str,
    names: &'a [String],
    (least, most): (usize, usize),
) -> Result<&'a [String]> {
    let given = names
        .iter()
        .rposition(|name| !name.is_empty())
        .map_or(0, |last| last + 1);
    if given < least || given > most {
        let wanted = match most {
            _ if least == most => least.to_string(),
            usize::MAX => format!("{least} or more"),
            _ => format!("{least} to {most}"),
        };
        let label = label(node);
        return Err(Error::Invalid(format!(
            "{label} has {given} {what}, its operator has {wanted}"
        )));
    }
    Ok(&names[..given])
}

/// Values that a node joins. Only operators that compute something new for sure begin anew: tract drops others
/// where they change nothing, and then merges what is on both sides.
fn parts<'a>(
    node: &pb::NodeProto,
    row: &Operator,
    inputs: impl Iterator<Item = &'a Value>,
    limits: &Limits,
) -> Result<usize> {
    let most = limits.features.saturating_mul(PARTS_PER_FEATURE);
    limit(
        "inputs and outputs of a node",
        node.input.len().max(node.output.len()),
        most,
    )?;
    let inputs = inputs.map(|input| input.parts);
    let parts = match node.op_type.as_str() {
        "Concat" => inputs.fold(0, usize::saturating_add),
        "MatMul" | "Gemm" => 1,
        _ if row.folding == Folding::Refuse => 1,
        _ => inputs.max().unwrap_or(1),
    };
    limit("concatenated values", parts, most)?;
    Ok(parts)
}

/// Bound on the elements that a node computes from constants only; `None` where an input is not constant.
fn fold(
    node: &pb::NodeProto,
    row: &Operator,
    unknown: bool,
    inputs: impl Iterator<Item = Value>,
) -> Result<Option<u64>> {
    if row.folding == Folding::Size {
        return Ok(Some(RANK as u64));
    }
    let Some(sizes) = inputs
        .map(|input| input.constant)
        .collect::<Option<Vec<u64>>>()
    else {
        return Ok(None);
    };
    let outputs = node.output.len() as u64;
    Ok(Some(match (row.folding, sizes.first()) {
        (Folding::Refuse, _) => {
            return Err(Error::Unsupported(format!(
                "{} on constants only",
                label(node)
            )));
        }
        (Folding::Size | Folding::Computed, _) => COMPUTED,
        (Folding::Keep, None) => attributes::constant(node)?,
        (Folding::Keep, Some(first)) => first.saturating_mul(outputs),
        (Folding::Join, _) => sizes.iter().copied().fold(0, u64::saturating_add),
        (Folding::Spread, _) if unknown => COMPUTED.max(sizes.iter().copied().max().unwrap_or(0)),
        (Folding::Spread, _) => sizes.iter().copied().fold(1, u64::saturating_mul),
    }))
}

/// How errors name a node: by its name or else by what it produces.
pub(super) fn label(node: &pb::NodeProto) -> String {
    let name = if node.name.is_empty() {
        node.output.first().map_or("", String::as_str)
    } else {
        &node.name
    };
    format!("node \"{name}\" ({})", node.op_type)
}
