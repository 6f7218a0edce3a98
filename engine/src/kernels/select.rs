//! Choosing columns by index.

use super::slab::text;
use super::{Kernel, Rows, RowsMut, Scratch, Slab, SlabMut, mismatch};
use crate::error::Result;

/// ArrayFeatureExtractor and Gather with constant indices: output column `j` is input column `columns[j]`.
#[derive(Debug, Clone)]
pub struct Columns {
    columns: Vec<usize>,
}

impl Columns {
    /// Every index must be below the width of the input.
    pub fn new(columns: Vec<usize>) -> Columns {
        Columns { columns }
    }

    fn each<T: Copy>(&self, x: &Rows<'_, T>, out: &mut RowsMut<'_, T>) {
        for i in 0..x.rows() {
            let row = x.row(i);
            for (o, column) in out.row(i).iter_mut().zip(&self.columns) {
                *o = row[*column];
            }
        }
    }
}

impl Kernel for Columns {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        match (inputs, outputs) {
            ([Slab::F32(x)], [SlabMut::F32(o)]) => self.each(x, o),
            ([Slab::F64(x)], [SlabMut::F64(o)]) => self.each(x, o),
            ([Slab::I64(x)], [SlabMut::I64(o)]) => self.each(x, o),
            ([Slab::Text(x, from)], [SlabMut::Text(out, arena)]) => {
                for i in 0..x.rows() {
                    let row = x.row(i);
                    for (o, column) in out.row(i).iter_mut().zip(&self.columns) {
                        *o = arena.push(text(from, row[*column]))?;
                    }
                }
            }
            _ => return Err(mismatch("ArrayFeatureExtractor")),
        }
        Ok(())
    }

    fn memory(&self) -> usize {
        self.columns.len() * 8
    }
}
