//! The third gate: a graph that is what it says. Names are unique, every value exists before it is read, and
//! every node has the inputs, outputs and constants its operator needs.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb;

use super::operators::{self, Folding, Operator};
use super::prescan::limit;
use super::{attributes, tensor};
use crate::{Error, Limits, Result};

/// Inputs and outputs of all nodes together, as a multiple of the nodes allowed.
const EDGES_PER_NODE: usize = 10;
/// Elements of a folded constant are counted as the widest number.
const ELEMENT_SIZE: u64 = 8;

/// What is known of a value: for a constant, how many elements it can have.
type Values<'a> = HashMap<&'a str, Option<u64>>;

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

    let mut values = Values::new();
    initializers(graph, &mut values)?;
    inputs(graph, limits, &mut values)?;
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
    let mut folded = 0u64;
    for (node, row) in graph.node.iter().zip(rows) {
        let constant = read(node, row, &values)?;
        attributes::check(node)?;
        let bound = match constant {
            Some(inputs) => Some(fold(node, row, &inputs)?),
            None => None,
        };
        if let Some(bound) = bound {
            folded = folded.saturating_add(bound.saturating_mul(ELEMENT_SIZE));
            let limit = limits.decode_memory as u64;
            if folded > limit {
                return Err(Error::TooLarge {
                    what: "bytes of constants to compute",
                    found: folded,
                    limit,
                });
            }
        }
        for output in node.output.iter().filter(|output| !output.is_empty()) {
            if values.insert(output, bound).is_some() {
                return Err(Error::Invalid(format!(
                    "value \"{output}\" is produced twice"
                )));
            }
        }
    }
    outputs(graph, limits, &values)
}

/// The operator sets that the model imports.
struct OperatorSets {
    onnx: Option<i64>,
    ml: Option<i64>,
}

impl OperatorSets {
    /// Reads the two known domains; exporters import others that they do not use, and the same one twice.
    fn read(model: &pb::ModelProto) -> Result<Self> {
        let mut sets = OperatorSets {
            onnx: None,
            ml: None,
        };
        if model.opset_import.is_empty() {
            return Err(Error::Invalid("model imports no operator set".into()));
        }
        for import in &model.opset_import {
            let domain = operators::canonical(&import.domain);
            let (slot, versions) = match domain {
                operators::ONNX => (&mut sets.onnx, operators::ONNX_VERSIONS),
                operators::ML => (&mut sets.ml, operators::ML_VERSIONS),
                _ => continue,
            };
            let version = import.version;
            if !versions.contains(&version) {
                let (first, last) = versions.into_inner();
                return Err(Error::Unsupported(format!(
                    "operator set {version} of domain \"{domain}\", outside {first} to {last},"
                )));
            }
            if let Some(other) = slot.replace(version).filter(|&other| other != version) {
                return Err(Error::Invalid(format!(
                    "model imports operator sets {other} and {version} of domain \"{domain}\""
                )));
            }
        }
        Ok(sets)
    }

    /// The table's row for a node.
    fn row(&self, node: &pb::NodeProto) -> Result<&'static Operator> {
        if !operators::is_listed(&node.domain, &node.op_type) {
            return Err(operators::unsupported(&node.domain, &node.op_type));
        }
        let domain = operators::canonical(&node.domain);
        let version = if domain == operators::ML {
            self.ml
        } else {
            self.onnx
        };
        let Some(version) = version else {
            let op = &node.op_type;
            return Err(Error::Invalid(format!(
                "operator \"{op}\" is of domain \"{domain}\", which is not imported"
            )));
        };
        operators::find(domain, &node.op_type, version).ok_or_else(|| {
            let op = &node.op_type;
            Error::Unsupported(format!(
                "operator \"{op}\" in operator set {version} of domain \"{domain}\""
            ))
        })
    }
}

fn initializers<'a>(graph: &'a pb::GraphProto, values: &mut Values<'a>) -> Result<()> {
    for initializer in &graph.initializer {
        let name = initializer.name.as_str();
        if name.is_empty() {
            return Err(Error::Invalid("an initializer has no name".into()));
        }
        let elements = tensor::check(initializer, &format!("initializer \"{name}\""))?;
        if values.insert(name, Some(elements)).is_some() {
            return Err(Error::Invalid(format!(
                "two initializers are named \"{name}\""
            )));
        }
    }
    Ok(())
}

/// Checks the inputs that a caller feeds; files of IR version 3 list initialisers among them too.
fn inputs<'a>(graph: &'a pb::GraphProto, limits: &Limits, values: &mut Values<'a>) -> Result<()> {
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
        let Some(pb::type_proto::Value::TensorType(typed)) =
            input.r#type.as_ref().and_then(|typed| typed.value.as_ref())
        else {
            return Err(Error::Invalid(format!("{what} has no tensor type")));
        };
        tensor::element_type(typed.elem_type, &what)?;
        shape(typed, &what)?;
        if !values.contains_key(name) {
            values.insert(name, None);
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

/// Checks a node's inputs and outputs; the sizes of its inputs where all of them are constants.
fn read(node: &pb::NodeProto, row: &Operator, values: &Values) -> Result<Option<Vec<u64>>> {
    arity(node, "inputs", &node.input, row.inputs)?;
    let produced = arity(node, "outputs", &node.output, row.outputs)?;
    if let Some(position) = produced.iter().position(String::is_empty) {
        return Err(Error::Invalid(format!(
            "output {position} of {} has no name",
            label(node)
        )));
    }
    let mut sizes = Vec::with_capacity(node.input.len());
    let mut all_constant = true;
    for (position, input) in node.input.iter().enumerate() {
        if input.is_empty() {
            if position < row.inputs.0 || row.inputs.1 == usize::MAX {
                return Err(Error::Invalid(format!(
                    "input {position} of {} has no name",
                    label(node)
                )));
            }
            continue;
        }
        match values.get(input.as_str()) {
            None => {
                let label = label(node);
                return Err(Error::Invalid(format!(
                    "{label} reads \"{input}\", which nothing produced before it"
                )));
            }
            Some(Some(elements)) => sizes.push(*elements),
            Some(None) if position >= row.constant_from => {
                let label = label(node);
                return Err(Error::Unsupported(format!(
                    "input \"{input}\" of {label}, which is not constant,"
                )));
            }
            Some(None) => all_constant = false,
        }
    }
    Ok(all_constant.then_some(sizes))
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

/// Bound on the elements that a node on constants computes.
fn fold(node: &pb::NodeProto, row: &Operator, inputs: &[u64]) -> Result<u64> {
    Ok(match row.folding {
        Folding::Keep if inputs.is_empty() => attributes::constant(node)?,
        Folding::Keep => inputs[0].saturating_mul(node.output.len() as u64),
        Folding::Join => inputs.iter().copied().fold(0, u64::saturating_add),
        Folding::Spread => inputs.iter().copied().fold(1, u64::saturating_mul),
        Folding::Refuse => {
            return Err(Error::Unsupported(format!(
                "{} on constants only",
                label(node)
            )));
        }
    })
}

fn outputs(graph: &pb::GraphProto, limits: &Limits, values: &Values) -> Result<()> {
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

/// How errors name a node: by its name or else by what it produces.
pub(super) fn label(node: &pb::NodeProto) -> String {
    let name = if node.name.is_empty() {
        node.output.first().map_or("", String::as_str)
    } else {
        &node.name
    };
    format!("node \"{name}\" ({})", node.op_type)
}
