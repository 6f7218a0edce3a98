//! Whether an output of a graph can only hold shares: numbers from 0 to 1.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::{ModelProto, NodeProto, TensorProto};

use crate::kernels::post::PostTransform;
use crate::ops::Attributes;
use crate::ops::tensor::{Cells, Constant};

type Constants<'a> = HashMap<&'a str, &'a TensorProto>;

/// Room for the rounding of single precision in a sum of trees' shares.
const ROUNDING: f32 = 1e-3;

/// Where the values of a node lie.
enum Range<'a> {
    Share,
    /// Where those of these inputs do.
    As(&'a [String]),
    Unknown,
}

/// True where every way to the output ends in a sigmoid, a softmax or trees whose leaves hold shares.
pub fn is_share(model: &ModelProto, output: usize) -> bool {
    let Some(graph) = &model.graph else {
        return false;
    };
    let Some(output) = graph.output.get(output) else {
        return false;
    };
    let makers: HashMap<&str, &NodeProto> = graph
        .node
        .iter()
        .flat_map(|node| node.output.iter().map(move |name| (name.as_str(), node)))
        .collect();
    let tensors = graph.initializer.iter();
    let constants: Constants = tensors.map(|t| (t.name.as_str(), t)).collect();
    let (mut open, mut seen) = (vec![output.name.as_str()], HashSet::new());
    while let Some(name) = open.pop() {
        if !seen.insert(name) {
            continue;
        }
        match makers.get(name).map(|node| range(node, &constants)) {
            Some(Range::Share) => {}
            Some(Range::As(inputs)) if !inputs.is_empty() => {
                open.extend(inputs.iter().map(String::as_str));
            }
            _ => return false,
        }
    }
    true
}

fn range<'a>(node: &'a NodeProto, constants: &Constants) -> Range<'a> {
    match node.op_type.as_str() {
        "Sigmoid" | "HardSigmoid" | "Softmax" => Range::Share,
        "LinearClassifier"
        | "SVMClassifier"
        | "TreeEnsembleClassifier"
        | "TreeEnsembleRegressor"
        | "LinearRegressor" => match is_squashed(node) {
            true => Range::Share,
            false => Range::Unknown,
        },
        // 1 - x, 1 * x and x * 1.
        "Sub" | "Mul" => match node.input.as_slice() {
            [one, rest @ ..] if is_one(one, constants) => Range::As(rest),
            [rest @ .., one] if node.op_type == "Mul" && is_one(one, constants) => Range::As(rest),
            _ => Range::Unknown,
        },
        "Normalizer"
        | "Identity"
        | "Cast"
        | "Reshape"
        | "Flatten"
        | "Squeeze"
        | "Unsqueeze"
        | "Slice"
        | "Gather"
        | "ArrayFeatureExtractor"
        | "Transpose" => Range::As(node.input.get(..1).unwrap_or(&[])),
        "Concat" => Range::As(&node.input),
        _ => Range::Unknown,
    }
}

fn is_squashed(node: &NodeProto) -> bool {
    let Ok(attributes) = Attributes::new(node) else {
        return false;
    };
    match attributes.post_transform() {
        Ok(PostTransform::Softmax | PostTransform::Logistic) => true,
        Ok(PostTransform::None) => match node.op_type.as_str() {
            "SVMClassifier" => !attributes.floats("prob_a").is_empty(),
            "TreeEnsembleClassifier" => leaves_are_shares(&attributes),
            _ => false,
        },
        _ => false,
    }
}

/// Whether the greatest leaves of all trees, of whatever class, add up to 1, and none is negative.
fn leaves_are_shares(attributes: &Attributes) -> bool {
    let (trees, weights) = (
        attributes.ints("class_treeids"),
        attributes.floats("class_weights"),
    );
    if weights.is_empty()
        || trees.len() != weights.len()
        || weights
            .iter()
            .any(|weight| weight.is_nan() || *weight < 0.0)
        || !attributes.floats("base_values").is_empty()
    {
        return false;
    }
    let mut greatest: HashMap<i64, f32> = HashMap::new();
    for (tree, weight) in trees.iter().zip(weights) {
        let found = greatest.entry(*tree).or_default();
        *found = found.max(*weight);
    }
    greatest.values().sum::<f32>() <= 1.0 + ROUNDING
}

fn is_one(name: &str, constants: &Constants) -> bool {
    let Some(tensor) = constants.get(name) else {
        return false;
    };
    // Weights are not copied.
    let is_single = tensor.dims.iter().all(|size| *size == 1);
    is_single
        && Constant::read(tensor).is_ok_and(|constant| match constant.cells {
            Cells::F32(cells) => cells == [1.0],
            Cells::F64(cells) => cells == [1.0],
            _ => false,
        })
}
