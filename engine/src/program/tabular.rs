//! The fused program of a tabular model: kernel calls over preallocated blocks, a chunk of rows at a time.

use super::Sink;
use super::compile::compile;
use super::step::{Cells, Chunk, Step, View, filled, read};
use crate::batch::Blocks;
use crate::error::{Error, Result};
use crate::kernels::slab::text;
use crate::kernels::{Element, Scratch, ScratchSize, Shape, Slab};
use crate::limits::Limits;
use crate::ops::Labels;
use crate::signature::Feature;
use crate::signature::inputs::Declared;
use crate::signature::outputs::Output;
use tract_onnx::pb::ModelProto;

/// Largest and smallest number of rows between two looks at the interrupt.
const ROWS: (usize, usize) = (8, 256);
/// Steps of about a nanosecond between two looks at the interrupt.
const STEPS: usize = 65_536;

/// Steps in the order they run, the blocks they use and the outputs they leave.
#[derive(Debug, Default)]
pub struct Tabular {
    pub(super) steps: Vec<Step>,
    /// Cells per row of each block.
    pub(super) blocks: Vec<Shape>,
    pub(super) outputs: Vec<(View, Output)>,
    /// Rows of a chunk.
    pub(super) chunk: usize,
}

/// Memory of one caller's runs.
#[derive(Debug)]
pub struct State {
    blocks: Vec<Cells>,
    scratch: Scratch,
}

impl Tabular {
    /// `None` where an operator has no kernel here.
    pub fn compile(
        model: &ModelProto,
        inputs: &[Declared],
        features: &[Feature],
        limits: &Limits,
    ) -> Result<Option<Tabular>> {
        let Some(mut program) = compile(model, inputs, features)? else {
            return Ok(None);
        };
        let cells = |s: &Step| s.outputs.iter().map(|v| v.width).sum::<usize>();
        let cost = |s: &Step| s.call.kernel().cost().max(cells(s) / 4);
        let cost: usize = program.steps.iter().map(cost).sum();
        program.chunk = (STEPS / cost.max(1)).clamp(ROWS.0, ROWS.1);
        let fitting = limits.tensor_memory / program.row_memory().max(1);
        program.chunk = program.chunk.min(fitting.max(ROWS.0));
        let found = program.row_memory().saturating_mul(program.chunk);
        if found > limits.tensor_memory {
            let limit = limits.tensor_memory as u64;
            return Err(Error::TooLarge {
                what: "bytes of tensors",
                found: found as u64,
                limit,
            });
        }
        Ok(Some(program))
    }

    pub fn outputs(&self) -> Vec<Output> {
        self.outputs
            .iter()
            .map(|(_, output)| output.clone())
            .collect()
    }

    /// Bytes held, state of scorers excluded.
    pub fn memory(&self) -> usize {
        let views = |s: &Step| (s.inputs.len() + s.outputs.len()) * size_of::<View>();
        self.steps
            .iter()
            .map(|s| s.call.kernel().memory() + views(s) + size_of::<Step>())
            .sum()
    }

    fn row_memory(&self) -> usize {
        let cell = |shape: &Shape| match shape.element {
            Element::F32 => 4,
            _ => 8,
        };
        let ScratchSize { f32, f64, flags } = self.scratch();
        self.blocks.iter().map(|b| b.width * cell(b)).sum::<usize>() + f32 * 4 + f64 * 8 + flags
    }

    fn scratch(&self) -> ScratchSize {
        self.steps
            .iter()
            .map(Step::scratch)
            .fold(ScratchSize::default(), |a, b| ScratchSize {
                f32: a.f32.max(b.f32),
                f64: a.f64.max(b.f64),
                flags: a.flags.max(b.flags),
            })
    }

    /// Memory for batches of up to `capacity` rows.
    pub fn state(&self, capacity: usize) -> Result<State> {
        let rows = self.chunk.min(capacity);
        let blocks = self
            .blocks
            .iter()
            .map(|shape| Cells::allocate(shape.element, shape.width * rows));
        let ScratchSize { f32, f64, flags } = self.scratch();
        Ok(State {
            blocks: blocks.collect::<Result<_>>()?,
            scratch: Scratch {
                f32: filled(f32 * rows)?,
                f64: filled(f64 * rows)?,
                flags: filled(flags * rows)?,
            },
        })
    }

    /// Scores the first `rows` rows of the batch into `sink`.
    pub fn run(
        &self,
        batch: &Blocks,
        rows: usize,
        state: &mut State,
        sink: &mut Sink<'_>,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<()> {
        for first in (0..rows).step_by(self.chunk) {
            if interrupted() {
                return Err(Error::Interrupted);
            }
            let chunk = Chunk {
                batch,
                first,
                rows: self.chunk.min(rows - first),
            };
            state.blocks.iter_mut().for_each(Cells::clear);
            for step in &self.steps {
                step.run(chunk, &mut state.blocks, &mut state.scratch)?;
            }
            for (i, (view, _)) in self.outputs.iter().enumerate() {
                self.write(i, view, chunk, state, sink)?;
            }
        }
        Ok(())
    }

    /// The views of the first `rows` rows, no more than a chunk of them, once the steps have run.
    #[cfg(test)]
    pub fn values<T>(
        &self,
        batch: &Blocks,
        first: usize,
        rows: usize,
        view: &View,
        state: &mut State,
        read_rows: impl FnOnce(Slab<'_>) -> T,
    ) -> Result<T> {
        let chunk = Chunk { batch, first, rows };
        state.blocks.iter_mut().for_each(Cells::clear);
        for step in &self.steps {
            step.run(chunk, &mut state.blocks, &mut state.scratch)?;
        }
        Ok(read_rows(read(view, chunk, &state.blocks)?))
    }

    fn write(
        &self,
        output: usize,
        view: &View,
        chunk: Chunk<'_>,
        state: &State,
        sink: &mut Sink<'_>,
    ) -> Result<()> {
        let slab = read(view, chunk, &state.blocks)?;
        if sink.wants_label(output) {
            if let Slab::Text(rows, arena) = slab {
                for i in 0..rows.rows() {
                    sink.text_label(chunk.first + i, text(arena, rows.row(i)[0]))?;
                }
                return Ok(());
            }
            let Slab::I64(rows) = slab else {
                return Err(Error::Evaluation("a label that is no integer".into()));
            };
            let indexed = matches!(self.outputs.get(output), Some((_, Output::Label(Some(_)))));
            for i in 0..rows.rows() {
                sink.integer_label(chunk.first + i, rows.row(i)[0], indexed)?;
            }
        } else if sink.wants_numbers(output) {
            match slab {
                Slab::F32(rows) => (0..rows.rows())
                    .for_each(|i| sink.numbers(chunk.first + i, rows.row(i), |x| f64::from(*x))),
                Slab::F64(rows) => (0..rows.rows())
                    .for_each(|i| sink.numbers(chunk.first + i, rows.row(i), |x| *x)),
                _ => return Err(Error::Evaluation("an output that is no float".into())),
            }
        }
        Ok(())
    }
}

/// Labels of an output that is a class index.
pub fn label_output(labels: &Labels) -> Output {
    Output::Label(Some(labels.clone()))
}
