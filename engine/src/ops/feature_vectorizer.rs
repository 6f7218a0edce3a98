//! FeatureVectorizer: numbers of several inputs side by side, as f32.

use tract_onnx::pb::NodeProto;

use super::{Attributes, Bound};
use crate::error::{Error, Result};
use crate::kernels::cast::Concat;
use crate::kernels::{Element, Shape};

/// The declared widths must be those of the inputs.
pub fn bind(node: &NodeProto, inputs: &[Shape]) -> Result<Bound> {
    let declared = Attributes::new(node)?.ints("inputdimensions");
    if !declared.is_empty() && declared.len() != inputs.len() {
        return Err(Error::Invalid(format!(
            "FeatureVectorizer declares {} inputs, found {}",
            declared.len(),
            inputs.len()
        )));
    }
    for (i, shape) in inputs.iter().enumerate() {
        if shape.element == Element::Text {
            return Err(Error::Invalid(
                "FeatureVectorizer takes numbers, found Text".into(),
            ));
        }
        if let Some(d) = declared
            .get(i)
            .filter(|d| i64::try_from(shape.width) != Ok(**d))
        {
            return Err(Error::Invalid(format!(
                "FeatureVectorizer declares width {d} for an input of width {}",
                shape.width
            )));
        }
    }
    Ok(Bound::new(
        Concat,
        Shape::f32(inputs.iter().map(|s| s.width).sum()),
    ))
}
