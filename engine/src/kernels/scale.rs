//! Scaler: `(x - offset) * scale` in single precision, as onnxruntime computes it.

use super::{Kernel, Scratch, Slab, SlabMut, mismatch};
use crate::error::Result;

/// One offset and one scale per column.
#[derive(Debug, Clone)]
pub struct Scaler {
    pub offset: Vec<f32>,
    pub scale: Vec<f32>,
}

impl Kernel for Scaler {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let [SlabMut::F32(out)] = outputs else {
            return Err(mismatch("Scaler"));
        };
        let columns = || self.offset.iter().zip(&self.scale);
        match inputs {
            [Slab::F32(x)] => {
                for i in 0..x.rows() {
                    for ((o, x), (offset, scale)) in
                        out.row(i).iter_mut().zip(x.row(i)).zip(columns())
                    {
                        *o = (x - offset) * scale;
                    }
                }
            }
            [Slab::F64(x)] => {
                for i in 0..x.rows() {
                    for ((o, x), (offset, scale)) in
                        out.row(i).iter_mut().zip(x.row(i)).zip(columns())
                    {
                        *o = ((x - f64::from(*offset)) * f64::from(*scale)) as f32;
                    }
                }
            }
            [Slab::I64(x)] => {
                for i in 0..x.rows() {
                    for ((o, x), (offset, scale)) in
                        out.row(i).iter_mut().zip(x.row(i)).zip(columns())
                    {
                        *o = (*x as f32 - offset) * scale;
                    }
                }
            }
            _ => return Err(mismatch("Scaler")),
        }
        Ok(())
    }

    fn cost(&self) -> usize {
        self.scale.len()
    }

    fn memory(&self) -> usize {
        (self.offset.len() + self.scale.len()) * 4
    }
}
