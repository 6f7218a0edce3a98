//! Functions of one, two or three cells, column by column; a single cell stands for every column.

use std::marker::PhantomData;

use super::slab::text;
use super::{Kernel, Rows, RowsMut, Scratch, Slab, SlabMut, mismatch};
use crate::error::Result;

/// A type that cells of a block have.
pub trait Cell: Copy + Default + std::fmt::Debug + Send + Sync + 'static {
    fn rows<'a>(slab: &Slab<'a>) -> Option<Rows<'a, Self>>;
    fn rows_mut<'a, 'b>(slab: &'b mut SlabMut<'a>) -> Option<&'b mut RowsMut<'a, Self>>;
}

macro_rules! cell {
    ($cell:ty, $variant:ident) => {
        impl Cell for $cell {
            fn rows<'a>(slab: &Slab<'a>) -> Option<Rows<'a, Self>> {
                match slab {
                    Slab::$variant(rows) => Some(*rows),
                    _ => None,
                }
            }

            fn rows_mut<'a, 'b>(slab: &'b mut SlabMut<'a>) -> Option<&'b mut RowsMut<'a, Self>> {
                match slab {
                    SlabMut::$variant(rows) => Some(rows),
                    _ => None,
                }
            }
        }
    };
}

cell!(f32, F32);
cell!(f64, F64);
cell!(i64, I64);

/// `f(x)` for every cell.
#[derive(Clone)]
pub struct Unary<T, U, F> {
    f: F,
    cells: PhantomData<(T, U)>,
}

impl<T: Cell, U: Cell, F: Fn(T) -> U> Unary<T, U, F> {
    pub fn new(f: F) -> Self {
        let cells = PhantomData;
        Unary { f, cells }
    }
}

impl<T, U, F> std::fmt::Debug for Unary<T, U, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unary")
    }
}

impl<T: Cell, U: Cell, F: Fn(T) -> U + Send + Sync> Kernel for Unary<T, U, F> {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let ([x], [out]) = (inputs, outputs) else {
            return Err(mismatch("function of one value"));
        };
        let (Some(x), Some(out)) = (T::rows(x), U::rows_mut(out)) else {
            return Err(mismatch("function of one value"));
        };
        for i in 0..x.rows() {
            for (o, x) in out.row(i).iter_mut().zip(x.row(i)) {
                *o = (self.f)(*x);
            }
        }
        Ok(())
    }
}

/// The same cell in every place of every row.
#[derive(Debug, Clone, Copy)]
pub struct Fill<T>(pub T);

impl<T: Cell> Kernel for Fill<T> {
    fn run(&self, _: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let [out] = outputs else {
            return Err(mismatch("ConstantOfShape"));
        };
        let Some(out) = T::rows_mut(out) else {
            return Err(mismatch("ConstantOfShape"));
        };
        (0..out.rows()).for_each(|i| out.row(i).fill(self.0));
        Ok(())
    }
}

/// An operand: rows, or the same cells in every row.
#[derive(Debug, Clone)]
pub enum Operand<T> {
    Rows,
    Constant(Vec<T>),
}

impl<T: Cell> Operand<T> {
    /// The operand's rows are the next of the inputs.
    fn source<'a>(&'a self, inputs: &mut std::slice::Iter<'_, Slab<'a>>) -> Option<Source<'a, T>> {
        match self {
            Operand::Rows => T::rows(inputs.next()?).map(Source::Rows),
            Operand::Constant(cells) => Some(Source::Constant(cells)),
        }
    }
}

enum Source<'a, T> {
    Rows(Rows<'a, T>),
    Constant(&'a [T]),
}

impl<'a, T> Source<'a, T> {
    fn row(&self, i: usize) -> &'a [T] {
        match self {
            Source::Rows(rows) => rows.row(i),
            Source::Constant(cells) => cells,
        }
    }
}

/// `f(x, y)`; each operand has as many columns as the output, or one.
#[derive(Clone)]
pub struct Binary<T, U, F> {
    f: F,
    x: Operand<T>,
    y: Operand<T>,
    cells: PhantomData<U>,
}

impl<T: Cell, U: Cell, F: Fn(T, T) -> U> Binary<T, U, F> {
    pub fn new(x: Operand<T>, y: Operand<T>, f: F) -> Self {
        let cells = PhantomData;
        Binary { f, x, y, cells }
    }
}

impl<T, U, F> std::fmt::Debug for Binary<T, U, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Binary")
    }
}

impl<T: Cell, U: Cell, F: Fn(T, T) -> U + Send + Sync> Kernel for Binary<T, U, F> {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let mut inputs = inputs.iter();
        let (x, y) = (self.x.source(&mut inputs), self.y.source(&mut inputs));
        let (Some(x), Some(y), [out]) = (x, y, outputs) else {
            return Err(mismatch("function of two values"));
        };
        let Some(out) = U::rows_mut(out) else {
            return Err(mismatch("function of two values"));
        };
        for i in 0..out.rows() {
            broadcast(x.row(i), y.row(i), out.row(i), &self.f);
        }
        Ok(())
    }

    fn memory(&self) -> usize {
        let size = |operand: &Operand<T>| match operand {
            Operand::Rows => 0,
            Operand::Constant(cells) => cells.len() * size_of::<T>(),
        };
        size(&self.x) + size(&self.y)
    }
}

