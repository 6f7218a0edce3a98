//! Constants of a file: initialisers and Constant nodes.

use tract_onnx::pb::TensorProto;
use tract_onnx::pb::tensor_proto::DataType;

use crate::error::{Error, Result};
use crate::kernels::Element;

/// Cells of a constant.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    F32(Vec<f32>),
    F64(Vec<f64>),
    I64(Vec<i64>),
    Text(Vec<String>),
}

/// A constant with its dimensions.
#[derive(Debug, Clone, PartialEq)]
pub struct Constant {
    pub dims: Vec<usize>,
    pub cells: Cells,
}

impl Constant {
    /// Reads f32, f64, int32, int64, bool and text; other types are unsupported. The number of cells must be what the
    /// dimensions say.
    pub fn read(tensor: &TensorProto) -> Result<Constant> {
        let name = &tensor.name;
        let dims = tensor
            .dims
            .iter()
            .map(|d| usize::try_from(*d).ok())
            .collect::<Option<Vec<_>>>();
        let dims = dims
            .ok_or_else(|| Error::Invalid(format!("tensor \"{name}\" has a negative dimension")))?;
        let count = dims.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
        let raw = &tensor.raw_data;
        let cells = match DataType::try_from(tensor.data_type) {
            Ok(DataType::Float) if raw.is_empty() => Cells::F32(tensor.float_data.clone()),
            Ok(DataType::Float) => Cells::F32(words(name, raw, f32::from_le_bytes)?),
            Ok(DataType::Double) if raw.is_empty() => Cells::F64(tensor.double_data.clone()),
            Ok(DataType::Double) => Cells::F64(words(name, raw, f64::from_le_bytes)?),
            Ok(DataType::Int64) if raw.is_empty() => Cells::I64(tensor.int64_data.clone()),
            Ok(DataType::Int64) => Cells::I64(words(name, raw, i64::from_le_bytes)?),
            Ok(DataType::Int32 | DataType::Bool) if raw.is_empty() => {
                Cells::I64(tensor.int32_data.iter().map(|v| i64::from(*v)).collect())
            }
            Ok(DataType::Int32) => {
                Cells::I64(words(name, raw, |b| i64::from(i32::from_le_bytes(b)))?)
            }
            Ok(DataType::Bool) => Cells::I64(raw.iter().map(|b| i64::from(*b != 0)).collect()),
            Ok(DataType::String) => Cells::Text(texts(tensor)?),
            _ => {
                return Err(Error::Unsupported(format!(
                    "element type {} of tensor \"{name}\"",
                    tensor.data_type
                )));
            }
        };
        let constant = Constant { dims, cells };
        match count {
            Some(n) if n == constant.len() => Ok(constant),
            _ => Err(Error::Invalid(format!(
                "tensor \"{name}\" has {} cells for dimensions {:?}",
                constant.len(),
                constant.dims
            ))),
        }
    }

    pub fn len(&self) -> usize {
        match &self.cells {
            Cells::F32(v) => v.len(),
            Cells::F64(v) => v.len(),
            Cells::I64(v) => v.len(),
            Cells::Text(v) => v.len(),
        }
    }

    pub fn element(&self) -> Element {
        match &self.cells {
            Cells::F32(_) => Element::F32,
            Cells::F64(_) => Element::F64,
            Cells::I64(_) => Element::I64,
            Cells::Text(_) => Element::Text,
        }
    }

    /// The cells in these places, one after the other; `None` for places that there are not.
    pub fn stretched(&self, places: &[usize]) -> Option<Constant> {
        fn picked<T: Clone>(cells: &[T], places: &[usize]) -> Option<Vec<T>> {
            places.iter().map(|i| cells.get(*i).cloned()).collect()
        }
        let cells = match &self.cells {
            Cells::F32(v) => Cells::F32(picked(v, places)?),
            Cells::F64(v) => Cells::F64(picked(v, places)?),
            Cells::I64(v) => Cells::I64(picked(v, places)?),
            Cells::Text(v) => Cells::Text(picked(v, places)?),
        };
        let dims = vec![places.len()];
        Some(Constant { dims, cells })
    }

    /// The cells, where they are f32.
    pub fn f32s(&self) -> Option<&[f32]> {
        match &self.cells {
            Cells::F32(v) => Some(v),
            _ => None,
        }
    }

    /// The cells, where they are integers.
    pub fn i64s(&self) -> Option<&[i64]> {
        match &self.cells {
            Cells::I64(v) => Some(v),
            _ => None,
        }
    }
}

fn words<const N: usize, T>(name: &str, raw: &[u8], read: impl Fn([u8; N]) -> T) -> Result<Vec<T>> {
    let chunks = raw.chunks_exact(N);
    if !chunks.remainder().is_empty() {
        return Err(Error::Invalid(format!(
            "tensor \"{name}\" has {} bytes for cells of {N}",
            raw.len()
        )));
    }
    Ok(chunks
        .map(|c| read(std::array::from_fn(|i| c[i])))
        .collect())
}

fn texts(tensor: &TensorProto) -> Result<Vec<String>> {
    let text = |s: &Vec<u8>| std::str::from_utf8(s).map(str::to_owned);
    let texts = tensor
        .string_data
        .iter()
        .map(text)
        .collect::<std::result::Result<_, _>>();
    texts.map_err(|_| Error::Invalid(format!("tensor \"{}\" is not UTF-8", tensor.name)))
}
