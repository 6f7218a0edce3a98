//! The number of dimensions of every value, as far as the file tells it: tract indexes shapes with axes that it does
//! not compare with the rank first. An unknown rank is passed on and checks nothing.

use tract_onnx::pb;

use super::attributes;
use super::graph::label;
use super::literals::Literals;
use super::operators::{Folding, ONNX, Operator};
use super::tensor::RANK;
use crate::{Error, Result};

type Rank = Option<usize>;

/// Rank of a node's outputs, once its axes are compared with the ranks of its inputs.
pub(super) fn infer(
    node: &pb::NodeProto,
    row: &Operator,
    inputs: &[Rank],
    literals: &Literals,
) -> Result<Rank> {
    if row.domain != ONNX {
        return Ok(None);
    }
    let first = inputs.first().copied().flatten();
    let axis = |default| attributes::integer(node, "axis").unwrap_or(default);
    let axes = || {
        literals
            .list(node, 1)
            .or_else(|| attributes::integers(node, "axes"))
    };
    let rank = match node.op_type.as_str() {
        "Constant" => constant(node),
        "Reshape" => literals.list(node, 1).map(<[i64]>::len),
        // These two cut a shape at an axis, which may be its end.
        "Flatten" => {
            within(node, first, &[axis(1)], 1)?;
            first.map(|_| 2)
        }
        "Softmax" | "LogSoftmax" => {
            within(node, first, &[axis(-1)], 1)?;
            first
        }
        "Concat" | "Split" => {
            within(node, first, &[axis(0)], 0)?;
            first
        }
        "LayerNormalization" | "LpNormalization" | "TopK" => {
            within(node, first, &[axis(-1)], 0)?;
            first
        }
        "ArgMax" | "ArgMin" => reduced(node, first, Some(&[axis(0)]))?,
        name if name.starts_with("Reduce") => reduced(node, first, axes())?,
        "Transpose" => {
            let order = attributes::integers(node, "perm");
            same(node, "axes", order.map(<[i64]>::len), first)?;
            first
        }
        "Squeeze" => {
            let axes = axes();
            within(node, first, axes.unwrap_or_default(), 0)?;
            first
                .zip(axes)
                .and_then(|(rank, axes)| rank.checked_sub(axes.len()))
        }
        "Unsqueeze" => {
            let axes = axes();
            let wider = first.zip(axes).map(|(rank, axes)| rank + axes.len());
            within(node, wider, axes.unwrap_or_default(), 0)?;
            wider
        }
        "Slice" => {
            slices(node, first, literals)?;
            first
        }
        "MatMul" => product(node, inputs)?,
        "Gemm" => {
            for &input in inputs.iter().take(2) {
                same(node, "dimensions", input, Some(2))?;
            }
            Some(2)
        }
        "ConstantOfShape" | "Einsum" | "Expand" | "GRU" | "LSTM" | "RNN" | "Scan" => None,
        "Shape" | "Range" => Some(1),
        "Size" => Some(0),
        "OneHot" => {
            within(node, first, &[axis(-1)], 1)?;
            first.map(|rank| rank + 1)
        }
        "GatherElements" => {
            within(node, first, &[axis(0)], 0)?;
            same(node, "dimensions", inputs.get(1).copied().flatten(), first)?;
            first
        }
        "CumSum" => {
            within(node, first, literals.list(node, 1).unwrap_or_default(), 0)?;
            first
        }
        "Conv" | "ConvTranspose" | "MaxPool" | "AveragePool" | "GlobalAveragePool"
        | "GlobalMaxPool" => {
            let kernel = inputs.get(1).copied().flatten();
            let windows = attributes::windows(node)?.map(|axes| axes + 2);
            at_least(node, first, 3)?;
            same(node, "dimensions", first, kernel)?;
            same(node, "dimensions", first, windows)?;
            same(node, "dimensions", kernel, windows)?;
            first
        }
        "BatchNormalization" | "InstanceNormalization" | "Trilu" => {
            at_least(node, first, 2)?;
            first
        }
        "PRelu" => first,
        "Gather" => {
            within(node, first, &[axis(0)], 0)?;
            let indices = inputs.get(1).copied().flatten();
            first
                .zip(indices)
                .map(|(rank, indices)| rank.saturating_sub(1) + indices)
        }
        _ if row.folding == Folding::Spread => inputs
            .iter()
            .copied()
            .try_fold(0, |most, rank| rank.map(|rank| most.max(rank))),
        _ => first,
    };
    match rank {
        Some(rank) if rank > RANK => Err(mismatch(node, "dimensions", rank, RANK)),
        _ => Ok(rank),
    }
}

