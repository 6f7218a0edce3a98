//! MatMul and Gemm with constant weights, bias and activation folded in.

use super::arithmetic::Activation;
use super::product::{Packed, widest};
use super::recurrent::Function;
use super::{Kernel, Rows, RowsMut, Scratch, Slab, SlabMut, mismatch};
use crate::error::Result;

/// `activation(x W + b)`.
#[derive(Debug, Clone)]
pub struct Dense {
    weights: Packed,
    activation: Option<Activation>,
}

impl Dense {
    /// `weights` is row-major, one row of `bias.len()` units for each input; its length must be a multiple of them.
    pub fn new(weights: Vec<f32>, bias: Vec<f32>) -> Dense {
        let mut weights = Packed::of(&weights, bias.len());
        weights.add_bias(&bias);
        Dense {
            weights,
            activation: None,
        }
    }

    /// The same layer followed by an addition of one value a unit.
    pub fn plus(mut self, bias: &[f32]) -> Dense {
        self.weights.add_bias(bias);
        self
    }

    /// The same layer with an activation; a layer takes one.
    pub fn then(mut self, activation: Activation) -> Dense {
        self.activation = Some(activation);
        self
    }

    pub fn activation(&self) -> Option<Activation> {
        self.activation
    }

    pub fn units(&self) -> usize {
        self.weights.columns()
    }
}

widest! {
    /// All rows.
    pub fn layer(dense: &Dense, x: &Rows<'_, f32>, out: &mut RowsMut<'_, f32>) = layer_of
}

#[inline(always)]
fn layer_of<const R: usize>(dense: &Dense, x: &Rows<'_, f32>, out: &mut RowsMut<'_, f32>) {
    let rows = x.rows().min(out.rows());
    let (cells, stride) = x.cells();
    let units = dense.units();
    let (results, step) = out.cells();
    let weights = &dense.weights;
    weights.strided::<R>([cells, &[]], [stride, 0], rows, results, step);
    let Some(activation) = dense.activation else {
        return;
    };
    for row in 0..rows {
        let row = &mut results[row * step..][..units];
        match activation {
            Activation::Relu => Function::Relu.apply(row),
            Activation::Sigmoid => Function::Sigmoid.apply(row),
            Activation::Tanh => Function::Tanh.apply(row),
            other => other.apply(row),
        }
    }
}

impl Kernel for Dense {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let ([Slab::F32(x)], [SlabMut::F32(out)]) = (inputs, outputs) else {
            return Err(mismatch("dense layer"));
        };
        layer(self, x, out);
        Ok(())
    }

    fn cost(&self) -> usize {
        self.weights.cost() / 8 + self.units()
    }

    fn memory(&self) -> usize {
        self.weights.memory()
    }
}
