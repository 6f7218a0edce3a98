//! What a tensor stored in the file must satisfy: a known element type, a sane shape, and a payload of that shape.

use tract_onnx::pb::TensorProto;
use tract_onnx::pb::tensor_proto::DataType;

use super::prescan::limit;
use crate::{Error, Result};

/// Dimensions of a tensor.
pub(super) const RANK: usize = 8;
/// Elements of a tensor, one row of an input included.
pub(super) const ELEMENTS: u64 = 1 << 31;

/// Number of elements of a stored tensor. `what` names it in errors.
pub(super) fn check(tensor: &TensorProto, what: &str) -> Result<u64> {
    let elements = elements(&tensor.dims, what)?;
    // tract reads the shape of an empty list from its payload; nothing else can be empty.
    if elements == 0 && tensor.dims.len() != 1 {
        return Err(Error::Invalid(format!("{what} has no elements")));
    }
    let stored = payload(tensor, what)?;
    if stored != elements {
        return Err(Error::Invalid(format!(
            "{what} stores {stored} elements, its shape has {elements}"
        )));
    }
    Ok(elements)
}

/// Product of dimensions that are all known.
pub(super) fn elements(dims: &[i64], what: &str) -> Result<u64> {
    limit("dimensions in a tensor", dims.len(), RANK)?;
    let mut elements = 1u64;
    for &dim in dims {
        let dim = u64::try_from(dim)
            .map_err(|_| Error::Invalid(format!("{what} has dimension {dim}")))?;
        elements = elements.saturating_mul(dim);
    }
    // A later 0 must not hide an earlier overflow.
    let bound = dims
        .iter()
        .map(|&dim| dim.unsigned_abs().max(1))
        .fold(1u64, u64::saturating_mul);
    if bound > ELEMENTS {
        return Err(Error::TooLarge {
            what: "elements in a tensor",
            found: bound,
            limit: ELEMENTS,
        });
    }
    Ok(elements)
}

/// The element type, where tract can hold it.
pub(super) fn element_type(code: i32, what: &str) -> Result<DataType> {
    let unsupported =
        |name: &str| Err(Error::Unsupported(format!("element type {name} of {what}")));
    match DataType::try_from(code) {
        Ok(
            known @ (DataType::Float
            | DataType::Double
            | DataType::Float16
            | DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::Uint8
            | DataType::Uint16
            | DataType::Uint32
            | DataType::Uint64
            | DataType::Bool
            | DataType::String),
        ) => Ok(known),
        Ok(DataType::Undefined) => Err(Error::Invalid(format!("{what} has no element type"))),
        Ok(other) => unsupported(other.as_str_name()),
        Err(_) => unsupported(&code.to_string()),
    }
}

/// Number of stored elements, in exactly one field and the right one for the type.
fn payload(tensor: &TensorProto, what: &str) -> Result<u64> {
    let data_type = element_type(tensor.data_type, what)?;
    let (size, typed) = match data_type {
        DataType::Float => (4, tensor.float_data.len()),
        DataType::Double => (8, tensor.double_data.len()),
        DataType::Int64 => (8, tensor.int64_data.len()),
        DataType::Int32 => (4, tensor.int32_data.len()),
        DataType::Int16 | DataType::Uint16 | DataType::Float16 => (2, tensor.int32_data.len()),
        DataType::Int8 | DataType::Uint8 | DataType::Bool => (1, tensor.int32_data.len()),
        DataType::String => (0, tensor.string_data.len()),
        // tract looks for the typed values of these two in the wrong fields.
        DataType::Uint32 => (4, 0),
        DataType::Uint64 => (8, 0),
        other => {
            return Err(Error::Unsupported(format!(
                "element type {} of {what}",
                other.as_str_name()
            )));
        }
    };
    if matches!(data_type, DataType::Uint32 | DataType::Uint64) && !tensor.uint64_data.is_empty() {
        return Err(Error::Unsupported(format!(
            "element type {} outside raw_data of {what}",
            data_type.as_str_name()
        )));
    }
    let all_typed = tensor.float_data.len()
        + tensor.double_data.len()
        + tensor.int32_data.len()
        + tensor.int64_data.len()
        + tensor.uint64_data.len()
        + tensor.string_data.len();
    let raw = tensor.raw_data.len();
    if all_typed != typed || (raw > 0 && typed > 0) {
        return Err(Error::Invalid(format!(
            "{what} stores values in a field that is not of its element type"
        )));
    }
    if data_type == DataType::String
        && !tensor
            .string_data
            .iter()
            .all(|text| std::str::from_utf8(text).is_ok())
    {
        return Err(Error::NotOnnx("text that is not UTF-8".into()));
    }
    if raw == 0 {
        return Ok(typed as u64);
    }
    if size == 0 || !raw.is_multiple_of(size) {
        return Err(Error::Invalid(format!(
            "{what} has {raw} bytes of raw data, its elements have {size}"
        )));
    }
    Ok((raw / size) as u64)
}
