//! MatMul and Gemm with constant weights, bias and activation folded in.

use super::arithmetic::Activation;
use super::{Kernel, Scratch, Slab, SlabMut, mismatch};
use crate::error::Result;

/// `activation(x W + b)`; `weights` is row-major, `width` rows of `units`.
#[derive(Debug, Clone)]
pub struct Dense {
    weights: Vec<f32>,
    bias: Vec<f32>,
    units: usize,
    activation: Option<Activation>,
}

impl Dense {
    /// `weights.len()` must be a multiple of `units`, `bias.len()` must be `units`.
    pub fn new(weights: Vec<f32>, bias: Vec<f32>) -> Dense {
        let units = bias.len();
        Dense {
            weights,
            bias,
            units,
            activation: None,
        }
    }

    /// The same layer followed by an addition of one value a unit.
    pub fn plus(mut self, bias: &[f32]) -> Dense {
        self.bias.iter_mut().zip(bias).for_each(|(b, c)| *b += c);
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
        self.units
    }
}

impl Kernel for Dense {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let ([Slab::F32(x)], [SlabMut::F32(out)]) = (inputs, outputs) else {
            return Err(mismatch("dense layer"));
        };
        for i in 0..x.rows() {
            let out = out.row(i);
            out.fill(0.0);
            for (x, weights) in x.row(i).iter().zip(self.weights.chunks_exact(self.units)) {
                for (o, w) in out.iter_mut().zip(weights) {
                    *o += x * w;
                }
            }
            for (o, b) in out.iter_mut().zip(&self.bias) {
                *o += b;
            }
            if let Some(activation) = self.activation {
                activation.apply(out);
            }
        }
        Ok(())
    }

    fn cost(&self) -> usize {
        self.weights.len() / 8 + self.units
    }

    fn memory(&self) -> usize {
        (self.weights.len() + self.bias.len()) * 4
    }
}
