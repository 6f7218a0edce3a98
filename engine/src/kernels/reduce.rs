//! Reductions and softmax, in an order that does not depend on where a row lies in memory.

use super::math::exp_negative;

/// Partial sums of a contiguous row: cell `i` goes into sum `i % 16`.
const LANES: usize = 16;

/// What becomes of the cells of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reduction {
    Sum,
    /// The sum of squares over the number of cells.
    MeanOfSquares,
    /// The largest; NaN if there is one.
    Max,
    /// The smallest; NaN if there is one.
    Min,
}

/// Reduces the middle axis of `[outer, len, inner]` into `[outer, inner]`.
pub fn reduce(reduction: Reduction, x: &[f32], len: usize, inner: usize, out: &mut [f32]) {
    match reduction {
        Reduction::Sum => sums(x, len, inner, |x| x, out),
        Reduction::MeanOfSquares => {
            sums(x, len, inner, |x| x * x, out);
            out.iter_mut().for_each(|x| *x /= len as f32);
        }
        Reduction::Max => {
            let larger = |a: f32, b: f32| if b > a || b.is_nan() { b } else { a };
            extremes(x, len, inner, f32::NEG_INFINITY, larger, out);
        }
        Reduction::Min => {
            let smaller = |a: f32, b: f32| if b < a || b.is_nan() { b } else { a };
            extremes(x, len, inner, f32::INFINITY, smaller, out);
        }
    }
}

fn extremes(
    x: &[f32],
    len: usize,
    inner: usize,
    start: f32,
    f: impl Fn(f32, f32) -> f32,
    out: &mut [f32],
) {
    out.fill(start);
    for (group, out) in x.chunks_exact(len * inner).zip(out.chunks_exact_mut(inner)) {
        for line in group.chunks_exact(inner) {
            for (most, x) in out.iter_mut().zip(line) {
                *most = f(*most, *x);
            }
        }
    }
}

fn sums(x: &[f32], len: usize, inner: usize, f: impl Fn(f32) -> f32, out: &mut [f32]) {
    if inner == 1 {
        for (row, out) in x.chunks_exact(len).zip(out) {
            *out = total(row, &f);
        }
        return;
    }
    for (group, out) in x.chunks_exact(len * inner).zip(out.chunks_exact_mut(inner)) {
        out.fill(0.0);
        for line in group.chunks_exact(inner) {
            for (sum, x) in out.iter_mut().zip(line) {
                *sum += f(*x);
            }
        }
    }
}

#[inline(always)]
fn total(row: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let (blocks, rest) = row.as_chunks::<LANES>();
    let mut sums = [0.0f32; LANES];
    for block in blocks {
        for (sum, x) in sums.iter_mut().zip(block) {
            *sum += f(*x);
        }
    }
    for (sum, x) in sums.iter_mut().zip(rest) {
        *sum += f(*x);
    }
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for i in 0..width {
            sums[i] += sums[i + width];
        }
    }
    sums[0]
}

/// Softmax of contiguous rows of `len` cells, or its logarithm, in place.
pub fn softmax(x: &mut [f32], len: usize, logarithm: bool) {
    for row in x.chunks_exact_mut(len) {
        let largest = row.iter().fold(
            f32::NEG_INFINITY,
            |most, x| if *x > most { *x } else { most },
        );
        // A row of nothing but -inf, or with NaN, is NaN, as in onnxruntime.
        row.iter_mut().for_each(|x| *x -= largest);
        if logarithm {
            let sum = row.iter().map(|x| f64::from(*x).exp()).sum::<f64>().ln();
            row.iter_mut()
                .for_each(|x| *x = (f64::from(*x) - sum) as f32);
            continue;
        }
        row.iter_mut().for_each(|x| *x = exp_negative::<false>(*x));
        let scale = 1.0 / total(row, |x| x);
        row.iter_mut().for_each(|x| *x *= scale);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_rows_and_of_columns() {
        let x: Vec<f32> = (0..2 * 37 * 3).map(|i| i as f32).collect();
        let mut columns = [0.0; 6];
        reduce(Reduction::Sum, &x, 37, 3, &mut columns);
        for (i, sum) in columns.iter().enumerate() {
            let exact: usize = (0..37).map(|k| (i / 3 * 37 + k) * 3 + i % 3).sum();
            assert_eq!(*sum, exact as f32);
        }
        let mut rows = [0.0; 6];
        reduce(Reduction::Sum, &x, 37, 1, &mut rows);
        for (i, sum) in rows.iter().enumerate() {
            assert_eq!(*sum, (i * 37..(i + 1) * 37).sum::<usize>() as f32);
        }
        reduce(
            Reduction::MeanOfSquares,
            &[1.0, -2.0, 4.0],
            3,
            1,
            &mut rows[..1],
        );
        assert_eq!(rows[0], 7.0);
    }

    #[test]
    fn extremes_of_infinities_and_nan() {
        let low = f32::NEG_INFINITY;
        let mut out = [0.0; 2];
        reduce(Reduction::Max, &[low, 2.0, low, f32::NAN], 2, 2, &mut out);
        assert!(out[0] == low && out[1].is_nan());
        reduce(Reduction::Min, &[-low, 2.0, -low, 1.0], 2, 2, &mut out);
        assert_eq!(out, [-low, 1.0]);
    }

    #[test]
    fn softmax_of_edge_rows() {
        let mut x = [0.0, f32::NEG_INFINITY, 0.0, 3e38, -3e38, 1.0];
        softmax(&mut x, 3, false);
        assert_eq!(x, [0.5, 0.0, 0.5, 1.0, 0.0, 0.0]);
        let mut nan = [0.0, f32::NAN];
        softmax(&mut nan, 2, false);
        assert!(nan[0].is_nan() && nan[1].is_nan());
        let mut log = [1.0, 1.0];
        softmax(&mut log, 2, true);
        assert_eq!(log, [-std::f32::consts::LN_2; 2]);
    }
}
