//! Support vector machines: kernel values against support vectors, weighted sums, votes and coupled probabilities.

use super::linear::largest;
use super::post::PostTransform;
use super::{Kernel, Scratch, ScratchSize, Slab, SlabMut, math, mismatch};
use crate::error::Result;

/// The kernel function of two vectors `x` and `v`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Similarity {
    /// `x . v`
    Linear,
    /// `(gamma x . v + coef0) ^ degree`
    Poly { gamma: f32, coef0: f32, degree: f32 },
    /// `exp(-gamma |x - v|^2)`
    Rbf { gamma: f32 },
    /// `tanh(gamma x . v + coef0)`
    Sigmoid { gamma: f32, coef0: f32 },
}

/// Vectors with the function that compares a row with each of them.
#[derive(Debug, Clone)]
pub struct Vectors {
    /// One cell of every vector, then the next cell of every vector.
    cells: Vec<f32>,
    len: usize,
    similarity: Similarity,
}

impl Vectors {
    /// Row-major vectors of `width` cells, `width > 0`.
    pub fn new(cells: &[f32], width: usize, similarity: Similarity) -> Vectors {
        let column = |c: usize| cells.iter().skip(c).step_by(width).copied();
        Vectors {
            cells: (0..width).flat_map(column).collect(),
            len: cells.len() / width,
            similarity,
        }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// One kernel value for each vector; sums run over the columns in order.
    pub fn compare(&self, x: &[f32], out: &mut [f32]) {
        match self.similarity {
            Similarity::Linear => self.sum(x, out, |x, v| x * v),
            Similarity::Poly {
                gamma,
                coef0,
                degree,
            } => {
                self.sum(x, out, |x, v| x * v);
                out.iter_mut()
                    .for_each(|o| *o = math::pow(gamma * *o + coef0, degree));
            }
            Similarity::Rbf { gamma } => {
                self.sum(x, out, |x, v| (x - v) * (x - v));
                out.iter_mut().for_each(|o| *o = math::exp(-gamma * *o));
            }
            Similarity::Sigmoid { gamma, coef0 } => {
                self.sum(x, out, |x, v| x * v);
                out.iter_mut()
                    .for_each(|o| *o = math::tanh(gamma * *o + coef0));
            }
        }
    }

    #[inline]
    fn sum(&self, x: &[f32], out: &mut [f32], term: impl Fn(f32, f32) -> f32) {
        out.fill(0.0);
        for (x, column) in x.iter().zip(self.cells.chunks_exact(self.len)) {
            for (o, v) in out.iter_mut().zip(column) {
                *o += term(*x, *v);
            }
        }
    }

    fn cost(&self) -> usize {
        let each = match self.similarity {
            Similarity::Linear => 0,
            Similarity::Rbf { .. } => 5,
            Similarity::Poly { .. } => 20,
            Similarity::Sigmoid { .. } => 40,
        };
        self.cells.len() / 4 + self.len * each
    }
}

/// SVMRegressor: f32 rows in, one f32 out.
#[derive(Debug, Clone)]
pub struct SvmRegressor {
    pub vectors: Vectors,
    /// One for each vector.
    pub coefficients: Vec<f32>,
    pub rho: f32,
    /// Only the sign is written, 1 or -1.
    pub one_class: bool,
}

impl Kernel for SvmRegressor {
    fn run(
        &self,
        inputs: &[Slab<'_>],
        outputs: &mut [SlabMut<'_>],
        scratch: &mut Scratch,
    ) -> Result<()> {
        let ([Slab::F32(x)], [SlabMut::F32(out)]) = (inputs, outputs) else {
            return Err(mismatch("SVMRegressor"));
        };
        let Some(values) = scratch.f32.get_mut(..self.vectors.len()) else {
            return Err(mismatch("SVMRegressor"));
        };
        for i in 0..x.rows() {
            self.vectors.compare(x.row(i), values);
            let sum: f64 = values
                .iter()
                .zip(&self.coefficients)
                .map(|(v, c)| f64::from(*v) * f64::from(*c))
                .sum();
            let value = (sum + f64::from(self.rho)) as f32;
            out.row(i)[0] = match (self.one_class, value > 0.0) {
                (false, _) => value,
                (true, true) => 1.0,
                (true, false) => -1.0,
            };
        }
        Ok(())
    }

    fn scratch(&self) -> ScratchSize {
        ScratchSize {
            f32: self.vectors.len(),
            ..ScratchSize::default()
        }
    }

    fn cost(&self) -> usize {
        self.vectors.cost()
    }

    fn memory(&self) -> usize {
        (self.vectors.cells.len() + self.coefficients.len()) * 4
    }
}

/// Parameters of the logistic that turns one machine's score into a probability.
#[derive(Debug, Clone, Copy)]
pub struct Platt {
    pub a: f32,
    pub b: f32,
}

/// SVMClassifier over support vectors: one machine for each pair of classes.
#[derive(Debug, Clone)]
pub struct SvmClassifier {
    pub vectors: Vectors,
    /// Vectors of each class, in order; their sum is the number of vectors.
    pub per_class: Vec<usize>,
    /// `classes - 1` rows, one cell for each vector.
    pub coefficients: Vec<f32>,
    /// One for each pair of classes.
    pub rho: Vec<f32>,
    /// One for each pair of classes, or none.
    pub platt: Vec<Platt>,
    pub post: PostTransform,
}

impl SvmClassifier {
    fn pairs(&self) -> usize {
        self.per_class.len() * (self.per_class.len() - 1) / 2
    }

    /// Scores of all pairs from the kernel values; returns the class with most votes, the first of equals.
    fn decide(&self, values: &[f32], scores: &mut [f32], votes: &mut [f32]) -> usize {
        votes.fill(0.0);
        let row = |r: usize, start: usize, count: usize| {
            let weights = self
                .coefficients
                .get(r * values.len() + start..)
                .unwrap_or(&[]);
            weights
                .iter()
                .zip(&values[start..][..count])
                .map(|(w, v)| f64::from(w * v))
        };
        let (mut pair, mut start_i) = (0, 0);
        for (i, count_i) in self.per_class.iter().enumerate() {
            let mut start_j = start_i + count_i;
            for (j, count_j) in self.per_class.iter().enumerate().skip(i + 1) {
                let mut sum = 0.0;
                row(j - 1, start_i, *count_i).for_each(|t| sum += t);
                row(i, start_j, *count_j).for_each(|t| sum += t);
                sum += f64::from(self.rho[pair]);
                scores[pair] = sum as f32;
                votes[if sum > 0.0 { i } else { j }] += 1.0;
                start_j += count_j;
                pair += 1;
            }
            start_i += count_i;
        }
        largest(votes)
    }

    /// Probabilities of the pairs, coupled.
    fn couple(&self, scores: &[f32], scratch: &mut [f32], out: &mut [f32]) {
        const LEAST: f32 = 1e-7;
        let n = out.len();
        let (r, rest) = scratch.split_at_mut(n * n);
        let mut pair = 0;
        for i in 0..n {
            for j in i + 1..n {
                let Platt { a, b } = self.platt[pair];
                let p = 1.0 - math::logistic(scores[pair] * a + b);
                let p = p.clamp(LEAST, 1.0 - LEAST);
                r[i * n + j] = p;
                r[j * n + i] = 1.0 - p;
                pair += 1;
            }
        }
        couple(r, rest, out);
    }
}

/// The second method of Wu, Lin and Weng, "Probability estimates for multi-class classification by pairwise coupling"
/// (2004), as libsvm bounds it: `r[i, j]` is the probability of `i` among `i` and `j`, `p` becomes one of all classes.
fn couple(r: &[f32], scratch: &mut [f32], p: &mut [f32]) {
    const ROUNDS: usize = 100;
    let n = p.len();
    let tolerance = 0.005 / n as f32;
    let (q, qp) = scratch.split_at_mut(n * n);
    for i in 0..n {
        p[i] = 1.0 / n as f32;
        let mut diagonal = 0.0;
        for j in (0..n).filter(|j| *j != i) {
            diagonal += r[j * n + i] * r[j * n + i];
            q[i * n + j] = -r[j * n + i] * r[i * n + j];
        }
        q[i * n + i] = diagonal;
    }
    for _ in 0..ROUNDS {
        let mut pqp = 0.0;
        for i in 0..n {
            qp[i] = 0.0;
            for j in 0..n {
                qp[i] += q[i * n + j] * p[j];
            }
            pqp += p[i] * qp[i];
        }
        let error = qp[..n].iter().map(|v| (v - pqp).abs()).fold(0.0, f32::max);
        if error < tolerance {
            break;
        }
        for i in 0..n {
            let diff = (pqp - qp[i]) / q[i * n + i];
            let scale = 1.0 + diff;
            p[i] += diff;
            pqp = (pqp + diff * (diff * q[i * n + i] + 2.0 * qp[i])) / scale / scale;
            for j in 0..n {
                qp[j] = (qp[j] + diff * q[i * n + j]) / scale;
                p[j] /= scale;
            }
        }
    }
}

impl Kernel for SvmClassifier {
    fn run(
        &self,
        inputs: &[Slab<'_>],
        outputs: &mut [SlabMut<'_>],
        scratch: &mut Scratch,
    ) -> Result<()> {
        let ([Slab::F32(x)], [SlabMut::I64(label), SlabMut::F32(out)]) = (inputs, outputs) else {
            return Err(mismatch("SVMClassifier"));
        };
        let classes = self.per_class.len();
        if scratch.f32.len() < self.scratch().f32 {
            return Err(mismatch("SVMClassifier"));
        }
        let (values, rest) = scratch.f32.split_at_mut(self.vectors.len());
        let (scores, rest) = rest.split_at_mut(self.pairs());
        let (votes, rest) = rest.split_at_mut(classes);
        for i in 0..x.rows() {
            self.vectors.compare(x.row(i), values);
            label.row(i)[0] = self.decide(values, scores, votes) as i64;
            let out = out.row(i);
            match (self.platt.is_empty(), self.post, &*scores) {
                (false, ..) => {
                    self.couple(scores, rest, out);
                    self.post.apply(out);
                }
                (true, PostTransform::None, [score]) => out.copy_from_slice(&[-score, *score]),
                (true, PostTransform::Logistic, [score]) => {
                    out.copy_from_slice(&[math::logistic(-score), math::logistic(*score)]);
                }
                (true, _, [score]) => out.copy_from_slice(&[1.0 - score, *score]),
                (true, _, scores) => {
                    out.copy_from_slice(scores);
                    self.post.apply(out);
                }
            }
        }
        Ok(())
    }

    fn scratch(&self) -> ScratchSize {
        let classes = self.per_class.len();
        let coupling = if self.platt.is_empty() {
            0
        } else {
            2 * classes * classes + classes
        };
        ScratchSize {
            f32: self.vectors.len() + self.pairs() + classes + coupling,
            ..ScratchSize::default()
        }
    }

    fn cost(&self) -> usize {
        let classes = self.per_class.len();
        let coupling = if self.platt.is_empty() {
            0
        } else {
            20 * classes * classes
        };
        self.vectors.cost() + self.vectors.len() * classes + coupling
    }

    fn memory(&self) -> usize {
        (self.vectors.cells.len() + self.coefficients.len() + 3 * self.rho.len()) * 4
    }
}

/// SVMClassifier without support vectors: one weighted sum per class, all with the same intercept.
#[derive(Debug, Clone)]
pub struct LinearSvmClassifier {
    /// One row for each class.
    pub weights: Vectors,
    pub rho: f32,
    /// Two classes without pair probabilities: the second wins where the largest score is at least 0.5 with weights that
    /// are all positive, or above 0 with others.
    pub second_above: Option<f32>,
    pub post: PostTransform,
}

impl Kernel for LinearSvmClassifier {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let ([Slab::F32(x)], [SlabMut::I64(label), SlabMut::F32(out)]) = (inputs, outputs) else {
            return Err(mismatch("SVMClassifier"));
        };
        for i in 0..x.rows() {
            let out = out.row(i);
            self.weights.compare(x.row(i), out);
            out.iter_mut().for_each(|o| *o += self.rho);
            let best = largest(out);
            let second = match self.second_above {
                Some(0.0) => out[best] > 0.0,
                Some(least) => out[best] >= least,
                None => false,
            };
            label.row(i)[0] = if second { 1 } else { best as i64 };
            self.post.apply(out);
        }
        Ok(())
    }

    fn cost(&self) -> usize {
        self.weights.cost() + 10
    }

    fn memory(&self) -> usize {
        self.weights.cells.len() * 4
    }
}
