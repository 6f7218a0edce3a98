//! Dense layers in vectors of 16 units, several rows at a time.

use std::arch::x86_64::*;

use super::{Dense, LANES, WIDE, portable};
use crate::kernels::arithmetic::Activation;
use crate::kernels::{Rows, RowsMut};

/// False where the processor has no vectors for it.
pub fn run(layer: &Dense, x: &Rows<'_, f32>, out: &mut RowsMut<'_, f32>) -> bool {
    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
        // SAFETY: the processor has AVX-512 F and DQ, and `Dense::apply` checked that the rows are the layer's.
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
#[target_feature(enable = "avx512f,avx512dq")]
unsafe fn avx512(layer: &Dense, x: &Rows<'_, f32>, out: &mut RowsMut<'_, f32>) {
    let (rows, units) = (x.rows(), layer.units());
    let mut first = 0;
    while first < units {
        let lanes = LANES.min(units - first);
        let tile = Tile {
            layer,
            first,
            stride: lanes,
            mask: !0 >> (LANES - lanes),
        };
        let panels = match (units - first) / LANES {
            4.. if units >= WIDE && rows < 3 => 4,
            2.. => 2,
            _ => 1,
        };
        let mut row = 0;
        while row < rows {
            // SAFETY: several panels are full ones and one is as the mask says; the rows are the layer's and below `rows`.
            row += unsafe {
                match (panels, units >= WIDE, rows - row) {
                    (4, ..) => tile.rows::<1, 4, 2>(x, out, row),
                    (2, true, 6..) => tile.rows::<6, 2, 2>(x, out, row),
                    (2, true, 3..) => tile.rows::<3, 2, 2>(x, out, row),
                    (2, true, _) => tile.rows::<1, 2, 2>(x, out, row),
                    (2, false, 3..) => tile.rows::<3, 2, 4>(x, out, row),
                    (2, false, _) => tile.rows::<1, 2, 4>(x, out, row),
                    (_, true, 6..) => tile.rows::<6, 1, 2>(x, out, row),
                    (_, true, _) => tile.rows::<1, 1, 2>(x, out, row),
                    (_, false, 6..) => tile.rows::<6, 1, 4>(x, out, row),
                    (_, false, _) => tile.rows::<1, 1, 4>(x, out, row),
                }
            };
        }
        first += panels * LANES;
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
    /// Computes `R` rows from `row` on for `P` panels, a cell in `S` sums, and returns `R`.
    ///
    /// # Safety
    /// `P` panels from `first` on must have `stride` units, one bit of `mask` each; `R` rows from `row` on must exist, those
    /// of `x` with the layer's width and those of `out` with its units.
    #[expect(clippy::needless_range_loop, reason = "the arrays are registers")]
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    unsafe fn rows<const R: usize, const P: usize, const S: usize>(
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
        for r in 0..R {
            cells[r] = x.row(row + r).as_ptr();
        }
        let mut panels = [std::ptr::null(); P];
        for p in 0..P {
            panels[p] = layer.weights[(first + p * LANES) * width..].as_ptr();
        }
        let mut sums = [[[_mm512_setzero_ps(); P]; R]; S];
        for p in 0..P {
            // SAFETY: the panel's units, those of `mask`, have a bias.
            let bias =
                unsafe { _mm512_maskz_loadu_ps(mask, layer.bias[first + p * LANES..].as_ptr()) };
            for r in 0..R {
                sums[0][r][p] = bias;
            }
        }
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
        let whole = width / S * S;
        for k in (0..whole).step_by(S) {
            for s in 0..S {
                add(k + s, s);
            }
        }
        for k in whole..width {
            add(k, k - whole);
        }
        let relu = layer.activation == Some(Activation::Relu);
        for r in 0..R {
            let out = out.row(row + r);
            for p in 0..P {
                let at = first + p * LANES;
                let mut sum = _mm512_add_ps(sums[0][r][p], sums[1][r][p]);
                if S == 4 {
                    sum = _mm512_add_ps(sum, _mm512_add_ps(sums[2][r][p], sums[3][r][p]));
                }
                if relu {
                    // Of NaN and zero, and of two zeros, the second.
                    sum = _mm512_max_ps(_mm512_setzero_ps(), sum);
                }
                // SAFETY: the panel's units, those of `mask`, are cells of the output row.
                unsafe { _mm512_mask_storeu_ps(out[at..].as_mut_ptr(), mask, sum) };
            }
        }
        R
    }
}

/// Row by row, or all cells at once where they are side by side and each is for itself. Relu has been applied.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn activate(activation: Option<Activation>, out: &mut RowsMut<'_, f32>) {
    let Some(activation) = activation.filter(|a| *a != Activation::Relu) else {
        return;
    };
    match out
        .contiguous()
        .filter(|_| activation != Activation::Softmax)
    {
        Some(cells) => activation.apply(cells),
        None => (0..out.rows()).for_each(|i| activation.apply(out.row(i))),
    }
}
