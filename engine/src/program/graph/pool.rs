//! Maximum pooling over one and two axes by our kernel.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::ops::cnn::MaxPool;

use super::window::window;
use crate::kernels::window::{Window, largest};

/// A maximum over windows of `[rows, channels, ...]` of f32.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pool {
    window: Window,
    dims: TVec<usize>,
}

/// Our pooling in place of tract's, where there is one.
pub fn replacement(model: &TypedModel, node: &TypedNode) -> Option<Pool> {
    let pool = node.op_as::<MaxPool>()?;
    let spec = &pool.pool_spec;
    let fact = model.outlet_fact(*node.inputs.first()?).ok()?;
    let out = node.outputs.first()?.fact.shape.as_concrete()?;
    let dims = fact.shape.as_concrete()?;
    let plain =
        fact.datum_type == DatumType::F32 && node.outputs.len() == 1 && fact.konst.is_none();
    let window = window(spec, dims).filter(|_| plain)?;
    Some(Pool {
        window,
        dims: out.iter().copied().collect(),
    })
}

impl Op for Pool {
    fn name(&self) -> StaticName {
        "Pool".into()
    }

    op_as_typed_op!();
}

impl EvalOp for Pool {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let x = args_1!(inputs);
        let plain = x.try_as_plain_ram()?;
        let mut tensor = Tensor::zero::<f32>(&self.dims)?;
        {
            let mut cells = tensor.try_as_plain_ram_mut()?;
            largest(
                &self.window,
                plain.as_slice::<f32>()?,
                cells.as_slice_mut::<f32>()?,
            );
        }
        Ok(tvec!(tensor.into_tvalue()))
    }
}

impl TypedOp for Pool {
    fn output_facts(&self, _: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(DatumType::F32.fact(&*self.dims)))
    }

    fn cost(&self, _: &[&TypedFact]) -> TractResult<TVec<(Cost, TDim)>> {
        let cells = self.dims.iter().chain(&self.window.kernel);
        let all = cells.fold(1usize, |n, dim| n.saturating_mul(*dim));
        Ok(tvec!((Cost::FMA(DatumType::F32), all.to_dim())))
    }

    as_op!();
}
