//! Lists of integers stored in the file that decide a shape: axes, steps, sizes. tract divides by and indexes with them.

use std::collections::HashMap;

use tract_onnx::pb;
use tract_onnx::pb::tensor_proto::DataType;

use super::graph::label;
use super::operators::{Folding, Operator};
use super::tensor::{self, RANK};
use crate::{Error, Result};

/// Elements of a list that describes a shape: two per axis, or one per part of a split.
const LENGTH: usize = 4_096;
/// Largest step of a slice, either way.
const STEP: u64 = 1 << 31;

/// Stored values by name: the integers of a short list, `None` for anything else.
pub(super) struct Literals<'a>(HashMap<&'a str, Option<Vec<i64>>>);

impl<'a> Literals<'a> {
    /// Reads initialisers and `Constant` nodes.
    pub(super) fn collect(graph: &'a pb::GraphProto) -> Self {
        let stored = graph
            .initializer
            .iter()
            .map(|stored| (stored.name.as_str(), integers(stored)));
        let mut lists: HashMap<_, _> = stored.collect();
        for node in graph.node.iter().filter(|node| node.op_type == "Constant") {
            let (Some(output), Some(value)) = (node.output.first(), node.attribute.first()) else {
                continue;
            };
            let list = match value.name.as_str() {
                "value" => value.t.as_ref().and_then(integers),
                "value_int" => Some(vec![value.i]),
                "value_ints" if value.ints.len() <= LENGTH => Some(value.ints.clone()),
                _ => None,
            };
            lists.insert(output, list);
        }
        Literals(lists)
    }

    /// The list that a node reads at this position, where the file stores it.
    pub(super) fn list(&self, node: &pb::NodeProto, position: usize) -> Option<&[i64]> {
        self.0.get(node.input.get(position)?.as_str())?.as_deref()
    }
}

/// The values of a short tensor of 32-bit or 64-bit integers.
fn integers(stored: &pb::TensorProto) -> Option<Vec<i64>> {
    let length = stored
        .int32_data
        .len()
        .max(stored.int64_data.len())
        .max(stored.raw_data.len() / 8);
    if length > LENGTH {
        return None;
    }
    let raw = &stored.raw_data;
    if stored.data_type == DataType::Int64 as i32 {
        let words = raw
            .as_chunks::<8>()
            .0
            .iter()
            .map(|word| i64::from_le_bytes(*word));
        Some(stored.int64_data.iter().copied().chain(words).collect())
    } else if stored.data_type == DataType::Int32 as i32 {
        let words = raw
            .as_chunks::<4>()
            .0
            .iter()
            .map(|word| i32::from_le_bytes(*word));
        Some(
            stored
                .int32_data
                .iter()
                .copied()
                .chain(words)
                .map(i64::from)
                .collect(),
        )
    } else {
        None
    }
}

/// Checks the lists that a node reads, except against ranks.
pub(super) fn check(node: &pb::NodeProto, row: &Operator, literals: &Literals) -> Result<()> {
    let shaping = node
        .input
        .iter()
        .skip(row.constant_from)
        .filter(|_| node.op_type != "Dropout" && row.folding != Folding::Computed);
    if let Some(name) = shaping
        .into_iter()
        .find(|name| literals.0.get(name.as_str()) == Some(&None))
    {
        return Err(Error::Invalid(format!(
            "\"{name}\" of {} is no list of integers",
            label(node)
        )));
    }
    let wrong = match node.op_type.as_str() {
        "Slice" => literals
            .list(node, 4)
            .is_some_and(|steps| {
                steps
                    .iter()
                    .any(|&step| step == 0 || step.unsigned_abs() > STEP)
            })
            .then_some("steps"),
        "Split" => literals
            .list(node, 1)
            .is_some_and(|sizes| {
                sizes.len() != node.output.len() || sizes.iter().any(|&size| size < 0)
            })
            .then_some("sizes"),
        "Reshape" => literals
            .list(node, 1)
            .is_some_and(|shape| !is_shape(shape))
            .then_some("shape"),
        _ => None,
    };
    match wrong {
        Some(what) => Err(Error::Invalid(format!(
            "{} has impossible {what}",
            label(node)
        ))),
        None => Ok(()),
    }
}

/// At most one dimension left open by -1, and no more elements than a tensor may have.
fn is_shape(shape: &[i64]) -> bool {
    let open = shape.iter().filter(|&&dim| dim == -1).count();
    let elements = shape
        .iter()
        .map(|&dim| dim.unsigned_abs().max(1))
        .fold(1, u64::saturating_mul);
    shape.len() <= RANK
        && open <= 1
        && shape.iter().all(|&dim| dim >= -1)
        && elements <= tensor::ELEMENTS
}
