//! Elementary functions that give the same bits on every processor.
//!
//! The C library picks `expf` by processor features and its variants differ in the last bit,
//! which an index over scores or a standby would notice.

/// `e^x` in double precision, relative error below 1e-11.
#[inline(always)]
pub fn exp64(x: f64) -> f64 {
    const LOG2_E: f64 = std::f64::consts::LOG2_E;
    const LN_2: f64 = std::f64::consts::LN_2;
    // Adding it leaves a whole number in the last bits of the sum.
    const WHOLE: f64 = 6_755_399_441_055_744.0;
    let x = x.clamp(-708.0, 709.0);
    let shifted = x * LOG2_E + WHOLE;
    let r = x - (shifted - WHOLE) * LN_2;
    let mut p = 1.0 / 3_628_800.0;
    for c in [
        362_880.0, 40_320.0, 5_040.0, 720.0, 120.0, 24.0, 6.0, 2.0, 1.0, 1.0,
    ] {
        p = p * r + 1.0 / c;
    }
    p * f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52)
}

/// [`exp64`] over the whole range: 0 and infinity where the result does not fit.
#[inline]
pub fn exp_of(x: f64) -> f64 {
    if x > 709.7 {
        f64::INFINITY
    } else if x < -708.0 {
        0.0
    } else {
        exp64(x)
    }
}

/// `e^x` rounded to single precision.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    exp64(f64::from(x)) as f32
}

/// `e^x` for `x <= 0` in single precision, relative error below 3e-7, 0 below -87; NaN stays. `FUSED` rounds each product
/// once with its addition: for functions that are compiled with FMA, elsewhere it is slow. The two differ in the last bits.
#[inline(always)]
pub fn exp_negative<const FUSED: bool>(x: f32) -> f32 {
    /// Adding it leaves the nearest integer in the low bits.
    const SHIFT: f32 = 12_582_912.0;
    let add = |a: f32, b: f32, c: f32| if FUSED { a.mul_add(b, c) } else { a * b + c };
    let clamped = if x < -87.0 { -87.0 } else { x };
    let shifted = add(clamped, std::f32::consts::LOG2_E, SHIFT);
    let k = shifted - SHIFT;
    let r = add(k, -0.693_145_75, clamped);
    let r = add(k, -1.428_606_8e-6, r);
    let mut p = 1.0 / 720.0;
    for c in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = add(p, r, c);
    }
    let scale = f32::from_bits(0x3f80_0000_u32.wrapping_add(shifted.to_bits() << 23));
    if x < -87.0 { 0.0 } else { p * scale }
}

/// Natural logarithm of a positive normal number, relative error below 1e-12.
pub fn ln64(x: f64) -> f64 {
    if x.is_nan() || x < 0.0 {
        return f64::NAN;
    }
    if x < f64::MIN_POSITIVE {
        return f64::NEG_INFINITY;
    }
    if x == f64::INFINITY {
        return x;
    }
    let bits = x.to_bits();
    let mut exponent = ((bits >> 52) & 0x7ff) as i64 - 1023;
    let mut mantissa = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa *= 0.5;
        exponent += 1;
    }
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let q = s * s;
    let mut series = 0.0;
    for odd in [17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        series = series * q + 1.0 / odd;
    }
    exponent as f64 * std::f64::consts::LN_2 + 2.0 * s * series
}

/// `x ^ y`; NaN for a negative `x` and a `y` that is no integer, as in C.
pub fn pow64(x: f64, y: f64) -> f64 {
    const POWERS: f64 = 1_024.0;
    if y == 0.0 || x == 1.0 {
        return 1.0;
    }
    if y.trunc() == y && y.abs() <= POWERS {
        let (mut base, mut power, mut product) = (x, y.abs() as u32, 1.0);
        while power > 0 {
            if power & 1 == 1 {
                product *= base;
            }
            base *= base;
            power >>= 1;
        }
        return if y < 0.0 { 1.0 / product } else { product };
    }
    if y == 0.5 && x >= 0.0 {
        return x.sqrt();
    }
    let whole = y.trunc() == y;
    let odd = whole && (y / 2.0).trunc() != y / 2.0;
    let size = match x.abs() {
        _ if x.is_nan() || y.is_nan() || (x < 0.0 && !whole && x.is_finite()) => f64::NAN,
        size if y.is_infinite() => match (size == 1.0, (size > 1.0) == (y > 0.0)) {
            (true, _) => 1.0,
            (false, true) => f64::INFINITY,
            (false, false) => 0.0,
        },
        size => match y * ln64(size) {
            exponent if exponent < -745.0 => 0.0,
            exponent if exponent > 709.7 => f64::INFINITY,
            exponent => exp64(exponent),
        },
    };
    if odd && x < 0.0 { -size } else { size }
}

