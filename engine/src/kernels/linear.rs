//! Linear models: one weighted sum per output and row.

use super::post::PostTransform;
use super::{Kernel, Rows, Scratch, Slab, SlabMut, mismatch};
use crate::error::Result;

/// Weights of `outputs` linear functions of `width` features.
#[derive(Debug, Clone)]
pub struct Linear {
    /// Row-major, one row of `width` per output.
    weights: Vec<f32>,
    intercepts: Vec<f32>,
    width: usize,
}

impl Linear {
    /// `weights.len()` must be `intercepts.len() * width`.
    pub fn new(weights: Vec<f32>, intercepts: Vec<f32>, width: usize) -> Linear {
        Linear {
            weights,
            intercepts,
            width,
        }
    }

    /// Sums are kept in double precision and rounded once, intercept included.
    #[inline]
    fn apply(&self, row: &[f32], out: &mut [f32]) {
        for ((o, weights), intercept) in out
            .iter_mut()
            .zip(self.weights.chunks_exact(self.width))
            .zip(&self.intercepts)
        {
            *o = (dot(row, weights) + f64::from(*intercept)) as f32;
        }
    }

    fn memory(&self) -> usize {
        (self.weights.len() + self.intercepts.len()) * 4
    }
}

/// Sum of products, which double precision holds exactly, in eight partial sums that no addition has to wait for.
#[inline]
fn dot(x: &[f32], weights: &[f32]) -> f64 {
    let (x, x_rest) = x.as_chunks::<8>();
    let (weights, weights_rest) = weights.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (x, weights) in x.iter().zip(weights) {
        for i in 0..8 {
            sums[i] += f64::from(x[i]) * f64::from(weights[i]);
        }
    }
    for (sum, (x, weight)) in sums.iter_mut().zip(x_rest.iter().zip(weights_rest)) {
        *sum += f64::from(*x) * f64::from(*weight);
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + e) + (b + f)) + ((c + g) + (d + h))
}

/// How a linear classifier turns its scores into a label and probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// One score a class, the largest wins.
    PerClass,
    /// One score for two classes; above 0 the second wins. Softmax is not applied.
    OneScore,
}

/// LinearClassifier: f32 rows in; label index and one f32 per class out.
#[derive(Debug, Clone)]
pub struct LinearClassifier {
    pub linear: Linear,
    pub decision: Decision,
    pub post: PostTransform,
}

impl Kernel for LinearClassifier {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let ([Slab::F32(x)], [SlabMut::I64(label), SlabMut::F32(probability)]) = (inputs, outputs)
        else {
            return Err(mismatch("LinearClassifier"));
        };
        for i in 0..x.rows() {
            let out = probability.row(i);
            let class = match self.decision {
                Decision::PerClass => {
                    self.linear.apply(x.row(i), out);
                    let class = largest(out);
                    self.post.apply(out);
                    class
                }
                Decision::OneScore => {
                    let mut score = [0.0];
                    self.linear.apply(x.row(i), &mut score);
                    let class = usize::from(score[0] > 0.0);
                    if self.post == PostTransform::Logistic {
                        self.post.apply(&mut score);
                    }
                    out.copy_from_slice(&[1.0 - score[0], score[0]]);
                    class
                }
            };
            label.row(i)[0] = class as i64;
        }
        Ok(())
    }

    fn cost(&self) -> usize {
        self.linear.weights.len() + 10
    }

    fn memory(&self) -> usize {
        self.linear.memory()
    }
}

/// Index of the first largest value.
pub fn largest(values: &[f32]) -> usize {
    let mut best = 0;
    for (i, v) in values.iter().enumerate() {
        if *v > values[best] {
            best = i;
        }
    }
    best
}

/// LinearRegressor: f32 rows in, one f32 per target out.
#[derive(Debug, Clone)]
pub struct LinearRegressor {
    pub linear: Linear,
    pub post: PostTransform,
}

impl Kernel for LinearRegressor {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let ([Slab::F32(x)], [SlabMut::F32(out)]) = (inputs, outputs) else {
            return Err(mismatch("LinearRegressor"));
        };
        regress(x, out, |row, out| {
            self.linear.apply(row, out);
            // onnxruntime transforms a single sum by PROBIT only.
            if out.len() > 1 || self.post == PostTransform::Probit {
                self.post.apply(out);
            }
        });
        Ok(())
    }

    fn cost(&self) -> usize {
        self.linear.weights.len() + 5
    }

    fn memory(&self) -> usize {
        self.linear.memory()
    }
}

fn regress(
    x: &Rows<'_, f32>,
    out: &mut super::RowsMut<'_, f32>,
    each: impl Fn(&[f32], &mut [f32]),
) {
    for i in 0..x.rows() {
        each(x.row(i), out.row(i));
    }
}
