//! LinearRegressor: one weighted sum per target.

use tract_onnx::pb::NodeProto;

use super::{Attributes, Bound, finite, numeric};
use crate::error::{Error, Result};
use crate::kernels::Shape;
use crate::kernels::linear::{Linear, LinearRegressor};

const OP: &str = "LinearRegressor";

/// f32 out, one per target.
pub fn bind(node: &NodeProto, inputs: &[Shape]) -> Result<Bound> {
    let attributes = Attributes::new(node)?;
    let width = numeric(OP, inputs)?.width;
    let targets = attributes.int("targets").unwrap_or(1);
    let targets = usize::try_from(targets).ok().filter(|t| *t >= 1);
    let targets = targets.ok_or_else(|| Error::Invalid(format!("{OP} has no targets")))?;
    let linear = linear(OP, &attributes, width, targets)?;
    Ok(Bound::new(
        LinearRegressor {
            linear,
            post: attributes.post_transform()?,
        },
        Shape::f32(targets),
    ))
}

/// Weights of `outputs` sums over `width` columns; absent intercepts are zeros.
pub fn linear(
    op: &str,
    attributes: &Attributes<'_>,
    width: usize,
    outputs: usize,
) -> Result<Linear> {
    let (weights, intercepts) = (
        attributes.floats("coefficients"),
        attributes.floats("intercepts"),
    );
    finite(op, "coefficient", weights)?;
    finite(op, "intercept", intercepts)?;
    if width == 0 || width.checked_mul(outputs) != Some(weights.len()) {
        return Err(Error::Invalid(format!(
            "{op} has {} coefficients for {outputs} outputs of {width} columns",
            weights.len()
        )));
    }
    let intercepts = match intercepts.len() {
        0 => vec![0.0; outputs],
        n if n == outputs => intercepts.to_vec(),
        n => {
            return Err(Error::Invalid(format!(
                "{op} has {n} intercepts for {outputs} outputs"
            )));
        }
    };
    Ok(Linear::new(weights.to_vec(), intercepts, width))
}
