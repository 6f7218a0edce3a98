//! Products of rows with matrices packed into panels.
//!
//! A cell is its start value plus the products in the order of their index, each added with one rounding. The order is
//! the same however many rows or panels are taken at a time and however wide the vectors are, so a row's numbers do not
//! depend on the rows beside it.

/// Columns of a panel.
pub const PANEL: usize = 32;
/// One line of a panel: the weights of all its columns for one index.
pub type Line = [f32; PANEL];

/// Panels that one row is taken through at a time.
const ABREAST: usize = 4;

/// `bias + a A + b B`: two matrices one above the other, the last panel filled up with zeros.
#[derive(Debug, Clone)]
pub struct Packed {
    panels: Vec<Line>,
    bias: Vec<Line>,
    /// Rows of each matrix.
    depth: [usize; 2],
    columns: usize,
}

impl Packed {
    /// From `columns` rows of weights for each of the two operands (a matrix is given transposed) and a bias.
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

    /// Rows of both matrices.
    pub fn depth(&self) -> usize {
        self.depth[0] + self.depth[1]
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The same weights and bias, bit for bit.
    pub fn has_bits_of(&self, other: &Packed) -> bool {
        (self.depth, self.columns) == (other.depth, other.columns)
            && same_bits(self.panels.as_flattened(), other.panels.as_flattened())
            && same_bits(self.bias.as_flattened(), other.bias.as_flattened())
    }

    pub fn memory(&self) -> usize {
        (self.panels.len() + self.bias.len()) * PANEL * 4
    }

    /// Multiplications for one row.
    pub fn cost(&self) -> usize {
        self.depth() * self.columns
    }

    /// `out[r] = bias + a[r] A + b[r] B` for all rows; `R` rows at a time share the weights that are read.
    #[inline(always)]
    pub fn run<const R: usize>(&self, a: &[f32], b: &[f32], out: &mut [f32]) {
        let rows = out.len() / self.columns;
        self.strided::<R>([a, b], self.depth, rows, out, self.columns);
    }

    /// [`Packed::run`] with rows that are `strides` cells apart in the operands and `step` in `out`.
    #[inline(always)]
    pub fn strided<const R: usize>(
        &self,
        [a, b]: [&[f32]; 2],
        strides: [usize; 2],
        rows: usize,
        out: &mut [f32],
        step: usize,
    ) {
        let [first, second] = self.depth;
        let depth = first + second;
        let mut row = 0;
        if rows >= R {
            // The last tile goes back over rows that are done: they come out the same.
            for (p, bias) in self.bias.iter().enumerate() {
                let panel = &self.panels[p * depth..(p + 1) * depth];
                let (upper, lower) = panel.split_at(first);
                let start = p * PANEL;
                let width = PANEL.min(self.columns - start);
                for tile in 0..rows.div_ceil(R) {
                    let row = (tile * R).min(rows - R);
                    let left: [&[f32]; R] =
                        std::array::from_fn(|r| &a[(row + r) * strides[0]..][..first]);
                    let right: [&[f32]; R] =
                        std::array::from_fn(|r| &b[(row + r) * strides[1]..][..second]);
                    let mut sums = [*bias; R];
                    add(&mut sums, left, upper);
                    add(&mut sums, right, lower);
                    for (r, sums) in sums.iter().enumerate() {
                        let place = (row + r) * step + start;
                        out[place..place + width].copy_from_slice(&sums[..width]);
                    }
                }
            }
            row = rows;
        }
        while row < rows {
            let left = &a[row * strides[0]..][..first];
            let right = &b[row * strides[1]..][..second];
            let out = &mut out[row * step..][..self.columns];
            self.row(left, right, out);
            row += 1;
        }
    }

    /// One row, through several panels at a time.
    #[inline(always)]
    fn row(&self, left: &[f32], right: &[f32], out: &mut [f32]) {
        let first = self.depth[0];
        let depth = self.depth();
        let mut p = 0;
        while p < self.bias.len() {
            let panel = |i: usize| &self.panels[(p + i) * depth..(p + i + 1) * depth];
            let start = p * PANEL;
            if p + ABREAST <= self.bias.len() {
                let mut sums: [Line; ABREAST] = std::array::from_fn(|i| self.bias[p + i]);
                let upper: [&[Line]; ABREAST] = std::array::from_fn(|i| &panel(i)[..first]);
                let lower: [&[Line]; ABREAST] = std::array::from_fn(|i| &panel(i)[first..]);
                add_row(&mut sums, left, upper);
                add_row(&mut sums, right, lower);
                for (i, sums) in sums.iter().enumerate() {
                    let start = start + i * PANEL;
                    let width = PANEL.min(self.columns - start);
                    out[start..start + width].copy_from_slice(&sums[..width]);
                }
                p += ABREAST;
            } else {
                let mut sums = [self.bias[p]];
                add_row(&mut sums, left, [&panel(0)[..first]]);
                add_row(&mut sums, right, [&panel(0)[first..]]);
                let width = PANEL.min(self.columns - start);
                out[start..start + width].copy_from_slice(&sums[0][..width]);
                p += 1;
            }
        }
    }
}

/// Tells zeros of different signs apart, and finds NaN equal to itself.
pub fn same_bits(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}

/// Adds the product of `R` rows with a panel.
#[inline(always)]
pub fn add<const R: usize>(sums: &mut [Line; R], rows: [&[f32]; R], panel: &[Line]) {
    let rows = rows.map(|row| &row[..panel.len()]);
    let mut tile = *sums;
    for (k, line) in panel.iter().enumerate() {
        for r in 0..R {
            let x = rows[r][k];
            for j in 0..PANEL {
                tile[r][j] = x.mul_add(line[j], tile[r][j]);
            }
        }
    }
    *sums = tile;
}

/// Adds the products of one row with `P` panels.
#[inline(always)]
fn add_row<const P: usize>(sums: &mut [Line; P], row: &[f32], panels: [&[Line]; P]) {
    let panels = panels.map(|panel| &panel[..row.len()]);
    let mut tile = *sums;
    for (k, x) in row.iter().enumerate() {
        for p in 0..P {
            for j in 0..PANEL {
                tile[p][j] = x.mul_add(panels[p][k][j], tile[p][j]);
            }
        }
    }
    *sums = tile;
}

/// Functions compiled for the processors that there are: `NAME(ARGUMENTS) = BODY` calls `BODY::<R>` with as many rows at
/// a time as the registers hold.
macro_rules! widest {
    ($(#[$doc:meta])* pub fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $out:ty)? = $body:path) => {
        $(#[$doc])*
        pub fn $name($($arg: $type),*) $(-> $out)? {
            use $body as body;
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx2,fma")]
                fn avx512($($arg: $type),*) $(-> $out)? {
                    body::<8>($($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $type),*) $(-> $out)? {
                    body::<3>($($arg),*)
                }
                if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("fma") {
                    // SAFETY: the processor has the features that the function is compiled for.
                    return unsafe { avx512($($arg),*) };
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: the processor has the features that the function is compiled for.
                    return unsafe { avx2($($arg),*) };
                }
            }
            body::<2>($($arg),*)
        }
    };
}
pub(super) use widest;
