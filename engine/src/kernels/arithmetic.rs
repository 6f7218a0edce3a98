//! Activations of dense layers.

use super::{Kernel, Scratch, Slab, SlabMut, math, mismatch, post};
use crate::error::Result;

/// A function of one value, or of one row for softmax.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    Relu,
    LeakyRelu(f32),
    Sigmoid,
    Tanh,
    Softmax,
}

impl Activation {
    /// Applies it to the cells of one row in place. Inlined, so that a wide kernel has it in its own instructions.
    #[inline(always)]
    pub fn apply(self, row: &mut [f32]) {
        match self {
            Activation::Relu => row
                .iter_mut()
                .for_each(|x| *x = if *x < 0.0 { 0.0 } else { *x }),
            Activation::LeakyRelu(slope) => row
                .iter_mut()
                .for_each(|x| *x = if *x < 0.0 { *x * slope } else { *x }),
            Activation::Sigmoid => row.iter_mut().for_each(|x| *x = math::logistic(*x)),
            Activation::Tanh => row.iter_mut().for_each(|x| *x = math::tanh(*x)),
            Activation::Softmax => post::softmax(row),
        }
    }
}

impl Kernel for Activation {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let ([Slab::F32(x)], [SlabMut::F32(out)]) = (inputs, outputs) else {
            return Err(mismatch("activation"));
        };
        for i in 0..x.rows() {
            let out = out.row(i);
            out.copy_from_slice(x.row(i));
            self.apply(out);
        }
        Ok(())
    }
}
