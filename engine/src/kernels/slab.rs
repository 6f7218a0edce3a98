//! Row-major views of typed blocks: what kernels read and write.

use crate::error::{Error, Result};

/// Where a text cell lies in its arena, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

/// Most bytes of text that one block of a chunk may hold.
const MOST: usize = 64 << 20;

/// Texts that kernels computed for one block.
#[derive(Debug, Default)]
pub struct Arena(String);

impl Arena {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Forgets all texts and keeps the memory.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Appends a text. `Error::OutOfMemory` above 64 MiB.
    #[inline]
    pub fn push(&mut self, text: &str) -> Result<Span> {
        self.write(text.len(), |out| out.push_str(text))
    }

    /// Appends what `write` appends to the text it is given, about `size` bytes.
    pub fn write(&mut self, size: usize, write: impl FnOnce(&mut String)) -> Result<Span> {
        let start = self.0.len();
        if size > MOST - start.min(MOST) {
            return Err(Error::OutOfMemory);
        }
        self.0.try_reserve(size).map_err(|_| Error::OutOfMemory)?;
        write(&mut self.0);
        let offset = |n: usize| u32::try_from(n).map_err(|_| Error::OutOfMemory);
        Ok(Span {
            start: offset(start)?,
            end: offset(self.0.len())?,
        })
    }
}

/// `rows` rows of `width` cells, `stride` cells apart.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a, T> {
    data: &'a [T],
    stride: usize,
    width: usize,
    rows: usize,
}

impl<'a, T> Rows<'a, T> {
    /// The cells of `data` from `offset` on. Errors when a row would end outside `data`.
    pub fn new(
        data: &'a [T],
        offset: usize,
        stride: usize,
        width: usize,
        rows: usize,
    ) -> Result<Self> {
        let data = bounded(data.len(), offset, stride, width, rows)
            .and_then(|()| data.get(offset..))
            .ok_or_else(outside)?;
        Ok(Rows {
            data,
            stride,
            width,
            rows,
        })
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// `count` rows from row `first` on, `first + count <= rows()`.
    pub fn part(&self, first: usize, count: usize) -> Rows<'a, T> {
        Rows {
            data: &self.data[self.data.len().min(first * self.stride)..],
            rows: count.min(self.rows - first),
            ..*self
        }
    }

    pub fn width(&self) -> usize {
        self.width
    }

    /// Cells from one row to the next.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Cells from the start of row `i` to the end of all rows, `i < rows()`.
    pub fn from(&self, i: usize) -> &'a [T] {
        &self.data[i * self.stride..]
    }

    /// Cells of row `i`, `i < rows()`.
    #[inline]
    pub fn row(&self, i: usize) -> &'a [T] {
        &self.data[i * self.stride..][..self.width]
    }

    pub fn iter(&self) -> impl Iterator<Item = &'a [T]> + use<'a, T> {
        let Rows {
            data,
            stride,
            width,
            rows,
        } = *self;
        (0..rows).map(move |i| &data[i * stride..][..width])
    }
}

/// The writable twin of [`Rows`].
#[derive(Debug)]
pub struct RowsMut<'a, T> {
    data: &'a mut [T],
    stride: usize,
    width: usize,
    rows: usize,
}

impl<'a, T> RowsMut<'a, T> {
    /// The cells of `data` from `offset` on. Errors when a row would end outside `data`.
    pub fn new(
        data: &'a mut [T],
        offset: usize,
        stride: usize,
        width: usize,
        rows: usize,
    ) -> Result<Self> {
        let data = bounded(data.len(), offset, stride, width, rows)
            .and_then(|()| data.get_mut(offset..))
            .ok_or_else(outside)?;
        Ok(RowsMut {
            data,
            stride,
            width,
            rows,
        })
    }

    /// `rows` rows from `first` on, all within these.
    pub fn part(&mut self, first: usize, rows: usize) -> RowsMut<'_, T> {
        RowsMut {
            data: &mut self.data[first * self.stride..],
            rows: rows.min(self.rows.saturating_sub(first)),
            ..*self
        }
    }

    /// All cells, where rows follow each other without gaps.
    pub fn contiguous(&mut self) -> Option<&mut [T]> {
        let cells = self.rows * self.width;
        (self.stride == self.width)
            .then(|| self.data.get_mut(..cells))
            .flatten()
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Cells of row `i`, `i < rows()`.
    #[inline]
    pub fn row(&mut self, i: usize) -> &mut [T] {
        &mut self.data[i * self.stride..][..self.width]
    }
}

fn bounded(len: usize, offset: usize, stride: usize, width: usize, rows: usize) -> Option<()> {
    let last = rows.saturating_sub(1).checked_mul(stride)?;
    let end = offset.checked_add(last)?.checked_add(width)?;
    (width <= stride.max(width) && (rows == 0 || end <= len) && offset <= len).then_some(())
}

fn outside() -> Error {
    Error::Evaluation("a view ends outside its block".into())
}

/// Rows of any element kind. Booleans are integers 0 and 1.
#[derive(Debug, Clone, Copy)]
pub enum Slab<'a> {
    F32(Rows<'a, f32>),
    F64(Rows<'a, f64>),
    I64(Rows<'a, i64>),
    /// Cells and the arena they point into.
    Text(Rows<'a, Span>, &'a str),
}

impl Slab<'_> {
    pub fn rows(&self) -> usize {
        match self {
            Slab::F32(rows) => rows.rows(),
            Slab::F64(rows) => rows.rows(),
            Slab::I64(rows) => rows.rows(),
            Slab::Text(rows, _) => rows.rows(),
        }
    }
}

/// Writable rows of any element kind.
#[derive(Debug)]
pub enum SlabMut<'a> {
    F32(RowsMut<'a, f32>),
    F64(RowsMut<'a, f64>),
    I64(RowsMut<'a, i64>),
    /// Cells and the arena that their texts are appended to.
    Text(RowsMut<'a, Span>, &'a mut Arena),
}

/// Text of a cell; empty if the span is not one of the arena's.
#[inline]
pub fn text(arena: &str, span: Span) -> &str {
    arena
        .get(span.start as usize..span.end as usize)
        .unwrap_or("")
}
