//! Products of matrices and convolutions, in a fixed order of additions.

use super::product::{self, Line, PANEL, Packed, widest};
use super::window::Window;

/// Sizes of a product of many pairs of matrices: `[rows, depth]` with `[depth, columns]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Product {
    pub rows: usize,
    pub depth: usize,
    pub columns: usize,
    /// Whether the second is given as `[columns, depth]`.
    pub transposed: bool,
}

widest! {
    /// `out = x W + b` for rows of `x`.
    pub fn dense(weights: &Packed, x: &[f32], out: &mut [f32]) = dense_of
}

#[inline(always)]
fn dense_of<const R: usize>(weights: &Packed, x: &[f32], out: &mut [f32]) {
    weights.run::<R>(x, &[], out);
}

widest! {
    /// One pair; `panel` is scratch memory.
    pub fn multiply(size: Product, a: &[f32], b: &[f32], panel: &mut Vec<Line>, out: &mut [f32]) = multiply_of
}

#[inline(always)]
fn multiply_of<const R: usize>(
    size: Product,
    a: &[f32],
    b: &[f32],
    panel: &mut Vec<Line>,
    out: &mut [f32],
) {
    let Product {
        rows,
        depth,
        columns,
        transposed,
    } = size;
    panel.resize(depth, [0.0; PANEL]);
    for start in (0..columns).step_by(PANEL) {
        let width = PANEL.min(columns - start);
        if transposed {
            for (j, row) in b[start * depth..(start + width) * depth]
                .chunks_exact(depth)
                .enumerate()
            {
                for (line, x) in panel.iter_mut().zip(row) {
                    line[j] = *x;
                }
            }
        } else {
            for (line, row) in panel.iter_mut().zip(b.chunks_exact(columns)) {
                line[..width].copy_from_slice(&row[start..start + width]);
            }
        }
        let mut row = 0;
        while row + R <= rows {
            let left: [&[f32]; R] =
                std::array::from_fn(|r| &a[(row + r) * depth..(row + r + 1) * depth]);
            let mut sums = [[0.0; PANEL]; R];
            product::add(&mut sums, left, panel);
            for (r, sums) in sums.iter().enumerate() {
                let place = (row + r) * columns + start;
                out[place..place + width].copy_from_slice(&sums[..width]);
            }
            row += R;
        }
        while row < rows {
            let mut sums = [[0.0; PANEL]];
            product::add(&mut sums, [&a[row * depth..(row + 1) * depth]], panel);
            let place = row * columns + start;
            out[place..place + width].copy_from_slice(&sums[0][..width]);
            row += 1;
        }
    }
}

/// A convolution: weights `[outputs, inputs / groups, height, width]`.
#[derive(Debug, Clone)]
pub struct Convolution {
    pub weights: Vec<f32>,
    pub bias: Vec<f32>,
    pub groups: usize,
    pub window: Window,
}

impl Convolution {
    /// Multiplications for one row.
    pub fn cost(&self) -> usize {
        self.weights
            .len()
            .saturating_mul(self.window.output[0])
            .saturating_mul(self.window.output[1])
    }

    /// Copies the inputs of 32 outputs from position `start` on into a panel: a line for each channel and cell of the
    /// kernel.
    #[inline(always)]
    fn gather(&self, x: &[f32], start: usize, width: usize, panel: &mut [Line]) {
        let window = &self.window;
        let [height, length] = window.input;
        let [kh, kw] = window.kernel;
        let columns = window.output[1];
        for (k, line) in panel.iter_mut().enumerate() {
            let (c, cell) = (k / (kh * kw), k % (kh * kw));
            let (ky, kx) = (cell / kw, cell % kw);
            let plane = &x[c * height * length..(c + 1) * height * length];
            let mut j = 0;
            while j < width {
                let (oy, ox) = ((start + j) / columns, (start + j) % columns);
                let run = (columns - ox).min(width - j);
                let part = &mut line[j..j + run];
                j += run;
                let y = (oy * window.strides[0] + ky * window.dilations[0])
                    .wrapping_sub(window.before[0]);
                let Some(row) = (y < height).then(|| &plane[y * length..(y + 1) * length]) else {
                    part.fill(0.0);
                    continue;
                };
                let from = kx * window.dilations[1];
                if window.strides[1] == 1 {
                    let first = (ox + from).wrapping_sub(window.before[1]);
                    if let Some(cells) = row.get(first..first.wrapping_add(run)) {
                        part.copy_from_slice(cells);
                        continue;
                    }
                }
                for (i, cell) in part.iter_mut().enumerate() {
                    let at = ((ox + i) * window.strides[1] + from).wrapping_sub(window.before[1]);
                    *cell = row.get(at).copied().unwrap_or(0.0);
                }
            }
            line[width..].fill(0.0);
        }
    }
}

widest! {
    /// One row `[channels, height, width]`; `panel` is scratch memory.
    pub fn convolve(of: &Convolution, x: &[f32], panel: &mut Vec<Line>, out: &mut [f32]) = convolve_of
}

