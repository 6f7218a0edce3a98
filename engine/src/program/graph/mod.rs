//! tract plans for one row and for a block of rows, for graphs with operators that have no kernel of ours.

mod bounded;
mod convolve;
mod lookup;
mod multiply;
mod plan;
mod pool;
mod recurrent;
mod reduce;
mod rows;
mod source;
#[cfg(test)]
mod tests;
mod window;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::plan::eval;

use self::recurrent::Recurrent;
use self::rows::Flow;
use self::source::{Source, sources};
use super::sink::Sink;
use crate::admit::budget;
use crate::batch::Blocks;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::signature::Feature;
use crate::signature::inputs::Declared;
use crate::signature::outputs::Output;

/// Most rows of a block.
const ROWS: usize = 64;
/// Most operations of a node for a block of rows: what runs between two looks at the interrupt.
const OPERATIONS: usize = 1 << 28;
/// Most rows that both plans are compared on, and most operations of these together.
const COMPARED: (usize, usize) = (16, 1 << 30);

/// The plans of a model.
#[derive(Debug)]
pub struct Graph {
    single: Plan,
    /// For as many rows as it says, where it gives each what the plan of one row gives.
    block: Option<Plan>,
    /// Why there is no plan for a block.
    alone: Option<String>,
    inputs: Vec<Source>,
    outputs: Vec<Output>,
    memory: usize,
}

#[derive(Debug)]
struct Plan {
    plan: Arc<TypedRunnableModel>,
    rows: usize,
}

/// What tract keeps between rows; gone after a row that failed.
#[derive(Debug, Default)]
pub struct State {
    single: Option<TypedSimpleState>,
    block: Option<TypedSimpleState>,
}

impl Graph {
    /// Compiles a lowered model for one row and, where its rows do not see one another, for a block.
    pub fn compile(
        model: &ModelProto,
        inputs: &[Declared],
        features: &[Feature],
        limits: &Limits,
    ) -> Result<Graph> {
        let typed = guarded(|| plan::typed(model, inputs, 1, limits))?;
        let cost = budget::row(&typed)?;
        let outputs = plan::outputs(model, &typed)?;
        let (single, memory) = guarded(|| plan::runnable(typed.clone(), limits))?;
        let mut graph = Graph {
            single: Plan {
                plan: single,
                rows: 1,
            },
            block: None,
            alone: None,
            inputs: sources(inputs, features),
            outputs,
            memory,
        };
        graph.probe()?;
        let rows = ROWS
            .min(limits.tensor_memory / cost.memory.max(1))
            .min(OPERATIONS / cost.longest.max(1));
        if rows < 2 {
            graph.alone = Some("a row takes too much memory or time".into());
            return Ok(graph);
        }
        let found = guarded(|| graph.block(model, inputs, &typed, rows, limits, cost.operations));
        match found {
            Ok((plan, memory)) => {
                graph.block = Some(plan);
                graph.memory += memory;
            }
            Err(error) => graph.alone = Some(error.to_string()),
        }
        Ok(graph)
    }

    /// The plan of a block and the bytes of its constants, once it is shown to keep rows apart and to give the same bits.
    fn block(
        &self,
        model: &ModelProto,
        inputs: &[Declared],
        single: &TypedModel,
        rows: usize,
        limits: &Limits,
        operations: usize,
    ) -> Result<(Plan, usize)> {
        let wide = plan::typed(model, inputs, rows, limits)?;
        let flows = rows::prove(&wide, single, rows).map_err(|node| {
            Error::Unsupported(format!("a block of rows: {node} may mix them and"))
        })?;
        for (i, flow) in flows.iter().enumerate() {
            let shape = wide.output_fact(i).map_err(evaluation)?.shape.clone();
            let outer = shape.as_concrete().and_then(|dims| match flow {
                Flow::Along { axis, outer: 1, .. } => dims.get(..*axis),
                _ => None,
            });
            if outer.is_none_or(|dims| dims.iter().any(|dim| *dim != 1)) {
                return Err(Error::Unsupported("rows inside an output".into()));
            }
        }
        let (plan, memory) = plan::runnable(wide, limits)?;
        let plan = Plan { plan, rows };
        self.compare(&plan, operations)?;
        Ok((plan, memory))
    }

