//! Categories to numbers: one-hot vectors and labels.

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
    /// Positions of distinct integers in the order given.
    pub fn integers(values: &[i64]) -> Categories {
        Categories::Integers(values.iter().enumerate().map(|(i, v)| (*v, i)).collect())
    }

    /// Positions of distinct texts in the order given.
    pub fn texts(values: &[String]) -> Categories {
        if values.len() <= FEW {
            return Categories::FewTexts(values.iter().map(|v| v.as_str().into()).collect());
        }
        Categories::Texts(
            values
                .iter()
                .enumerate()
                .map(|(i, v)| (v.as_str().into(), i))
                .collect(),
        )
    }

    #[inline]
    fn integer(&self, value: i64) -> Option<usize> {
        match self {
            Categories::Integers(map) => map.get(&value).copied(),
            _ => None,
        }
    }

    #[inline]
    fn text(&self, value: &str) -> Option<usize> {
        match self {
            Categories::FewTexts(list) => list.iter().position(|c| **c == *value),
            Categories::Texts(map) => map.get(value).copied(),
            Categories::Integers(_) => None,
        }
    }

    fn memory(&self) -> usize {
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

/// Values that a LabelEncoder writes.
#[derive(Debug, Clone)]
pub enum Codes {
    F32(Vec<f32>, f32),
    I64(Vec<i64>, i64),
}

/// LabelEncoder: the value of a key's position, or the default. NaN is a key of its own.
#[derive(Debug, Clone)]
pub struct LabelEncoder {
    pub keys: Keys,
    pub codes: Codes,
}

/// Keys of a LabelEncoder.
#[derive(Debug, Clone)]
pub enum Keys {
    Categories(Categories),
    /// Bits of the number, with one pattern for NaN and one for zero.
    Floats(HashMap<u32, usize>),
}

impl Keys {
    /// Positions of distinct numbers in the order given.
    pub fn floats(values: &[f32]) -> Keys {
        Keys::Floats(
            values
                .iter()
                .enumerate()
                .map(|(i, v)| (key_bits(*v), i))
                .collect(),
        )
    }

    fn float(&self, value: f32) -> Option<usize> {
        match self {
            Keys::Floats(map) => map.get(&key_bits(value)).copied(),
            Keys::Categories(_) => None,
        }
    }
}

/// Bits that are equal exactly where the numbers are, NaN counting as equal to NaN.
pub fn key_bits(value: f32) -> u32 {
    if value.is_nan() {
        f32::NAN.to_bits()
    } else {
        (value + 0.0).to_bits()
    }
}

impl LabelEncoder {
    fn position(&self, x: &Slab<'_>, row: usize, column: usize) -> Option<usize> {
        match (x, &self.keys) {
            (Slab::Text(x, arena), Keys::Categories(c)) => c.text(text(arena, x.row(row)[column])),
            (Slab::I64(x), Keys::Categories(c)) => c.integer(x.row(row)[column]),
            (Slab::F32(x), keys) => keys.float(x.row(row)[column]),
            _ => None,
        }
    }
}

impl Kernel for LabelEncoder {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let ([x], [out]) = (inputs, outputs) else {
            return Err(mismatch("LabelEncoder"));
        };
        match (out, &self.codes) {
            (SlabMut::F32(out), Codes::F32(codes, default)) => self.write(x, out, codes, *default),
            (SlabMut::I64(out), Codes::I64(codes, default)) => self.write(x, out, codes, *default),
            _ => return Err(mismatch("LabelEncoder")),
        }
        Ok(())
    }

    fn cost(&self) -> usize {
        10
    }

    fn memory(&self) -> usize {
        let keys = match &self.keys {
            Keys::Categories(c) => c.memory(),
            Keys::Floats(map) => map.capacity() * 16,
        };
        keys + match &self.codes {
            Codes::F32(v, _) => v.len() * 4,
            Codes::I64(v, _) => v.len() * 8,
        }
    }
}

impl LabelEncoder {
    fn write<T: Copy>(&self, x: &Slab<'_>, out: &mut RowsMut<'_, T>, codes: &[T], default: T) {
        for i in 0..out.rows() {
            for (column, o) in out.row(i).iter_mut().enumerate() {
                *o = self
                    .position(x, i, column)
                    .and_then(|p| codes.get(p))
                    .copied()
                    .unwrap_or(default);
            }
        }
    }
}
