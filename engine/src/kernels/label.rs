//! One value for another, cell by cell: LabelEncoder and CategoryMapper.

use std::collections::HashMap;
use std::hash::Hash;

use super::categories::Categories;
use super::slab::text;
use super::{Arena, Element, Kernel, Rows, RowsMut, Scratch, Slab, SlabMut, mismatch};
use crate::error::Result;

/// Key -> position in the table of values. Of equal keys the first counts.
#[derive(Debug, Clone)]
pub enum Keys {
    Categories(Categories),
    /// Bits of the number, with one pattern for NaN and one for zero.
    F32(HashMap<u32, usize>),
    /// The same of double precision.
    F64(HashMap<u64, usize>),
}

fn positions<K: Eq + Hash>(keys: impl Iterator<Item = K>) -> HashMap<K, usize> {
    let mut map = HashMap::new();
    for (i, key) in keys.enumerate() {
        map.entry(key).or_insert(i);
    }
    map
}

impl Keys {
    pub fn texts(values: &[String]) -> Keys {
        Keys::Categories(Categories::texts(values))
    }

    pub fn integers(values: &[i64]) -> Keys {
        Keys::Categories(Categories::integers(values))
    }

    /// NaN is a key only where `nan`.
    pub fn floats(values: &[f32], nan: bool) -> Keys {
        let mut map = positions(values.iter().map(|v| bits(*v)));
        if !nan {
            map.remove(&bits(f32::NAN));
        }
        Keys::F32(map)
    }

    /// NaN is a key only where `nan`.
    pub fn doubles(values: &[f64], nan: bool) -> Keys {
        let mut map = positions(values.iter().map(|v| bits64(*v)));
        if !nan {
            map.remove(&bits64(f64::NAN));
        }
        Keys::F64(map)
    }
}

/// Bits that are equal exactly where the numbers are, NaN counting as equal to NaN.
fn bits(value: f32) -> u32 {
    if value.is_nan() {
        f32::NAN.to_bits()
    } else {
        (value + 0.0).to_bits()
    }
}

fn bits64(value: f64) -> u64 {
    if value.is_nan() {
        f64::NAN.to_bits()
    } else {
        (value + 0.0).to_bits()
    }
}

/// Values by position, and the value of everything that is no key.
#[derive(Debug, Clone)]
pub enum Table {
    F32(Vec<f32>, f32),
    F64(Vec<f64>, f64),
    I64(Vec<i64>, i64),
    Text(Vec<Box<str>>, Box<str>),
}

impl Table {
    pub fn len(&self) -> usize {
        match self {
            Table::F32(v, _) => v.len(),
            Table::F64(v, _) => v.len(),
            Table::I64(v, _) => v.len(),
            Table::Text(v, _) => v.len(),
        }
    }

    pub fn element(&self) -> Element {
        match self {
            Table::F32(..) => Element::F32,
            Table::F64(..) => Element::F64,
            Table::I64(..) => Element::I64,
            Table::Text(..) => Element::Text,
        }
    }
}

/// The value of a key's position, or the default.
#[derive(Debug, Clone)]
pub struct LabelEncoder {
    pub keys: Keys,
    pub table: Table,
}

impl Kernel for LabelEncoder {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let ([x], [out]) = (inputs, outputs) else {
            return Err(mismatch("LabelEncoder"));
        };
        match (x, &self.keys) {
            (Slab::Text(x, arena), Keys::Categories(c)) => {
                self.write(x, out, |v| c.text(text(arena, v)))
            }
            (Slab::I64(x), Keys::Categories(c)) => self.write(x, out, |v| c.integer(v)),
            (Slab::F32(x), Keys::F32(map)) => self.write(x, out, |v| map.get(&bits(v)).copied()),
            (Slab::F64(x), Keys::F64(map)) => self.write(x, out, |v| map.get(&bits64(v)).copied()),
            _ => Err(mismatch("LabelEncoder")),
        }
    }

    fn cost(&self) -> usize {
        10
    }

    fn memory(&self) -> usize {
        let keys = match &self.keys {
            Keys::Categories(c) => c.memory(),
            Keys::F32(map) => map.capacity() * 16,
            Keys::F64(map) => map.capacity() * 24,
        };
        keys + match &self.table {
            Table::F32(v, _) => v.len() * 4,
            Table::F64(v, _) => v.len() * 8,
            Table::I64(v, _) => v.len() * 8,
            Table::Text(v, _) => v.iter().map(|t| t.len() + 16).sum(),
        }
    }
}

impl LabelEncoder {
    fn write<K: Copy>(
        &self,
        x: &Rows<'_, K>,
        out: &mut SlabMut<'_>,
        find: impl Fn(K) -> Option<usize>,
    ) -> Result<()> {
        match (out, &self.table) {
            (SlabMut::F32(out), Table::F32(values, default)) => {
                each(x, out, find, values, *default)
            }
            (SlabMut::F64(out), Table::F64(values, default)) => {
                each(x, out, find, values, *default)
            }
            (SlabMut::I64(out), Table::I64(values, default)) => {
                each(x, out, find, values, *default)
            }
            (SlabMut::Text(out, arena), Table::Text(values, default)) => {
                let arena: &mut Arena = arena;
                for i in 0..x.rows() {
                    for (o, x) in out.row(i).iter_mut().zip(x.row(i)) {
                        let value = find(*x).and_then(|p| values.get(p)).unwrap_or(default);
                        *o = arena.push(value)?;
                    }
                }
            }
            _ => return Err(mismatch("LabelEncoder")),
        }
        Ok(())
    }
}

fn each<K: Copy, T: Copy>(
    x: &Rows<'_, K>,
    out: &mut RowsMut<'_, T>,
    find: impl Fn(K) -> Option<usize>,
    values: &[T],
    default: T,
) {
    for i in 0..x.rows() {
        for (o, x) in out.row(i).iter_mut().zip(x.row(i)) {
            *o = find(*x)
                .and_then(|p| values.get(p))
                .copied()
                .unwrap_or(default);
        }
    }
}
