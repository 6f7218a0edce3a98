//! Distances from every row to the rows of a constant.

use super::along::Real;
use super::{Kernel, Rows, RowsMut, Scratch, Slab, SlabMut, math, mismatch};
use crate::error::Result;

/// Sum over the columns of a function of the difference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Metric {
    /// The square.
    SquaredEuclidean,
    /// The absolute value.
    Manhattan,
    /// A power of the absolute value.
    Powers(f64),
}

/// Rows of the constant that are compared at a time.
const LANES: usize = 8;

/// Differences in the precision of the cells, sums in double precision and column by column, rounded once.
#[derive(Debug, Clone)]
pub struct Distances<T> {
    metric: Metric,
    columns: usize,
    /// Groups of `LANES` rows, each column by column; the last is filled up with zeros.
    cells: Vec<T>,
}

impl<T: Real> Distances<T> {
    /// `points` are rows of `columns` cells, at least one of each.
    pub fn new(metric: Metric, points: &[T], columns: usize) -> Option<Distances<T>> {
        let rows = points.len().checked_div(columns)?;
        if rows == 0 || rows * columns != points.len() {
            return None;
        }
        let mut cells = Vec::new();
        let groups = rows.div_ceil(LANES);
        cells.try_reserve_exact(groups * LANES * columns).ok()?;
        for group in 0..groups {
            for column in 0..columns {
                for row in group * LANES..(group + 1) * LANES {
                    let cell = points.get(row * columns + column).copied();
                    cells.push(cell.unwrap_or_default());
                }
            }
        }
        Some(Distances {
            metric,
            columns,
            cells,
        })
    }

    fn each(&self, x: &Rows<'_, T>, out: &mut RowsMut<'_, T>)
    where
        T: std::ops::Sub<Output = T>,
    {
        match self.metric {
            Metric::SquaredEuclidean => self.sums(x, out, |d| {
                let d = d.wide();
                d * d
            }),
            Metric::Manhattan => self.sums(x, out, |d| d.wide().abs()),
            Metric::Powers(p) => {
                self.sums(x, out, |d| T::narrow(math::pow64(d.wide().abs(), p)).wide())
            }
        }
    }

    fn sums(&self, x: &Rows<'_, T>, out: &mut RowsMut<'_, T>, term: impl Fn(T) -> f64)
    where
        T: std::ops::Sub<Output = T>,
    {
        for i in 0..x.rows() {
            let row = x.row(i);
            let groups = self.cells.chunks_exact(LANES * self.columns);
            for (group, out) in groups.zip(out.row(i).chunks_mut(LANES)) {
                let mut sums = [0.0; LANES];
                let (columns, _) = group.as_chunks::<LANES>();
                for (x, points) in row.iter().zip(columns) {
                    for (sum, point) in sums.iter_mut().zip(points) {
                        *sum += term(*x - *point);
                    }
                }
                for (o, sum) in out.iter_mut().zip(sums) {
                    *o = T::narrow(sum);
                }
            }
        }
    }

    fn work(&self) -> usize {
        match self.metric {
            Metric::Powers(_) => self.cells.len() * 16,
            _ => self.cells.len(),
        }
    }
}

impl Kernel for Distances<f32> {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        match (inputs, outputs) {
            ([Slab::F32(x)], [SlabMut::F32(o)]) => self.each(x, o),
            _ => return Err(mismatch("distances")),
        }
        Ok(())
    }

    fn cost(&self) -> usize {
        self.work()
    }

    fn memory(&self) -> usize {
        self.cells.len() * 4
    }
}

impl Kernel for Distances<f64> {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        match (inputs, outputs) {
            ([Slab::F64(x)], [SlabMut::F64(o)]) => self.each(x, o),
            _ => return Err(mismatch("distances")),
        }
        Ok(())
    }

    fn cost(&self) -> usize {
        self.work()
    }

    fn memory(&self) -> usize {
        self.cells.len() * 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(metric: Metric, x: &[f32], point: &[f32]) -> f32 {
        let mut sum = 0.0;
        for (x, p) in x.iter().zip(point) {
            let d = f64::from(x - p);
            sum += match metric {
                Metric::SquaredEuclidean => d * d,
                Metric::Manhattan => d.abs(),
                Metric::Powers(p) => f64::from(math::pow64(d.abs(), p) as f32),
            };
        }
        sum as f32
    }

    proptest! {
        #[test]
        fn any_number_of_rows_and_columns(
            (columns, rows, points) in (1usize..9, 1usize..5, 1usize..40),
            cells in prop::collection::vec(-1e3f32..1e3, 8 * 45),
            metric in prop::sample::select(vec![Metric::SquaredEuclidean, Metric::Manhattan, Metric::Powers(3.0)]),
        ) {
            let (x, rest) = cells.split_at(columns * rows);
            let points = &rest[..columns * points.min(rest.len() / columns)];
            let kernel = Distances::new(metric, points, columns).unwrap();
            let width = points.len() / columns;
            let mut found = vec![0.0; rows * width];
            kernel.run(
                &[Slab::F32(Rows::new(x, 0, columns, columns, rows).unwrap())],
                &mut [SlabMut::F32(RowsMut::new(&mut found, 0, width, width, rows).unwrap())],
                &mut Scratch::default(),
            ).unwrap();
            for (x, found) in x.chunks(columns).zip(found.chunks(width)) {
                for (point, found) in points.chunks(columns).zip(found) {
                    prop_assert_eq!(plain(metric, x, point).to_bits(), found.to_bits());
                }
            }
        }
    }

    #[test]
    fn points_are_whole_rows() {
        for (cells, columns) in [(0, 3), (4, 3), (3, 0)] {
            assert!(Distances::new(Metric::Manhattan, &vec![0.0f32; cells], columns).is_none());
        }
    }
}
