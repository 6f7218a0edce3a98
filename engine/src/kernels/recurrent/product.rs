//! Products of rows with a packed matrix.

/// Columns of a panel.
pub const PANEL: usize = 32;

/// `bias + a A + b B`: two matrices one above the other, in panels of 32 columns, the last one filled up with zeros.
#[derive(Debug, Clone)]
pub struct Packed {
    panels: Vec<[f32; PANEL]>,
    bias: Vec<[f32; PANEL]>,
    /// Rows of each matrix.
    depth: [usize; 2],
    columns: usize,
}

impl Packed {
    /// From `columns` rows of weights for each of the two operands (as ONNX has them, transposed) and a bias.
    pub fn new(first: &[f32], second: &[f32], bias: &[f32]) -> Packed {
        let columns = bias.len();
        let depth = [first, second].map(|w| w.len() / columns.max(1));
        let mut panels = Vec::new();
        let mut biases = Vec::new();
        for start in (0..columns).step_by(PANEL) {
            let mut line = [0.0; PANEL];
            for (cell, value) in line.iter_mut().zip(&bias[start..]) {
                *cell = *value;
            }
            biases.push(line);
            for (weights, depth) in [first, second].into_iter().zip(depth) {
                for k in 0..depth {
                    let mut line = [0.0; PANEL];
                    for (j, cell) in line.iter_mut().enumerate().take(columns - start) {
                        *cell = weights[(start + j) * depth + k];
                    }
                    panels.push(line);
                }
            }
        }
        Packed {
            panels,
            bias: biases,
            depth,
            columns,
        }
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    pub fn memory(&self) -> usize {
        (self.panels.len() + self.bias.len()) * PANEL * 4
    }

    /// Multiplications for one row.
    pub fn cost(&self) -> usize {
        (self.depth[0] + self.depth[1]) * self.columns
    }

    /// `out[r] = bias + a[r] A + b[r] B` for all rows; `R` rows at a time share the weights that are read.
    #[inline(always)]
    pub fn run<const R: usize>(&self, a: &[f32], b: &[f32], out: &mut [f32]) {
        let [first, second] = self.depth;
        let rows = out.len() / self.columns;
        let depth = first + second;
        for (p, bias) in self.bias.iter().enumerate() {
            let panel = &self.panels[p * depth..(p + 1) * depth];
            let (upper, lower) = panel.split_at(first);
            let start = p * PANEL;
            let width = PANEL.min(self.columns - start);
            let mut row = 0;
            while row < rows {
                let count = R.min(rows - row);
                // Missing rows repeat the last one and are not stored.
                let at = |r: usize| row + r.min(count - 1);
                let left: [&[f32]; R] =
                    std::array::from_fn(|r| &a[at(r) * first..(at(r) + 1) * first]);
                let right: [&[f32]; R] =
                    std::array::from_fn(|r| &b[at(r) * second..(at(r) + 1) * second]);
                let sums = tile(left, right, upper, lower, bias);
                for (r, sums) in sums.iter().enumerate().take(count) {
                    let place = (row + r) * self.columns + start;
                    out[place..place + width].copy_from_slice(&sums[..width]);
                }
                row += count;
            }
        }
    }
}

#[inline(always)]
fn tile<const R: usize>(
    left: [&[f32]; R],
    right: [&[f32]; R],
    upper: &[[f32; PANEL]],
    lower: &[[f32; PANEL]],
    bias: &[f32; PANEL],
) -> [[f32; PANEL]; R] {
    let mut sums = [*bias; R];
    for (operand, weights) in [(left, upper), (right, lower)] {
        let operand = operand.map(|row| &row[..weights.len()]);
        for (k, line) in weights.iter().enumerate() {
            for r in 0..R {
                let x = operand[r][k];
                for j in 0..PANEL {
                    sums[r][j] = x.mul_add(line[j], sums[r][j]);
                }
            }
        }
    }
    sums
}
