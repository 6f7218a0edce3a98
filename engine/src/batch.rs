//! Typed rows of one batch: one row-major block per element, its columns in the order of the features.

use crate::error::{Error, Result};
use crate::kernels::{Element, Span};
use crate::signature::{Feature, Kind, Missing, Signature};

/// Bytes of text reserved per text feature and row; more is allocated when a batch needs it.
const TEXT: usize = 16;

/// Rows to score. Filling a batch that has been filled before allocates nothing.
#[derive(Debug)]
pub struct Batch {
    slots: Vec<Slot>,
    capacity: usize,
    rows: usize,
    /// The last row is not finished.
    open: bool,
    /// Features set in the open row.
    set: usize,
    blocks: Blocks,
}

/// A feature's value as the model reads it; a missing number is NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    Float32(f32),
    Float64(f64),
    Integer(i64),
    Bool(bool),
    Text(&'a str),
}

/// Where a feature's values go.
#[derive(Debug)]
struct Slot {
    name: String,
    kind: Kind,
    missing: Missing,
    /// Column in the block of its element.
    column: usize,
    /// Last row, counted from 1, that has a value.
    row: usize,
}

/// The blocks of all elements. Bools are integers 0 and 1.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    pub f32: Block<f32>,
    pub f64: Block<f64>,
    pub i64: Block<i64>,
    pub text: Block<Span>,
    pub arena: String,
}

/// Row-major cells, `width` per row.
#[derive(Debug, Default)]
pub(crate) struct Block<T> {
    pub cells: Vec<T>,
    pub width: usize,
}

impl<T: Copy + Default> Block<T> {
    fn allocate(&mut self, rows: usize) -> Result<()> {
        let n = rows.checked_mul(self.width).ok_or(Error::OutOfMemory)?;
        self.cells
            .try_reserve_exact(n)
            .map_err(|_| Error::OutOfMemory)?;
        self.cells.resize(n, T::default());
        Ok(())
    }

    fn get(&self, row: usize, column: usize) -> Option<T> {
        self.cells.get(row * self.width + column).copied()
    }

    #[inline]
    fn set(&mut self, row: usize, column: usize, value: T) {
        if let Some(cell) = self.cells.get_mut(row * self.width + column) {
            *cell = value;
        }
    }
}

/// Block and column of every feature.
pub(crate) fn columns(features: &[Feature]) -> Vec<(Element, usize)> {
    let (mut f32, mut f64, mut i64, mut text) = (0, 0, 0, 0);
    features
        .iter()
        .map(|feature| {
            let element = feature.kind.element();
            let next = match element {
                Element::F32 => &mut f32,
                Element::F64 => &mut f64,
                Element::I64 | Element::Bool => &mut i64,
                Element::Text => &mut text,
            };
            *next += 1;
            (element, *next - 1)
        })
        .collect()
}

impl Batch {
    /// Memory for `capacity` rows of the signature's features.
    pub fn new(signature: &Signature, capacity: usize) -> Result<Batch> {
        let mut blocks = Blocks::default();
        let mut slots = Vec::with_capacity(signature.features.len());
        for (feature, (element, column)) in
            signature.features.iter().zip(columns(&signature.features))
        {
            match element {
                Element::F32 => blocks.f32.width = column + 1,
                Element::F64 => blocks.f64.width = column + 1,
                Element::I64 | Element::Bool => blocks.i64.width = column + 1,
                Element::Text => blocks.text.width = column + 1,
            }
            slots.push(Slot {
                name: feature.name.clone(),
                kind: feature.kind,
                missing: feature.missing.clone(),
                column,
                row: 0,
            });
        }
        blocks.f32.allocate(capacity)?;
        blocks.f64.allocate(capacity)?;
        blocks.i64.allocate(capacity)?;
        blocks.text.allocate(capacity)?;
        let arena = blocks
            .text
            .cells
            .len()
            .checked_mul(TEXT)
            .ok_or(Error::OutOfMemory)?;
        blocks
            .arena
            .try_reserve_exact(arena)
            .map_err(|_| Error::OutOfMemory)?;
        Ok(Batch {
            slots,
            capacity,
            rows: 0,
            open: false,
            set: 0,
            blocks,
        })
    }

