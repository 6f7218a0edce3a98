//! What `ai.onnx.ml` classifiers and regressors do to raw scores (attribute `post_transform`).

use super::math;

/// A post transform, over all scores of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostTransform {
    None,
    Softmax,
    Logistic,
    /// Softmax that leaves zeros at zero.
    SoftmaxZero,
    Probit,
}

impl PostTransform {
    /// Transforms the scores of one row in place.
    pub fn apply(self, scores: &mut [f32]) {
        match self {
            PostTransform::None => {}
            PostTransform::Softmax => softmax(scores),
            PostTransform::Logistic => scores.iter_mut().for_each(|s| *s = math::logistic(*s)),
            PostTransform::SoftmaxZero => softmax_zero(scores),
            PostTransform::Probit => scores.iter_mut().for_each(|s| *s = probit(*s)),
        }
    }
}

/// `sqrt(2) * erf_inv(2 p - 1)`.
pub fn probit(p: f32) -> f32 {
    std::f32::consts::SQRT_2 * math::erf_inv(2.0 * p - 1.0)
}

/// Exponentials of one row divided by their sum.
pub fn softmax(scores: &mut [f32]) {
    let max = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for s in scores.iter_mut() {
        *s = math::exp(*s - max);
        sum += *s;
    }
    scores.iter_mut().for_each(|s| *s /= sum);
}

fn softmax_zero(scores: &mut [f32]) {
    const ZERO: f32 = 1e-7;
    let max = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let at_zero = math::exp(-max);
    let mut sum = 0.0;
    for s in scores.iter_mut() {
        *s = if s.abs() > ZERO {
            math::exp(*s - max)
        } else {
            *s * at_zero
        };
        sum += *s;
    }
    scores.iter_mut().for_each(|s| *s /= sum);
}
