//! Dense layers for every processor, and the twin that the wide kernels are tested against.

use super::{Dense, LANES, SUMS};
use crate::kernels::{Rows, RowsMut};

#[inline(always)]
pub fn run(layer: &Dense, x: &Rows<'_, f32>, out: &mut RowsMut<'_, f32>) {
    for i in 0..x.rows() {
        let out = out.row(i);
        for first in (0..layer.units()).step_by(LANES) {
            let (panel, lanes) = layer.panel(first);
            let sums = sums(x.row(i), panel, lanes);
            for lane in 0..lanes {
                let [a, b, c, d] = sums.map(|sum| sum[lane]);
                out[first + lane] = ((a + b) + (c + d)) + layer.bias[first + lane];
            }
        }
        if let Some(activation) = layer.activation {
            activation.apply(out);
        }
    }
}

/// The partial sums of all units of a panel.
#[inline(always)]
fn sums(x: &[f32], panel: &[f32], lanes: usize) -> [[f32; LANES]; SUMS] {
    let mut sums = [[0.0; LANES]; SUMS];
    for (x, weights) in x.chunks(SUMS).zip(panel.chunks(SUMS * lanes)) {
        for ((x, weights), sums) in x.iter().zip(weights.chunks_exact(lanes)).zip(&mut sums) {
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum = x.mul_add(*weight, *sum);
            }
        }
    }
    sums
}