    /// Rows begun since the last `clear`.
    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Forgets all rows and keeps the memory.
    pub fn clear(&mut self) {
        self.rows = 0;
        self.open = false;
        self.set = 0;
        self.blocks.arena.clear();
        self.slots.iter_mut().for_each(|slot| slot.row = 0);
    }

    /// Finishes the open row and begins another. Errors when the batch is full, and as `finish_row` does.
    pub fn push_row(&mut self) -> Result<()> {
        self.finish_row()?;
        if self.rows == self.capacity {
            return Err(Error::Invalid(format!(
                "batch holds {} rows already",
                self.capacity
            )));
        }
        self.rows += 1;
        self.open = true;
        self.set = 0;
        Ok(())
    }

    /// Features of the open row that were not set become NULL: [`Batch::set_null`]. Without an open row, nothing.
    pub fn finish_row(&mut self) -> Result<()> {
        if self.open {
            if self.set < self.slots.len() {
                for feature in 0..self.slots.len() {
                    if self
                        .slots
                        .get(feature)
                        .is_some_and(|slot| slot.row != self.rows)
                    {
                        self.set_null(feature)?;
                    }
                }
            }
            self.open = false;
        }
        Ok(())
    }

    /// Sets a number. NaN follows the feature's policy for NULL, and is `Error::NanFeature` where NULL is refused;
    /// an integer feature takes whole numbers, a bool 0 and 1.
    #[inline]
    pub fn set_float(&mut self, feature: usize, value: f64) -> Result<()> {
        let slot = Self::slot(&self.slots, feature)?;
        if value.is_nan() {
            match slot.missing {
                Missing::Native => {}
                Missing::Error => {
                    return Err(Error::NanFeature {
                        feature: slot.name.clone(),
                    });
                }
                _ => return self.set_null(feature),
            }
        }
        let (kind, column, row) = (slot.kind, slot.column, self.row());
        match kind {
            Kind::Float32 => self.blocks.f32.set(row, column, value as f32),
            Kind::Float64 => self.blocks.f64.set(row, column, value),
            Kind::Int64 if whole(value) => self.blocks.i64.set(row, column, value as i64),
            Kind::Bool if value == 0.0 || value == 1.0 => {
                self.blocks.i64.set(row, column, value as i64)
            }
            _ => return Err(refused(slot, "a float")),
        }
        self.mark(feature);
        Ok(())
    }

    /// Sets an integer; a bool feature takes 0 and 1.
    #[inline]
    pub fn set_integer(&mut self, feature: usize, value: i64) -> Result<()> {
        let slot = Self::slot(&self.slots, feature)?;
        let (kind, column, row) = (slot.kind, slot.column, self.row());
        match kind {
            Kind::Float32 => self.blocks.f32.set(row, column, value as f32),
            Kind::Float64 => self.blocks.f64.set(row, column, value as f64),
            Kind::Int64 => self.blocks.i64.set(row, column, value),
            Kind::Bool if value == 0 || value == 1 => self.blocks.i64.set(row, column, value),
            _ => return Err(refused(slot, "an integer")),
        }
        self.mark(feature);
        Ok(())
    }

    /// Sets a bool; number features take it as 0 or 1.
    #[inline]
    pub fn set_bool(&mut self, feature: usize, value: bool) -> Result<()> {
        let slot = Self::slot(&self.slots, feature)?;
        if slot.kind == Kind::Text {
            return Err(refused(slot, "a bool"));
        }
        self.set_integer(feature, i64::from(value))
    }

    /// Sets a text.
    #[inline]
    pub fn set_text(&mut self, feature: usize, value: &str) -> Result<()> {
        let slot = Self::slot(&self.slots, feature)?;
        if slot.kind != Kind::Text {
            return Err(refused(slot, "a text"));
        }
        let (column, row) = (slot.column, self.row());
        self.blocks.set_text(row, column, value)?;
        self.mark(feature);
        Ok(())
    }

