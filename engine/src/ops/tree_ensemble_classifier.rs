//! TreeEnsembleClassifier.

use std::collections::HashSet;

use tract_onnx::pb::NodeProto;

use super::linear_classifier::labels;
use super::tree_tables::{LeafTable, Wanted, base_values, read};
use super::{Attributes, Bound, numeric};
use crate::error::{Error, Result};
use crate::kernels::Shape;
use crate::kernels::post::PostTransform;
use crate::kernels::trees::{Aggregate, Labelling, TreeClassifier, Trees, Vertex};

const OP: &str = "TreeEnsembleClassifier";

const LEAVES: LeafTable = LeafTable {
    trees: "class_treeids",
    nodes: "class_nodeids",
    targets: "class_ids",
    weights: "class_weights",
};

/// Label index and one f32 per class.
pub fn bind(node: &NodeProto, inputs: &[Shape]) -> Result<Bound> {
    let attributes = Attributes::new(node)?;
    let shape = numeric(OP, inputs)?;
    let labels = labels(OP, &attributes, "classlabels_int64s", "classlabels_strings")?;
    let classes = labels.len();
    let source = read(
        OP,
        &attributes,
        &LEAVES,
        Wanted {
            targets: classes,
            input: shape,
            repeats: false,
        },
    )?;
    let targets: HashSet<usize> = source.weights.iter().map(|w| w.target).collect();
    let probability = source.weights.iter().all(|w| w.value >= 0.0);
    let second = source.weights.iter().any(|w| w.target == 1);
    let labelling = match (classes, targets.len()) {
        (_, 0) => return Err(Error::Invalid(format!("{OP} has no class_weights"))),
        (2, 1) if second => Labelling::Second { probability },
        (2, 1) => Labelling::First { probability },
        (2, _) => Labelling::Both,
        _ => Labelling::Largest,
    };
    let post = attributes.post_transform()?;
    let always_second = || {
        source.vertices.iter().all(|vertex| match vertex {
            Vertex::Leaf { first, count } => {
                let weights = source.weights.get(*first..first + count);
                weights.is_some_and(|w| w.iter().any(|w| w.target == 1))
            }
            Vertex::Branch(_) => true,
        })
    };
    let pair = matches!(labelling, Labelling::Both | Labelling::Second { .. });
    if pair && post == PostTransform::Probit && !always_second() {
        return Err(Error::Unsupported(format!(
            "post transform PROBIT of {OP} with leaves without a weight of the second class"
        )));
    }
    let lengths: &[usize] = if classes == 2 { &[2, 1] } else { &[classes] };
    let base = base_values(OP, &attributes, shape.element, lengths)?;
    match (labelling, base.len(), post) {
        (Labelling::First { .. }, 0 | 1, PostTransform::Probit) => {
            return Err(Error::Unsupported(format!(
                "post transform PROBIT of {OP} with one sum for two classes"
            )));
        }
        (Labelling::First { .. }, 0 | 1, _) | (Labelling::Largest, ..) | (_, 0, _) => {}
        (_, n, _) => {
            return Err(Error::Unsupported(format!(
                "{OP} of two classes with {n} base values and these class_ids"
            )));
        }
    }
    let trees = Trees::new(&source, Aggregate::Sum, shape.element, shape.width)?;
    Ok(Bound::classifier(
        TreeClassifier {
            trees,
            base,
            labelling,
            post,
        },
        labels,
    ))
}
