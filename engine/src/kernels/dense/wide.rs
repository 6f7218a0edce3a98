//! Dense layers in vectors of 16 units, several rows at a time.

use std::arch::x86_64::*;

use super::{Dense, LANES, SUMS, portable};
use crate::kernels::arithmetic::Activation;
use crate::kernels::{Rows, RowsMut};

/// False where the processor has no vectors for it.
pub fn run(layer: &Dense, x: &Rows<'_, f32>, out: &mut RowsMut<'_, f32>) -> bool {
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor has AVX-512, and `Kernel::run` checked that the rows are the layer's.
        unsafe { avx512(layer, x, out) };
        return true;
    }
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { avx2(layer, x, out) };
        return true;
    }
    false
}

#[target_feature(enable = "avx2,fma")]
fn avx2(layer: &Dense, x: &Rows<'_, f32>, out: &mut RowsMut<'_, f32>) {
    portable::run(layer, x, out);
}

/// # Safety
/// Rows of `x` must have the layer's width, rows of `out` its units.
#[target_feature(enable = "avx512f")]
unsafe fn avx512(layer: &Dense, x: &Rows<'_, f32>, out: &mut RowsMut<'_, f32>) {
    let (rows, units) = (x.rows(), layer.units());
    let paired = units / (2 * LANES) * 2 * LANES;
    for first in (0..paired).step_by(2 * LANES) {
        let tile = Tile {
            layer,
            first,
            stride: LANES,
            mask: !0,
        };
        let mut row = 0;
        while row < rows {
            // SAFETY: both panels are full; the rows are the layer's and below `rows`.
            row += unsafe {
                match rows - row {
                    1 => tile.rows::<1, 2>(x, out, row),
                    2 => tile.rows::<2, 2>(x, out, row),
                    _ => tile.rows::<3, 2>(x, out, row),
                }
            };
        }
    }
    for first in (paired..units).step_by(LANES) {
        let lanes = LANES.min(units - first);
        let tile = Tile {
            layer,
            first,
            stride: lanes,
            mask: !0 >> (LANES - lanes),
        };
        let mut row = 0;
        while row < rows {
            // SAFETY: the mask covers the panel's units; the rows are the layer's and below `rows`.
            row += unsafe {
                match rows - row {
                    1 => tile.rows::<1, 1>(x, out, row),
                    2..6 => tile.rows::<2, 1>(x, out, row),
                    _ => tile.rows::<6, 1>(x, out, row),
                }
            };
        }
    }
    activate(layer.activation, out);
}

/// Panels of one layer from unit `first` on; `mask` has the units of each.
struct Tile<'a> {
    layer: &'a Dense,
    first: usize,
    stride: usize,
    mask: __mmask16,
}

impl Tile<'_> {
    /// Computes `R` rows from `row` on for `P` panels and returns `R`.
    ///
    /// # Safety
    /// `P` panels from `first` on must have `stride` units, one bit of `mask` each; `R` rows from `row` on must exist, those
    /// of `x` with the layer's width and those of `out` with its units.
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn rows<const R: usize, const P: usize>(
        &self,
        x: &Rows<'_, f32>,
        out: &mut RowsMut<'_, f32>,
        row: usize,
    ) -> usize {
        let Tile {
            layer,
            first,
            stride,
            mask,
        } = *self;
        let width = layer.width;
        let mut cells = [std::ptr::null(); R];
        for (r, cells) in cells.iter_mut().enumerate() {
            *cells = x.row(row + r).as_ptr();
        }
        let mut panels = [std::ptr::null(); P];
        for (p, panel) in panels.iter_mut().enumerate() {
            *panel = layer.weights[(first + p * LANES) * width..].as_ptr();
        }
        let mut sums = [[[_mm512_setzero_ps(); P]; R]; SUMS];
        let mut add = |k: usize, s: usize| {
            // SAFETY: `k < width`, so the panels have a row of weights and the rows a cell.
            unsafe {
                let mut weights = [_mm512_setzero_ps(); P];
                for p in 0..P {
                    weights[p] = _mm512_maskz_loadu_ps(mask, panels[p].add(k * stride));
                }
                for r in 0..R {
                    let x = _mm512_set1_ps(*cells[r].add(k));
                    for p in 0..P {
                        sums[s][r][p] = _mm512_fmadd_ps(x, weights[p], sums[s][r][p]);
                    }
                }
            }
        };
        let whole = width / SUMS * SUMS;
        for k in (0..whole).step_by(SUMS) {
            add(k, 0);
            add(k + 1, 1);
            add(k + 2, 2);
            add(k + 3, 3);
        }
        for k in whole..width {
            add(k, k - whole);
        }
        let [a, b, c, d] = sums;
        for r in 0..R {
            let out = out.row(row + r);
            for p in 0..P {
                let at = first + p * LANES;
                let (even, odd) = (
                    _mm512_add_ps(a[r][p], b[r][p]),
                    _mm512_add_ps(c[r][p], d[r][p]),
                );
                let sum = _mm512_add_ps(even, odd);
                // SAFETY: the panel's units, those of `mask`, are cells of the bias and of the output row.
                unsafe {
                    let bias = _mm512_maskz_loadu_ps(mask, layer.bias[at..].as_ptr());
                    let cells = out[at..].as_mut_ptr();
                    _mm512_mask_storeu_ps(cells, mask, _mm512_add_ps(sum, bias));
                }
            }
        }
        R
    }
}

/// Row by row, or all cells at once where they are side by side and each is for itself.
#[inline]
#[target_feature(enable = "avx512f")]
fn activate(activation: Option<Activation>, out: &mut RowsMut<'_, f32>) {
    let Some(activation) = activation else { return };
    match out
        .contiguous()
        .filter(|_| activation != Activation::Softmax)
    {
        Some(cells) => activation.apply(cells),
        None => (0..out.rows()).for_each(|i| activation.apply(out.row(i))),
    }
}
