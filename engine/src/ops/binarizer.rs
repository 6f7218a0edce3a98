//! Binarizer: 1 above the threshold.

use tract_onnx::pb::NodeProto;

use super::{Attributes, Bound, finite};
use crate::error::{Error, Result};
use crate::kernels::binarize::Binarizer;
use crate::kernels::{Element, Shape};

const OP: &str = "Binarizer";

/// f32 in and out; other numbers are refused, as onnxruntime does.
pub fn bind(node: &NodeProto, inputs: &[Shape]) -> Result<Bound> {
    let threshold = Attributes::new(node)?.float("threshold").unwrap_or(0.0);
    finite(OP, "threshold", &[threshold])?;
    match inputs {
        [shape] if shape.element == Element::F32 => Ok(Bound::new(Binarizer { threshold }, *shape)),
        [shape] => Err(Error::Unsupported(format!("{OP} over {:?}", shape.element))),
        _ => Err(Error::Invalid(format!(
            "{OP} takes 1 input, found {}",
            inputs.len()
        ))),
    }
}
