//! The fused program of a tabular model: kernel calls over preallocated blocks, a chunk of rows at a time.

use super::Sink;
use super::compile::compile;
use super::step::{Cells, Chunk, Step, View, filled, read};
use crate::batch::Blocks;
use crate::error::{Error, Result};
use crate::kernels::{Element, Kernel, Scratch, ScratchSize, Shape, Slab};
use crate::limits::Limits;
use crate::ops::Labels;
use crate::signature::Feature;
use crate::signature::inputs::Declared;
use crate::signature::outputs::Output;
use tract_onnx::pb::ModelProto;

/// Smallest number of rows between two looks at the interrupt; chunks are multiples of it.
const ROWS: usize = 16;
/// Steps of about a nanosecond between two looks at the interrupt.
const STEPS: usize = 500_000;

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
        let kernels = || program.steps.iter().map(|s| s.call.kernel());
        let cost: usize = kernels().map(Kernel::cost).sum();
        let rows = kernels().map(Kernel::rows).max().unwrap_or(ROWS);
        let memory = limits.tensor_memory / program.row_memory().max(1);
        program.chunk = (STEPS / cost.max(1)).min(rows).min(memory).max(ROWS) / ROWS * ROWS;
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
        let ScratchSize {
            f32,
            f64,
            flags,
            registers,
        } = self.scratch();
        let scratch = f32 * 4 + f64 * 8 + flags + registers * 4;
        self.blocks.iter().map(|b| b.width * cell(b)).sum::<usize>() + scratch
    }

    fn scratch(&self) -> ScratchSize {
        self.steps
            .iter()
            .map(Step::scratch)
            .fold(ScratchSize::default(), |a, b| ScratchSize {
                f32: a.f32.max(b.f32),
                f64: a.f64.max(b.f64),
                flags: a.flags.max(b.flags),
                registers: a.registers.max(b.registers),
            })
    }

    /// Memory for batches of up to `capacity` rows.
    pub fn state(&self, capacity: usize) -> Result<State> {
        let rows = self.chunk.min(capacity);
        let blocks = self
            .blocks
            .iter()
            .map(|shape| Cells::allocate(shape.element, shape.width * rows));
        let ScratchSize {
            f32,
            f64,
            flags,
            registers,
        } = self.scratch();
        Ok(State {
            blocks: blocks.collect::<Result<_>>()?,
            scratch: Scratch {
                f32: filled(f32 * rows)?,
                f64: filled(f64 * rows)?,
                flags: filled(flags * rows)?,
                registers: filled(registers * rows.div_ceil(16))?,
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
            for step in &self.steps {
                step.run(chunk, &mut state.blocks, &mut state.scratch)?;
            }
            for (i, (view, _)) in self.outputs.iter().enumerate() {
                self.write(i, view, chunk, state, sink)?;
            }
        }
        Ok(())
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