/// `x ^ y` rounded to single precision.
#[inline]
pub fn pow(x: f32, y: f32) -> f32 {
    pow64(f64::from(x), f64::from(y)) as f32
}

/// `1 / (1 + e^-x)`, computed on the side that does not overflow.
#[inline(always)]
pub fn logistic(x: f32) -> f32 {
    let v = 1.0 / (1.0 + exp(-x.abs()));
    if x < 0.0 { 1.0 - v } else { v }
}

/// Hyperbolic tangent.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let x = f64::from(x);
    if x.abs() < 1e-4 {
        return (x - x * x * x / 3.0) as f32;
    }
    (1.0 - 2.0 / (exp64(2.0 * x) + 1.0)) as f32
}

/// The inverse error function in Winitzki's approximation, with the constants of onnxruntime's PROBIT.
pub fn erf_inv(x: f32) -> f32 {
    #[allow(clippy::approx_constant)]
    const PI: f32 = 3.14159;
    let sign = if x < 0.0 { -1.0 } else { 1.0 };
    let log = ln64(f64::from((1.0 - x) * (1.0 + x))) as f32;
    let v = 2.0 / (PI * 0.147) + 0.5 * log;
    let v2 = 1.0 / 0.147 * log;
    sign * (-v + (v * v - v2).sqrt()).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_agree_with_the_standard_library() {
        for i in -200_000..200_000 {
            let x = i as f32 * 5e-4;
            let close =
                |a: f32, b: f64| a == b as f32 || (f64::from(a) - b).abs() <= b.abs() * 1.2e-7;
            assert!(close(exp(x), f64::from(x).exp()), "exp {x}");
            assert!(close(tanh(x), f64::from(x).tanh()), "tanh {x}");
            if x > 0.0 {
                assert!(
                    (ln64(f64::from(x)) - f64::from(x).ln()).abs()
                        <= 1e-12 * (1.0 + f64::from(x).ln().abs()),
                    "ln {x}"
                );
            }
        }
    }

    #[test]
    fn powers_agree_with_the_standard_library() {
        let bases = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.5,
            -0.5,
            2.0,
            -3.0,
            1e-3,
            7.25,
            1e10,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
        ];
        let powers = [
            0.0,
            1.0,
            -1.0,
            2.0,
            3.0,
            -2.0,
            0.5,
            -0.5,
            1.5,
            0.1,
            2.7,
            2049.0,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
        ];
        for x in bases {
            for y in powers {
                let (found, expected) = (pow64(x, y), x.powf(y));
                let close = (found - expected).abs() <= 1e-10 * expected.abs();
                let same = found == expected || (found.is_nan() && expected.is_nan());
                assert!(same || close, "{x} ^ {y}: {found} is not {expected}");
            }
        }
    }

    #[test]
    fn infinities_and_nan_pass_through() {
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(f32::INFINITY), f32::INFINITY);
        assert!(exp(f32::NAN).is_nan() && tanh(f32::NAN).is_nan() && logistic(f32::NAN).is_nan());
        assert_eq!((tanh(f32::INFINITY), tanh(f32::NEG_INFINITY)), (1.0, -1.0));
        assert_eq!(
            (logistic(f32::INFINITY), logistic(f32::NEG_INFINITY)),
            (1.0, 0.0)
        );
        assert_eq!(ln64(0.0), f64::NEG_INFINITY);
    }
}
