//! Attributes as a structure: each named once, of one kind, tensors of a valid payload, and small numbers where
//! tract computes sizes or indexes axes with them. What they mean is checked where the operator is built.

use std::collections::HashSet;

use tract_onnx::pb;
use tract_onnx::pb::attribute_proto::AttributeType;

use super::graph::label;
use super::{operators, tensor};
use crate::{Error, Result};

/// Largest stride, dilation or padding of a convolution or pooling along one axis, and most groups.
const WINDOW: i64 = 1_024;
/// Most elements of a kernel, which a pooling reads for every output without storing one of them.
const KERNEL: u64 = 4_096;

/// Checks every attribute of a node.
pub(super) fn check(node: &pb::NodeProto) -> Result<()> {
    let mut names = HashSet::new();
    for attribute in &node.attribute {
        let name = attribute.name.as_str();
        let what = || format!("attribute \"{name}\" of {}", label(node));
        if name.is_empty() || !names.insert(name) {
            return Err(Error::Invalid(format!(
                "{} is unnamed or given twice",
                what()
            )));
        }
        if !attribute.ref_attr_name.is_empty() {
            return Err(Error::Invalid(format!(
                "{} refers to an attribute of a function",
                what()
            )));
        }
        for inner in attribute.t.iter().chain(&attribute.tensors) {
            tensor::check(inner, &what())?;
        }
        kind(attribute).ok_or_else(|| {
            Error::Invalid(format!("{} holds no value of its declared type", what()))
        })?;
        if operators::canonical(&node.domain) == operators::ONNX {
            range(node, attribute)?;
        }
    }
    Ok(())
}

/// An integer attribute, where it is given.
pub(super) fn integer(node: &pb::NodeProto, name: &str) -> Option<i64> {
    node.attribute
        .iter()
        .find(|attribute| attribute.name == name)
        .map(|attribute| attribute.i)
}

/// A list of integers, where it is given.
pub(super) fn integers<'a>(node: &'a pb::NodeProto, name: &str) -> Option<&'a [i64]> {
    node.attribute
        .iter()
        .find(|attribute| attribute.name == name)
        .map(|attribute| attribute.ints.as_slice())
}

/// Spatial axes of a convolution or pooling: its kernel, strides and dilations have one number each, its padding two.
pub(super) fn windows(node: &pb::NodeProto) -> Result<Option<usize>> {
    let mut axes = None;
    for (name, each) in [
        ("kernel_shape", 1),
        ("strides", 1),
        ("dilations", 1),
        ("pads", 2),
    ] {
        let Some(given) = integers(node, name).map(<[i64]>::len) else {
            continue;
        };
        let expected = *axes.get_or_insert(given / each) * each;
        if given == 0 || given != expected {
            let label = label(node);
            return Err(Error::Invalid(format!(
                "{label} has {given} numbers in \"{name}\", {expected} expected"
            )));
        }
    }
    let kernel = integers(node, "kernel_shape").unwrap_or_default();
    let elements = kernel
        .iter()
        .map(|side| side.unsigned_abs())
        .fold(1, u64::saturating_mul);
    if elements > KERNEL {
        return Err(Error::TooLarge {
            what: "elements in a kernel",
            found: elements,
            limit: KERNEL,
        });
    }
    Ok(axes)
}

/// The attribute's kind, where no field of another kind is filled.
fn kind(attribute: &pb::AttributeProto) -> Option<AttributeType> {
    let kind = AttributeType::try_from(attribute.r#type).ok()?;
    let filled = [
        (AttributeType::Tensor, attribute.t.is_some()),
        (AttributeType::String, !attribute.s.is_empty()),
        (AttributeType::Float, attribute.f != 0.0),
        (AttributeType::Int, attribute.i != 0),
        (AttributeType::Floats, !attribute.floats.is_empty()),
        (AttributeType::Ints, !attribute.ints.is_empty()),
        (AttributeType::Strings, !attribute.strings.is_empty()),
        (AttributeType::Tensors, !attribute.tensors.is_empty()),
        (AttributeType::Graph, attribute.g.is_some()),
        (AttributeType::TypeProtos, !attribute.type_protos.is_empty()),
    ];
    let known = filled.iter().any(|(known, _)| *known == kind);
    let alone = filled.iter().all(|&(other, full)| !full || other == kind);
    let there = kind != AttributeType::Tensor || attribute.t.is_some();
    (known && alone && there).then_some(kind)
}

/// Bounds on integers that tract subtracts, multiplies or indexes with before it looks at them.
fn range(node: &pb::NodeProto, attribute: &pb::AttributeProto) -> Result<()> {
    let rank = tensor::RANK as i64;
    let bounds = match (node.op_type.as_str(), attribute.name.as_str()) {
        ("Slice", "starts" | "ends") | ("Constant", _) => return Ok(()),
        ("TfIdfVectorizer", "pool_int64s") => return Ok(()),
        (_, "axis" | "axes") => -rank..=rank,
        (_, "perm") => 0..=rank - 1,
        (_, "strides" | "dilations" | "kernel_shape" | "group") => 1..=WINDOW,
        (_, "pads") => 0..=WINDOW,
        ("BatchNormalization", "training_mode") => 0..=0,
        _ => -(1 << 31)..=1 << 31,
    };
    let integers = match AttributeType::try_from(attribute.r#type) {
        Ok(AttributeType::Int) => std::slice::from_ref(&attribute.i),
        Ok(AttributeType::Ints) => &attribute.ints,
        _ => return Ok(()),
    };
    if !integers.iter().all(|value| bounds.contains(value)) {
        let (first, last) = bounds.into_inner();
        let name = &attribute.name;
        return Err(Error::Invalid(format!(
            "attribute \"{name}\" of {} is outside {first} to {last}",
            label(node)
        )));
    }
    if attribute.name == "perm" {
        let mut axes = attribute.ints.clone();
        axes.sort_unstable();
        if axes
            .iter()
            .enumerate()
            .any(|(position, &axis)| axis != position as i64)
        {
            return Err(Error::Invalid(format!(
                "attribute \"perm\" of {} is not a permutation",
                label(node)
            )));
        }
    }
    Ok(())
}

/// Number of elements of a `Constant` node, which holds exactly one value.
pub(super) fn constant(node: &pb::NodeProto) -> Result<u64> {
    let [value] = node.attribute.as_slice() else {
        let found = node.attribute.len();
        return Err(Error::Invalid(format!(
            "{} has {found} attributes, its operator has 1",
            label(node)
        )));
    };
    match (value.name.as_str(), &value.t) {
        ("value", Some(stored)) => tensor::check(stored, &label(node)),
        ("value_float" | "value_int" | "value_string", None) => Ok(1),
        ("value_floats", None) => Ok(value.floats.len() as u64),
        ("value_ints", None) => Ok(value.ints.len() as u64),
        ("value_strings", None) => Ok(value.strings.len() as u64),
        _ => Err(Error::Invalid(format!("{} has no value", label(node)))),
    }
}
