//! Imputer: constants for one replaced value.

use tract_onnx::pb::NodeProto;

use super::{Attributes, Bound, finite, numeric, per_column};
use crate::error::{Error, Result};
use crate::kernels::impute::Imputer;
use crate::kernels::{Element, Shape};

const OP: &str = "Imputer";

/// One constant for all columns or one for each, of the input's element.
pub fn bind(node: &NodeProto, inputs: &[Shape]) -> Result<Bound> {
    let attributes = Attributes::new(node)?;
    let shape = numeric(OP, inputs)?;
    let (floats, ints) = (
        attributes.floats("imputed_value_floats"),
        attributes.ints("imputed_value_int64s"),
    );
    if !floats.is_empty() && !ints.is_empty() {
        return Err(Error::Invalid(format!("{OP} has constants of two types")));
    }
    if shape.element == Element::I64 {
        let values = per_column(OP, "integer constants", ints, shape.width)?;
        let replaced = attributes.int("replaced_value_int64").unwrap_or(0);
        return Ok(Bound::new(Imputer { replaced, values }, shape));
    }
    finite(OP, "constant", floats)?;
    let values = per_column(OP, "float constants", floats, shape.width)?;
    let replaced = attributes.float("replaced_value_float").unwrap_or(0.0);
    Ok(Bound::new(Imputer { replaced, values }, shape))
}

/// True where NaN does not survive the node.
pub fn replaces_nan(node: &NodeProto) -> bool {
    Attributes::new(node).is_ok_and(|a| a.float("replaced_value_float").is_some_and(f32::is_nan))
}
