//! Scan: the one use of it that classical models are exported with, distances from every row to the rows of a constant.
//!
//! The body is read as a formula, never run: it takes all rows and one row of the constant, subtracts, and reduces over the
//! columns. Any other body is refused.

use std::collections::HashMap;

use tract_onnx::pb::{GraphProto, NodeProto};

use super::Attributes;
use super::tensor::{Cells, Constant};
use crate::error::{Error, Result};
use crate::kernels::distance::Metric;

/// Most nodes of a body; exporters write four to six.
const NODES: usize = 16;

/// What a value of the body is. Differences are between all rows and the scanned one.
#[derive(Debug, Clone)]
enum Form {
    Rows,
    Scanned,
    Constant(Constant),
    Difference,
    Absolute,
    Powers(f64),
    Distance(Metric),
}

/// Reads the metric of a node's distances.
///
/// # Errors
/// [`Error::Unsupported`] for any other Scan.
pub fn distances(node: &NodeProto) -> Result<Metric> {
    let body = node.attribute.iter().find(|a| a.name == "body");
    let Some(body) = body.and_then(|a| a.g.as_ref()) else {
        return Err(other("has no body"));
    };
    let attributes = Attributes::new(node)?;
    if attributes.int("num_scan_inputs") != Some(1) {
        return Err(other("does not scan one input"));
    }
    let plain = |name: &str| matches!(attributes.ints(name), [] | [0]);
    for name in [
        "scan_input_axes",
        "scan_input_directions",
        "scan_output_axes",
        "scan_output_directions",
    ] {
        if !plain(name) {
            return Err(other(&format!("has {name} other than 0")));
        }
    }
    read(body)
}

fn other(what: &str) -> Error {
    Error::Unsupported(format!(
        "a Scan other than the distances to the rows of a constant, which this one is not: it {what},"
    ))
}

fn read(body: &GraphProto) -> Result<Metric> {
    let ([rows, scanned], [kept, found]) = (body.input.as_slice(), body.output.as_slice()) else {
        return Err(other("has more than two inputs or outputs"));
    };
    if body.node.len() > NODES {
        return Err(other("has a long body"));
    }
    let mut forms = HashMap::new();
    add(&mut forms, &rows.name, Form::Rows)?;
    add(&mut forms, &scanned.name, Form::Scanned)?;
    for tensor in &body.initializer {
        let constant = Form::Constant(Constant::read(tensor)?);
        add(&mut forms, &tensor.name, constant)?;
    }
    for node in &body.node {
        let inputs: Option<Vec<&Form>> = node
            .input
            .iter()
            .map(|name| forms.get(name.as_str()))
            .collect();
        let form = inputs.and_then(|inputs| form(node, &inputs));
        let (Some(form), [output]) = (form, node.output.as_slice()) else {
            return Err(other(&format!("has \"{}\" in its body", node.op_type)));
        };
        add(&mut forms, output, form)?;
    }
    match (
        forms.get(kept.name.as_str()),
        forms.get(found.name.as_str()),
    ) {
        (Some(Form::Rows), Some(Form::Distance(metric))) => Ok(*metric),
        _ => Err(other("leaves something else")),
    }
}

fn add<'a>(forms: &mut HashMap<&'a str, Form>, name: &'a str, form: Form) -> Result<()> {
    match forms.insert(name, form) {
        None => Ok(()),
        Some(_) => Err(Error::Invalid(format!(
            "value \"{name}\" in the body of Scan is produced twice"
        ))),
    }
}

/// What a node makes of its inputs; `None` where that is no step towards a distance.
fn form(node: &NodeProto, inputs: &[&Form]) -> Option<Form> {
    if !matches!(node.domain.as_str(), "" | "ai.onnx") {
        return None;
    }
    Some(match (node.op_type.as_str(), inputs) {
        ("Identity", [x]) => (*x).clone(),
        ("Sub", [Form::Rows, Form::Scanned] | [Form::Scanned, Form::Rows]) => Form::Difference,
        ("Abs", [Form::Difference]) => Form::Absolute,
        ("Pow", [Form::Absolute, Form::Constant(p)]) => Form::Powers(number(p)?),
        ("ReduceSumSquare", [Form::Difference | Form::Absolute, ..])
            if over_columns(node, inputs) =>
        {
            Form::Distance(Metric::SquaredEuclidean)
        }
        ("ReduceSum", [Form::Absolute, ..]) if over_columns(node, inputs) => {
            Form::Distance(Metric::Manhattan)
        }
        ("ReduceSum", [Form::Powers(p), ..]) if over_columns(node, inputs) => {
            Form::Distance(Metric::Powers(*p))
        }
        _ => return None,
    })
}

/// A finite number above zero.
fn number(constant: &Constant) -> Option<f64> {
    let number = match &constant.cells {
        Cells::F32(v) if v.len() == 1 => f64::from(v[0]),
        Cells::F64(v) if v.len() == 1 => v[0],
        _ => return None,
    };
    (number.is_finite() && number > 0.0).then_some(number)
}

/// A reduction over the columns that drops them.
fn over_columns(node: &NodeProto, inputs: &[&Form]) -> bool {
    let Ok(attributes) = Attributes::new(node) else {
        return false;
    };
    let axes = match inputs {
        [_] => attributes.ints("axes"),
        [_, Form::Constant(axes)] => axes.i64s().unwrap_or(&[]),
        _ => &[],
    };
    matches!(axes, [1] | [-1]) && attributes.int("keepdims") == Some(0)
}
