//! TreeEnsembleRegressor.

use tract_onnx::pb::NodeProto;

use super::tree_ensemble::{DOUBLES, LeafTable, base_values, read};
use super::{Attributes, Bound, numeric};
use crate::error::{Error, Result};
use crate::kernels::Shape;
use crate::kernels::trees::{Aggregate, TreeRegressor, Trees};

const OP: &str = "TreeEnsembleRegressor";

const LEAVES: LeafTable = LeafTable {
    trees: "target_treeids",
    nodes: "target_nodeids",
    targets: "target_ids",
    weights: "target_weights",
};

/// One f32 per target.
pub fn bind(node: &NodeProto, inputs: &[Shape]) -> Result<Bound> {
    let attributes = Attributes::new(node)?;
    attributes.refuse(&DOUBLES)?;
    attributes.refuse(&["target_weights_as_tensor"])?;
    let shape = numeric(OP, inputs)?;
    let targets = attributes.int("n_targets").unwrap_or(1);
    let targets = usize::try_from(targets)
        .ok()
        .filter(|t| (1..=1 << 16).contains(t));
    let targets =
        targets.ok_or_else(|| Error::Invalid(format!("{OP} has n_targets out of range")))?;
    let aggregate = match attributes.string("aggregate_function")?.as_deref() {
        None | Some("SUM") => Aggregate::Sum,
        Some("AVERAGE") => Aggregate::Average,
        Some("MIN") => Aggregate::Min,
        Some("MAX") => Aggregate::Max,
        Some(other) => {
            return Err(Error::Invalid(format!(
                "{OP} has aggregate function \"{other}\""
            )));
        }
    };
    let source = read(OP, &attributes, &LEAVES, targets, shape.width)?;
    let kernel = TreeRegressor {
        trees: Trees::new(&source, aggregate, shape.element, shape.width)?,
        base: base_values(OP, &attributes, &[targets])?,
        post: attributes.post_transform()?,
    };
    Ok(Bound::new(kernel, Shape::f32(targets)))
}
