//! Normalizer: each row divided by its norm.

use super::{Kernel, Scratch, Slab, SlabMut, mismatch};
use crate::error::Result;

/// Which norm of the row divides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Norm {
    /// Largest value.
    Max,
    /// Sum of absolute values.
    L1,
    /// Root of the sum of squares.
    L2,
}

impl Kernel for Norm {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let [SlabMut::F32(out)] = outputs else {
            return Err(mismatch("Normalizer"));
        };
        for i in 0..out.rows() {
            let out = out.row(i);
            match inputs {
                [Slab::F32(x)] => out.copy_from_slice(x.row(i)),
                [Slab::F64(x)] => out
                    .iter_mut()
                    .zip(x.row(i))
                    .for_each(|(o, x)| *o = *x as f32),
                [Slab::I64(x)] => out
                    .iter_mut()
                    .zip(x.row(i))
                    .for_each(|(o, x)| *o = *x as f32),
                _ => return Err(mismatch("Normalizer")),
            }
            self.divide(out);
        }
        Ok(())
    }
}

impl Norm {
    fn divide(self, row: &mut [f32]) {
        match self {
            Norm::Max => {
                let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                if max != 0.0 {
                    row.iter_mut().for_each(|x| *x /= max);
                }
            }
            Norm::L1 => {
                let sum: f32 = row.iter().map(|x| x.abs()).sum();
                if sum != 0.0 {
                    row.iter_mut().for_each(|x| *x /= sum);
                }
            }
            Norm::L2 => {
                let sum: f32 = row.iter().map(|x| x * x).sum();
                if sum != 0.0 {
                    row.iter_mut().for_each(|x| {
                        let root = (*x * *x / sum).sqrt();
                        *x = if *x < 0.0 { -root } else { root };
                    });
                }
            }
        }
    }
}
