//! Reductions along some axes of a row: sums, extremes, norms, and the place of an extreme.

use super::elementwise::Cell;
use super::{Kernel, Scratch, Slab, SlabMut, math, mismatch};
use crate::error::Result;

/// A row as `outer * length * inner` cells; `length` of them, `inner` apart, become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    pub outer: usize,
    pub length: usize,
    pub inner: usize,
}

impl Axis {
    /// The cells of output `o` of a row.
    fn cells<'a, T: Copy>(
        &self,
        row: &'a [T],
        o: usize,
    ) -> impl Iterator<Item = T> + Clone + use<'a, T> {
        let (outer, inner) = (o / self.inner, o % self.inner);
        let start = outer * self.length * self.inner + inner;
        row[start..]
            .iter()
            .step_by(self.inner)
            .take(self.length)
            .copied()
    }
}

/// What the cells become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduction {
    Sum,
    Mean,
    Max,
    Min,
    Product,
    L1,
    L2,
    SumOfSquares,
    LogSum,
    LogSumExp,
}

/// A reduction in double precision, rounded once.
#[derive(Debug, Clone, Copy)]
pub struct Reduce {
    pub reduction: Reduction,
    pub axis: Axis,
}

/// Numbers that are reduced.
pub trait Real: Cell {
    fn wide(self) -> f64;
    fn narrow(value: f64) -> Self;
}

impl Real for f32 {
    fn wide(self) -> f64 {
        f64::from(self)
    }

    fn narrow(value: f64) -> f32 {
        value as f32
    }
}

impl Real for f64 {
    fn wide(self) -> f64 {
        self
    }

    fn narrow(value: f64) -> f64 {
        value
    }
}

impl Reduction {
    fn of(self, cells: impl Iterator<Item = f64> + Clone, count: usize) -> f64 {
        let extreme = |a: f64, b: f64, first: bool| {
            if a.is_nan() || b.is_nan() {
                f64::NAN
            } else if first {
                a
            } else {
                b
            }
        };
        match self {
            Reduction::Sum => cells.sum(),
            Reduction::Mean => cells.sum::<f64>() / count as f64,
            Reduction::Max => cells.fold(f64::NEG_INFINITY, |a, b| extreme(a, b, a > b)),
            Reduction::Min => cells.fold(f64::INFINITY, |a, b| extreme(a, b, a < b)),
            Reduction::Product => cells.product(),
            Reduction::L1 => cells.map(f64::abs).sum(),
            Reduction::L2 => cells.map(|x| x * x).sum::<f64>().sqrt(),
            Reduction::SumOfSquares => cells.map(|x| x * x).sum(),
            Reduction::LogSum => math::ln64(cells.sum()),
            Reduction::LogSumExp => {
                let max = cells.clone().fold(f64::NEG_INFINITY, f64::max);
                let max = if max.is_finite() { max } else { 0.0 };
                math::ln64(cells.map(|x| math::exp_of(x - max)).sum::<f64>()) + max
            }
        }
    }
}

impl Reduce {
    fn each<T: Real>(&self, x: &super::Rows<'_, T>, out: &mut super::RowsMut<'_, T>) {
        for i in 0..x.rows() {
            let row = x.row(i);
            let (reduction, length) = (self.reduction, self.axis.length);
            if self.axis.inner == 1 {
                for (cell, cells) in out.row(i).iter_mut().zip(row.chunks_exact(length)) {
                    *cell = T::narrow(reduction.of(cells.iter().map(|x| x.wide()), length));
                }
                continue;
            }
            for (o, cell) in out.row(i).iter_mut().enumerate() {
                let cells = self.axis.cells(row, o).map(T::wide);
                *cell = T::narrow(reduction.of(cells, length));
            }
        }
    }

    /// Sums and extremes of integers; other reductions are not made for them.
    fn integers(&self, x: &super::Rows<'_, i64>, out: &mut super::RowsMut<'_, i64>) {
        for i in 0..x.rows() {
            let row = x.row(i);
            for (o, cell) in out.row(i).iter_mut().enumerate() {
                let cells = self.axis.cells(row, o);
                *cell = match self.reduction {
                    Reduction::Max => cells.max().unwrap_or(i64::MIN),
                    Reduction::Min => cells.min().unwrap_or(i64::MAX),
                    _ => cells.fold(0, i64::wrapping_add),
                };
            }
        }
    }
}

impl Kernel for Reduce {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        match (inputs, outputs) {
            ([Slab::F32(x)], [SlabMut::F32(out)]) => self.each(x, out),
            ([Slab::F64(x)], [SlabMut::F64(out)]) => self.each(x, out),
            ([Slab::I64(x)], [SlabMut::I64(out)]) => self.integers(x, out),
            _ => return Err(mismatch("reduction")),
        }
        Ok(())
    }

    fn cost(&self) -> usize {
        let Axis {
            outer,
            length,
            inner,
        } = self.axis;
        outer * length * inner
    }
}

