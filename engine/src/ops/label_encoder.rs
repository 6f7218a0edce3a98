//! LabelEncoder: one value for another, column by column.

use std::collections::HashSet;

use tract_onnx::pb::NodeProto;

use super::{Attributes, Bound, Labels};
use crate::error::{Error, Result};
use crate::kernels::encode::{Categories, Codes, Keys, LabelEncoder, key_bits};
use crate::kernels::{Element, Shape};

const OP: &str = "LabelEncoder";

/// Numbers out, of the element of the value table. Text values are for class labels only: [`relabel`].
pub fn bind(node: &NodeProto, inputs: &[Shape]) -> Result<Bound> {
    let attributes = Attributes::new(node)?;
    attributes.refuse(&[
        "keys_tensor",
        "values_tensor",
        "default_tensor",
        "classes_strings",
    ])?;
    let [shape] = inputs else {
        return Err(Error::Invalid(format!(
            "{OP} takes 1 input, found {}",
            inputs.len()
        )));
    };
    let (keys, count) = keys(&attributes, shape.element)?;
    let (floats, ints) = (
        attributes.floats("values_floats"),
        attributes.ints("values_int64s"),
    );
    let (codes, element, values) = match (floats.len(), ints.len()) {
        (0, 0) => return Err(Error::Unsupported(format!("{OP} that writes text"))),
        (n, 0) => {
            let default = attributes.float("default_float").unwrap_or(-0.0);
            (Codes::F32(floats.to_vec(), default), Element::F32, n)
        }
        (0, n) => {
            let default = attributes.int("default_int64").unwrap_or(-1);
            (Codes::I64(ints.to_vec(), default), Element::I64, n)
        }
        _ => return Err(Error::Invalid(format!("{OP} has values of two types"))),
    };
    if values != count {
        return Err(Error::Invalid(format!(
            "{OP} has {count} keys and {values} values"
        )));
    }
    Ok(Bound::new(
        LabelEncoder { keys, codes },
        Shape {
            element,
            width: shape.width,
        },
    ))
}

fn keys(attributes: &Attributes<'_>, element: Element) -> Result<(Keys, usize)> {
    let texts = attributes.strings("keys_strings")?;
    let (ints, floats) = (
        attributes.ints("keys_int64s"),
        attributes.floats("keys_floats"),
    );
    let (keys, count, distinct) = match element {
        Element::Text => {
            let distinct = texts.iter().collect::<HashSet<_>>().len();
            (
                Keys::Categories(Categories::texts(&texts)),
                texts.len(),
                distinct,
            )
        }
        Element::I64 => {
            let distinct = ints.iter().collect::<HashSet<_>>().len();
            (
                Keys::Categories(Categories::integers(ints)),
                ints.len(),
                distinct,
            )
        }
        Element::F32 => {
            let distinct = floats
                .iter()
                .map(|f| key_bits(*f))
                .collect::<HashSet<_>>()
                .len();
            (Keys::floats(floats), floats.len(), distinct)
        }
        other => return Err(Error::Unsupported(format!("{OP} over {other:?}"))),
    };
    if count == 0 || count != texts.len() + ints.len() + floats.len() {
        return Err(Error::Invalid(format!(
            "{OP} over {element:?} has {count} keys of that type"
        )));
    }
    if distinct != count {
        return Err(Error::Invalid(format!(
            "{OP} has {count} keys, {distinct} of them distinct"
        )));
    }
    Ok((keys, count))
}

/// The texts that the node writes for integer labels; `None` where it writes no texts or misses a label.
pub fn relabel(node: &NodeProto, labels: &[i64]) -> Result<Option<Labels>> {
    let attributes = Attributes::new(node)?;
    let (keys, texts) = (
        attributes.ints("keys_int64s"),
        attributes.strings("values_strings")?,
    );
    if keys.len() != texts.len() {
        return Ok(None);
    }
    let text = |label: &i64| {
        keys.iter()
            .position(|k| k == label)
            .and_then(|i| texts.get(i))
            .cloned()
    };
    Ok(labels
        .iter()
        .map(text)
        .collect::<Option<Vec<String>>>()
        .map(Labels::Texts))
}
