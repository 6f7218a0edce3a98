//! Cells of tensor protos, for comparing.

use tract_onnx::pb::TensorProto;
use tract_onnx::pb::tensor_proto::DataType;

/// Cells in row-major order, widened.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    Floats(Vec<f64>),
    Integers(Vec<i64>),
    Texts(Vec<String>),
}

/// The cells of a tensor of raw data or texts. Types that no model of ours has read as no cells.
pub fn read(tensor: &TensorProto) -> Cells {
    let raw = &tensor.raw_data;
    macro_rules! cells {
        ($t:ty, $to:ty) => {
            raw.chunks_exact(size_of::<$t>())
                .map(|bytes| <$t>::from_le_bytes(bytes.try_into().unwrap()) as $to)
                .collect()
        };
    }
    match DataType::try_from(tensor.data_type) {
        Ok(DataType::Float) => Cells::Floats(cells!(f32, f64)),
        Ok(DataType::Double) => Cells::Floats(cells!(f64, f64)),
        Ok(DataType::Int64) => Cells::Integers(cells!(i64, i64)),
        Ok(DataType::Int32) => Cells::Integers(cells!(i32, i64)),
        Ok(DataType::Int16) => Cells::Integers(cells!(i16, i64)),
        Ok(DataType::Int8) => Cells::Integers(cells!(i8, i64)),
        Ok(DataType::Uint8 | DataType::Bool) => Cells::Integers(cells!(u8, i64)),
        Ok(DataType::Uint16) => Cells::Integers(cells!(u16, i64)),
        Ok(DataType::Uint32) => Cells::Integers(cells!(u32, i64)),
        Ok(DataType::String) => {
            let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
            Cells::Texts(tensor.string_data.iter().map(text).collect())
        }
        _ => Cells::Floats(Vec::new()),
    }
}
