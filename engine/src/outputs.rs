//! All outputs of a model for a batch, typed: for callers that want more than the score.

use std::ops::Range;

use tract_onnx::prelude::{Datum, DatumType, Tensor, TractResult};

use crate::error::{Error, Result};
use crate::kernels::slab::text;
use crate::kernels::{Rows, Slab};
use crate::model::Model;
use crate::ops::Labels;
use crate::program::evaluation;
use crate::program::sink::Sink;
use crate::signature::outputs::Output;

/// Cells of one output, row-major.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    Float32(Vec<f32>),
    Float64(Vec<f64>),
    Int64(Vec<i64>),
    Bool(Vec<bool>),
    Text(Vec<String>),
}

/// One output of the graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Name in the file.
    pub name: String,
    /// Cells of every row, in row order; as many for each row. `None` where there were no rows.
    pub values: Option<Values>,
}

/// Every output of the graph, in its order. A ZipMap's is the tensor of its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Outputs {
    rows: usize,
    columns: Vec<Column>,
}

impl Outputs {
    pub(crate) fn new(model: &Model, rows: usize) -> Outputs {
        let column = |name: &String| Column {
            name: name.clone(),
            values: None,
        };
        let columns = model.signature().outputs.iter().map(column).collect();
        Outputs { rows, columns }
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn add(&mut self, output: usize, values: Values) -> Result<()> {
        let stranger = || Error::Evaluation("an output that the model does not name".into());
        let column = self.columns.get_mut(output).ok_or_else(stranger)?;
        match (&mut column.values, values) {
            (empty @ None, values) => *empty = Some(values),
            (Some(Values::Float32(all)), Values::Float32(more)) => all.extend(more),
            (Some(Values::Float64(all)), Values::Float64(more)) => all.extend(more),
            (Some(Values::Int64(all)), Values::Int64(more)) => all.extend(more),
            (Some(Values::Bool(all)), Values::Bool(more)) => all.extend(more),
            (Some(Values::Text(all)), Values::Text(more)) => all.extend(more),
            _ => {
                return Err(Error::Evaluation(
                    "an output of more than one element type".into(),
                ));
            }
        }
        Ok(())
    }
}

fn cells<T: Clone>(rows: &Rows<'_, T>) -> Vec<T> {
    rows.iter().flatten().cloned().collect()
}

/// The first `rows` rows of a tensor of `size` rows.
struct Part {
    rows: usize,
    size: usize,
}

impl Part {
    fn of<T: Datum>(&self, tensor: &Tensor) -> TractResult<Vec<T>> {
        let view = tensor.try_as_plain_ram()?;
        let cells = view.as_slice::<T>()?;
        let width = cells.len() / self.size.max(1);
        Ok(cells.iter().take(width * self.rows).cloned().collect())
    }
}

/// Labels at indices; the program made sure that they are in range.
fn labels(rows: &Rows<'_, i64>, labels: &Labels) -> Result<Values> {
    let outside = || Error::Evaluation("the model's label is none of its labels".into());
    let index = |i: &i64| {
        usize::try_from(*i)
            .ok()
            .filter(|i| *i < labels.len())
            .ok_or_else(outside)
    };
    let indices: Vec<usize> = rows.iter().flatten().map(index).collect::<Result<_>>()?;
    Ok(match labels {
        Labels::Integers(all) => Values::Int64(indices.iter().map(|i| all[*i]).collect()),
        Labels::Texts(all) => Values::Text(indices.iter().map(|i| all[*i].clone()).collect()),
    })
}

impl Sink for Outputs {
    fn wants(&self, _: usize) -> bool {
        true
    }

    fn slab(&mut self, output: usize, holds: &Output, _: usize, slab: &Slab<'_>) -> Result<()> {
        let values = match (slab, holds) {
            (Slab::I64(rows), Output::Label(Some(all))) => labels(rows, all)?,
            (Slab::I64(rows), Output::Flags) => {
                Values::Bool(rows.iter().flatten().map(|flag| *flag != 0).collect())
            }
            (Slab::I64(rows), _) => Values::Int64(cells(rows)),
            (Slab::F32(rows), _) => Values::Float32(cells(rows)),
            (Slab::F64(rows), _) => Values::Float64(cells(rows)),
            (Slab::Text(rows, arena), _) => Values::Text(
                rows.iter()
                    .flatten()
                    .map(|span| text(arena, *span).to_owned())
                    .collect(),
            ),
        };
        self.add(output, values)
    }

    fn tensor(
        &mut self,
        output: usize,
        rows: Range<usize>,
        size: usize,
        tensor: &Tensor,
    ) -> Result<()> {
        let part = Part {
            rows: rows.len(),
            size,
        };
        let values = match tensor.datum_type() {
            DatumType::F32 => part.of(tensor).map(Values::Float32),
            DatumType::F64 => part.of(tensor).map(Values::Float64),
            DatumType::Bool => part.of(tensor).map(Values::Bool),
            DatumType::String => part.of(tensor).map(Values::Text),
            _ => tensor
                .cast_to::<i64>()
                .and_then(|wide| part.of(&wide))
                .map(Values::Int64),
        };
        self.add(output, values.map_err(evaluation)?)
    }
}
