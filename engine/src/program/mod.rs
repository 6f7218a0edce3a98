//! A compiled model: a tabular program where every operator has a kernel, a tract plan elsewhere.

mod compile;
mod fuse;
mod graph;
mod layers;
pub mod lower;
pub mod sink;
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
use crate::signature::outputs::Output;
pub use graph::evaluation;
use sink::Sink;

/// Operators that no plan of tract has: values of texts have no tensor of a fixed size, and places in a row are checked by
/// our kernels alone.
const TABULAR_ONLY: [&str; 7] = [
    "GatherElements",
    "Scan",
    "StringConcat",
    "StringNormalizer",
    "TfIdfVectorizer",
    "Tokenizer",
    "TopK",
];

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
            None => match tabular_only(model) {
                Some(op) => Err(Error::Unsupported(format!(
                    "operator \"{op}\" beside operators that only a network has"
                ))),
                None => graph::Graph::compile(model, inputs, features, limits).map(Program::Graph),
            },
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

    /// Evaluates all rows of the batch and hands their outputs to `sink`.
    pub fn run(
        &self,
        batch: &Batch,
        state: &mut State,
        sink: &mut dyn Sink,
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

/// An operator of the model that tract does not have.
fn tabular_only(model: &ModelProto) -> Option<&str> {
    let nodes = model.graph.iter().flat_map(|graph| &graph.node);
    nodes
        .map(|node| node.op_type.as_str())
        .find(|op| TABULAR_ONLY.contains(op))
}
