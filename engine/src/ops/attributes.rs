//! Typed access to a node's attributes, each error naming operator and attribute.

use tract_onnx::pb::{AttributeProto, NodeProto, TensorProto};

use crate::error::{Error, Result};
use crate::kernels::post::PostTransform;

/// Attribute that the signature adds to encoders: names of the features behind their input columns.
pub const FEATURES: &str = "finai_features";

/// Attribute that lowering adds to label encoders: the operator set of their domain.
pub const VERSION: &str = "finai_version";

/// The attributes of one node.
#[derive(Debug, Clone, Copy)]
pub struct Attributes<'a> {
    node: &'a NodeProto,
}

impl<'a> Attributes<'a> {
    /// Refuses attributes given twice.
    pub fn new(node: &'a NodeProto) -> Result<Attributes<'a>> {
        for (i, a) in node.attribute.iter().enumerate() {
            if node.attribute[..i].iter().any(|b| b.name == a.name) {
                return Err(Error::Invalid(format!(
                    "{} has attribute \"{}\" twice",
                    node.op_type, a.name
                )));
            }
        }
        Ok(Attributes { node })
    }

    fn get(&self, name: &str) -> Option<&'a AttributeProto> {
        self.node.attribute.iter().find(|a| a.name == name)
    }

    /// An absent attribute is an empty slice.
    pub fn floats(&self, name: &str) -> &'a [f32] {
        self.get(name).map_or(&[], |a| &a.floats)
    }

    /// An absent attribute is an empty slice.
    pub fn ints(&self, name: &str) -> &'a [i64] {
        self.get(name).map_or(&[], |a| &a.ints)
    }

    /// An absent attribute is an empty slice.
    pub fn raw_strings(&self, name: &str) -> &'a [Vec<u8>] {
        self.get(name).map_or(&[], |a| &a.strings)
    }

    /// An absent attribute is an empty vector. Errors on invalid UTF-8.
    pub fn strings(&self, name: &str) -> Result<Vec<String>> {
        self.raw_strings(name)
            .iter()
            .map(|s| self.utf8(name, s))
            .collect()
    }

    pub fn float(&self, name: &str) -> Option<f32> {
        self.get(name).map(|a| a.f)
    }

    pub fn int(&self, name: &str) -> Option<i64> {
        self.get(name).map(|a| a.i)
    }

    pub fn string(&self, name: &str) -> Result<Option<String>> {
        self.get(name).map(|a| self.utf8(name, &a.s)).transpose()
    }

    pub fn tensor(&self, name: &str) -> Option<&'a TensorProto> {
        self.get(name).and_then(|a| a.t.as_ref())
    }

    /// Refuses a node that has one of these attributes.
    pub fn refuse(&self, names: &[&str]) -> Result<()> {
        match names.iter().find(|name| self.get(name).is_some()) {
            None => Ok(()),
            Some(name) => Err(Error::Unsupported(format!(
                "attribute \"{name}\" of {}",
                self.node.op_type
            ))),
        }
    }

    /// Attribute `post_transform`.
    pub fn post_transform(&self) -> Result<PostTransform> {
        match self.string("post_transform")?.as_deref() {
            None | Some("NONE") => Ok(PostTransform::None),
            Some("SOFTMAX") => Ok(PostTransform::Softmax),
            Some("LOGISTIC") => Ok(PostTransform::Logistic),
            Some("SOFTMAX_ZERO") => Ok(PostTransform::SoftmaxZero),
            Some("PROBIT") => Ok(PostTransform::Probit),
            Some(other) => Err(Error::Invalid(format!(
                "{} has post transform \"{other}\"",
                self.node.op_type
            ))),
        }
    }

    fn utf8(&self, name: &str, bytes: &[u8]) -> Result<String> {
        let text = std::str::from_utf8(bytes).map(str::to_owned);
        text.map_err(|_| {
            Error::Invalid(format!(
                "attribute \"{name}\" of {} is not UTF-8",
                self.node.op_type
            ))
        })
    }
}
