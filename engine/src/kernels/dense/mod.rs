//! MatMul and Gemm with constant weights, bias and activation folded in.
//!
//! A cell is `activation((s0 + s1) + (s2 + s3))`, where `s_p` sums `x_k w_k` over `k mod 4 = p` in rising order, each product
//! fused with its addition, and `s0` starts from the bias; in layers of 64 units and more it is `activation(s0 + s1)` over
//! `k mod 2`. Every kernel keeps to that, so that a row's bits depend on nothing else.

pub mod network;
mod portable;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod wide;

use super::aligned::Aligned;
use super::arithmetic::Activation;
use super::{Kernel, Rows, RowsMut, Scratch, Slab, SlabMut, mismatch};
use crate::error::Result;

/// Units that are computed side by side.
const LANES: usize = 16;
/// Units from which on a cell is the sum of two partial sums instead of four: there are enough units side by side then.
const WIDE: usize = 64;

/// `activation(x W + b)` over rows of `width` cells.
#[derive(Debug, Clone)]
pub struct Dense {
    /// Panels of 16 units (the last of what remains), each `width` rows of its units.
    weights: Aligned,
    bias: Vec<f32>,
    width: usize,
    activation: Option<Activation>,
}

impl Dense {
    /// `weights` are row-major, `weights.len() / bias.len()` rows of one weight a unit.
    pub fn new(weights: Vec<f32>, bias: Vec<f32>) -> Dense {
        let units = bias.len();
        let width = weights.len() / units.max(1);
        let mut panels = Vec::with_capacity(weights.len());
        for first in (0..units).step_by(LANES) {
            let lanes = LANES.min(units - first);
            for row in weights.chunks_exact(units) {
                panels.extend_from_slice(&row[first..first + lanes]);
            }
        }
        Dense {
            weights: Aligned::new(&panels),
            bias,
            width,
            activation: None,
        }
    }

    /// Adds one value a unit to what the layer computes.
    pub fn add(&mut self, bias: &[f32]) {
        self.bias.iter_mut().zip(bias).for_each(|(b, c)| *b += c);
    }

    /// The same layer with an activation; a layer takes one.
    #[cfg(test)]
    pub fn then(mut self, activation: Activation) -> Dense {
        self.activate(activation);
        self
    }

    /// Gives the layer an activation; it takes one.
    pub fn activate(&mut self, activation: Activation) {
        self.activation = Some(activation);
    }

    pub fn activation(&self) -> Option<Activation> {
        self.activation
    }

    pub fn units(&self) -> usize {
        self.bias.len()
    }

    /// Weights of the panel that starts at unit `first`, and its units.
    fn panel(&self, first: usize) -> (&[f32], usize) {
        let lanes = LANES.min(self.units() - first);
        (
            &self.weights[first * self.width..][..lanes * self.width],
            lanes,
        )
    }

    /// Computes all rows of `out` from those of `x`.
    fn apply(&self, x: &Rows<'_, f32>, out: &mut RowsMut<'_, f32>) -> Result<()> {
        let fits = x.rows() == out.rows()
            && (x.rows() == 0
                || (x.row(0).len() == self.width && out.row(0).len() == self.units()));
        if !fits {
            return Err(mismatch("dense layer"));
        }
        #[cfg(target_arch = "x86_64")]
        if wide::run(self, x, out) {
            return Ok(());
        }
        portable::run(self, x, out);
        Ok(())
    }
}

impl Kernel for Dense {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let ([Slab::F32(x)], [SlabMut::F32(out)]) = (inputs, outputs) else {
            return Err(mismatch("dense layer"));
        };
        self.apply(x, out)
    }

    fn cost(&self) -> usize {
        self.weights.len() / 16 + self.units()
    }

    fn memory(&self) -> usize {
        (self.weights.len() + self.bias.len()) * 4
    }
}

#[cfg(test)]
mod tests;