/// ArgMax and ArgMin: the place of the extreme; the first of equal cells unless `last`. The first NaN is both.
#[derive(Debug, Clone, Copy)]
pub struct Extreme {
    pub axis: Axis,
    pub least: bool,
    pub last: bool,
}

impl Extreme {
    fn each<T: Cell + PartialOrd>(
        &self,
        x: &super::Rows<'_, T>,
        out: &mut super::RowsMut<'_, i64>,
    ) {
        for i in 0..x.rows() {
            let row = x.row(i);
            for (o, place) in out.row(i).iter_mut().enumerate() {
                let mut cells = self.axis.cells(row, o).enumerate();
                let Some((_, mut best)) = cells.next() else {
                    continue;
                };
                *place = 0;
                for (at, cell) in cells {
                    let better = if self.least { cell < best } else { cell > best };
                    if better || (self.last && cell == best) {
                        best = cell;
                        *place = at as i64;
                    }
                }
            }
        }
    }
}

impl Kernel for Extreme {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        match (inputs, outputs) {
            ([Slab::F32(x)], [SlabMut::I64(out)]) => self.each(x, out),
            ([Slab::F64(x)], [SlabMut::I64(out)]) => self.each(x, out),
            ([Slab::I64(x)], [SlabMut::I64(out)]) => self.each(x, out),
            _ => return Err(mismatch("ArgMax")),
        }
        Ok(())
    }

    fn cost(&self) -> usize {
        self.axis.outer * self.axis.length * self.axis.inner
    }
}

/// Softmax along an axis, its logarithm, or cells divided by a norm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    Softmax,
    LogSoftmax,
    L1,
    L2,
}

/// Every cell by its share along an axis.
#[derive(Debug, Clone, Copy)]
pub struct Shares {
    pub share: Share,
    pub axis: Axis,
}

impl Shares {
    fn each<T: Real>(&self, x: &super::Rows<'_, T>, out: &mut super::RowsMut<'_, T>) {
        let Axis {
            outer,
            length,
            inner,
        } = self.axis;
        for i in 0..x.rows() {
            let (row, out) = (x.row(i), out.row(i));
            for o in 0..outer * inner {
                let cells = self.axis.cells(row, o).map(T::wide);
                let place = |k: usize| (o / inner) * length * inner + k * inner + o % inner;
                let (shift, scale) = match self.share {
                    Share::Softmax => {
                        let max = cells.clone().fold(f64::NEG_INFINITY, f64::max);
                        let sum: f64 = cells.clone().map(|x| math::exp_of(x - max)).sum();
                        (max, sum)
                    }
                    Share::LogSoftmax => (Reduction::LogSumExp.of(cells.clone(), length), 1.0),
                    Share::L1 => (0.0, Reduction::L1.of(cells.clone(), length)),
                    Share::L2 => (0.0, Reduction::L2.of(cells.clone(), length)),
                };
                for (k, x) in cells.enumerate() {
                    out[place(k)] = T::narrow(match self.share {
                        Share::Softmax => math::exp_of(x - shift) / scale,
                        Share::LogSoftmax => x - shift,
                        _ if scale == 0.0 => 0.0,
                        _ => x / scale,
                    });
                }
            }
        }
    }
}

impl Kernel for Shares {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        match (inputs, outputs) {
            ([Slab::F32(x)], [SlabMut::F32(out)]) => self.each(x, out),
            ([Slab::F64(x)], [SlabMut::F64(out)]) => self.each(x, out),
            _ => return Err(mismatch("Softmax")),
        }
        Ok(())
    }

    fn cost(&self) -> usize {
        10 * self.axis.outer * self.axis.length * self.axis.inner
    }
}

/// Rows times a constant matrix plus a constant row, in double precision.
#[derive(Debug, Clone)]
pub struct Product {
    /// Row-major, one row of `bias.len()` for each column of the input.
    pub weights: Vec<f64>,
    pub bias: Vec<f64>,
}

impl Kernel for Product {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let ([Slab::F64(x)], [SlabMut::F64(out)]) = (inputs, outputs) else {
            return Err(mismatch("product"));
        };
        for i in 0..x.rows() {
            let out = out.row(i);
            out.fill(0.0);
            let weights = self.weights.chunks_exact(self.bias.len());
            for (x, weights) in x.row(i).iter().zip(weights) {
                out.iter_mut().zip(weights).for_each(|(o, w)| *o += x * w);
            }
            out.iter_mut().zip(&self.bias).for_each(|(o, b)| *o += b);
        }
        Ok(())
    }

    fn cost(&self) -> usize {
        self.weights.len() / 4 + self.bias.len()
    }

    fn memory(&self) -> usize {
        (self.weights.len() + self.bias.len()) * 8
    }
}
