//! Which operators a model uses and which of them stand in the way, without compiling it.

use std::collections::BTreeMap;

use tract_onnx::pb;

use super::operators;
use super::prescan::{Bodies, prescan};
use crate::{Limits, Result};

/// One operator of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorUse {
    /// Name of the operator.
    pub op: String,
    /// Its domain; the default one is written `ai.onnx`.
    pub domain: String,
    /// Nodes that use it, those of nested graphs included.
    pub uses: usize,
    /// Whether models with it can be registered.
    pub supported: bool,
    /// What restricts its use, or why it is not supported; may be empty for a supported one.
    pub note: String,
}

/// The operators of a model, sorted by domain and name. Works on models that admission refuses for their operators.
///
/// # Errors
/// As for [`admit`](super::admit) on bytes that are not ONNX, above the limits, or with external data, functions,
/// training information or sparse tensors.
pub fn inspect(bytes: &[u8], limits: &Limits) -> Result<Vec<OperatorUse>> {
    prescan(bytes, Bodies::Count, limits)?;
    let model = super::decode::decode(bytes)?;
    let mut uses = BTreeMap::new();
    if let Some(graph) = &model.graph {
        count(graph, &mut uses);
    }
    let described = uses.into_iter().map(|((domain, op), uses)| OperatorUse {
        op: op.to_owned(),
        domain: domain.to_owned(),
        uses,
        supported: operators::is_listed(domain, op),
        note: operators::note(domain, op).to_owned(),
    });
    Ok(described.collect())
}

/// Counts the nodes of a graph and of the graphs in its attributes, whose depth the pre-scan has bounded.
fn count<'a>(graph: &'a pb::GraphProto, uses: &mut BTreeMap<(&'a str, &'a str), usize>) {
    for node in &graph.node {
        *uses
            .entry((operators::canonical(&node.domain), node.op_type.as_str()))
            .or_default() += 1;
        for attribute in &node.attribute {
            for body in attribute.g.iter().chain(&attribute.graphs) {
                count(body, uses);
            }
        }
    }
}
