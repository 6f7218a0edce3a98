//! The fused program of a tabular model: kernel calls over preallocated blocks, a chunk of rows at a time.

use std::cell::RefCell;

use super::compile::compile;
use super::sink::Sink;
use super::step::{Cells, Chunk, Step, View, filled, read, source};
use crate::batch::Blocks;
use crate::error::{Error, Result};
#[cfg(test)]
use crate::kernels::Slab;
use crate::kernels::{Element, Kernel, Scratch, ScratchSize, Shape};
use crate::limits::Limits;
use crate::ops::Labels;
use crate::signature::Feature;
use crate::signature::inputs::Declared;
use crate::signature::outputs::Output;
use tract_onnx::pb::ModelProto;

/// Chunks are multiples of it, unless so many rows take too long.
const ROWS: usize = 16;
/// Steps of about a nanosecond between two looks at the interrupt.
const STEPS: usize = 500_000;
/// Steps that are worth it where a chunk would have fewer than [`ROWS`] rows otherwise.
const LONGEST: usize = 32_000_000;

/// Steps that a cell may take: a power.
const WORST: usize = 32;

/// Steps in the order they run, the blocks they use and the outputs they leave.
#[derive(Debug, Default)]
pub struct Tabular {
    pub(super) steps: Vec<Step>,
    /// Cells per row of each block.
    pub(super) blocks: Vec<Shape>,
    pub(super) outputs: Vec<(View, Output)>,
    /// Rows of a chunk.
    pub(super) chunk: usize,
    /// For each step, whether the interrupt is looked at before it.
    pauses: Vec<bool>,
}

/// Memory of one caller's runs.
#[derive(Debug)]
pub struct State {
    blocks: Vec<RefCell<Cells>>,
    scratch: Scratch,
}

impl State {
    /// Drops the texts of the chunk before.
    fn clear(&mut self) {
        self.blocks.iter_mut().for_each(|b| b.get_mut().clear());
    }
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
        let costs: Vec<usize> = program.steps.iter().map(cost).collect();
        let cost = costs.iter().fold(0usize, |n, cost| n.saturating_add(*cost));
        let kernels = program.steps.iter().map(|s| s.call.kernel());
        let rows = kernels.map(Kernel::rows).max().unwrap_or(ROWS);
        let memory = limits.tensor_memory / program.row_memory().max(1);
        let chunk = (STEPS / cost.max(1)).min(rows).min(memory).max(ROWS) / ROWS * ROWS;
        let found = program.row_memory().saturating_mul(chunk);
        if found > limits.tensor_memory {
            let limit = limits.tensor_memory as u64;
            return Err(Error::TooLarge {
                what: "bytes of tensors",
                found: found as u64,
                limit,
            });
        }
        let read = |s: &Step| s.inputs.iter().map(|v| v.width).sum::<usize>();
        let worst = |(s, cost): (&Step, usize)| cost.max(cells(s) * WORST).max(read(s) * WORST / 2);
        let costs: Vec<usize> = program.steps.iter().zip(costs).map(worst).collect();
        let longest = costs.iter().copied().max().unwrap_or(0);
        program.chunk = chunk.min((LONGEST / longest.max(1)).max(1));
        let mut passed = 0usize;
        let pause = |cost: usize| {
            let here = passed.saturating_add(cost) > LONGEST / program.chunk;
            passed = if here { cost } else { passed + cost };
            here
        };
        program.pauses = costs.into_iter().map(pause).collect();
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
            .map(|shape| Cells::allocate(shape.element, shape.width * rows).map(RefCell::new));
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

    /// Evaluates the first `rows` rows of the batch.
    pub fn run(
        &self,
        batch: &Blocks,
        rows: usize,
        state: &mut State,
        sink: &mut dyn Sink,
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
            state.clear();
            for (i, step) in self.steps.iter().enumerate() {
                if self.pauses.get(i) == Some(&true) && interrupted() {
                    return Err(Error::Interrupted);
                }
                step.run(chunk, &state.blocks, &mut state.scratch)?;
            }
            for (i, (view, output)) in self.outputs.iter().enumerate() {
                if sink.wants(i) {
                    let block = source(view, &state.blocks)?;
                    sink.slab(i, output, first, &read(view, chunk, block.as_deref())?)?;
                }
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
        state.clear();
        for step in &self.steps {
            step.run(chunk, &state.blocks, &mut state.scratch)?;
        }
        let block = source(view, &state.blocks)?;
        Ok(read_rows(read(view, chunk, block.as_deref())?))
    }
}

/// Labels of an output that is a class index.
pub fn label_output(labels: &Labels) -> Output {
    Output::Label(Some(labels.clone()))
}
