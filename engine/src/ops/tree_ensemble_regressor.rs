//! TreeEnsembleRegressor.

use tract_onnx::pb::NodeProto;

use super::tree_tables::{LeafTable, Wanted, base_values, fill_leaves, read, targets};
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
    let shape = numeric(OP, inputs)?;
    let targets = targets(OP, &attributes)?;
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
    let mut source = read(
        OP,
        &attributes,
        &LEAVES,
        Wanted {
            targets,
            input: shape,
            // onnxruntime takes the first weight of a single target, and adds those of several.
            repeats: targets == 1,
        },
    )?;
    if targets == 1 {
        fill_leaves(&mut source);
    }
    let kernel = TreeRegressor {
        trees: Trees::new(&source, aggregate, shape.element, shape.width)?,
        base: base_values(OP, &attributes, shape.element, &[targets])?,
        post: attributes.post_transform()?,
    };
    Ok(Bound::new(kernel, Shape::f32(targets)))
}
