//! ZipMap: a map per row from label to probability. It is removed; its labels are kept.

use tract_onnx::pb::NodeProto;

use super::linear_classifier::labels;
use super::{Attributes, Labels};
use crate::error::Result;

/// Labels of the map's keys in the order of the columns.
pub fn keys(node: &NodeProto) -> Result<Labels> {
    labels(
        "ZipMap",
        &Attributes::new(node)?,
        "classlabels_int64s",
        "classlabels_strings",
    )
}
