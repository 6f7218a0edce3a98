//! What `ai.onnx.ml` classifiers and regressors do to raw scores (attribute `post_transform`).

use std::ops::{Add, Div, Mul, Neg, Sub};

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

/// A raw score: f32, or f64 where a model computes in doubles.
pub trait Score:
    Copy
    + PartialOrd
    + Default
    + From<f32>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    fn exp(self) -> Self;
    fn logistic(self) -> Self;
    /// `sqrt(2) * erf_inv(2 p - 1)`, as precise as f32.
    fn probit(self) -> Self;
}

impl Score for f32 {
    fn exp(self) -> f32 {
        math::exp(self)
    }
    fn logistic(self) -> f32 {
        math::logistic(self)
    }
    fn probit(self) -> f32 {
        std::f32::consts::SQRT_2 * math::erf_inv(2.0 * self - 1.0)
    }
}

impl Score for f64 {
    fn exp(self) -> f64 {
        math::exp64(self)
    }
    fn logistic(self) -> f64 {
        let v = 1.0 / (1.0 + math::exp64(-self.abs()));
        if self < 0.0 { 1.0 - v } else { v }
    }
    fn probit(self) -> f64 {
        (self as f32).probit().into()
    }
}

impl PostTransform {
    /// Transforms the scores of one row in place.
    pub fn apply<T: Score>(self, scores: &mut [T]) {
        match self {
            PostTransform::None => {}
            PostTransform::Softmax => softmax(scores),
            PostTransform::Logistic => scores.iter_mut().for_each(|s| *s = s.logistic()),
            PostTransform::SoftmaxZero => softmax_zero(scores),
            PostTransform::Probit => scores.iter_mut().for_each(|s| *s = s.probit()),
        }
    }
}

/// Exponentials of one row divided by their sum.
pub fn softmax<T: Score>(scores: &mut [T]) {
    let max = largest(scores);
    let mut sum = T::default();
    for s in scores.iter_mut() {
        *s = (*s - max).exp();
        sum = sum + *s;
    }
    scores.iter_mut().for_each(|s| *s = *s / sum);
}

fn softmax_zero<T: Score>(scores: &mut [T]) {
    let zero = T::from(1e-7);
    let max = largest(scores);
    let at_zero = (-max).exp();
    let mut sum = T::default();
    for s in scores.iter_mut() {
        *s = if *s > zero || *s < -zero {
            (*s - max).exp()
        } else {
            *s * at_zero
        };
        sum = sum + *s;
    }
    scores.iter_mut().for_each(|s| *s = *s / sum);
}

/// NaN is passed over.
fn largest<T: Score>(scores: &[T]) -> T {
    let lowest = T::from(f32::NEG_INFINITY);
    scores
        .iter()
        .copied()
        .fold(lowest, |max, s| if s > max { s } else { max })
}
