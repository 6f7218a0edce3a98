//! The three cells over the steps of one direction.

use super::activation::Function;
use crate::error::{Error, Result};
use crate::kernels::product::{Packed, widest};

/// Rows whose states are advanced together: their operands stay in the cache.
const BLOCK: usize = 64;
/// Multiplications between two looks at the interrupt.
const WORK: usize = 1 << 22;

/// Which cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Lstm,
    /// Whether the reset gate is applied to the product of the hidden state (`linear_before_reset`).
    Gru {
        linear: bool,
    },
    Rnn,
}

/// A cell of one direction.
#[derive(Debug, Clone)]
pub struct Cell {
    kind: Kind,
    hidden: usize,
    width: usize,
    /// All gates; those of a GRU without its last.
    gates: Packed,
    /// The last gate of a GRU: of both operands, or of each alone.
    last: Vec<Packed>,
    functions: Vec<Function>,
}

/// The order of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Reverse,
}

/// Where a direction's results go, row-major, for all rows.
pub struct Outputs<'a> {
    /// `[steps, directions, rows, hidden]` and the index of this direction, where wanted.
    pub all: Option<(&'a mut [f32], usize, usize)>,
    /// `[rows, hidden]`: the initial hidden state, the last one afterwards.
    pub hidden: &'a mut [f32],
    /// `[rows, hidden]`: the same of the cell state of an LSTM.
    pub cell: &'a mut [f32],
}

impl Cell {
    /// LSTM: gates input, output, forget, cell; functions of gates, of the cell and of the hidden state.
    pub fn lstm(
        w: &[f32],
        r: &[f32],
        bias: &[f32],
        hidden: usize,
        functions: Vec<Function>,
    ) -> Cell {
        let (input, recurrent) = bias.split_at(4 * hidden);
        let sum: Vec<f32> = input.iter().zip(recurrent).map(|(a, b)| a + b).collect();
        Cell {
            kind: Kind::Lstm,
            hidden,
            width: w.len() / (4 * hidden),
            gates: Packed::new(w, r, &sum),
            last: Vec::new(),
            functions,
        }
    }

    /// GRU: gates update, reset, hidden.
    pub fn gru(
        w: &[f32],
        r: &[f32],
        bias: &[f32],
        hidden: usize,
        linear: bool,
        functions: Vec<Function>,
    ) -> Cell {
        let width = w.len() / (3 * hidden);
        let (input, recurrent) = bias.split_at(3 * hidden);
        let sum: Vec<f32> = input.iter().zip(recurrent).map(|(a, b)| a + b).collect();
        let (w_gates, w_last) = w.split_at(2 * hidden * width);
        let (r_gates, r_last) = r.split_at(2 * hidden * hidden);
        let last = if linear {
            vec![
                Packed::new(w_last, &[], &input[2 * hidden..]),
                Packed::new(r_last, &[], &recurrent[2 * hidden..]),
            ]
        } else {
            vec![Packed::new(w_last, r_last, &sum[2 * hidden..])]
        };
        Cell {
            kind: Kind::Gru { linear },
            hidden,
            width,
            gates: Packed::new(w_gates, r_gates, &sum[..2 * hidden]),
            last,
            functions,
        }
    }

    /// RNN: one gate.
    pub fn rnn(
        w: &[f32],
        r: &[f32],
        bias: &[f32],
        hidden: usize,
        functions: Vec<Function>,
    ) -> Cell {
        let (input, recurrent) = bias.split_at(hidden);
        let sum: Vec<f32> = input.iter().zip(recurrent).map(|(a, b)| a + b).collect();
        Cell {
            kind: Kind::Rnn,
            hidden,
            width: w.len() / hidden,
            gates: Packed::new(w, r, &sum),
            last: Vec::new(),
            functions,
        }
    }

    pub fn memory(&self) -> usize {
        self.gates.memory() + self.last.iter().map(Packed::memory).sum::<usize>()
    }

    /// Multiplications of one row and step.
    pub fn cost(&self) -> usize {
        self.gates.cost() + self.last.iter().map(Packed::cost).sum::<usize>() + 20 * self.hidden
    }

