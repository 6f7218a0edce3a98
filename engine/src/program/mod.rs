//! A compiled model: a tabular program where every operator has a kernel, a tract plan elsewhere.

mod compile;
mod fuse;
mod graph;
pub mod lower;
mod step;
mod tabular;
#[cfg(test)]
mod tests;

use tract_onnx::pb::ModelProto;

use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::signature::Feature;
use crate::signature::inputs::Declared;
use crate::signature::outputs::{Form, Head, Output};

/// One of the two kinds of program.
#[derive(Debug)]
pub enum Program {
    Tabular(tabular::Tabular),
    Graph(graph::Graph),
}

/// Memory of one caller's runs.
#[derive(Debug)]
pub enum State {
    Tabular(tabular::State),
    Graph(Box<graph::State>),
}

impl Program {
    /// Compiles a lowered model.
    pub fn compile(
        model: &ModelProto,
        inputs: &[Declared],
        features: &[Feature],
        limits: &Limits,
    ) -> Result<Program> {
        match tabular::Tabular::compile(model, inputs, features, limits)? {
            Some(program) => Ok(Program::Tabular(program)),
            None => graph::Graph::compile(model, inputs, features, limits).map(Program::Graph),
        }
    }

    /// What the graph's outputs hold, in graph order.
    pub fn outputs(&self) -> Vec<Output> {
        match self {
            Program::Tabular(program) => program.outputs(),
            Program::Graph(program) => program.outputs(),
        }
    }

    /// Bytes held, states excluded.
    pub fn memory(&self) -> usize {
        match self {
            Program::Tabular(program) => program.memory(),
            Program::Graph(program) => program.memory(),
        }
    }

    /// Rows that a network scores at once, or why it scores them one by one; `None` for kernels, which take any number.
    pub fn rows_at_once(&self) -> Option<std::result::Result<usize, &str>> {
        match self {
            Program::Tabular(_) => None,
            Program::Graph(program) => Some(program.rows_at_once()),
        }
    }

    /// Memory for batches of up to `capacity` rows.
    pub fn state(&self, capacity: usize) -> Result<State> {
        match self {
            Program::Tabular(program) => program.state(capacity).map(State::Tabular),
            Program::Graph(program) => Ok(State::Graph(Box::new(program.state()))),
        }
    }

    /// Scores all rows of the batch into `sink`.
    pub fn run(
        &self,
        batch: &Batch,
        state: &mut State,
        sink: &mut Sink<'_>,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<()> {
        match (self, state) {
            (Program::Tabular(program), State::Tabular(state)) => {
                program.run(batch.blocks(), batch.rows(), state, sink, interrupted)
            }
            (Program::Graph(program), State::Graph(state)) => {
                program.run(batch.blocks(), batch.rows(), state, sink, interrupted)
            }
            _ => Err(Error::Evaluation("state of another program".into())),
        }
    }
}

/// Where a run leaves labels and probabilities.
pub struct Sink<'a> {
    pub head: &'a Head,
    /// Index of each row's label.
    pub labels: &'a mut [usize],
    /// `width` probabilities per row.
    pub probabilities: &'a mut [f64],
    pub width: usize,
}

impl Sink<'_> {
    /// True for the graph output that names the class.
    pub fn wants_label(&self, output: usize) -> bool {
        self.head.label == Some(output)
    }

    /// True for the graph output that holds the numbers.
    pub fn wants_numbers(&self, output: usize) -> bool {
        self.head.numbers == output
    }

    /// A label that is an index into the labels, or (not `indexed`) one of them as an integer.
    pub fn integer_label(&mut self, row: usize, value: i64, indexed: bool) -> Result<()> {
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
    pub fn text_label(&mut self, row: usize, value: &str) -> Result<()> {
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
    pub fn numbers<T>(&mut self, row: usize, values: &[T], convert: impl Fn(&T) -> f64) {
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
