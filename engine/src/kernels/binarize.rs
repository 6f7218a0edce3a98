//! Binarizer: 1 above a threshold and 0 elsewhere.

use super::{Kernel, Scratch, Slab, SlabMut, mismatch};
use crate::error::Result;

/// Cells above the threshold are 1; NaN is not.
#[derive(Debug, Clone, Copy)]
pub struct Binarizer {
    pub threshold: f32,
}

impl Kernel for Binarizer {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let ([Slab::F32(x)], [SlabMut::F32(out)]) = (inputs, outputs) else {
            return Err(mismatch("Binarizer"));
        };
        for i in 0..x.rows() {
            for (o, x) in out.row(i).iter_mut().zip(x.row(i)) {
                *o = f32::from(u8::from(*x > self.threshold));
            }
        }
        Ok(())
    }
}
