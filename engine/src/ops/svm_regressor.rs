//! SVMRegressor: a weighted sum of kernel values.

use tract_onnx::pb::NodeProto;

use super::svm::{coefficients, rho, support, weights};
use super::{Attributes, Bound, numeric};
use crate::error::{Error, Result};
use crate::kernels::Shape;
use crate::kernels::svm::SvmRegressor;

const OP: &str = "SVMRegressor";

/// f32 out, one column. The post transform is not applied: onnxruntime does not apply it either.
pub fn bind(node: &NodeProto, inputs: &[Shape]) -> Result<Bound> {
    let attributes = Attributes::new(node)?;
    let width = numeric(OP, inputs)?.width;
    attributes.post_transform()?;
    let vectors = attributes.int("n_supports").unwrap_or(0);
    let vectors = usize::try_from(vectors)
        .map_err(|_| Error::Invalid(format!("{OP} has {vectors} support vectors")))?;
    let rho = rho(OP, &attributes)?[0];
    let (vectors, coefficients) = if vectors == 0 {
        (weights(OP, &attributes, 1, width)?, vec![1.0])
    } else {
        let coefficients = coefficients(OP, &attributes)?;
        if coefficients.len() != vectors {
            return Err(Error::Invalid(format!(
                "{OP} has {} coefficients for {vectors} support vectors",
                coefficients.len()
            )));
        }
        (
            support(OP, &attributes, vectors, width)?,
            coefficients.to_vec(),
        )
    };
    let kernel = SvmRegressor {
        vectors,
        coefficients,
        rho,
        one_class: attributes.int("one_class").unwrap_or(0) != 0,
    };
    Ok(Bound::new(kernel, Shape::f32(1)))
}
