//! Scaler: `(x - offset) * scale`.

use tract_onnx::pb::NodeProto;

use super::{Attributes, Bound, finite, numeric, per_column};
use crate::error::Result;
use crate::kernels::Shape;
use crate::kernels::scale::Scaler;

const OP: &str = "Scaler";

/// Offsets and scales of one value or one per column; f32 out.
pub fn bind(node: &NodeProto, inputs: &[Shape]) -> Result<Bound> {
    let attributes = Attributes::new(node)?;
    let width = numeric(OP, inputs)?.width;
    let (offset, scale) = (attributes.floats("offset"), attributes.floats("scale"));
    finite(OP, "offset", offset)?;
    finite(OP, "scale", scale)?;
    let kernel = Scaler {
        offset: per_column(OP, "offsets", offset, width)?,
        scale: per_column(OP, "scales", scale, width)?,
    };
    Ok(Bound::new(kernel, Shape::f32(width)))
}
