//! Inputs and features from a graph's declared inputs.

use std::collections::HashSet;

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Dim;
use tract_onnx::pb::type_proto::Value as Type;
use tract_onnx::pb::{ModelProto, ValueInfoProto};

use super::{Declaration, Feature, Input, Kind, Missing};
use crate::error::{Error, Result};
use crate::limits::Limits;

/// A graph input as the graph declares it.
#[derive(Debug, Clone)]
pub struct Declared {
    pub input: Input,
    /// 1 for `[N]`, 2 for `[N, F]`.
    pub rank: usize,
    /// Integers of 32 bits.
    pub narrow: bool,
}

/// Graph inputs without those that an initialiser fills.
pub fn read(model: &ModelProto) -> Result<Vec<Declared>> {
    let Some(graph) = &model.graph else {
        return Err(Error::Invalid("model has no graph".into()));
    };
    let constants: HashSet<&str> = graph.initializer.iter().map(|t| t.name.as_str()).collect();
    let inputs = graph
        .input
        .iter()
        .filter(|input| !constants.contains(input.name.as_str()));
    let inputs: Vec<Declared> = inputs.map(declared).collect::<Result<_>>()?;
    if inputs.is_empty() {
        return Err(Error::Invalid("model has no inputs".into()));
    }
    Ok(inputs)
}

fn declared(info: &ValueInfoProto) -> Result<Declared> {
    let name = &info.name;
    let Some(Type::TensorType(tensor)) = info.r#type.as_ref().and_then(|t| t.value.as_ref()) else {
        return Err(Error::Unsupported(format!(
            "input \"{name}\" that is not a tensor"
        )));
    };
    let (kind, narrow) = match DataType::try_from(tensor.elem_type) {
        Ok(DataType::Float) => (Kind::Float32, false),
        Ok(DataType::Double) => (Kind::Float64, false),
        Ok(DataType::Int64) => (Kind::Int64, false),
        Ok(DataType::Int32) => (Kind::Int64, true),
        Ok(DataType::Bool) => (Kind::Bool, false),
        Ok(DataType::String) => (Kind::Text, false),
        _ => {
            return Err(Error::Unsupported(format!(
                "element type {} of input \"{name}\"",
                tensor.elem_type
            )));
        }
    };
    let Some(shape) = &tensor.shape else {
        return Err(Error::Unsupported(format!(
            "input \"{name}\" without a shape"
        )));
    };
    if let Some(Some(Dim::DimValue(rows @ 2..))) = shape.dim.first().map(|d| &d.value) {
        return Err(Error::Unsupported(format!(
            "input \"{name}\" with a fixed batch of {rows} rows"
        )));
    }
    let width = match shape.dim.as_slice() {
        [_] => 1,
        [_, columns] => match &columns.value {
            Some(Dim::DimValue(width @ 1..)) => usize::try_from(*width).unwrap_or(usize::MAX),
            _ => {
                return Err(Error::Invalid(format!(
                    "input \"{name}\" has no fixed number of columns"
                )));
            }
        },
        dims => {
            return Err(Error::Unsupported(format!(
                "input \"{name}\" of {} dimensions",
                dims.len()
            )));
        }
    };
    let rank = shape.dim.len();
    Ok(Declared {
        input: Input {
            name: name.clone(),
            kind,
            width,
        },
        rank,
        narrow,
    })
}

/// One feature per column of every input; their policies are not yet set.
pub fn features(
    model: &ModelProto,
    inputs: &[Declared],
    declaration: &Declaration,
    limits: &Limits,
) -> Result<Vec<Feature>> {
    let total = inputs
        .iter()
        .fold(0usize, |n, i| n.saturating_add(i.input.width));
    if total > limits.features {
        return Err(Error::TooLarge {
            what: "features",
            found: total as u64,
            limit: limits.features as u64,
        });
    }
    let names = names(model, inputs, declaration, total)?;
    let mut seen = HashSet::new();
    for name in &names {
        if name.is_empty() {
            return Err(Error::Declaration("a feature has an empty name".into()));
        }
        if !seen.insert(name) {
            return Err(Error::Declaration(format!(
                "feature \"{name}\" is named twice"
            )));
        }
    }
    let places = inputs
        .iter()
        .enumerate()
        .flat_map(|(i, d)| (0..d.input.width).map(move |offset| (i, d.input.kind, offset)));
    let feature = |(name, (input, kind, offset))| Feature {
        name,
        kind,
        missing: Missing::Error,
        handles_nan: false,
        categories: Vec::new(),
        input,
        offset,
    };
    Ok(names.into_iter().zip(places).map(feature).collect())
}

fn names(
    model: &ModelProto,
    inputs: &[Declared],
    declaration: &Declaration,
    total: usize,
) -> Result<Vec<String>> {
    if let Some(names) = &declaration.features {
        if names.len() != total {
            return Err(Error::Declaration(format!(
                "{} features are named, the model takes {total}",
                names.len()
            )));
        }
        return Ok(names.clone());
    }
    let Some(wide) = inputs.iter().find(|d| d.input.width > 1) else {
        return Ok(inputs.iter().map(|d| d.input.name.clone()).collect());
    };
    let unnamed = || Error::UnnamedFeatures {
        input: wide.input.name.clone(),
        width: wide.input.width,
    };
    let metadata = metadata_names(model).ok_or_else(unnamed)?;
    if metadata.len() == total {
        return Ok(metadata);
    }
    let columns: usize = inputs
        .iter()
        .map(|d| d.input.width)
        .filter(|w| *w > 1)
        .sum();
    if metadata.len() != columns {
        return Err(Error::Invalid(format!(
            "metadata names {} features, the model takes {total}",
            metadata.len()
        )));
    }
    let mut rest = metadata.into_iter();
    let mut names = Vec::with_capacity(total);
    for Declared { input, .. } in inputs {
        if input.width > 1 {
            names.extend(rest.by_ref().take(input.width));
        } else {
            names.push(input.name.clone());
        }
    }
    Ok(names)
}

/// The metadata key `feature_names`: a JSON list of texts, or names between commas.
fn metadata_names(model: &ModelProto) -> Option<Vec<String>> {
    let value = &model
        .metadata_props
        .iter()
        .find(|p| p.key == "feature_names")?
        .value;
    let listed = || {
        value
            .split(',')
            .map(|name| name.trim().to_owned())
            .collect()
    };
    Some(serde_json::from_str(value).unwrap_or_else(|_| listed()))
}
