//! Which operator sets a model imports, and what they make of its nodes.

use tract_onnx::pb;

use super::operators::{self, Operator};
use crate::{Error, Result};

/// The operator sets that the model imports.
pub(super) struct OperatorSets {
    onnx: Option<i64>,
    ml: Option<i64>,
}

impl OperatorSets {
    /// Reads the two known domains; exporters import others that they do not use, and the same one twice.
    pub(super) fn read(model: &pb::ModelProto) -> Result<Self> {
        let mut sets = OperatorSets {
            onnx: None,
            ml: None,
        };
        if model.opset_import.is_empty() {
            return Err(Error::Invalid("model imports no operator set".into()));
        }
        for import in &model.opset_import {
            let domain = operators::canonical(&import.domain);
            let (slot, versions) = match domain {
                operators::ONNX => (&mut sets.onnx, operators::ONNX_VERSIONS),
                operators::ML => (&mut sets.ml, operators::ML_VERSIONS),
                _ => continue,
            };
            let version = import.version;
            if !versions.contains(&version) {
                let (first, last) = versions.into_inner();
                return Err(Error::Unsupported(format!(
                    "operator set {version} of domain \"{domain}\", outside {first} to {last},"
                )));
            }
            if let Some(other) = slot.replace(version).filter(|&other| other != version) {
                return Err(Error::Invalid(format!(
                    "model imports operator sets {other} and {version} of domain \"{domain}\""
                )));
            }
        }
        Ok(sets)
    }

    /// The table's row for a node.
    pub(super) fn row(&self, node: &pb::NodeProto) -> Result<&'static Operator> {
        if !operators::is_listed(&node.domain, &node.op_type) {
            return Err(operators::unsupported(&node.domain, &node.op_type));
        }
        let domain = operators::canonical(&node.domain);
        let version = match domain {
            operators::ML => self.ml,
            operators::MICROSOFT => Some(1),
            _ => self.onnx,
        };
        let Some(version) = version else {
            let op = &node.op_type;
            return Err(Error::Invalid(format!(
                "operator \"{op}\" is of domain \"{domain}\", which is not imported"
            )));
        };
        operators::find(domain, &node.op_type, version).ok_or_else(|| {
            let op = &node.op_type;
            Error::Unsupported(format!(
                "operator \"{op}\" in operator set {version} of domain \"{domain}\""
            ))
        })
    }
}
