//! Categories to numbers: positions and one-hot vectors.

use std::collections::HashMap;

use super::slab::text;
use super::{Kernel, RowsMut, Scratch, Slab, SlabMut, mismatch};
use crate::error::{Error, Result};

/// Category -> position. Few text categories are searched in order, which beats hashing.
#[derive(Debug, Clone)]
pub enum Categories {
    Integers(HashMap<i64, usize>),
    FewTexts(Vec<Box<str>>),
    Texts(HashMap<Box<str>, usize>),
}

const FEW: usize = 12;

impl Categories {
    /// Positions in the order given; of equal integers the first counts.
    pub fn integers(values: &[i64]) -> Categories {
        Categories::Integers(
            values
                .iter()
                .enumerate()
                .rev()
                .map(|(i, v)| (*v, i))
                .collect(),
        )
    }

    /// Positions in the order given; of equal texts the first counts.
    pub fn texts(values: &[String]) -> Categories {
        if values.len() <= FEW {
            return Categories::FewTexts(values.iter().map(|v| v.as_str().into()).collect());
        }
        Categories::Texts(
            values
                .iter()
                .enumerate()
                .rev()
                .map(|(i, v)| (v.as_str().into(), i))
                .collect(),
        )
    }

    #[inline]
    pub fn integer(&self, value: i64) -> Option<usize> {
        match self {
            Categories::Integers(map) => map.get(&value).copied(),
            _ => None,
        }
    }

    #[inline]
    pub fn text(&self, value: &str) -> Option<usize> {
        match self {
            Categories::FewTexts(list) => list.iter().position(|c| **c == *value),
            Categories::Texts(map) => map.get(value).copied(),
            Categories::Integers(_) => None,
        }
    }

    pub fn memory(&self) -> usize {
        match self {
            Categories::Integers(map) => map.capacity() * 24,
            Categories::FewTexts(list) => list.iter().map(|c| c.len() + 16).sum(),
            Categories::Texts(map) => {
                map.capacity() * 32 + map.keys().map(|k| k.len()).sum::<usize>()
            }
        }
    }
}

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
