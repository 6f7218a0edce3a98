//! Linear models: one weighted sum per output and row.

use super::post::PostTransform;
use super::product::widest;
use super::{Kernel, Rows, RowsMut, Scratch, Slab, SlabMut, math, mismatch};
use crate::error::Result;

/// Partial sums of an output.
const LANES: usize = 8;

/// Weights of `outputs` linear functions of `width` features.
#[derive(Debug, Clone)]
pub struct Linear {
    /// Row-major, one row of `width` per output.
    weights: Vec<f32>,
    intercepts: Vec<f32>,
    width: usize,
    /// Of two outputs, as most exporters write two classes, the first is the second with its sign turned.
    mirrored: bool,
}

impl Linear {
    /// `weights.len()` must be `intercepts.len() * width`.
    pub fn new(weights: Vec<f32>, intercepts: Vec<f32>, width: usize) -> Linear {
        let mirrored = |values: &[f32]| {
            let (first, second) = values.split_at(values.len() / 2);
            first.iter().zip(second).all(|(a, b)| *a == -*b)
        };
        let mirrored = intercepts.len() == 2 && mirrored(&weights) && mirrored(&intercepts);
        Linear {
            weights,
            intercepts,
            width,
            mirrored,
        }
    }

    /// Sums are kept in double precision and rounded once, intercept included.
    #[inline(always)]
    fn apply(&self, row: &[f32], out: &mut [f32]) {
        if let (true, [first, second]) = (self.mirrored, &mut *out) {
            *second = self.sum(1, row);
            *first = 0.0 - *second;
            return;
        }
        for (i, o) in out.iter_mut().enumerate().take(self.intercepts.len()) {
            *o = self.sum(i, row);
        }
    }

    #[inline(always)]
    fn sum(&self, output: usize, row: &[f32]) -> f32 {
        let weights = &self.weights[output * self.width..][..self.width];
        (dot(row, weights) + f64::from(self.intercepts[output])) as f32
    }

    fn memory(&self) -> usize {
        (self.weights.len() + self.intercepts.len()) * 4
    }
}

/// Sum of products, which double precision holds exactly, in eight partial sums side by side.
#[inline(always)]
fn dot(x: &[f32], weights: &[f32]) -> f64 {
    let (x, x_rest) = x.as_chunks();
    let (weights, weights_rest) = weights.as_chunks();
    let mut sums = [0.0; LANES];
    for (x, weights) in x.iter().zip(weights) {
        sums = add(sums, x, weights);
    }
    if !x_rest.is_empty() {
        let mut padded = [[0.0; LANES]; 2];
        for (lane, (x, weight)) in x_rest.iter().zip(weights_rest).enumerate() {
            padded[0][lane] = *x;
            padded[1][lane] = *weight;
        }
        sums = add(sums, &padded[0], &padded[1]);
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + e) + (b + f)) + ((c + g) + (d + h))
}

