//! TopK, GatherElements and CumSum: places along an axis of a row.

use std::cmp::Ordering;

use super::along::Axis;
use super::elementwise::Cell;
use super::{Kernel, Rows, RowsMut, Scratch, Slab, SlabMut, mismatch};
use crate::error::{Error, Result};

/// The `count` largest or smallest cells along the last axis, best first, and their places. Of equal cells the first comes
/// first; NaN comes after every number.
#[derive(Debug, Clone, Copy)]
pub struct TopK {
    /// Cells along the axis.
    pub length: usize,
    /// Between 1 and `length`.
    pub count: usize,
    pub largest: bool,
}

impl TopK {
    /// True where `x`, which stands later, comes before `y`.
    fn before<T: Cell + PartialOrd>(&self, x: T, y: T) -> bool {
        match x.partial_cmp(&y) {
            Some(Ordering::Less) => !self.largest,
            Some(Ordering::Greater) => self.largest,
            Some(Ordering::Equal) => false,
            None => x.partial_cmp(&x).is_some() && y.partial_cmp(&y).is_none(),
        }
    }

    fn each<T: Cell + PartialOrd>(
        &self,
        x: &Rows<'_, T>,
        values: &mut RowsMut<'_, T>,
        places: &mut RowsMut<'_, i64>,
    ) {
        for i in 0..x.rows() {
            let lines = x.row(i).chunks_exact(self.length);
            let values = values.row(i).chunks_exact_mut(self.count);
            let places = places.row(i).chunks_exact_mut(self.count);
            for ((line, values), places) in lines.zip(values).zip(places) {
                self.line(line, values, places);
            }
        }
    }

    fn line<T: Cell + PartialOrd>(&self, line: &[T], values: &mut [T], places: &mut [i64]) {
        let mut held = 0;
        for (place, x) in (0i64..).zip(line) {
            if held == self.count && !self.before(*x, values[held - 1]) {
                continue;
            }
            let at = values[..held].partition_point(|y| !self.before(*x, *y));
            held = (held + 1).min(self.count);
            values.copy_within(at..held - 1, at + 1);
            places.copy_within(at..held - 1, at + 1);
            values[at] = *x;
            places[at] = place;
        }
    }
}

impl Kernel for TopK {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        match (inputs, outputs) {
            ([Slab::F32(x)], [SlabMut::F32(v), SlabMut::I64(p)]) => self.each(x, v, p),
            ([Slab::F64(x)], [SlabMut::F64(v), SlabMut::I64(p)]) => self.each(x, v, p),
            ([Slab::I64(x)], [SlabMut::I64(v), SlabMut::I64(p)]) => self.each(x, v, p),
            _ => return Err(mismatch("TopK")),
        }
        Ok(())
    }

    fn cost(&self) -> usize {
        self.length.saturating_mul(2 + self.count / 8)
    }
}

/// Parts of a constant by place: of each of its bands of `length` parts of `inner` cells, the parts that the indices name.
#[derive(Debug, Clone)]
pub struct Places<T> {
    /// Bands one after the other.
    pub cells: Vec<T>,
    pub length: usize,
    pub inner: usize,
}

fn at<T: Copy>(cells: impl Fn(usize) -> Option<T>, index: i64) -> Result<T> {
    let found = usize::try_from(index).ok().and_then(cells);
    found.ok_or_else(|| Error::Evaluation(format!("index {index} is outside its axis")))
}

impl<T: Copy> Places<T> {
    fn each(&self, index: &Rows<'_, i64>, out: &mut RowsMut<'_, T>) -> Result<()> {
        let (width, band) = (index.width() * self.inner, self.length * self.inner);
        for i in 0..index.rows() {
            let bands = self.cells.chunks_exact(band.max(1));
            for (band, out) in bands.zip(out.row(i).chunks_exact_mut(width.max(1))) {
                let parts = out.chunks_exact_mut(self.inner.max(1));
                for (part, index) in parts.zip(index.row(i)) {
                    let cells = |place: usize| {
                        let start = place.checked_mul(self.inner)?;
                        band.get(start..start.checked_add(self.inner)?)
                    };
                    part.copy_from_slice(at(cells, *index)?);
                }
            }
        }
        Ok(())
    }
}

impl Kernel for Places<f32> {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        match (inputs, outputs) {
            ([Slab::I64(x)], [SlabMut::F32(o)]) => self.each(x, o),
            _ => Err(mismatch("ArrayFeatureExtractor")),
        }
    }

    fn memory(&self) -> usize {
        self.cells.len() * 4
    }
}

impl Kernel for Places<f64> {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        match (inputs, outputs) {
            ([Slab::I64(x)], [SlabMut::F64(o)]) => self.each(x, o),
            _ => Err(mismatch("ArrayFeatureExtractor")),
        }
    }

    fn memory(&self) -> usize {
        self.cells.len() * 8
    }
}

impl Kernel for Places<i64> {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        match (inputs, outputs) {
            ([Slab::I64(x)], [SlabMut::I64(o)]) => self.each(x, o),
            _ => Err(mismatch("ArrayFeatureExtractor")),
        }
    }

    fn memory(&self) -> usize {
        self.cells.len() * 8
    }
}

