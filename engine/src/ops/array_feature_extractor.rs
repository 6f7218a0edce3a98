//! ArrayFeatureExtractor: columns by constant index.

use super::tensor::{Cells, Constant};
use super::{Bound, Labels};
use crate::error::{Error, Result};
use crate::kernels::Shape;
use crate::kernels::select::Columns;

/// Binds indices to a row of `shape.width` columns; every index must be one of them.
pub fn bind(indices: &[i64], shape: Shape) -> Result<Bound> {
    let index = |i: &i64| usize::try_from(*i).ok().filter(|i| *i < shape.width);
    let columns = indices.iter().map(|i| {
        index(i).ok_or_else(|| {
            Error::Invalid(format!(
                "ArrayFeatureExtractor takes column {i} of {} columns",
                shape.width
            ))
        })
    });
    let columns: Vec<usize> = columns.collect::<Result<_>>()?;
    let shape = Shape {
        width: columns.len(),
        ..shape
    };
    Ok(Bound::new(Columns::new(columns), shape))
}

/// A constant as class labels, where it is read by index: `None` for other cells than integers and texts.
pub fn classes(constant: &Constant) -> Option<Labels> {
    match &constant.cells {
        Cells::I64(v) => Some(Labels::Integers(v.clone())),
        Cells::Text(v) => Some(Labels::Texts(v.clone())),
        _ => None,
    }
}
