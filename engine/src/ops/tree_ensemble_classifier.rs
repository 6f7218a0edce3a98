//! TreeEnsembleClassifier.

use std::collections::HashSet;

use tract_onnx::pb::NodeProto;

use super::linear_classifier::labels;
use super::tree_ensemble::{DOUBLES, LeafTable, base_values, read};
use super::{Attributes, Bound, numeric};
use crate::error::Result;
use crate::kernels::Shape;
use crate::kernels::trees::{Aggregate, Labelling, TreeClassifier, Trees};

const OP: &str = "TreeEnsembleClassifier";

const LEAVES: LeafTable =
    LeafTable { trees: "class_treeids", nodes: "class_nodeids", targets: "class_ids", weights: "class_weights" };

/// Label index and one f32 per class.
pub fn bind(node: &NodeProto, inputs: &[Shape]) -> Result<Bound> {
    let attributes = Attributes::new(node)?;
    attributes.refuse(&DOUBLES)?;
    let shape = numeric(OP, inputs)?;
    let labels = labels(OP, &attributes, "classlabels_int64s", "classlabels_strings")?;
    let classes = labels.len();
    let source = read(OP, &attributes, &LEAVES, classes, shape.width)?;
    let targets: HashSet<usize> = source.weights.iter().map(|w| w.target).collect();
    let probability = source.weights.iter().all(|w| w.value >= 0.0);
    let labelling = match (classes, targets.len()) {
        (2, 0 | 1) => Labelling::OneSum { probability },
        (2, _) => Labelling::TwoSums,
        _ => Labelling::Largest,
    };
    let base_lengths: &[usize] = if classes == 2 { &[2, 1] } else { &[classes] };
    let kernel = TreeClassifier {
        trees: Trees::new(&source, Aggregate::Sum, shape.element, shape.width)?,
        target: targets.into_iter().next().unwrap_or(0),
        base: base_values(OP, &attributes, base_lengths)?,
        labelling,
        post: attributes.post_transform()?,
    };
    Ok(Bound::classifier(kernel, labels))
}
