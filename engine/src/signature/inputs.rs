//! Inputs and features from a graph's declared inputs.

use std::collections::HashSet;

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::Dimension;
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
    /// 1 for `[N]`, 2 for `[N, F]`, more for sequences and images.
    pub rank: usize,
    /// Dimensions after the batch, whose cells are the features, row-major; empty for `[N]`.
    pub dims: Vec<usize>,
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
    let cells = shape.dim.get(1..).unwrap_or_default();
    let fixed = |dim: &Dimension| match dim.value {
        Some(Dim::DimValue(cells @ 1..)) => Some(usize::try_from(cells).unwrap_or(usize::MAX)),
        _ => None,
    };
    let dims: Option<Vec<usize>> = cells.iter().map(fixed).collect();
    let dims = match (shape.dim.len(), dims) {
        (1.., Some(dims)) => dims,
        (0, _) => {
            return Err(Error::Unsupported(format!(
                "input \"{name}\" of 0 dimensions"
            )));
        }
        (2, None) => {
            return Err(Error::Invalid(format!(
                "input \"{name}\" has no fixed number of columns"
            )));
        }
        _ => {
            return Err(Error::Invalid(format!(
                "input \"{name}\" has dimensions after the first that are not fixed"
            )));
        }
    };
    let width = dims.iter().fold(1usize, |n, dim| n.saturating_mul(*dim));
    let rank = shape.dim.len();
    Ok(Declared {
        input: Input {
            name: name.clone(),
            kind,
            width,
        },
        rank,
        dims,
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
    let named = inputs.iter().filter(|d| d.rank <= 2);
    let named = named.fold(0usize, |n, d| n.saturating_add(d.input.width));
    for (what, found, limit) in [
        ("features", named, limits.features),
        ("cells in its inputs", total, limits.cells),
    ] {
        if found > limit {
            return Err(Error::TooLarge {
                what,
                found: found as u64,
                limit: limit as u64,
            });
        }
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

/// Names of all cells: declared or in the metadata, one a cell, one a column of a single sequence or one an input;
/// made up for the cells of tensors of three dimensions and more.
fn names(
    model: &ModelProto,
    inputs: &[Declared],
    declaration: &Declaration,
    total: usize,
) -> Result<Vec<String>> {
    if let Some(names) = &declaration.features {
        return spread(inputs, names, total).ok_or_else(|| {
            Error::Declaration(format!(
                "{} features are named, the model takes {total}",
                names.len()
            ))
        });
    }
    let own: Vec<String> = inputs.iter().map(|d| d.input.name.clone()).collect();
    let Some(wide) = inputs.iter().find(|d| d.input.width > 1) else {
        return Ok(own);
    };
    let Some(metadata) = metadata_names(model) else {
        let unnamed = inputs.iter().find(|d| d.input.width > 1 && d.rank == 2);
        return match unnamed {
            None => Ok(cells(inputs, &own)),
            Some(_) => Err(Error::UnnamedFeatures {
                input: wide.input.name.clone(),
                width: wide.input.width,
            }),
        };
    };
    if let Some(names) = spread(inputs, &metadata, total) {
        return Ok(names);
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

/// Given names as names of all cells: one a cell; one a column of a model's only input, a sequence `[N, T, F]`, whose
/// cell in step 4 is `name_4`; or one an input, where every wide one is of integers or has three dimensions or more.
fn spread(inputs: &[Declared], names: &[String], total: usize) -> Option<Vec<String>> {
    if names.len() == total {
        return Some(names.to_vec());
    }
    if let [Declared { dims, .. }] = inputs
        && let [steps, columns] = dims.as_slice()
        && *columns == names.len()
    {
        let step = |t| names.iter().map(move |name| format!("{name}_{t}"));
        return Some((0..*steps).flat_map(step).collect());
    }
    let whole = |d: &Declared| d.input.width == 1 || d.rank > 2 || d.input.kind == Kind::Int64;
    (names.len() == inputs.len() && inputs.iter().all(whole)).then(|| cells(inputs, names))
}

/// Names of cells by the names of their inputs and their position in them: `image_0_12_27`.
fn cells(inputs: &[Declared], names: &[String]) -> Vec<String> {
    let mut all = Vec::new();
    for (declared, name) in inputs.iter().zip(names) {
        if declared.input.width == 1 {
            all.push(name.clone());
            continue;
        }
        for cell in 0..declared.input.width {
            let mut rest = cell;
            let mut place = Vec::with_capacity(declared.dims.len());
            for dim in declared.dims.iter().rev() {
                place.push(rest % dim);
                rest /= dim;
            }
            let mut full = name.clone();
            for position in place.iter().rev() {
                full.push('_');
                full.push_str(&position.to_string());
            }
            all.push(full);
        }
    }
    all
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
