//! An admitted graph made ready to compile: ZipMaps removed, attributes of ours that a file may carry dropped or set.

use std::collections::HashSet;

use tract_onnx::pb::{AttributeProto, ModelProto};

use crate::error::{Error, Result};
use crate::ops::{FEATURES, Labels, VERSION, zip_map};

/// What the lowered graph no longer says.
#[derive(Debug)]
pub struct Lowered {
    /// Labels of the last ZipMap.
    pub labels: Option<Labels>,
    /// Names of the outputs as the file has them.
    pub outputs: Vec<String>,
}

/// Removes every ZipMap, whose output becomes its input (once, where that is an output too).
pub fn lower(model: &mut ModelProto) -> Result<Lowered> {
    let Some(graph) = &mut model.graph else {
        return Err(Error::Invalid("model has no graph".into()));
    };
    let mut labels = None;
    let mut renamed = Vec::new();
    for node in graph.node.iter().filter(|node| node.op_type == "ZipMap") {
        let (Some(from), Some(to)) = (node.input.first(), node.output.first()) else {
            return Err(Error::Invalid("ZipMap without input or output".into()));
        };
        renamed.push((from.clone(), to.clone()));
        labels = Some(zip_map::keys(node)?);
    }
    graph.node.retain(|node| node.op_type != "ZipMap");
    let names: Vec<String> = graph.output.iter().map(|o| o.name.clone()).collect();
    for (from, to) in &renamed {
        if graph.node.iter().any(|node| node.input.contains(to)) {
            return Err(Error::Unsupported(
                "an operator that reads the maps of ZipMap".into(),
            ));
        }
        for output in graph.output.iter_mut().filter(|output| output.name == *to) {
            output.name.clone_from(from);
            output.r#type = None;
        }
    }
    let mut seen = HashSet::new();
    let mut given = names.into_iter();
    let mut outputs = Vec::new();
    graph.output.retain(|output| {
        let name = given.next().unwrap_or_default();
        let first = seen.insert(output.name.clone());
        if first {
            outputs.push(name);
        }
        first
    });
    let version = model.opset_import.iter().find(|o| o.domain == "ai.onnx.ml");
    let version = version.map_or(1, |o| o.version);
    for node in &mut graph.node {
        node.attribute
            .retain(|a| a.name != FEATURES && a.name != VERSION);
        if node.op_type == "LabelEncoder" {
            node.attribute.push(AttributeProto {
                name: VERSION.into(),
                i: version,
                ..AttributeProto::default()
            });
        }
    }
    Ok(Lowered { labels, outputs })
}
