//! One-hot vectors.

use super::categories::Categories;
use super::slab::text;
use super::{Kernel, RowsMut, Scratch, Slab, SlabMut, mismatch};
use crate::error::{Error, Result};

/// OneHotEncoder: every input column becomes `width` columns, one of them 1.
#[derive(Debug, Clone)]
pub struct OneHot {
    pub categories: Categories,
    pub width: usize,
    /// Unknown categories become zeros; otherwise they are refused.
    pub zeros: bool,
    /// Names of the features behind the input columns, for errors.
    pub features: Vec<String>,
}

impl OneHot {
    #[inline]
    fn mark(&self, column: usize, position: Option<usize>, out: &mut [f32]) -> Result<()> {
        match position {
            Some(p) => out[column * self.width + p] = 1.0,
            None if self.zeros => {}
            None => return Err(unknown(&self.features, column)),
        }
        Ok(())
    }

    fn each<T: Copy>(
        &self,
        x: &super::Rows<'_, T>,
        out: &mut RowsMut<'_, f32>,
        find: impl Fn(T) -> Option<usize>,
    ) -> Result<()> {
        for i in 0..x.rows() {
            let out = out.row(i);
            out.fill(0.0);
            for (column, x) in x.row(i).iter().enumerate() {
                self.mark(column, find(*x), out)?;
            }
        }
        Ok(())
    }
}

/// The error for a category that no table has.
fn unknown(features: &[String], column: usize) -> Error {
    let feature = features
        .get(column)
        .cloned()
        .unwrap_or_else(|| format!("column {column}"));
    Error::UnknownCategory { feature }
}

impl Kernel for OneHot {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let ([x], [SlabMut::F32(out)]) = (inputs, outputs) else {
            return Err(mismatch("OneHotEncoder"));
        };
        match x {
            Slab::Text(x, arena) => {
                self.each(x, out, |span| self.categories.text(text(arena, span)))
            }
            Slab::I64(x) => self.each(x, out, |v| self.categories.integer(v)),
            Slab::F32(x) => self.each(x, out, |v| self.categories.integer(v as i64)),
            Slab::F64(x) => self.each(x, out, |v| self.categories.integer(v as i64)),
        }
    }

    fn cost(&self) -> usize {
        10 + self.width / 4
    }

    fn memory(&self) -> usize {
        self.categories.memory()
    }
}