#[inline(always)]
fn convolve_of<const R: usize>(
    of: &Convolution,
    x: &[f32],
    panel: &mut Vec<Line>,
    out: &mut [f32],
) {
    let outputs = of.bias.len() / of.groups;
    let depth = of.weights.len() / of.bias.len();
    let positions = of.window.output[0] * of.window.output[1];
    let plane = x.len() / of.groups;
    panel.resize(depth, [0.0; PANEL]);
    for group in 0..of.groups {
        let x = &x[group * plane..(group + 1) * plane];
        let weights = &of.weights[group * outputs * depth..(group + 1) * outputs * depth];
        for start in (0..positions).step_by(PANEL) {
            let width = PANEL.min(positions - start);
            of.gather(x, start, width, panel);
            let first = group * outputs;
            let whole = outputs / R * R;
            for row in (0..whole).step_by(R) {
                let left: [&[f32]; R] =
                    std::array::from_fn(|r| &weights[(row + r) * depth..(row + r + 1) * depth]);
                let mut sums: [Line; R] =
                    std::array::from_fn(|r| [of.bias[first + row + r]; PANEL]);
                product::add(&mut sums, left, panel);
                for (r, sums) in sums.iter().enumerate() {
                    let place = (first + row + r) * positions + start;
                    out[place..place + width].copy_from_slice(&sums[..width]);
                }
            }
            for row in whole..outputs {
                let mut sums = [[of.bias[first + row]; PANEL]];
                let left = &weights[row * depth..(row + 1) * depth];
                product::add(&mut sums, [left], panel);
                let place = (first + row) * positions + start;
                out[place..place + width].copy_from_slice(&sums[0][..width]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize) -> Vec<f32> {
        (0..count)
            .map(|i| ((i * 7_919 + 13) % 211) as f32 / 64.0 - 1.5)
            .collect()
    }

    fn bits(x: &[f32]) -> Vec<u32> {
        x.iter().map(|x| x.to_bits()).collect()
    }

    #[test]
    fn products_have_the_bits_of_the_plain_loop() {
        for (rows, depth, columns) in [(1, 3, 1), (5, 40, 33), (17, 9, 70), (8, 1, 130)] {
            let (a, b) = (numbers(rows * depth), numbers(depth * columns));
            let mut plain = vec![0.0f32; rows * columns];
            for i in 0..rows {
                for j in 0..columns {
                    for k in 0..depth {
                        let sum = plain[i * columns + j];
                        plain[i * columns + j] = a[i * depth + k].mul_add(b[k * columns + j], sum);
                    }
                }
            }
            let turned: Vec<f32> = (0..columns * depth)
                .map(|i| b[i % depth * columns + i / depth])
                .collect();
            let mut out = vec![9.0; rows * columns];
            for (transposed, b) in [(false, &b), (true, &turned)] {
                let size = Product {
                    rows,
                    depth,
                    columns,
                    transposed,
                };
                multiply(size, &a, b, &mut vec![], &mut out);
                assert_eq!(bits(&out), bits(&plain));
                multiply_of::<1>(size, &a, b, &mut vec![], &mut out);
                assert_eq!(bits(&out), bits(&plain));
            }
            let packed = Packed::new(&turned, &[], &vec![0.0; columns]);
            dense(&packed, &a, &mut out);
            assert_eq!(bits(&out), bits(&plain));
            dense(&packed, &a[..depth], &mut out[..columns]);
            assert_eq!(bits(&out), bits(&plain));
        }
    }

    #[test]
    fn convolutions_have_the_bits_of_the_plain_loop() {
        for (groups, strides, dilations, before) in [
            (1, [1, 1], [1, 1], [0, 0]),
            (2, [2, 1], [1, 2], [1, 2]),
            (6, [1, 3], [2, 1], [2, 0]),
        ] {
            let (channels, outputs, input, kernel) = (6, 12, [9, 11], [3, 2]);
            let output = [0, 1].map(|d| {
                (input[d] + 2 * before[d] - dilations[d] * (kernel[d] - 1) - 1) / strides[d] + 1
            });
            let of = Convolution {
                weights: numbers(outputs * channels / groups * 6),
                bias: numbers(outputs),
                groups,
                window: Window {
                    input,
                    kernel,
                    strides,
                    dilations,
                    before,
                    output,
                },
            };
            let x = numbers(channels * 99);
            let mut plain = Vec::new();
            for o in 0..outputs {
                for position in 0..output[0] * output[1] {
                    let at = [position / output[1], position % output[1]];
                    let mut sum = of.bias[o];
                    for k in 0..channels / groups * 6 {
                        let c = o / (outputs / groups) * (channels / groups) + k / 6;
                        let place = [k % 6 / 2, k % 2];
                        let cell = [0, 1].map(|d| {
                            (at[d] * strides[d] + place[d] * dilations[d]).checked_sub(before[d])
                        });
                        let value = match cell {
                            [Some(y), Some(x_)] if y < 9 && x_ < 11 => x[c * 99 + y * 11 + x_],
                            _ => 0.0,
                        };
                        sum = of.weights[o * channels / groups * 6 + k].mul_add(value, sum);
                    }
                    plain.push(sum);
                }
            }
            let mut out = vec![9.0; plain.len()];
            convolve(&of, &x, &mut vec![], &mut out);
            assert_eq!(bits(&out), bits(&plain));
        }
    }
}
