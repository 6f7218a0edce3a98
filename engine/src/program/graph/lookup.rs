//! Gather with indices that depend on the row: an embedding.

use std::fmt;

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;

use crate::error::Error;

/// Takes parts of a table by index. tract's own looks for an index outside its axis in the whole tensor, where it finds
/// cells of a neighbour; here it is an error.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Lookup {
    pub axis: usize,
    /// What errors name: the input that the indices come from, or the node.
    pub feature: String,
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lookup along {}", self.axis)
    }
}

impl Op for Lookup {
    fn name(&self) -> StaticName {
        "Lookup".into()
    }

    op_as_typed_op!();
}

impl Lookup {
    fn shape(&self, table: &[usize], indices: &[usize]) -> TractResult<TVec<usize>> {
        let (before, after) = (table.get(..self.axis), table.get(self.axis + 1..));
        let (Some(before), Some(after)) = (before, after) else {
            bail!("an axis that its table has not")
        };
        Ok([before, indices, after].concat().into())
    }

    /// Copies blocks of `inner` cells from a table of `outer` groups of `len` blocks.
    fn copy<T: Clone>(
        &self,
        table: &[T],
        indices: &[i64],
        len: usize,
        inner: usize,
    ) -> TractResult<Vec<T>> {
        let outer = table.len() / (len * inner).max(1);
        let mut out = Vec::new();
        out.try_reserve_exact(outer * indices.len() * inner)?;
        for group in table.chunks_exact((len * inner).max(1)) {
            for index in indices {
                let wrapped = if *index < 0 {
                    index.saturating_add(len as i64)
                } else {
                    *index
                };
                let block = usize::try_from(wrapped).ok().filter(|i| *i < len);
                let Some(cells) = block.and_then(|i| group.get(i * inner..(i + 1) * inner)) else {
                    let feature = self.feature.clone();
                    return Err(Error::UnknownCategory { feature }.into());
                };
                out.extend_from_slice(cells);
            }
        }
        Ok(out)
    }
}

impl EvalOp for Lookup {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let (table, indices) = args_2!(inputs);
        let dims = self.shape(table.shape(), indices.shape())?;
        let len = table.shape().get(self.axis).copied().unwrap_or(0);
        let after = table.shape().get(self.axis + 1..).unwrap_or_default();
        let inner = after.iter().product::<usize>();
        let wide = indices.cast_to::<i64>()?;
        let wide = wide.try_as_plain_ram()?;
        let indices = wide.as_slice::<i64>()?;
        let plain = table.try_as_plain_ram()?;
        macro_rules! gather {
            ($($t:ty),*) => {
                match table.datum_type() {
                    $(d if d == <$t>::datum_type() => {
                        let cells = self.copy(plain.as_slice::<$t>()?, indices, len, inner)?;
                        tensor1(&cells).into_shape(&dims)?
                    })*
                    other => bail!("a table of {other:?}"),
                }
            };
        }
        let out = gather!(
            f32, f64, f16, i64, i32, i16, i8, u8, u16, u32, u64, bool, String
        );
        Ok(tvec!(out.into_tvalue()))
    }
}

impl TypedOp for Lookup {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let [table, indices] = inputs else {
            bail!("a lookup of {} inputs", inputs.len())
        };
        let (Some(dims), Some(indices)) = (table.shape.as_concrete(), indices.shape.as_concrete())
        else {
            bail!("a lookup of unknown shape")
        };
        Ok(tvec!(table.datum_type.fact(self.shape(dims, indices)?)))
    }

    as_op!();
}
