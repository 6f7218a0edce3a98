//! Bytes to an admitted graph: wire pre-scan, decode, operator allow-list, structure of the graph.
//!
//! The bytes are untrusted. Nothing is allocated for them before the pre-scan has summed what decoding takes, and
//! nothing reaches tract that it would parse recursively, index without looking or evaluate without bound.

use tract_onnx::pb;

use crate::{Limits, Result};

mod attributes;
pub(crate) mod budget;
mod canonical;
mod decode;
mod graph;
mod inspect;
mod interface;
mod literals;
mod maps;
mod operators;
mod opset;
mod prescan;
mod ranks;
mod schema;
mod tensor;
mod wire;

pub use inspect::{OperatorUse, inspect};
pub(crate) use operators::growing;
pub use operators::{note, supported_operators};

/// Decodes a model that is safe to compile.
///
/// The result differs from the file in spelling only: the default domain is the empty string, every node has a name
/// of its own, optional inputs left out at the end are gone, symbolic dimensions of inputs are plain identifiers (or
/// unknown), shapes of outputs and descriptions of inner values are dropped, an input that is a map is a tensor with one
/// column for each key of its vocabulary.
///
/// # Errors
/// [`crate::Error::NotOnnx`] for bytes that are not a model, [`crate::Error::TooLarge`] above `limits`,
/// [`crate::Error::UnsupportedOperator`] for the first operator not on the list, [`crate::Error::Unsupported`] for external data,
/// functions, nested graphs, element types and operator sets, [`crate::Error::Invalid`] for a graph that contradicts itself.
pub fn admit(bytes: &[u8], limits: &Limits) -> Result<pb::ModelProto> {
    prescan(bytes, limits)?;
    let mut model = decode::decode(bytes)?;
    graph::check(&model, limits)?;
    maps::rewrite(&mut model, bytes, limits)?;
    canonical::rewrite(&mut model);
    Ok(model)
}

/// The first gate alone: whether decoding the bytes stays within the limits. Allocates nothing.
///
/// # Errors
/// [`crate::Error::NotOnnx`] for bytes that are no protobuf, [`crate::Error::TooLarge`] above `limits`, [`crate::Error::Unsupported`] for parts
/// of a file that no model may have.
pub fn prescan(bytes: &[u8], limits: &Limits) -> Result<()> {
    prescan::prescan(bytes, prescan::Bodies::Refuse, limits)
}
