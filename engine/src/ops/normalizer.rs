//! Normalizer: rows divided by their norm.

use tract_onnx::pb::NodeProto;

use super::{Attributes, Bound, numeric};
use crate::error::{Error, Result};
use crate::kernels::Shape;
use crate::kernels::normalise::Norm;

/// f32 out.
pub fn bind(node: &NodeProto, inputs: &[Shape]) -> Result<Bound> {
    let width = numeric("Normalizer", inputs)?.width;
    let norm = match Attributes::new(node)?.string("norm")?.as_deref() {
        None | Some("MAX") => Norm::Max,
        Some("L1") => Norm::L1,
        Some("L2") => Norm::L2,
        Some(other) => return Err(Error::Invalid(format!("Normalizer has norm \"{other}\""))),
    };
    Ok(Bound::new(norm, Shape::f32(width)))
}
