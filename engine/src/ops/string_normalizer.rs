//! StringNormalizer: the case of texts.

use tract_onnx::pb::NodeProto;

use super::Attributes;
use crate::error::{Error, Result};
use crate::kernels::text::normalise::Case;

const OP: &str = "StringNormalizer";

/// The case that texts get; `None` where they stay as they are. Stop words are refused: a text that is one would leave its
/// tensor, and with one text a row that is the row. Case follows Unicode in every locale.
pub fn read(node: &NodeProto) -> Result<Option<Case>> {
    let attributes = Attributes::new(node)?;
    if !attributes.raw_strings("stopwords").is_empty() {
        return Err(Error::Unsupported(format!(
            "{OP} with stopwords, which drops whole rows,"
        )));
    }
    match attributes.string("case_change_action")?.as_deref() {
        None | Some("NONE") => Ok(None),
        Some("LOWER") => Ok(Some(Case::Lower)),
        Some("UPPER") => Ok(Some(Case::Upper)),
        Some(other) => Err(Error::Invalid(format!(
            "{OP} has case change action \"{other}\""
        ))),
    }
}
