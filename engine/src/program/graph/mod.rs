//! A tract plan compiled for one row, for graphs with operators that have no kernel of ours.

mod plan;
mod source;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::plan::eval;

use self::plan::{Plan, plan};
use self::source::{Source, sources};
use super::sink::Sink;
use crate::batch::Blocks;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::signature::Feature;
use crate::signature::inputs::Declared;
use crate::signature::outputs::Output;

/// The plan of one row.
#[derive(Debug)]
pub struct Graph {
    plan: Arc<TypedRunnableModel>,
    inputs: Vec<Source>,
    outputs: Vec<Output>,
    memory: usize,
}

/// What tract keeps between rows; gone after a row that failed.
#[derive(Debug, Default)]
pub struct State {
    turn: Option<TypedSimpleState>,
}

impl Graph {
    /// Compiles a lowered model for batches of one row.
    pub fn compile(
        model: &ModelProto,
        inputs: &[Declared],
        features: &[Feature],
        limits: &Limits,
    ) -> Result<Graph> {
        let Plan {
            plan,
            outputs,
            memory,
        } = guarded(|| plan(model, inputs, limits))?;
        let graph = Graph {
            plan,
            inputs: sources(inputs, features),
            outputs,
            memory,
        };
        graph.probe()?;
        Ok(graph)
    }

    /// Evaluates a row of zeros and empty texts, for what tract refuses only when it evaluates. An encoder may refuse the
    /// empty text.
    fn probe(&self) -> Result<()> {
        let inputs = self
            .inputs
            .iter()
            .map(Source::zeros)
            .collect::<Result<_>>()?;
        match self.evaluate(inputs, &mut self.state(), &|| false) {
            Ok(_) | Err(Error::UnknownCategory { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub fn outputs(&self) -> Vec<Output> {
        self.outputs.clone()
    }

    /// Bytes of the constants.
    pub fn memory(&self) -> usize {
        self.memory
    }

    pub fn state(&self) -> State {
        State::default()
    }

    /// Evaluates the first `rows` rows of the batch, one by one.
    pub fn run(
        &self,
        batch: &Blocks,
        rows: usize,
        state: &mut State,
        sink: &mut dyn Sink,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<()> {
        for row in 0..rows {
            let inputs = self
                .inputs
                .iter()
                .map(|s| s.tensor(batch, row).map(IntoTValue::into_tvalue));
            let outputs = self.evaluate(inputs.collect::<Result<_>>()?, state, interrupted)?;
            for (i, tensor) in outputs.iter().enumerate() {
                if sink.wants(i) {
                    sink.tensor(i, row, tensor)?;
                }
            }
        }
        Ok(())
    }

    /// Outputs of one row. `interrupted` is asked before every node.
    fn evaluate(
        &self,
        inputs: TVec<TValue>,
        state: &mut State,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<TVec<TValue>> {
        guarded(|| {
            let mut turn = match state.turn.take() {
                Some(turn) => turn,
                None => self.plan.spawn().map_err(evaluation)?,
            };
            let outputs = turn.run_plan_with_eval(inputs, |context, op, node, inputs| {
                if interrupted() {
                    return Err(TractError::from(Error::Interrupted));
                }
                eval(context, op, node, inputs)
            });
            let outputs = outputs.map_err(evaluation)?;
            state.turn = Some(turn);
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
