//! Dense layers for every processor, and the twin that the wide kernels are tested against.

use super::{Dense, LANES, WIDE};
use crate::kernels::{Rows, RowsMut};

#[inline(always)]
pub fn run(layer: &Dense, x: &Rows<'_, f32>, out: &mut RowsMut<'_, f32>) {
    for i in 0..x.rows() {
        let out = out.row(i);
        for first in (0..layer.units()).step_by(LANES) {
            let (panel, lanes) = layer.panel(first);
            let bias = &layer.bias[first..first + lanes];
            let cells = if layer.units() < WIDE {
                let [a, b, c, d] = sums(x.row(i), panel, bias);
                std::array::from_fn(|lane| (a[lane] + b[lane]) + (c[lane] + d[lane]))
            } else {
                let [a, b] = sums(x.row(i), panel, bias);
                std::array::from_fn::<f32, LANES, _>(|lane| a[lane] + b[lane])
            };
            out[first..first + lanes].copy_from_slice(&cells[..lanes]);
        }
        if let Some(activation) = layer.activation {
            activation.apply(out);
        }
    }
}

/// The partial sums of all units of a panel, the first from the bias on.
#[inline(always)]
fn sums<const S: usize>(x: &[f32], panel: &[f32], bias: &[f32]) -> [[f32; LANES]; S] {
    let lanes = bias.len();
    let mut sums = [[0.0; LANES]; S];
    sums[0][..lanes].copy_from_slice(bias);
    for (x, weights) in x.chunks(S).zip(panel.chunks(S * lanes)) {
        for ((x, weights), sums) in x.iter().zip(weights.chunks_exact(lanes)).zip(&mut sums) {
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum = x.mul_add(*weight, *sum);
            }
        }
    }
    sums
}