#[inline]
fn broadcast<T: Copy, U>(x: &[T], y: &[T], out: &mut [U], f: impl Fn(T, T) -> U) {
    match (x, y) {
        (x, [y]) if x.len() == out.len() => {
            out.iter_mut().zip(x).for_each(|(o, x)| *o = f(*x, *y));
        }
        ([x], [y]) => out.iter_mut().for_each(|o| *o = f(*x, *y)),
        ([x], y) => out.iter_mut().zip(y).for_each(|(o, y)| *o = f(*x, *y)),
        (x, y) => out
            .iter_mut()
            .zip(x)
            .zip(y)
            .for_each(|((o, x), y)| *o = f(*x, *y)),
    }
}

/// `x` where the condition is not 0 and `y` elsewhere.
#[derive(Debug, Clone)]
pub struct Where<T> {
    pub x: Operand<T>,
    pub y: Operand<T>,
}

#[inline]
fn at<T: Copy>(cells: &[T], column: usize) -> T {
    cells[if cells.len() == 1 { 0 } else { column }]
}

impl<T: Cell> Kernel for Where<T> {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let mut inputs = inputs.iter();
        let condition = inputs.next().and_then(i64::rows);
        let (x, y) = (self.x.source(&mut inputs), self.y.source(&mut inputs));
        let (Some(condition), Some(x), Some(y), [out]) = (condition, x, y, outputs) else {
            return Err(mismatch("Where"));
        };
        let Some(out) = T::rows_mut(out) else {
            return Err(mismatch("Where"));
        };
        for i in 0..out.rows() {
            let (condition, x, y) = (condition.row(i), x.row(i), y.row(i));
            for (column, o) in out.row(i).iter_mut().enumerate() {
                let chosen = if at(condition, column) != 0 { x } else { y };
                *o = at(chosen, column);
            }
        }
        Ok(())
    }
}

/// Where over texts.
#[derive(Debug, Clone)]
pub struct WhereText {
    pub x: Operand<Box<str>>,
    pub y: Operand<Box<str>>,
}

/// Equal over texts.
#[derive(Debug, Clone)]
pub struct EqualText {
    pub x: Operand<Box<str>>,
    pub y: Operand<Box<str>>,
}

/// Rows of texts, or the same texts in every row.
enum Texts<'a> {
    Rows(Rows<'a, super::Span>, &'a str),
    Constant(&'a [Box<str>]),
}

impl<'a> Texts<'a> {
    fn of(
        operand: &'a Operand<Box<str>>,
        inputs: &mut std::slice::Iter<'_, Slab<'a>>,
    ) -> Option<Texts<'a>> {
        match operand {
            Operand::Constant(texts) => Some(Texts::Constant(texts)),
            Operand::Rows => match inputs.next() {
                Some(Slab::Text(rows, arena)) => Some(Texts::Rows(*rows, arena)),
                _ => None,
            },
        }
    }

    fn at(&self, row: usize, column: usize) -> &'a str {
        match self {
            Texts::Rows(rows, arena) => text(arena, at(rows.row(row), column)),
            Texts::Constant(texts) => &texts[if texts.len() == 1 { 0 } else { column }],
        }
    }
}

impl Kernel for WhereText {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let mut inputs = inputs.iter();
        let condition = inputs.next().and_then(i64::rows);
        let (x, y) = (
            Texts::of(&self.x, &mut inputs),
            Texts::of(&self.y, &mut inputs),
        );
        let (Some(condition), Some(x), Some(y), [SlabMut::Text(out, arena)]) =
            (condition, x, y, outputs)
        else {
            return Err(mismatch("Where"));
        };
        for i in 0..out.rows() {
            let condition = condition.row(i);
            for (column, o) in out.row(i).iter_mut().enumerate() {
                let chosen = if at(condition, column) != 0 { &x } else { &y };
                *o = arena.push(chosen.at(i, column))?;
            }
        }
        Ok(())
    }
}

impl Kernel for EqualText {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let mut inputs = inputs.iter();
        let (x, y) = (
            Texts::of(&self.x, &mut inputs),
            Texts::of(&self.y, &mut inputs),
        );
        let (Some(x), Some(y), [SlabMut::I64(out)]) = (x, y, outputs) else {
            return Err(mismatch("Equal"));
        };
        for i in 0..out.rows() {
            for (column, o) in out.row(i).iter_mut().enumerate() {
                *o = i64::from(x.at(i, column) == y.at(i, column));
            }
        }
        Ok(())
    }
}

/// StringConcat: the second text after the first.
#[derive(Debug, Clone)]
pub struct ConcatText {
    pub x: Operand<Box<str>>,
    pub y: Operand<Box<str>>,
}

impl Kernel for ConcatText {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let mut inputs = inputs.iter();
        let (x, y) = (
            Texts::of(&self.x, &mut inputs),
            Texts::of(&self.y, &mut inputs),
        );
        let (Some(x), Some(y), [SlabMut::Text(out, arena)]) = (x, y, outputs) else {
            return Err(mismatch("StringConcat"));
        };
        for i in 0..out.rows() {
            for (column, o) in out.row(i).iter_mut().enumerate() {
                let (x, y) = (x.at(i, column), y.at(i, column));
                *o = arena.write(x.len() + y.len(), |text| {
                    text.push_str(x);
                    text.push_str(y);
                })?;
            }
        }
        Ok(())
    }
}
