//! CategoryMapper: texts to integers or integers to texts, cell by cell.

use tract_onnx::pb::NodeProto;

use super::{Attributes, Bound};
use crate::error::{Error, Result};
use crate::kernels::label::{Keys, LabelEncoder, Table};
use crate::kernels::{Element, Shape};

const OP: &str = "CategoryMapper";

/// The other of text and i64, as wide as the input. Of equal categories the last counts, as onnxruntime does.
pub fn bind(node: &NodeProto, inputs: &[Shape]) -> Result<Bound> {
    let attributes = Attributes::new(node)?;
    let (ints, texts) = (
        attributes.ints("cats_int64s"),
        attributes.strings("cats_strings")?,
    );
    let [shape] = inputs else {
        return Err(Error::Invalid(format!(
            "{OP} takes 1 input, found {}",
            inputs.len()
        )));
    };
    if ints.len() != texts.len() || ints.is_empty() {
        return Err(Error::Invalid(format!(
            "{OP} has {} integer and {} text categories",
            ints.len(),
            texts.len()
        )));
    }
    let (keys, table) = match shape.element {
        Element::Text => {
            let default = attributes.int("default_int64").unwrap_or(-1);
            let pairs = texts.iter().rev().zip(ints.iter().rev());
            let (texts, ints): (Vec<_>, Vec<_>) = pairs.map(|(t, i)| (t.clone(), *i)).unzip();
            (Keys::texts(&texts), Table::I64(ints, default))
        }
        Element::I64 => {
            let default = attributes.string("default_string")?;
            let default = default.unwrap_or_else(|| "_Unused".into());
            let pairs = texts.iter().rev().zip(ints.iter().rev());
            let (texts, ints): (Vec<_>, Vec<_>) =
                pairs.map(|(t, i)| (t.as_str().into(), *i)).unzip();
            (Keys::integers(&ints), Table::Text(texts, default.into()))
        }
        other => return Err(Error::Unsupported(format!("{OP} over {other:?}"))),
    };
    let output = Shape {
        element: table.element(),
        width: shape.width,
    };
    Ok(Bound::new(LabelEncoder { keys, table }, output))
}
