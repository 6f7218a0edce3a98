//! Where the outputs of a run go.

use std::ops::Range;

use tract_onnx::prelude::{DatumType, Tensor};

use super::graph::evaluation;
use crate::error::{Error, Result};
use crate::kernels::Slab;
use crate::kernels::slab::text;
use crate::signature::outputs::{Form, Head, Output};

/// Takes the outputs of a run.
pub trait Sink {
    /// False where an output of the graph need not be handed over.
    fn wants(&self, output: usize) -> bool;

    /// Rows of a tabular program's output, of which the first is row `first` of the batch. A label with labels is an index
    /// into them.
    fn slab(&mut self, output: usize, holds: &Output, first: usize, slab: &Slab<'_>) -> Result<()>;

    /// A graph's output of `size` rows, of which the first are the rows `rows` of the batch and the others fill up.
    fn tensor(
        &mut self,
        output: usize,
        rows: Range<usize>,
        size: usize,
        tensor: &Tensor,
    ) -> Result<()>;
}

/// Where a run leaves labels and probabilities.
pub struct Scoring<'a> {
    pub head: &'a Head,
    /// Index of each row's label.
    pub labels: &'a mut [usize],
    /// `width` probabilities per row.
    pub probabilities: &'a mut [f64],
    pub width: usize,
}

impl Scoring<'_> {
    /// True for the graph output that names the class.
    fn wants_label(&self, output: usize) -> bool {
        self.head.label == Some(output)
    }

    /// True for the graph output that holds the numbers.
    fn wants_numbers(&self, output: usize) -> bool {
        self.head.numbers == output
    }

    /// A label that is an index into the labels, or (not `indexed`) one of them as an integer.
    fn integer_label(&mut self, row: usize, value: i64, indexed: bool) -> Result<()> {
        let index = match usize::try_from(value).ok() {
            Some(i) if indexed => Some(i).filter(|i| *i < self.head.written.len()),
            _ if indexed => None,
            _ => self
                .head
                .written
                .iter()
                .position(|l| l.parse() == Ok(value)),
        };
        self.label(row, index)
    }

    /// A label that is one of the labels as text.
    fn text_label(&mut self, row: usize, value: &str) -> Result<()> {
        self.label(row, self.head.written.iter().position(|l| l == value))
    }

    fn label(&mut self, row: usize, index: Option<usize>) -> Result<()> {
        let index = index
            .ok_or_else(|| Error::Evaluation("the model's label is none of its labels".into()))?;
        if let Some(cell) = self.labels.get_mut(row) {
            *cell = index;
        }
        Ok(())
    }

    /// The numbers of a row. Without an output for labels, the most probable class is the label.
    fn numbers<T>(&mut self, row: usize, values: &[T], convert: impl Fn(&T) -> f64) {
        let Some(out) = self
            .probabilities
            .get_mut(row * self.width..(row + 1) * self.width)
        else {
            return;
        };
        match (self.head.form, out, values) {
            (Form::Second, [first, second], [value]) => {
                *second = convert(value);
                *first = 1.0 - *second;
            }
            (_, out, values) => out
                .iter_mut()
                .zip(values)
                .for_each(|(o, v)| *o = convert(v)),
        }
        if self.head.label.is_none()
            && self.head.form != Form::Value
            && let (Some(out), Some(label)) = (
                self.probabilities
                    .get(row * self.width..(row + 1) * self.width),
                self.labels.get_mut(row),
            )
        {
            *label = 0;
            for (i, p) in out.iter().enumerate() {
                if out.get(*label).is_some_and(|best| p > best) {
                    *label = i;
                }
            }
        }
    }
}

impl Sink for Scoring<'_> {
    fn wants(&self, output: usize) -> bool {
        self.wants_label(output) || self.wants_numbers(output)
    }

    fn slab(&mut self, output: usize, holds: &Output, first: usize, slab: &Slab<'_>) -> Result<()> {
        if self.wants_label(output) {
            let indexed = matches!(holds, Output::Label(Some(_)));
            match slab {
                Slab::I64(rows) => {
                    for (i, row) in rows.iter().enumerate() {
                        self.integer_label(first + i, row[0], indexed)?;
                    }
                }
                Slab::Text(rows, arena) => {
                    for (i, row) in rows.iter().enumerate() {
                        self.text_label(first + i, text(arena, row[0]))?;
                    }
                }
                _ => return Err(Error::Evaluation("a label that is a float".into())),
            }
            return Ok(());
        }
        match slab {
            Slab::F32(rows) => rows
                .iter()
                .enumerate()
                .for_each(|(i, row)| self.numbers(first + i, row, |x| f64::from(*x))),
            Slab::F64(rows) => rows
                .iter()
                .enumerate()
                .for_each(|(i, row)| self.numbers(first + i, row, |x| *x)),
            _ => return Err(Error::Evaluation("an output that is no float".into())),
        }
        Ok(())
    }

    fn tensor(
        &mut self,
        output: usize,
        rows: Range<usize>,
        size: usize,
        tensor: &Tensor,
    ) -> Result<()> {
        if self.wants_numbers(output) {
            let wide = tensor.cast_to::<f64>().map_err(evaluation)?;
            let view = wide.try_as_plain_ram().map_err(evaluation)?;
            let cells = view.as_slice::<f64>().map_err(evaluation)?;
            let width = (cells.len() / size.max(1)).max(1);
            for (row, cells) in rows.zip(cells.chunks_exact(width)) {
                self.numbers(row, cells, |x| *x);
            }
            return Ok(());
        }
        if tensor.len() != size {
            return Err(Error::Evaluation("labels of another number of rows".into()));
        }
        if tensor.datum_type() == DatumType::String {
            let view = tensor.try_as_plain_ram().map_err(evaluation)?;
            let texts = view.as_slice::<String>().map_err(evaluation)?;
            return rows
                .zip(texts)
                .try_for_each(|(row, text)| self.text_label(row, text));
        }
        let wide = tensor.cast_to::<i64>().map_err(evaluation)?;
        let view = wide.try_as_plain_ram().map_err(evaluation)?;
        let values = view.as_slice::<i64>().map_err(evaluation)?;
        rows.zip(values)
            .try_for_each(|(row, value)| self.integer_label(row, *value, false))
    }
}