#[inline(always)]
fn add(mut sums: [f64; LANES], x: &[f32; LANES], weights: &[f32; LANES]) -> [f64; LANES] {
    for i in 0..LANES {
        sums[i] += f64::from(x[i]) * f64::from(weights[i]);
    }
    sums
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

widest! {
    /// Label and probabilities of all rows; the logistic function comes last, many rows side by side.
    pub fn classify(
        model: &LinearClassifier,
        x: &Rows<'_, f32>,
        label: &mut RowsMut<'_, i64>,
        out: &mut RowsMut<'_, f32>,
    ) = classify_of
}

#[inline(always)]
fn classify_of<const R: usize>(
    model: &LinearClassifier,
    x: &Rows<'_, f32>,
    label: &mut RowsMut<'_, i64>,
    out: &mut RowsMut<'_, f32>,
) {
    for i in 0..x.rows() {
        let out = out.row(i);
        let class = match model.decision {
            Decision::PerClass => {
                model.linear.apply(x.row(i), out);
                largest(out)
            }
            Decision::OneScore => {
                let mut score = [0.0];
                model.linear.apply(x.row(i), &mut score);
                out.copy_from_slice(&[1.0 - score[0], score[0]]);
                usize::from(score[0] > 0.0)
            }
        };
        label.row(i)[0] = class as i64;
    }
    match (model.decision, model.post, out.contiguous()) {
        (Decision::PerClass, PostTransform::Logistic, Some(scores)) => {
            scores.iter_mut().for_each(|s| *s = math::logistic(*s));
        }
        (Decision::PerClass, post, _) => (0..x.rows()).for_each(|i| post.apply(out.row(i))),
        (Decision::OneScore, PostTransform::Logistic, _) => {
            for i in 0..x.rows() {
                let out = out.row(i);
                let score = math::logistic(out[1]);
                out.copy_from_slice(&[1.0 - score, score]);
            }
        }
        (Decision::OneScore, ..) => {}
    }
}

impl Kernel for LinearClassifier {
    fn run(&self, inputs: &[Slab<'_>], outputs: &mut [SlabMut<'_>], _: &mut Scratch) -> Result<()> {
        let ([Slab::F32(x)], [SlabMut::I64(label), SlabMut::F32(probability)]) = (inputs, outputs)
        else {
            return Err(mismatch("LinearClassifier"));
        };
        classify(self, x, label, probability);
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

fn regress(x: &Rows<'_, f32>, out: &mut RowsMut<'_, f32>, each: impl Fn(&[f32], &mut [f32])) {
    for i in 0..x.rows() {
        each(x.row(i), out.row(i));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classify_rows(model: &LinearClassifier, cells: &[f32], width: usize) -> Vec<f32> {
        let rows = cells.len() / width;
        let x = Rows::new(cells, 0, width, width, rows).unwrap();
        let (mut labels, mut scores) = (vec![0; rows], vec![0.0; 2 * rows]);
        let label = RowsMut::new(&mut labels, 0, 1, 1, rows).unwrap();
        let score = RowsMut::new(&mut scores, 0, 2, 2, rows).unwrap();
        let outputs = &mut [SlabMut::I64(label), SlabMut::F32(score)];
        let inputs = &[Slab::F32(x)];
        model.run(inputs, outputs, &mut Scratch::default()).unwrap();
        for (label, pair) in labels.iter().zip(scores.chunks_exact(2)) {
            assert_eq!(*label, i64::from(pair[1] > pair[0]));
        }
        scores
    }

    #[test]
    fn mirrored_classes_have_the_bits_of_two_sums_and_rows_those_of_a_batch() {
        for width in 1..40 {
            let number = |i: usize| ((i * 7_919 + width) % 1_009) as f32 / 500.0 - 1.003;
            let positive: Vec<f32> = (0..width).map(number).collect();
            let weights: Vec<f32> = positive
                .iter()
                .map(|w| -w)
                .chain(positive.clone())
                .collect();
            let mut linear = Linear::new(weights, vec![-0.3, 0.3], width);
            assert!(linear.mirrored);
            let cells: Vec<f32> = (100..100 + 37 * width).map(number).collect();
            for post in [
                PostTransform::None,
                PostTransform::Logistic,
                PostTransform::Softmax,
            ] {
                let decision = Decision::PerClass;
                let model = |linear| LinearClassifier {
                    linear,
                    decision,
                    post,
                };
                linear.mirrored = true;
                let found = classify_rows(&model(linear.clone()), &cells, width);
                linear.mirrored = false;
                assert_eq!(found, classify_rows(&model(linear.clone()), &cells, width));
                let alone = cells.chunks_exact(width);
                let alone = alone.flat_map(|row| classify_rows(&model(linear.clone()), row, width));
                assert_eq!(found, alone.collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn sums_are_those_of_double_precision() {
        for width in 1..40 {
            let x: Vec<f32> = (0..width).map(|i| (i as f32).sin()).collect();
            let weights: Vec<f32> = (0..width).map(|i| (i as f32 * 1.7).cos()).collect();
            let plain: f64 = (0..width)
                .map(|i| f64::from(x[i]) * f64::from(weights[i]))
                .sum();
            assert!((dot(&x, &weights) - plain).abs() < 1e-14);
        }
    }
}