    /// Applies the feature's policy: NaN, a constant, or `Error::NullFeature`.
    pub fn set_null(&mut self, feature: usize) -> Result<()> {
        let row = self.row();
        let slot = Self::slot(&self.slots, feature)?;
        let column = slot.column;
        match (&slot.missing, slot.kind) {
            (Missing::Native, Kind::Float32) => self.blocks.f32.set(row, column, f32::NAN),
            (Missing::Native, Kind::Float64) => self.blocks.f64.set(row, column, f64::NAN),
            (Missing::Number(n), Kind::Float32) => self.blocks.f32.set(row, column, *n as f32),
            (Missing::Number(n), Kind::Float64) => self.blocks.f64.set(row, column, *n),
            (Missing::Number(n), Kind::Int64 | Kind::Bool) => {
                self.blocks.i64.set(row, column, *n as i64)
            }
            (Missing::Text(text), Kind::Text) => self.blocks.set_text(row, column, text)?,
            _ => {
                return Err(Error::NullFeature {
                    feature: slot.name.clone(),
                });
            }
        }
        self.mark(feature);
        Ok(())
    }

    /// Takes the last row back, whether it is finished or not. Without rows, nothing.
    pub fn drop_row(&mut self) {
        let last = self.rows;
        self.rows = last.saturating_sub(1);
        self.open = false;
        self.set = 0;
        self.slots
            .iter_mut()
            .filter(|slot| slot.row == last)
            .for_each(|slot| slot.row = 0);
    }

    /// A cell of a finished row, as the model reads it; nothing beyond the rows and features.
    pub fn value(&self, row: usize, feature: usize) -> Option<Value<'_>> {
        let slot = self.slots.get(feature).filter(|_| row < self.rows)?;
        let Blocks {
            f32,
            f64,
            i64,
            text,
            arena,
        } = &self.blocks;
        Some(match slot.kind {
            Kind::Float32 => Value::Float32(f32.get(row, slot.column)?),
            Kind::Float64 => Value::Float64(f64.get(row, slot.column)?),
            Kind::Int64 => Value::Integer(i64.get(row, slot.column)?),
            Kind::Bool => Value::Bool(i64.get(row, slot.column)? != 0),
            Kind::Text => {
                let Span { start, end } = text.get(row, slot.column)?;
                Value::Text(arena.get(start as usize..end as usize)?)
            }
        })
    }

    pub(crate) fn blocks(&self) -> &Blocks {
        &self.blocks
    }

    #[inline]
    fn slot(slots: &[Slot], feature: usize) -> Result<&Slot> {
        slots
            .get(feature)
            .ok_or_else(|| Error::Invalid(format!("feature {feature} of {}", slots.len())))
    }

    /// Index of the open row. Without one, cells are written where `push_row` makes them stale.
    #[inline]
    fn row(&self) -> usize {
        self.rows.saturating_sub(1)
    }

    #[inline]
    fn mark(&mut self, feature: usize) {
        if let Some(slot) = self
            .slots
            .get_mut(feature)
            .filter(|slot| slot.row != self.rows)
        {
            slot.row = self.rows;
            self.set += 1;
        }
    }
}

impl Blocks {
    fn set_text(&mut self, row: usize, column: usize, value: &str) -> Result<()> {
        let start = u32::try_from(self.arena.len()).map_err(|_| Error::OutOfMemory)?;
        let end = u32::try_from(self.arena.len() + value.len()).map_err(|_| Error::OutOfMemory)?;
        self.arena
            .try_reserve(value.len())
            .map_err(|_| Error::OutOfMemory)?;
        self.arena.push_str(value);
        self.text.set(row, column, Span { start, end });
        Ok(())
    }
}

/// True for whole numbers within the integers that f64 holds exactly.
fn whole(value: f64) -> bool {
    value.trunc() == value && value.abs() <= 9_007_199_254_740_992.0
}

#[cold]
fn refused(slot: &Slot, what: &str) -> Error {
    Error::Invalid(format!(
        "feature \"{}\" is {:?} and cannot take {what}",
        slot.name, slot.kind
    ))
}
