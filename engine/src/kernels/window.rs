//! A window that moves over an image or a series, and the largest cell in it.

/// A window over two axes (the first of length 1 for one axis).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    pub input: [usize; 2],
    pub kernel: [usize; 2],
    pub strides: [usize; 2],
    pub dilations: [usize; 2],
    /// Cells of padding before each axis.
    pub before: [usize; 2],
    pub output: [usize; 2],
}

/// The largest cells of planes `[height, width]`, one after another; never of the padding. NaN is passed over, as onnxruntime does, where
/// another cell is in the window.
pub fn largest(window: &Window, x: &[f32], out: &mut [f32]) {
    let [height, width] = window.input;
    let [rows, columns] = window.output;
    let planes = x.chunks_exact(height * width);
    for (plane, out) in planes.zip(out.chunks_exact_mut(rows * columns)) {
        out.fill(f32::NEG_INFINITY);
        for (oy, line) in out.chunks_exact_mut(columns).enumerate() {
            for ky in 0..window.kernel[0] {
                let y = (oy * window.strides[0] + ky * window.dilations[0])
                    .wrapping_sub(window.before[0]);
                if y >= height {
                    continue;
                }
                let row = &plane[y * width..(y + 1) * width];
                for kx in 0..window.kernel[1] {
                    let from = kx * window.dilations[1];
                    // Outputs whose cell is inside the row.
                    let step = window.strides[1];
                    let first = window.before[1].saturating_sub(from).div_ceil(step);
                    let end = (width + window.before[1])
                        .saturating_sub(from)
                        .div_ceil(step);
                    let end = end.min(columns);
                    if first >= end {
                        continue;
                    }
                    let cells = row[first * step + from - window.before[1]..].iter();
                    for (most, x) in line[first..end].iter_mut().zip(cells.step_by(step)) {
                        *most = if *x > *most { *x } else { *most };
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_agree_with_the_plain_loop() {
        let x: Vec<f32> = (0..2 * 63)
            .map(|i| ((i * 7_919) % 101) as f32 - 50.0)
            .collect();
        for (kernel, strides, dilations, before) in [
            ([2, 2], [2, 2], [1, 1], [0, 0]),
            ([3, 2], [1, 3], [1, 2], [1, 1]),
            ([1, 4], [1, 2], [1, 1], [0, 3]),
        ] {
            let input = [7, 9];
            let output = [0, 1].map(|d| {
                (input[d] + 2 * before[d] - dilations[d] * (kernel[d] - 1) - 1) / strides[d] + 1
            });
            let window = Window {
                input,
                kernel,
                strides,
                dilations,
                before,
                output,
            };
            let mut out = vec![0.0; 2 * output[0] * output[1]];
            largest(&window, &x, &mut out);
            for (i, found) in out.iter().enumerate() {
                let place = i % (output[0] * output[1]);
                let at = [place / output[1], place % output[1]];
                let mut most = f32::NEG_INFINITY;
                for ky in 0..kernel[0] {
                    for kx in 0..kernel[1] {
                        let cell = [(0, ky), (1, kx)].map(|(d, k)| {
                            (at[d] * strides[d] + k * dilations[d]).checked_sub(before[d])
                        });
                        if let [Some(y), Some(x_)] = cell
                            && y < 7
                            && x_ < 9
                        {
                            most = most.max(x[i / (output[0] * output[1]) * 63 + y * 9 + x_]);
                        }
                    }
                }
                assert_eq!(*found, most);
            }
        }
    }
}