    /// Runs all steps over `x`, `[steps, rows, width]`.
    ///
    /// # Errors
    /// [`Error::Interrupted`] when told so, [`Error::OutOfMemory`].
    pub fn run(
        &self,
        x: &[f32],
        rows: usize,
        direction: Direction,
        out: &mut Outputs<'_>,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<()> {
        run(self, x, rows, direction, out, interrupted)
    }

    #[inline(always)]
    fn steps<const R: usize>(
        &self,
        x: &[f32],
        rows: usize,
        direction: Direction,
        out: &mut Outputs<'_>,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<()> {
        let (width, hidden) = (self.width, self.hidden);
        let count = x.len() / (rows * width).max(1);
        let block = BLOCK.min(rows);
        let columns = self.gates.columns();
        let mut gates = zeros(block * columns)?;
        let mut spare = zeros(block * 2 * hidden)?;
        let mut work = 0;
        for first in (0..rows).step_by(block.max(1)) {
            let size = block.min(rows - first);
            let states = first * hidden..(first + size) * hidden;
            let h = &mut out.hidden[states.clone()];
            let gates = &mut gates[..size * columns];
            let spare = &mut spare[..size * 2 * hidden];
            for step in 0..count {
                let t = match direction {
                    Direction::Forward => step,
                    Direction::Reverse => count - 1 - step,
                };
                let at = (t * rows + first) * width;
                let x = &x[at..at + size * width];
                self.gates.run::<R>(x, h, gates);
                match self.kind {
                    Kind::Lstm => self.lstm_step(gates, h, &mut out.cell[states.clone()]),
                    Kind::Gru { .. } => self.gru_step::<R>(x, gates, spare, h),
                    Kind::Rnn => {
                        self.functions[0].apply(gates);
                        h.copy_from_slice(gates);
                    }
                }
                if let Some((all, index, directions)) = &mut out.all {
                    let at = ((t * *directions + *index) * rows + first) * hidden;
                    all[at..at + size * hidden].copy_from_slice(h);
                }
                work += size * self.cost();
                if work > WORK {
                    work = 0;
                    if interrupted() {
                        return Err(Error::Interrupted);
                    }
                }
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn lstm_step(&self, gates: &mut [f32], h: &mut [f32], c: &mut [f32]) {
        let n = self.hidden;
        let rows = gates.chunks_exact_mut(4 * n);
        for ((gates, h), c) in rows.zip(h.chunks_exact_mut(n)).zip(c.chunks_exact_mut(n)) {
            let (sigmoids, candidate) = gates.split_at_mut(3 * n);
            self.functions[0].apply(sigmoids);
            self.functions[1].apply(candidate);
            let (input, rest) = sigmoids.split_at(n);
            let (output, forget) = rest.split_at(n);
            for j in 0..n {
                c[j] = forget[j] * c[j] + input[j] * candidate[j];
            }
            h.copy_from_slice(c);
            self.functions[2].apply(h);
            for j in 0..n {
                h[j] *= output[j];
            }
        }
    }

    #[inline(always)]
    fn gru_step<const R: usize>(
        &self,
        x: &[f32],
        gates: &mut [f32],
        spare: &mut [f32],
        h: &mut [f32],
    ) {
        let n = self.hidden;
        self.functions[0].apply(gates);
        let (candidate, reset) = spare.split_at_mut(h.len());
        match self.last.as_slice() {
            [input, recurrent] => {
                input.run::<R>(x, &[], candidate);
                recurrent.run::<R>(h, &[], reset);
                let rows = candidate.chunks_exact_mut(n).zip(reset.chunks_exact(n));
                for ((candidate, reset), gates) in rows.zip(gates.chunks_exact(2 * n)) {
                    for j in 0..n {
                        candidate[j] += gates[n + j] * reset[j];
                    }
                }
            }
            [both] => {
                let rows = reset.chunks_exact_mut(n).zip(h.chunks_exact(n));
                for ((reset, h), gates) in rows.zip(gates.chunks_exact(2 * n)) {
                    for j in 0..n {
                        reset[j] = gates[n + j] * h[j];
                    }
                }
                both.run::<R>(x, reset, candidate);
            }
            _ => {}
        }
        self.functions[1].apply(candidate);
        let rows = h.chunks_exact_mut(n).zip(candidate.chunks_exact(n));
        for ((h, candidate), gates) in rows.zip(gates.chunks_exact(2 * n)) {
            for j in 0..n {
                h[j] = (1.0 - gates[j]) * candidate[j] + gates[j] * h[j];
            }
        }
    }
}

widest! {
    /// All steps.
    pub fn run(
        cell: &Cell,
        x: &[f32],
        rows: usize,
        direction: Direction,
        out: &mut Outputs<'_>,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<()> = steps
}

#[inline(always)]
fn steps<const R: usize>(
    cell: &Cell,
    x: &[f32],
    rows: usize,
    direction: Direction,
    out: &mut Outputs<'_>,
    interrupted: &dyn Fn() -> bool,
) -> Result<()> {
    cell.steps::<R>(x, rows, direction, out, interrupted)
}

fn zeros(cells: usize) -> Result<Vec<f32>> {
    let mut buffer = Vec::new();
    buffer
        .try_reserve_exact(cells)
        .map_err(|_| Error::OutOfMemory)?;
    buffer.resize(cells, 0.0);
    Ok(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    fn cells(width: usize, n: usize) -> Vec<Cell> {
        let of = |gates: usize| {
            (
                numbers(gates * n * width, 1),
                numbers(gates * n * n, 2),
                numbers(2 * gates * n, 3),
            )
        };
        let standard = vec![Function::Sigmoid, Function::Tanh, Function::Tanh];
        let (w4, r4, b4) = of(4);
        let (w3, r3, b3) = of(3);
        let (w1, r1, b1) = of(1);
        vec![
            Cell::lstm(&w4, &r4, &b4, n, standard.clone()),
            Cell::gru(&w3, &r3, &b3, n, false, standard.clone()),
            Cell::gru(&w3, &r3, &b3, n, true, standard),
            Cell::rnn(&w1, &r1, &b1, n, vec![Function::Tanh]),
        ]
    }

    type Run = dyn Fn(&Cell, &[f32], usize, &mut Outputs<'_>) -> Result<()>;

    /// All hidden states of a run from initial states of one half.
    fn states(cell: &Cell, x: &[f32], rows: usize, steps: usize, run: &Run) -> Vec<f32> {
        let mut all = vec![0.0; steps * rows * cell.hidden];
        let (mut h, mut c) = (vec![0.5; rows * cell.hidden], vec![0.5; rows * cell.hidden]);
        let mut out = Outputs {
            all: Some((&mut all, 0, 1)),
            hidden: &mut h,
            cell: &mut c,
        };
        run(cell, x, rows, &mut out).unwrap();
        all
    }

    #[test]
    fn wide_and_portable_code_give_the_same_bits_for_any_rows() {
        let (width, steps, rows) = (5, 6, 131);
        for hidden in [1, 7, 16, 33] {
            for cell in cells(width, hidden) {
                let x = numbers(steps * rows * width, 9);
                let forward = Direction::Forward;
                let wide = states(&cell, &x, rows, steps, &move |cell, x, rows, out| {
                    cell.run(x, rows, forward, out, &|| false)
                });
                let plain = states(&cell, &x, rows, steps, &move |cell, x, rows, out| {
                    cell.steps::<1>(x, rows, forward, out, &|| false)
                });
                assert_eq!(wide, plain);
                for row in [0, 63, 64, 130] {
                    let own: Vec<f32> = (0..steps)
                        .flat_map(|t| x[(t * rows + row) * width..][..width].to_vec())
                        .collect();
                    let alone = states(&cell, &own, 1, steps, &move |cell, x, rows, out| {
                        cell.run(x, rows, forward, out, &|| false)
                    });
                    for t in 0..steps {
                        let there = &wide[(t * rows + row) * hidden..][..hidden];
                        assert_eq!(there, &alone[t * hidden..][..hidden], "row {row} step {t}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_long_run_stops_when_told() {
        let cell = &cells(64, 64)[0];
        let x = numbers(500 * 64, 9);
        let (mut h, mut c) = (vec![0.0; 64], vec![0.0; 64]);
        let mut out = Outputs {
            all: None,
            hidden: &mut h,
            cell: &mut c,
        };
        let stopped = cell.run(&x, 1, Direction::Reverse, &mut out, &|| true);
        assert_eq!(stopped, Err(Error::Interrupted));
    }
}
