//! Operators that make a tensor of a size that the graph computes: the size is bounded before anything is allocated.
//!
//! tract evaluates an operator whose inputs are known while it infers shapes; the check stands between its inference
//! and that evaluation.

use std::sync::LazyLock;

use tract_onnx::Onnx;
use tract_onnx::model::ParsingContext;
use tract_onnx::onnx;
use tract_onnx::pb::NodeProto;
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::internal::*;

use crate::admit::growing;
use crate::error::Error;

/// Cells of one value that is computed from constants.
const CELLS: usize = 1 << 20;

static TRACT: LazyLock<Onnx> = LazyLock::new(onnx);

/// Puts the check in front of them.
pub fn register(onnx: &mut Onnx) {
    for name in growing() {
        onnx.op_register.insert(name, build);
    }
}

fn build(
    context: &ParsingContext,
    node: &NodeProto,
) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    let Some(builder) = TRACT.op_register.0.get(&node.op_type) else {
        bail!("no operator {}", node.op_type)
    };
    let (inner, captured) = builder(context, node)?;
    let (op, name) = (node.op_type.clone(), node.name.clone());
    Ok((Box::new(Bounded { inner, op, name }), captured))
}

/// tract's operator, its output no larger than allowed.
#[derive(Debug, Clone)]
struct Bounded {
    inner: Box<dyn InferenceOp>,
    op: String,
    name: String,
}

impl Bounded {
    fn check(&self, fact: &InferenceFact) -> TractResult<()> {
        let Some(dims) = fact.shape.as_concrete_finite()? else {
            return Err(Error::Unsupported(format!(
                "\"{}\" ({}), whose size is not known before it is computed,",
                self.name, self.op
            ))
            .into());
        };
        let cells = dims.iter().fold(1usize, |n, dim| n.saturating_mul(*dim));
        if cells > CELLS {
            return Err(Error::TooLarge {
                what: "cells in a value computed from constants",
                found: cells as u64,
                limit: CELLS as u64,
            }
            .into());
        }
        Ok(())
    }
}

impl PartialEq for Bounded {
    fn eq(&self, other: &Bounded) -> bool {
        self.name == other.name
    }
}

impl Eq for Bounded {}

impl Op for Bounded {
    fn name(&self) -> StaticName {
        self.inner.name()
    }

    not_a_typed_op!();
}

impl EvalOp for Bounded {
    fn eval(&self, context: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        self.inner.eval(context, inputs)
    }

    fn eval_out_of_plan(&self, inputs: TVec<TValue>) -> TractResult<Option<TVec<TValue>>> {
        self.inner.eval_out_of_plan(inputs)
    }
}

impl InferenceOp for Bounded {
    fn infer_facts(
        &mut self,
        inputs: TVec<&InferenceFact>,
        outputs: TVec<&InferenceFact>,
        observed: TVec<&InferenceFact>,
    ) -> TractResult<(
        TVec<InferenceFact>,
        TVec<InferenceFact>,
        TVec<InferenceFact>,
    )> {
        // An identity matrix is made of the shape alone.
        if let ("EyeLike", Some(input)) = (self.op.as_str(), inputs.first()) {
            self.check(input)?;
        }
        let known = inputs.iter().all(|fact| fact.value.is_concrete());
        let facts = self.inner.infer_facts(inputs, outputs, observed)?;
        if known {
            facts.1.iter().try_for_each(|output| self.check(output))?;
        }
        Ok(facts)
    }

    fn observe_outlets(
        &self,
        model: &InferenceModel,
        node: &InferenceNode,
    ) -> TractResult<Vec<OutletId>> {
        self.inner.observe_outlets(model, node)
    }

    fn incorporate(
        &self,
        model: &InferenceModel,
        node: &InferenceNode,
    ) -> TractResult<Option<InferenceModelPatch>> {
        self.inner.incorporate(model, node)
    }

    fn nboutputs(&self) -> TractResult<usize> {
        self.inner.nboutputs()
    }

    fn to_typed(
        &self,
        source: &InferenceModel,
        node: &InferenceNode,
        target: &mut TypedModel,
        mapping: &HashMap<OutletId, OutletId>,
    ) -> TractResult<TVec<OutletId>> {
        self.inner.to_typed(source, node, target, mapping)
    }

    as_op!();
}
