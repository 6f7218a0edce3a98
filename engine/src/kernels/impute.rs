//! Imputer: a replaced value (often NaN) becomes the column's constant.

use super::{Kernel, Scratch, Slab, SlabMut, mismatch};
use crate::error::Result;

/// One constant per column, for values equal to `replaced` (or NaN where `replaced` is NaN).
#[derive(Debug, Clone)]
pub struct Imputer<T> {
    pub replaced: T,
    pub values: Vec<T>,
}

impl Kernel for Imputer<f32> {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let is_nan = self.replaced.is_nan();
        match (inputs, outputs) {
            ([Slab::F32(x)], [SlabMut::F32(out)]) => {
                for i in 0..x.rows() {
                    for ((o, x), v) in out.row(i).iter_mut().zip(x.row(i)).zip(&self.values) {
                        *o = if *x == self.replaced || (is_nan && x.is_nan()) {
                            *v
                        } else {
                            *x
                        };
                    }
                }
            }
            ([Slab::F64(x)], [SlabMut::F64(out)]) => {
                for i in 0..x.rows() {
                    for ((o, x), v) in out.row(i).iter_mut().zip(x.row(i)).zip(&self.values) {
                        let hit = *x == f64::from(self.replaced) || (is_nan && x.is_nan());
                        *o = if hit { f64::from(*v) } else { *x };
                    }
                }
            }
            _ => return Err(mismatch("Imputer")),
        }
        Ok(())
    }

    fn cost(&self) -> usize {
        self.values.len()
    }

    fn memory(&self) -> usize {
        self.values.len() * 4
    }
}

impl Kernel for Imputer<i64> {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let ([Slab::I64(x)], [SlabMut::I64(out)]) = (inputs, outputs) else {
            return Err(mismatch("Imputer"));
        };
        for i in 0..x.rows() {
            for ((o, x), v) in out.row(i).iter_mut().zip(x.row(i)).zip(&self.values) {
                *o = if *x == self.replaced { *v } else { *x };
            }
        }
        Ok(())
    }

    fn cost(&self) -> usize {
        self.values.len()
    }

    fn memory(&self) -> usize {
        self.values.len() * 8
    }
}
