//! OneHotEncoder: every column becomes one column per category.

use std::collections::HashSet;

use tract_onnx::pb::NodeProto;

use super::{Attributes, Bound, FEATURES};
use crate::error::{Error, Result};
use crate::kernels::categories::Categories;
use crate::kernels::encode::OneHot;
use crate::kernels::{Element, Shape};

const OP: &str = "OneHotEncoder";

/// f32 out, `width * categories` columns.
pub fn bind(node: &NodeProto, inputs: &[Shape]) -> Result<Bound> {
    let attributes = Attributes::new(node)?;
    let [shape] = inputs else {
        return Err(Error::Invalid(format!(
            "{OP} takes 1 input, found {}",
            inputs.len()
        )));
    };
    let (ints, texts) = tables(node)?;
    let (categories, width) = match (shape.element, ints.is_empty()) {
        (Element::Text, true) => (Categories::texts(&texts), texts.len()),
        (Element::Text, false) => {
            return Err(Error::Invalid(format!(
                "{OP} has integer categories for text"
            )));
        }
        (_, false) => (Categories::integers(&ints), ints.len()),
        (_, true) => {
            return Err(Error::Invalid(format!(
                "{OP} has text categories for numbers"
            )));
        }
    };
    let kernel = OneHot {
        categories,
        width,
        zeros: accepts_unknown(node),
        features: attributes.strings(FEATURES)?,
    };
    Ok(Bound::new(kernel, Shape::f32(width * shape.width)))
}

/// Categories of the node, integers or texts; one of the two is empty.
fn tables(node: &NodeProto) -> Result<(Vec<i64>, Vec<String>)> {
    let attributes = Attributes::new(node)?;
    let (ints, texts) = (
        attributes.ints("cats_int64s").to_vec(),
        attributes.strings("cats_strings")?,
    );
    if ints.is_empty() == texts.is_empty() {
        return Err(Error::Invalid(format!(
            "{OP} has {} integer and {} text categories",
            ints.len(),
            texts.len()
        )));
    }
    let distinct =
        ints.iter().collect::<HashSet<_>>().len() + texts.iter().collect::<HashSet<_>>().len();
    if distinct != ints.len() + texts.len() {
        return Err(Error::Invalid(format!(
            "{OP} has {} categories, {distinct} of them distinct",
            ints.len() + texts.len()
        )));
    }
    Ok((ints, texts))
}

/// Attribute `zeros`: unknown categories become zeros.
pub fn accepts_unknown(node: &NodeProto) -> bool {
    node.attribute
        .iter()
        .find(|a| a.name == "zeros")
        .is_none_or(|a| a.i != 0)
}

/// Categories as texts.
pub fn categories(node: &NodeProto) -> Result<Vec<String>> {
    let (ints, texts) = tables(node)?;
    Ok(if texts.is_empty() {
        ints.iter().map(i64::to_string).collect()
    } else {
        texts
    })
}