fn constant(node: &pb::NodeProto) -> Rank {
    let value = node.attribute.first()?;
    Some(match (&value.t, value.name.as_str()) {
        (Some(stored), _) => stored.dims.len(),
        (None, "value_floats" | "value_ints" | "value_strings") => 1,
        _ => 0,
    })
}

/// A reduction keeps the rank unless told otherwise; without axes it reduces all of them.
fn reduced(node: &pb::NodeProto, input: Rank, axes: Option<&[i64]>) -> Result<Rank> {
    within(node, input, axes.unwrap_or_default(), 0)?;
    let keeps = attributes::integer(node, "keepdims").unwrap_or(1) == 1;
    Ok(match axes {
        _ if keeps => input,
        Some(axes) if !axes.is_empty() => input.and_then(|rank| rank.checked_sub(axes.len())),
        _ => None,
    })
}

fn slices(node: &pb::NodeProto, input: Rank, literals: &Literals) -> Result<()> {
    let list = |position, name| {
        literals
            .list(node, position)
            .or_else(|| attributes::integers(node, name))
    };
    let axes = list(3, "axes");
    within(node, input, axes.unwrap_or_default(), 0)?;
    let lengths = [
        axes,
        list(1, "starts"),
        list(2, "ends"),
        literals.list(node, 4),
    ]
    .map(|list| list.map(<[i64]>::len));
    let longest = lengths.into_iter().flatten().max();
    for length in lengths {
        same(node, "starts, ends, axes or steps", length, longest)?;
    }
    match (longest, input) {
        (Some(length), Some(rank)) if length > rank => Err(mismatch(node, "axes", length, rank)),
        _ => Ok(()),
    }
}

fn product(node: &pb::NodeProto, inputs: &[Rank]) -> Result<Rank> {
    Ok(match inputs {
        [Some(0), _] | [_, Some(0)] => return Err(mismatch(node, "dimensions", 0, 1)),
        [Some(1), Some(other)] | [Some(other), Some(1)] => {
            Some(if *other == 1 { 0 } else { other - 1 })
        }
        [Some(left), Some(right)] => Some(*left.max(right)),
        _ => None,
    })
}

/// Axes count from the front or, negative, from the back; `slack` allows the end itself.
fn within(node: &pb::NodeProto, rank: Rank, axes: &[i64], slack: i64) -> Result<()> {
    let Some(rank) = rank else { return Ok(()) };
    let end = rank as i64;
    let mut seen = vec![];
    for &axis in axes {
        let resolved = if axis < 0 { axis + end } else { axis };
        if resolved < 0 || resolved >= end + slack || seen.contains(&resolved) {
            let label = label(node);
            return Err(Error::Invalid(format!(
                "axis {axis} of {label} is repeated or outside its {rank} dimensions"
            )));
        }
        seen.push(resolved);
    }
    Ok(())
}

fn same(node: &pb::NodeProto, what: &str, found: Rank, wanted: Rank) -> Result<()> {
    match (found, wanted) {
        (Some(found), Some(wanted)) if found != wanted => Err(mismatch(node, what, found, wanted)),
        _ => Ok(()),
    }
}

fn at_least(node: &pb::NodeProto, rank: Rank, least: usize) -> Result<()> {
    match rank {
        Some(rank) if rank < least => Err(mismatch(node, "dimensions", rank, least)),
        _ => Ok(()),
    }
}

fn mismatch(node: &pb::NodeProto, what: &str, found: usize, wanted: usize) -> Error {
    Error::Invalid(format!(
        "{} has {found} {what}, {wanted} expected",
        label(node)
    ))
}
