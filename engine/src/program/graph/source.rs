//! Rows of a batch as the tensors that a graph takes.

use tract_onnx::prelude::*;

use super::evaluation;
use crate::batch::{Blocks, columns};
use crate::error::{Error, Result};
use crate::kernels::Element;
use crate::kernels::slab::text;
use crate::signature::inputs::Declared;
use crate::signature::{Feature, Kind};

/// Where a graph input's cells are in the batch.
#[derive(Debug)]
pub struct Source {
    element: Element,
    column: usize,
    width: usize,
    dims: TVec<usize>,
    narrow: bool,
}

impl Declared {
    /// Dimensions of one row.
    pub(super) fn dims(&self) -> TVec<usize> {
        if self.rank == 1 {
            tvec!(1)
        } else {
            tvec!(1, self.input.width)
        }
    }
}

/// One for every graph input, in their order.
pub fn sources(inputs: &[Declared], features: &[Feature]) -> Vec<Source> {
    let columns = columns(features);
    let source = |(i, declared): (usize, &Declared)| {
        let first = features.iter().position(|f| f.input == i)?;
        let (element, column) = columns.get(first).copied()?;
        let narrow = declared.narrow && declared.input.kind == Kind::Int64;
        Some(Source {
            element,
            column,
            width: declared.input.width,
            dims: declared.dims(),
            narrow,
        })
    };
    inputs.iter().enumerate().filter_map(source).collect()
}

impl Source {
    /// A row of zeros or empty texts.
    pub fn zeros(&self) -> Result<TValue> {
        let datum = match self.element {
            Element::F32 => DatumType::F32,
            Element::F64 => DatumType::F64,
            Element::I64 if self.narrow => DatumType::I32,
            Element::I64 => DatumType::I64,
            Element::Bool => DatumType::Bool,
            Element::Text => {
                let texts = vec![String::new(); self.width];
                return Ok(tensor1(&texts)
                    .into_shape(&self.dims)
                    .map_err(evaluation)?
                    .into_tvalue());
            }
        };
        Tensor::zero_dt(datum, &self.dims)
            .map(IntoTValue::into_tvalue)
            .map_err(evaluation)
    }

    /// Row `row` of the batch.
    pub fn tensor(&self, batch: &Blocks, row: usize) -> Result<Tensor> {
        let at = |width: usize| row * width + self.column..row * width + self.column + self.width;
        let short = || Error::Evaluation("a batch of another model".into());
        let tensor = match self.element {
            Element::F32 => tensor1(batch.f32.cells.get(at(batch.f32.width)).ok_or_else(short)?),
            Element::F64 => tensor1(batch.f64.cells.get(at(batch.f64.width)).ok_or_else(short)?),
            Element::I64 | Element::Bool => {
                let cells = batch.i64.cells.get(at(batch.i64.width)).ok_or_else(short)?;
                match (self.element, self.narrow) {
                    (Element::Bool, _) => {
                        tensor1(&cells.iter().map(|v| *v != 0).collect::<Vec<bool>>())
                    }
                    (_, true) => {
                        let narrow = cells
                            .iter()
                            .map(|v| i32::try_from(*v))
                            .collect::<std::result::Result<Vec<_>, _>>();
                        tensor1(&narrow.map_err(|_| {
                            Error::Evaluation("an integer of more than 32 bits".into())
                        })?)
                    }
                    _ => tensor1(cells),
                }
            }
            Element::Text => {
                let cells = batch
                    .text
                    .cells
                    .get(at(batch.text.width))
                    .ok_or_else(short)?;
                let texts: Vec<String> = cells
                    .iter()
                    .map(|span| text(&batch.arena, *span).to_owned())
                    .collect();
                tensor1(&texts)
            }
        };
        tensor.into_shape(&self.dims).map_err(evaluation)
    }
}