/// Cells of the row itself: along `axis` of the data, the one that the index in the same place of the other axes names.
#[derive(Debug, Clone, Copy)]
pub struct GatherElements {
    /// Of the data.
    pub axis: Axis,
    /// Of the indices, along the axis.
    pub length: usize,
}

impl GatherElements {
    fn each<T: Copy>(
        &self,
        x: &Rows<'_, T>,
        index: &Rows<'_, i64>,
        out: &mut RowsMut<'_, T>,
    ) -> Result<()> {
        let Axis { length, inner, .. } = self.axis;
        let wanted = self.length * inner;
        for i in 0..x.rows() {
            let data = x.row(i).chunks_exact(length * inner);
            let indices = index.row(i).chunks_exact(wanted);
            let outputs = out.row(i).chunks_exact_mut(wanted);
            for ((data, indices), out) in data.zip(indices).zip(outputs) {
                for (cell, (o, index)) in out.iter_mut().zip(indices).enumerate() {
                    let cell = |place: usize| {
                        let inside = place < length;
                        data.get(place * inner + cell % inner)
                            .copied()
                            .filter(|_| inside)
                    };
                    *o = at(cell, *index)?;
                }
            }
        }
        Ok(())
    }
}

impl Kernel for GatherElements {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        match (inputs, outputs) {
            ([Slab::F32(x), Slab::I64(i)], [SlabMut::F32(o)]) => self.each(x, i, o),
            ([Slab::F64(x), Slab::I64(i)], [SlabMut::F64(o)]) => self.each(x, i, o),
            ([Slab::I64(x), Slab::I64(i)], [SlabMut::I64(o)]) => self.each(x, i, o),
            _ => Err(mismatch("GatherElements")),
        }
    }
}

/// Sums of the cells along an axis so far, in the order of the axis or against it, with or without the cell itself.
#[derive(Debug, Clone, Copy)]
pub struct CumSum {
    pub axis: Axis,
    pub exclusive: bool,
    pub reverse: bool,
}

impl CumSum {
    fn each<T: Cell>(&self, x: &Rows<'_, T>, out: &mut RowsMut<'_, T>, add: impl Fn(T, T) -> T) {
        let Axis {
            outer,
            length,
            inner,
        } = self.axis;
        for i in 0..x.rows() {
            let (row, out) = (x.row(i), out.row(i));
            for o in 0..outer {
                for k in 0..inner {
                    let mut sum = T::default();
                    for step in 0..length {
                        let place = if self.reverse {
                            length - 1 - step
                        } else {
                            step
                        };
                        let cell = (o * length + place) * inner + k;
                        let next = if step == 0 {
                            row[cell]
                        } else {
                            add(sum, row[cell])
                        };
                        out[cell] = if self.exclusive { sum } else { next };
                        sum = next;
                    }
                }
            }
        }
    }
}

impl Kernel for CumSum {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        match (inputs, outputs) {
            ([Slab::F32(x)], [SlabMut::F32(o)]) => self.each(x, o, |a, b| a + b),
            ([Slab::F64(x)], [SlabMut::F64(o)]) => self.each(x, o, |a, b| a + b),
            ([Slab::I64(x)], [SlabMut::I64(o)]) => self.each(x, o, i64::wrapping_add),
            _ => return Err(mismatch("CumSum")),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_best_cells_are_those_of_a_stable_sort(
            line in prop::collection::vec(prop::sample::select(vec![-1.0f32, -0.0, 0.0, 1.0, 2.5, f32::NAN, f32::INFINITY]), 1..30),
            share in 0.0f64..1.0,
            largest: bool,
        ) {
            let count = ((line.len() as f64 * share) as usize).max(1);
            let top = TopK { length: line.len(), count, largest };
            let (mut values, mut places) = (vec![0.0; count], vec![0; count]);
            top.line(&line, &mut values, &mut places);
            let mut order: Vec<usize> = (0..line.len()).collect();
            order.sort_by(|a, b| {
                let (a, b) = (line[*a], line[*b]);
                let ordered = if largest { b.partial_cmp(&a) } else { a.partial_cmp(&b) };
                ordered.unwrap_or(a.is_nan().cmp(&b.is_nan()))
            });
            for (i, (value, place)) in values.iter().zip(&places).enumerate() {
                prop_assert_eq!(order[i] as i64, *place);
                prop_assert_eq!(line[order[i]].to_bits(), value.to_bits());
            }
        }
    }

    #[test]
    fn an_index_outside_its_axis_is_an_error() {
        let gather = GatherElements {
            axis: Axis {
                outer: 2,
                length: 2,
                inner: 1,
            },
            length: 1,
        };
        let x = [1.0f32, 2.0, 3.0, 4.0];
        for (index, found) in [([1, 0], Some([2.0, 3.0])), ([2, 0], None), ([0, -1], None)] {
            let mut out = [0.0f32; 2];
            let ran = gather.run(
                &[
                    Slab::F32(Rows::new(&x, 0, 4, 4, 1).unwrap()),
                    Slab::I64(Rows::new(&index, 0, 2, 2, 1).unwrap()),
                ],
                &mut [SlabMut::F32(RowsMut::new(&mut out, 0, 2, 2, 1).unwrap())],
                &mut Scratch::default(),
            );
            match found {
                Some(found) => assert_eq!((ran.is_ok(), out), (true, found)),
                None => assert!(matches!(ran, Err(Error::Evaluation(_)))),
            }
        }
    }
}