    /// Evaluates a row of zeros and empty texts, for what tract refuses only when it evaluates. An encoder may refuse the
    /// empty text.
    fn probe(&self) -> Result<()> {
        let inputs = self.inputs.iter().map(|s| s.made_up(1, &mut || 0.0));
        match self
            .single
            .evaluate(inputs.collect::<Result<_>>()?, &mut None, &|| false)
        {
            Ok(_) | Err(Error::UnknownCategory { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Holds the plan of a block to the bits of the plan of one row, on made up rows. tract chooses its kernels by
    /// shape, and they need not add in the same order.
    fn compare(&self, block: &Plan, operations: usize) -> Result<()> {
        let rows = COMPARED
            .0
            .min(COMPARED.1 / operations.max(1))
            .min(block.rows);
        for range in [1.0, 10_000.0, 50.0, 3.0, 1.0] {
            let mut state = 1u64;
            let mut number = || {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let uniform = (state >> 11) as f64 / (1u64 << 53) as f64;
                if range == 1.0 {
                    4.0 * uniform - 2.0
                } else {
                    uniform * range
                }
            };
            let inputs = self
                .inputs
                .iter()
                .map(|s| s.made_up(block.rows, &mut number));
            let inputs: TVec<TValue> = inputs.collect::<Result<_>>()?;
            let wide = match block.evaluate(inputs.clone(), &mut None, &|| false) {
                Ok(wide) => wide,
                Err(Error::UnknownCategory { .. }) => continue,
                Err(error) => return Err(error),
            };
            for row in (0..block.rows)
                .rev()
                .take(rows.div_ceil(2))
                .chain(0..rows / 2)
            {
                let own = inputs.iter().map(|t| t.slice(0, row, row + 1));
                let own = own.map(|t| t.map(IntoTValue::into_tvalue));
                let own = own.collect::<TractResult<_>>().map_err(evaluation)?;
                let single = self.single.evaluate(own, &mut None, &|| false)?;
                for (wide, single) in wide.iter().zip(&single) {
                    if !same_bits(wide, single, row, block.rows) {
                        return Err(Error::Unsupported("a block of rows: its kernels".into()));
                    }
                }
            }
            return Ok(());
        }
        Err(Error::Unsupported(
            "a block of rows: no made up one is accepted and it".into(),
        ))
    }

    pub fn outputs(&self) -> Vec<Output> {
        self.outputs.clone()
    }

    /// Bytes of the constants.
    pub fn memory(&self) -> usize {
        self.memory
    }

    /// Rows that are scored at once, or why they are scored one by one.
    pub fn rows_at_once(&self) -> std::result::Result<usize, &str> {
        match (&self.block, &self.alone) {
            (Some(block), _) => Ok(block.rows),
            (None, why) => Err(why.as_deref().unwrap_or_default()),
        }
    }

    pub fn state(&self) -> State {
        State::default()
    }

    /// Evaluates the first `rows` rows of the batch: in blocks, what is left of them filled up where that is
    /// cheaper than one by one.
    pub fn run(
        &self,
        batch: &Blocks,
        rows: usize,
        state: &mut State,
        sink: &mut dyn Sink,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<()> {
        let mut first = 0;
        while first < rows {
            let left = rows - first;
            let block = self.block.as_ref().filter(|b| left * FILLED >= b.rows);
            let (plan, turn) = match block {
                Some(block) => (block, &mut state.block),
                None => (&self.single, &mut state.single),
            };
            let count = plan.rows.min(left);
            let inputs = self
                .inputs
                .iter()
                .map(|s| s.tensor(batch, first, count, plan.rows));
            let outputs = plan.evaluate(inputs.collect::<Result<_>>()?, turn, interrupted)?;
            for (i, tensor) in outputs.iter().enumerate() {
                if sink.wants(i) {
                    sink.tensor(i, first..first + count, plan.rows, tensor)?;
                }
            }
            first += count;
        }
        Ok(())
    }
}

/// A block is filled up from a fourth of its rows on.
const FILLED: usize = 4;

impl Plan {
    /// Outputs of a block. `interrupted` is asked before every node, and between the steps of a recurrent one.
    fn evaluate(
        &self,
        inputs: TVec<TValue>,
        state: &mut Option<TypedSimpleState>,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<TVec<TValue>> {
        guarded(|| {
            let mut turn = match state.take() {
                Some(turn) => turn,
                None => self.plan.spawn().map_err(evaluation)?,
            };
            let outputs = turn.run_plan_with_eval(inputs, |context, op, node, inputs| {
                if interrupted() {
                    return Err(TractError::from(Error::Interrupted));
                }
                match node.op_as::<Recurrent>() {
                    Some(recurrent) => recurrent.run(&inputs, interrupted),
                    None => eval(context, op, node, inputs),
                }
            });
            let outputs = outputs.map_err(evaluation)?;
            *state = Some(turn);
            Ok(outputs)
        })
    }
}

/// tract asserts where a graph that admission lets through surprises it; that ends here as an error.
fn guarded<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    let panicked = |_| {
        Err(Error::Evaluation(
            "the graph engine failed an assertion".into(),
        ))
    };
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(panicked)
}

/// The engine's own error where tract only passed it on.
fn failure(error: &TractError, otherwise: fn(String) -> Error) -> Error {
    match error
        .chain()
        .find_map(|cause| cause.downcast_ref::<Error>())
    {
        Some(error) => error.clone(),
        None => otherwise(format!("{error:#}")),
    }
}

pub fn evaluation(error: TractError) -> Error {
    failure(&error, Error::Evaluation)
}
/// Row `row` of an output of `rows` rows, and the output of that row alone.
fn same_bits(wide: &Tensor, single: &Tensor, row: usize, rows: usize) -> bool {
    macro_rules! compare {
        ($($t:ty => $bits:expr),*) => {
            match wide.datum_type() {
                $(d if d == <$t>::datum_type() => {
                    let (Ok(wide), Ok(single)) = (wide.try_as_plain_ram(), single.try_as_plain_ram()) else {
                        return false;
                    };
                    let (Ok(wide), Ok(single)) = (wide.as_slice::<$t>(), single.as_slice::<$t>()) else {
                        return false;
                    };
                    let width = wide.len() / rows;
                    let part = wide.get(row * width..(row + 1) * width).unwrap_or_default();
                    part.len() == single.len() && part.iter().zip(single).all(|(a, b)| $bits(a) == $bits(b))
                })*
                _ => false,
            }
        };
    }
    wide.datum_type() == single.datum_type()
        && compare!(
            f32 => |x: &f32| x.to_bits(), f64 => |x: &f64| x.to_bits(), i64 => |x: &i64| *x,
            i32 => |x: &i32| *x, TDim => TDim::clone, String => String::clone
        )
}
