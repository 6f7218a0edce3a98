//! Reductions and softmax in place of tract's, whose order of additions depends on a row's place in memory, and which
//! does not find an infinity to be the largest or smallest cell.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::ops::nn::{Reduce, Reducer, Softmax, SoftmaxKind};

use crate::kernels::reduce::{Reduction, reduce, softmax};

/// A reduction over neighbouring axes of an f32 tensor.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reduced {
    first: usize,
    axes: usize,
    reduction: Reduction,
}

/// Softmax, or its logarithm, over the last axis of an f32 tensor.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Normalised {
    logarithm: bool,
}

/// Our operator for a node, where there is one.
pub fn replacement(model: &TypedModel, node: &TypedNode) -> Option<Box<dyn TypedOp>> {
    let input = model.outlet_fact(*node.inputs.first()?).ok()?;
    if input.datum_type != DatumType::F32 || input.konst.is_some() {
        return None;
    }
    if let Some(softmax) = node.op_as::<Softmax>() {
        let last = softmax.axes.len() == 1 && softmax.axes.first() == Some(&(input.rank() - 1));
        let logarithm = softmax.kind == SoftmaxKind::LogSoftmax;
        return last.then(|| Box::new(Normalised { logarithm }) as Box<dyn TypedOp>);
    }
    let reduce = node.op_as::<Reduce>()?;
    let reduction = match reduce.reducer {
        Reducer::Sum => Reduction::Sum,
        Reducer::MeanOfSquares => Reduction::MeanOfSquares,
        Reducer::Max => Reduction::Max,
        Reducer::Min => Reduction::Min,
        _ => return None,
    };
    let mut axes = reduce.axes.clone();
    axes.sort_unstable();
    let first = *axes.first()?;
    let neighbours = axes.iter().enumerate().all(|(i, axis)| *axis == first + i);
    neighbours.then(|| {
        Box::new(Reduced {
            first,
            axes: axes.len(),
            reduction,
        }) as Box<dyn TypedOp>
    })
}

impl Reduced {
    pub fn covers(&self, axis: usize) -> bool {
        (self.first..self.first + self.axes).contains(&axis)
    }

    fn dims<D: Clone>(&self, dims: &[D], one: &D) -> TVec<D> {
        let dim = |(axis, dim): (usize, &D)| {
            if self.covers(axis) {
                one.clone()
            } else {
                dim.clone()
            }
        };
        dims.iter().enumerate().map(dim).collect()
    }
}

impl Op for Reduced {
    fn name(&self) -> StaticName {
        "Reduced".into()
    }

    op_as_typed_op!();
}

impl EvalOp for Reduced {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let input = args_1!(inputs);
        let shape = input.shape();
        let end = self.first + self.axes;
        let (Some(middle), Some(after)) = (shape.get(self.first..end), shape.get(end..)) else {
            bail!("axes that the tensor has not")
        };
        let (len, inner) = (
            middle.iter().product::<usize>(),
            after.iter().product::<usize>(),
        );
        let mut out = Tensor::zero::<f32>(&self.dims(shape, &1))?;
        let plain = input.try_as_plain_ram()?;
        let mut cells = out.try_as_plain_ram_mut()?;
        let cells = cells.as_slice_mut::<f32>()?;
        reduce(self.reduction, plain.as_slice::<f32>()?, len, inner, cells);
        Ok(tvec!(out.into_tvalue()))
    }
}

impl TypedOp for Reduced {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let [input] = inputs else {
            bail!("a reduction of {} inputs", inputs.len())
        };
        let dims = self.dims(&input.shape.to_tvec(), &1.to_dim());
        Ok(tvec!(DatumType::F32.fact(dims)))
    }

    fn cost(&self, inputs: &[&TypedFact]) -> TractResult<TVec<(Cost, TDim)>> {
        let [input] = inputs else {
            bail!("a reduction of {} inputs", inputs.len())
        };
        Ok(tvec!((Cost::FMA(DatumType::F32), input.shape.volume())))
    }

    as_op!();
}

impl Op for Normalised {
    fn name(&self) -> StaticName {
        "Normalised".into()
    }

    op_as_typed_op!();
}

impl EvalOp for Normalised {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let mut tensor = args_1!(inputs).into_tensor();
        let len = tensor.shape().last().copied().unwrap_or(1);
        let mut cells = tensor.try_as_plain_ram_mut()?;
        softmax(cells.as_slice_mut::<f32>()?, len, self.logarithm);
        Ok(tvec!(tensor.into_tvalue()))
    }
}

impl TypedOp for Normalised {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let [input] = inputs else {
            bail!("a softmax of {} inputs", inputs.len())
        };
        Ok(tvec!(DatumType::F32.fact(input.shape.clone())))
    }

    as_op!();
}
