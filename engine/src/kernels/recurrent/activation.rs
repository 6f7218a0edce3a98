//! Activation functions of recurrent cells, written so that they become vector code.

use crate::kernels::math::exp_negative;

/// A function of one value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Function {
    Sigmoid,
    Tanh,
    Relu,
    /// `max(0, min(1, alpha x + beta))`.
    HardSigmoid {
        alpha: f32,
        beta: f32,
    },
}

impl Function {
    /// Applies it to every value.
    #[inline(always)]
    pub fn apply(self, values: &mut [f32]) {
        // Loops rather than iterators' closures, which are not compiled for the wide registers.
        match self {
            Function::Sigmoid => {
                for x in values {
                    *x = sigmoid(*x);
                }
            }
            Function::Tanh => {
                for x in values {
                    *x = tanh(*x);
                }
            }
            Function::Relu => {
                for x in values {
                    *x = if *x < 0.0 { 0.0 } else { *x };
                }
            }
            Function::HardSigmoid { alpha, beta } => {
                for x in values {
                    let y = *x * alpha + beta;
                    let y = if y < 0.0 { 0.0 } else { y };
                    *x = if y > 1.0 { 1.0 } else { y };
                }
            }
        }
    }
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    let e = exp_negative::<true>(-x.abs());
    let v = 1.0 / (1.0 + e);
    if x < 0.0 { e * v } else { v }
}

#[inline(always)]
fn tanh(x: f32) -> f32 {
    let e = exp_negative::<true>(-2.0 * x.abs());
    let v = ((1.0 - e) / (1.0 + e)).copysign(x);
    // The series of the tangent, where the difference above loses digits.
    let square = x * x;
    let mut series = -1_382.0 / 155_925.0;
    for c in [62.0 / 2_835.0, -17.0 / 315.0, 2.0 / 15.0, -1.0 / 3.0, 1.0] {
        series = square.mul_add(series, c);
    }
    if x.abs() < 0.35 { x * series } else { v }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_agree_with_the_standard_library() {
        for i in -400_000..400_000 {
            let x = i as f32 * 2.5e-4;
            let wide = f64::from(x);
            let (s, t) = (1.0 / (1.0 + (-wide).exp()), wide.tanh());
            assert!(
                (f64::from(sigmoid(x)) - s).abs() <= 4e-7 * s + 1e-37,
                "sigmoid {x}"
            );
            assert!((f64::from(tanh(x)) - t).abs() <= 1e-6 * t.abs(), "tanh {x}");
        }
    }

    #[test]
    fn infinities_and_nan_pass_through() {
        assert!(sigmoid(f32::NAN).is_nan() && tanh(f32::NAN).is_nan());
        assert_eq!(
            (sigmoid(f32::INFINITY), sigmoid(f32::NEG_INFINITY)),
            (1.0, 0.0)
        );
        assert_eq!((tanh(f32::INFINITY), tanh(f32::NEG_INFINITY)), (1.0, -1.0));
        assert_eq!(tanh(-0.0).to_bits(), (-0.0f32).to_bits());
        let mut nan = [f32::NAN];
        Function::Relu.apply(&mut nan);
        assert!(nan[0].is_nan());
    }
}
