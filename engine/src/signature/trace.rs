//! Which features reach which operators: who must handle NaN, which categories are known, what an encoder's error names.

use std::collections::HashMap;

use tract_onnx::pb::{AttributeProto, GraphProto, ModelProto, NodeProto};

use super::Feature;
use super::inputs::Declared;
use crate::error::Result;
use crate::ops::tensor::Constant;
use crate::ops::{FEATURES, imputer, one_hot_encoder};

/// A set of features.
type Set = Vec<u64>;

/// What is known of one value of the graph.
#[derive(Debug, Clone, Default)]
struct Flow {
    /// Feature behind each column, where every column is one feature.
    columns: Option<Vec<usize>>,
    /// Features whose NaN may be in the value.
    nan: Set,
}

/// Sets `handles_nan` and `categories` of every feature and writes feature names into the graph's encoders.
pub fn trace(model: &mut ModelProto, inputs: &[Declared], features: &mut [Feature]) -> Result<()> {
    let Some(GraphProto {
        node: nodes,
        initializer,
        output: outputs,
        ..
    }) = &mut model.graph
    else {
        return Ok(());
    };
    let mut flows = sources(inputs, features);
    let mut unhandled = empty(features.len());
    let constants: HashMap<&str, _> = initializer.iter().map(|t| (t.name.as_str(), t)).collect();
    for node in nodes {
        let incoming: Vec<Flow> = node
            .input
            .iter()
            .map(|name| flows.get(name).cloned().unwrap_or_default())
            .collect();
        let mut nan = empty(features.len());
        incoming.iter().for_each(|flow| unite(&mut nan, &flow.nan));
        let first = incoming.first().and_then(|flow| flow.columns.clone());
        let mut out = Flow {
            columns: None,
            nan: empty(features.len()),
        };
        match node.op_type.as_str() {
            "TreeEnsemble" | "TreeEnsembleClassifier" | "TreeEnsembleRegressor" => {}
            "Imputer" if imputer::replaces_nan(node) => out.columns = first,
            "Identity" | "Cast" | "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" | "Scaler"
            | "Imputer" => {
                out = Flow {
                    columns: first,
                    nan,
                };
            }
            "Concat" | "FeatureVectorizer" => {
                let columns: Option<Vec<_>> =
                    incoming.into_iter().map(|flow| flow.columns).collect();
                out = Flow {
                    columns: columns.map(|c| c.concat()),
                    nan,
                };
            }
            "ArrayFeatureExtractor" | "Gather" => {
                let indices = node
                    .input
                    .get(1)
                    .and_then(|name| constants.get(name.as_str()));
                let indices = indices.and_then(|t| Constant::read(t).ok());
                out = Flow {
                    columns: first.and_then(|c| pick(&c, indices.as_ref()?.i64s()?)),
                    nan,
                };
            }
            "OneHotEncoder" | "LabelEncoder" => {
                unite(&mut unhandled, &nan);
                if let Some(columns) = first {
                    encoder(node, &columns, features)?;
                    if node.op_type == "LabelEncoder" {
                        out.columns = Some(columns);
                    }
                }
            }
            _ => unite(&mut unhandled, &nan),
        }
        for name in &node.output {
            flows.insert(name.clone(), out.clone());
        }
    }
    for output in outputs {
        if let Some(flow) = flows.get(&output.name) {
            unite(&mut unhandled, &flow.nan);
        }
    }
    for (i, feature) in features.iter_mut().enumerate() {
        feature.handles_nan = feature.kind.is_float() && !contains(&unhandled, i);
    }
    Ok(())
}

fn sources(inputs: &[Declared], features: &[Feature]) -> HashMap<String, Flow> {
    let mut flows = HashMap::new();
    for (i, declared) in inputs.iter().enumerate() {
        let mut flow = Flow {
            columns: Some(Vec::new()),
            nan: empty(features.len()),
        };
        for (f, feature) in features
            .iter()
            .enumerate()
            .filter(|(_, feature)| feature.input == i)
        {
            flow.columns.get_or_insert_default().push(f);
            if feature.kind.is_float() {
                insert(&mut flow.nan, f);
            }
        }
        flows.insert(declared.input.name.clone(), flow);
    }
    flows
}

fn pick(columns: &[usize], indices: &[i64]) -> Option<Vec<usize>> {
    indices
        .iter()
        .map(|i| columns.get(usize::try_from(*i).ok()?).copied())
        .collect()
}

/// Names the features in the node, and the categories in the features where unknown ones are refused.
fn encoder(node: &mut NodeProto, columns: &[usize], features: &mut [Feature]) -> Result<()> {
    let refuses = node.op_type == "OneHotEncoder" && !one_hot_encoder::accepts_unknown(node);
    let categories = if refuses {
        one_hot_encoder::categories(node)?
    } else {
        Vec::new()
    };
    let mut names = Vec::with_capacity(columns.len());
    for column in columns {
        if let Some(feature) = features.get_mut(*column) {
            names.push(feature.name.clone().into_bytes());
            if refuses {
                feature.categories.clone_from(&categories);
            }
        }
    }
    node.attribute.push(AttributeProto {
        name: FEATURES.into(),
        strings: names,
        ..AttributeProto::default()
    });
    Ok(())
}

fn empty(features: usize) -> Set {
    vec![0; features.div_ceil(64)]
}

fn insert(set: &mut Set, i: usize) {
    if let Some(word) = set.get_mut(i / 64) {
        *word |= 1 << (i % 64);
    }
}

fn contains(set: &Set, i: usize) -> bool {
    set.get(i / 64)
        .is_some_and(|word| word & (1 << (i % 64)) != 0)
}

fn unite(into: &mut Set, other: &Set) {
    into.iter_mut().zip(other).for_each(|(a, b)| *a |= b);
}
