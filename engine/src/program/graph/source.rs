//! Rows of a batch as the tensors that a graph takes.

use tract_onnx::prelude::*;

use super::evaluation;
use crate::batch::{Block, Blocks, columns};
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
    /// Dimensions of a batch.
    pub(super) fn shape(&self, rows: usize) -> TVec<usize> {
        [&[rows], self.dims.as_slice()].concat().into()
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
            dims: declared.dims.iter().copied().collect(),
            narrow,
        })
    };
    inputs.iter().enumerate().filter_map(source).collect()
}

impl Source {
    /// Rows whose numbers are `number(cell)` and whose texts are empty.
    pub fn made_up(&self, rows: usize, number: &mut dyn FnMut() -> f64) -> Result<TValue> {
        let count = rows * self.width;
        let cells: Vec<f64> = match self.element {
            Element::Text => Vec::new(),
            _ => (0..count).map(|_| number()).collect(),
        };
        match self.element {
            Element::F32 => self.shaped(rows, cells.iter().map(|x| *x as f32).collect()),
            Element::F64 => self.shaped(rows, cells),
            Element::I64 if self.narrow => {
                self.shaped(rows, cells.iter().map(|x| *x as i32).collect())
            }
            Element::I64 => self.shaped(rows, cells.iter().map(|x| *x as i64).collect()),
            Element::Bool => self.shaped(rows, cells.iter().map(|x| *x >= 0.5).collect()),
            Element::Text => self.shaped(rows, vec![String::new(); count]),
        }
    }

    /// Cells of all rows as a tensor.
    fn shaped<T: Datum>(&self, rows: usize, cells: Vec<T>) -> Result<TValue> {
        let dims: TVec<usize> = [&[rows], self.dims.as_slice()].concat().into();
        let tensor = tensor1(&cells).into_shape(&dims);
        tensor.map(IntoTValue::into_tvalue).map_err(evaluation)
    }

    /// This input's cells of `count` rows from row `first` on, each as `convert` makes it; missing rows repeat the last.
    fn cells<S, T: Datum>(
        &self,
        block: &Block<S>,
        first: usize,
        count: usize,
        rows: usize,
        convert: impl Fn(&S) -> Result<T>,
    ) -> Result<TValue> {
        let mut cells = Vec::new();
        cells
            .try_reserve_exact(rows * self.width)
            .map_err(|_| Error::OutOfMemory)?;
        for row in 0..rows {
            let row = first + row.min(count.saturating_sub(1));
            let start = row * block.width + self.column;
            let Some(found) = block.cells.get(start..start + self.width) else {
                return Err(Error::Evaluation("a batch of another model".into()));
            };
            for cell in found {
                cells.push(convert(cell)?);
            }
        }
        self.shaped(rows, cells)
    }

    /// `count` rows of the batch from row `first` on, filled up to `rows`.
    pub fn tensor(
        &self,
        batch: &Blocks,
        first: usize,
        count: usize,
        rows: usize,
    ) -> Result<TValue> {
        let narrow = |v: &i64| {
            i32::try_from(*v)
                .map_err(|_| Error::Evaluation("an integer of more than 32 bits".into()))
        };
        match self.element {
            Element::F32 => self.cells(&batch.f32, first, count, rows, |v| Ok(*v)),
            Element::F64 => self.cells(&batch.f64, first, count, rows, |v| Ok(*v)),
            Element::Bool => self.cells(&batch.i64, first, count, rows, |v| Ok(*v != 0)),
            Element::I64 if self.narrow => self.cells(&batch.i64, first, count, rows, narrow),
            Element::I64 => self.cells(&batch.i64, first, count, rows, |v| Ok(*v)),
            Element::Text => self.cells(&batch.text, first, count, rows, |span| {
                Ok(text(&batch.arena, *span).to_owned())
            }),
        }
    }
}
