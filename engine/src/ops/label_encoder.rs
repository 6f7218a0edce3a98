//! LabelEncoder: one value for another, column by column.

use tract_onnx::pb::NodeProto;

use super::tensor::{Cells, Constant};
use super::{Attributes, Bound, Labels, VERSION};
use crate::error::{Error, Result};
use crate::kernels::label::{Keys, LabelEncoder, Table};
use crate::kernels::{Element, Shape};

const OP: &str = "LabelEncoder";
/// Text for unknown keys where the file names none.
const UNUSED: &str = "_Unused";

/// As wide as the input, of the element of the value table. Of equal keys the first counts, as in onnxruntime.
pub fn bind(node: &NodeProto, inputs: &[Shape]) -> Result<Bound> {
    let attributes = Attributes::new(node)?;
    let [shape] = inputs else {
        return Err(Error::Invalid(format!(
            "{OP} takes 1 input, found {}",
            inputs.len()
        )));
    };
    let (keys, count, table) = match attributes.strings("classes_strings")? {
        classes if classes.is_empty() => {
            let (keys, count) = keys(&attributes, shape.element)?;
            (keys, count, values(&attributes)?)
        }
        classes => positions(&attributes, shape.element, &classes)?,
    };
    if table.len() != count {
        return Err(Error::Invalid(format!(
            "{OP} has {count} keys and {} values",
            table.len()
        )));
    }
    let output = Shape {
        element: table.element(),
        width: shape.width,
    };
    Ok(Bound::new(LabelEncoder { keys, table }, output))
}

/// Opset 1: texts to their positions, or positions to texts.
fn positions(
    attributes: &Attributes<'_>,
    element: Element,
    classes: &[String],
) -> Result<(Keys, usize, Table)> {
    let count = i64::try_from(classes.len()).unwrap_or(i64::MAX);
    let integers: Vec<i64> = (0..count).collect();
    match element {
        Element::Text => {
            let default = attributes.int("default_int64").unwrap_or(-1);
            let table = Table::I64(integers, default);
            Ok((Keys::texts(classes), classes.len(), table))
        }
        Element::I64 => {
            let default = attributes.string("default_string")?;
            let table = texts(classes, default.as_deref().unwrap_or(UNUSED));
            Ok((Keys::integers(&integers), classes.len(), table))
        }
        other => Err(Error::Unsupported(format!("{OP} over {other:?}"))),
    }
}

fn texts(values: &[String], default: &str) -> Table {
    let values = values.iter().map(|v| v.as_str().into()).collect();
    Table::Text(values, default.into())
}

/// One of several attributes, which exclude each other.
fn cells(attributes: &Attributes<'_>, part: &str) -> Result<Cells> {
    let named = |suffix: &str| format!("{part}_{suffix}");
    let (ints, floats) = (
        attributes.ints(&named("int64s")),
        attributes.floats(&named("floats")),
    );
    let texts = attributes.strings(&named("strings"))?;
    let tensor = attributes.tensor(&named("tensor"));
    match (ints.is_empty(), floats.is_empty(), texts.is_empty(), tensor) {
        (false, true, true, None) => Ok(Cells::I64(ints.to_vec())),
        (true, false, true, None) => Ok(Cells::F32(floats.to_vec())),
        (true, true, false, None) => Ok(Cells::Text(texts)),
        (true, true, true, Some(tensor)) => {
            let constant = Constant::read(tensor)?;
            match constant.dims.as_slice() {
                [n] if *n > 0 => Ok(constant.cells),
                dims => Err(Error::Invalid(format!(
                    "{OP} has {} of dimensions {dims:?}",
                    named("tensor")
                ))),
            }
        }
        (true, true, true, None) => Err(Error::Invalid(format!("{OP} has no {part}"))),
        _ => Err(Error::Invalid(format!("{OP} has {part} of two types"))),
    }
}

fn keys(attributes: &Attributes<'_>, element: Element) -> Result<(Keys, usize)> {
    // Before operator set 4 NaN equals no key, not even NaN.
    let nan = attributes.int(VERSION).is_none_or(|version| version >= 4);
    match (cells(attributes, "keys")?, element) {
        (Cells::Text(v), Element::Text) => Ok((Keys::texts(&v), v.len())),
        (Cells::I64(v), Element::I64) => Ok((Keys::integers(&v), v.len())),
        (Cells::F32(v), Element::F32) => Ok((Keys::floats(&v, nan), v.len())),
        (Cells::F64(v), Element::F64) => Ok((Keys::doubles(&v, nan), v.len())),
        (_, Element::Bool) => Err(Error::Unsupported(format!("{OP} over {element:?}"))),
        _ => Err(Error::Invalid(format!(
            "{OP} over {element:?} has keys of another type"
        ))),
    }
}

fn values(attributes: &Attributes<'_>) -> Result<Table> {
    let default = match attributes.tensor("default_tensor") {
        None => None,
        Some(tensor) => {
            let constant = Constant::read(tensor)?;
            if constant.len() != 1 {
                return Err(Error::Invalid(format!(
                    "{OP} has {} values in default_tensor",
                    constant.len()
                )));
            }
            Some(constant.cells)
        }
    };
    let other = || Error::Invalid(format!("{OP} has a default_tensor of another type"));
    Ok(match (cells(attributes, "values")?, default) {
        (Cells::F32(v), None) => Table::F32(v, attributes.float("default_float").unwrap_or(-0.0)),
        (Cells::F32(v), Some(Cells::F32(d))) => Table::F32(v, *d.first().ok_or_else(other)?),
        (Cells::F64(v), None) => Table::F64(v, -0.0),
        (Cells::F64(v), Some(Cells::F64(d))) => Table::F64(v, *d.first().ok_or_else(other)?),
        (Cells::I64(v), None) => Table::I64(v, attributes.int("default_int64").unwrap_or(-1)),
        (Cells::I64(v), Some(Cells::I64(d))) => Table::I64(v, *d.first().ok_or_else(other)?),
        (Cells::Text(v), None) => {
            let default = attributes.string("default_string")?;
            texts(&v, default.as_deref().unwrap_or(UNUSED))
        }
        (Cells::Text(v), Some(Cells::Text(d))) => texts(&v, d.first().ok_or_else(other)?),
        _ => return Err(other()),
    })
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
