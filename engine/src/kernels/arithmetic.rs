//! Elementwise functions of one or two f32 values.

use super::{Kernel, Scratch, Slab, SlabMut, math, mismatch, post};
use crate::error::Result;

/// Which of the four operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Add,
    Sub,
    Mul,
    Div,
}

/// `x op y` with a constant for `y` (or for `x`, where `constant_first`), or with two inputs.
#[derive(Debug, Clone)]
pub struct Arithmetic {
    pub operation: Operation,
    /// One value per output column; `None` when both operands are rows of equal width, or of width 1.
    pub constant: Option<Vec<f32>>,
    pub constant_first: bool,
}

impl Kernel for Arithmetic {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let [SlabMut::F32(out)] = outputs else {
            return Err(mismatch("arithmetic"));
        };
        for i in 0..out.rows() {
            let out = out.row(i);
            match (inputs, &self.constant) {
                ([Slab::F32(x)], Some(c)) if self.constant_first => self.columns(c, x.row(i), out),
                ([Slab::F32(x)], Some(c)) => self.columns(x.row(i), c, out),
                ([Slab::F32(x), Slab::F32(y)], None) => self.columns(x.row(i), y.row(i), out),
                _ => return Err(mismatch("arithmetic")),
            }
        }
        Ok(())
    }

    fn memory(&self) -> usize {
        self.constant.as_ref().map_or(0, |c| c.len() * 4)
    }
}

impl Arithmetic {
    #[inline]
    fn columns(&self, x: &[f32], y: &[f32], out: &mut [f32]) {
        match self.operation {
            Operation::Add => broadcast(x, y, out, |x, y| x + y),
            Operation::Sub => broadcast(x, y, out, |x, y| x - y),
            Operation::Mul => broadcast(x, y, out, |x, y| x * y),
            Operation::Div => broadcast(x, y, out, |x, y| x / y),
        }
    }
}

#[inline]
fn broadcast(x: &[f32], y: &[f32], out: &mut [f32], f: impl Fn(f32, f32) -> f32) {
    match (x, y) {
        (x, [y]) => out.iter_mut().zip(x).for_each(|(o, x)| *o = f(*x, *y)),
        ([x], y) => out.iter_mut().zip(y).for_each(|(o, y)| *o = f(*x, *y)),
        (x, y) => out
            .iter_mut()
            .zip(x)
            .zip(y)
            .for_each(|((o, x), y)| *o = f(*x, *y)),
    }
}

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
