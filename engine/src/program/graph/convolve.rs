//! Convolutions of one and two axes by our kernel, whose order of additions is the same for any number of rows.

use std::fmt;
use std::sync::Arc;

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::ops::cnn::{Conv, KernelFormat};

use super::window::window;
use crate::kernels::matrix::{Convolution, convolve};
use crate::kernels::product::same_bits;

/// A convolution `[rows, channels, ...]` of f32.
#[derive(Clone)]
pub struct Convolve {
    of: Arc<Convolution>,
    dims: TVec<usize>,
}

impl fmt::Debug for Convolve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "convolution to {:?}", self.dims)
    }
}

impl PartialEq for Convolve {
    fn eq(&self, other: &Convolve) -> bool {
        Arc::ptr_eq(&self.of, &other.of) && self.dims == other.dims
    }
}

impl Eq for Convolve {}

/// Our convolution in place of tract's, where there is one: the operator and its input.
pub fn replacement(model: &TypedModel, node: &TypedNode) -> Option<(Convolve, OutletId)> {
    let conv = node.op_as::<Conv>()?;
    let [x, kernel, bias] = node.inputs[..] else {
        return None;
    };
    let fact = model.outlet_fact(x).ok()?;
    let weights = model.outlet_fact(kernel).ok()?.konst.clone()?;
    let bias = model.outlet_fact(bias).ok()?.konst.clone()?;
    let spec = &conv.pool_spec;
    let plain = conv.q_params.is_none()
        && conv.kernel_fmt == KernelFormat::OIHW
        && [fact.datum_type, weights.datum_type(), bias.datum_type()] == [DatumType::F32; 3];
    let dims = fact.shape.as_concrete()?;
    let [rows, channels] = dims.get(..2)? else {
        return None;
    };
    let window = window(spec, dims).filter(|_| plain)?;
    let outputs = spec.output_channels;
    let cells = |tensor: &Tensor| -> Option<Vec<f32>> {
        Some(
            tensor
                .try_as_plain_ram()
                .ok()?
                .as_slice::<f32>()
                .ok()?
                .to_vec(),
        )
    };
    let weights = cells(&weights)?;
    let bias = match cells(&bias)?.as_slice() {
        [one] => vec![*one; outputs],
        all if all.len() == outputs => all.to_vec(),
        _ => return None,
    };
    let of = Convolution {
        weights,
        bias,
        groups: conv.group,
        window,
    };
    let depth = channels.checked_div(of.groups)? * window.kernel[0] * window.kernel[1];
    if of.weights.len() != depth * outputs || outputs % of.groups != 0 || channels % of.groups != 0
    {
        return None;
    }
    let spatial = window.output.iter().skip(4 - dims.len());
    let dims = [*rows, outputs].iter().chain(spatial).copied().collect();
    Some((
        Convolve {
            of: Arc::new(of),
            dims,
        },
        x,
    ))
}

impl Convolve {
    /// The weights and the bias are those of the other convolution, bit for bit.
    pub fn has_weights_of(&self, other: &Convolve) -> bool {
        same_bits(&self.of.weights, &other.of.weights) && same_bits(&self.of.bias, &other.of.bias)
    }

    pub fn memory(&self) -> usize {
        (self.of.weights.len() + self.of.bias.len()) * 4
    }
}

impl Op for Convolve {
    fn name(&self) -> StaticName {
        "Convolve".into()
    }

    op_as_typed_op!();
}

impl EvalOp for Convolve {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let x = args_1!(inputs);
        let plain = x.try_as_plain_ram()?;
        let x = plain.as_slice::<f32>()?;
        let mut tensor = Tensor::zero::<f32>(&self.dims)?;
        let rows = self.dims.first().copied().unwrap_or(1).max(1);
        {
            let mut plain = tensor.try_as_plain_ram_mut()?;
            let out = plain.as_slice_mut::<f32>()?;
            let (from, to) = (x.len() / rows, out.len() / rows);
            let mut panel = Vec::new();
            for (x, out) in x.chunks_exact(from).zip(out.chunks_exact_mut(to)) {
                convolve(&self.of, x, &mut panel, out);
            }
        }
        Ok(tvec!(tensor.into_tvalue()))
    }
}

impl TypedOp for Convolve {
    fn output_facts(&self, _: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(DatumType::F32.fact(&*self.dims)))
    }

    fn cost(&self, _: &[&TypedFact]) -> TractResult<TVec<(Cost, TDim)>> {
        let rows = self.dims.first().copied().unwrap_or(1);
        let all = self.of.cost().saturating_mul(rows);
        Ok(tvec!((Cost::FMA(DatumType::F32), all.to_dim())))
    }

    as_op!();
}
