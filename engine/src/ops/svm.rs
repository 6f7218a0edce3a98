//! What SVMClassifier and SVMRegressor share: the kernel function and the support vectors.

use super::{Attributes, finite};
use crate::error::{Error, Result};
use crate::kernels::svm::{Similarity, Vectors};

/// Attributes `kernel_type` and `kernel_params` (gamma, coef0, degree).
fn similarity(op: &str, attributes: &Attributes<'_>) -> Result<Similarity> {
    let params = attributes.floats("kernel_params");
    finite(op, "kernel parameter", params)?;
    let [gamma, coef0, degree] = match params {
        [] => [0.0; 3],
        [gamma, coef0, degree] => [*gamma, *coef0, *degree],
        _ => {
            return Err(Error::Invalid(format!(
                "{op} has {} kernel_params, 3 expected",
                params.len()
            )));
        }
    };
    match attributes.string("kernel_type")?.as_deref() {
        None | Some("LINEAR") => Ok(Similarity::Linear),
        Some("POLY") => Ok(Similarity::Poly {
            gamma,
            coef0,
            degree,
        }),
        Some("RBF") => Ok(Similarity::Rbf { gamma }),
        Some("SIGMOID") => Ok(Similarity::Sigmoid { gamma, coef0 }),
        Some(other) => Err(Error::Invalid(format!("{op} has kernel type \"{other}\""))),
    }
}

/// `count` support vectors of `width` cells.
pub fn support(
    op: &str,
    attributes: &Attributes<'_>,
    count: usize,
    width: usize,
) -> Result<Vectors> {
    let cells = attributes.floats("support_vectors");
    finite(op, "support vector cell", cells)?;
    if width == 0 || count == 0 || count.checked_mul(width) != Some(cells.len()) {
        return Err(Error::Invalid(format!(
            "{op} has {} cells in support_vectors for {count} vectors of {width} columns",
            cells.len()
        )));
    }
    Ok(Vectors::new(cells, width, similarity(op, attributes)?))
}

/// `rows` rows of weights that are compared by a product, whatever the kernel type.
pub fn weights(
    op: &str,
    attributes: &Attributes<'_>,
    rows: usize,
    width: usize,
) -> Result<Vectors> {
    let cells = coefficients(op, attributes)?;
    similarity(op, attributes)?;
    if width == 0 || rows.checked_mul(width) != Some(cells.len()) {
        return Err(Error::Invalid(format!(
            "{op} has {} coefficients for {rows} sums of {width} columns",
            cells.len()
        )));
    }
    Ok(Vectors::new(cells, width, Similarity::Linear))
}

pub fn coefficients<'a>(op: &str, attributes: &Attributes<'a>) -> Result<&'a [f32]> {
    let cells = attributes.floats("coefficients");
    finite(op, "coefficient", cells)?;
    Ok(cells)
}

/// Attribute `rho`, at least one value.
pub fn rho<'a>(op: &str, attributes: &Attributes<'a>) -> Result<&'a [f32]> {
    let rho = attributes.floats("rho");
    finite(op, "rho", rho)?;
    if rho.is_empty() {
        return Err(Error::Invalid(format!("{op} has no rho")));
    }
    Ok(rho)
}
