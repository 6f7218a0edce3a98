//! Sum, mean and standard deviation of the values in a window.

use super::exact::{SquareSum, Sum};
use super::integer;

/// The numbers that are in a window now. NaN and infinities are counted, so that they leave as they came.
#[derive(Debug, Default)]
pub struct Sums {
    count: u64,
    nan: u64,
    positive: u64,
    negative: u64,
    sum: Sum,
    squares: Option<SquareSum>,
}

impl Sums {
    /// With squares, standard deviations can be read too.
    pub fn new(with_squares: bool) -> Sums {
        Sums {
            squares: with_squares.then(SquareSum::default),
            ..Sums::default()
        }
    }

    pub fn add(&mut self, x: f64) {
        self.change(x, false);
    }

    pub fn remove(&mut self, x: f64) {
        self.change(x, true);
    }

    fn change(&mut self, x: f64, leaves: bool) {
        let step = |counter: &mut u64| {
            *counter = match leaves {
                true => counter.saturating_sub(1),
                false => *counter + 1,
            }
        };
        step(&mut self.count);
        if x.is_finite() {
            self.sum.add(x, leaves);
            if let Some(squares) = &mut self.squares {
                squares.add(x, leaves);
            }
        } else if x.is_nan() {
            step(&mut self.nan);
        } else if x > 0.0 {
            step(&mut self.positive);
        } else {
            step(&mut self.negative);
        }
    }

    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their sum, rounded once; None where there is none.
    pub fn sum(&self) -> Option<f64> {
        if self.count == 0 {
            return None;
        }
        Some(match (self.nan, self.positive, self.negative) {
            (0, 0, 0) => self.sum.value(),
            (0, _, 0) => f64::INFINITY,
            (0, 0, _) => f64::NEG_INFINITY,
            _ => f64::NAN,
        })
    }

    /// Their mean; None where there is none.
    pub fn mean(&self) -> Option<f64> {
        let sum = self.sum()?;
        let n = self.count as f64;
        if sum.is_finite() || self.nan + self.positive + self.negative > 0 {
            return Some(sum / n);
        }
        // The sum is beyond double precision, its mean need not be.
        Some(self.sum.quotient(n))
    }

    /// Their sample standard deviation, from the exact sums; None for fewer than two values.
    pub fn deviation(&self) -> Option<f64> {
        if self.count < 2 {
            return None;
        }
        if self.nan + self.positive + self.negative > 0 {
            return Some(f64::NAN);
        }
        let squares = self.squares.as_ref()?.total();
        let sum = self.sum.total();
        let n = [self.count as u32, (self.count >> 32) as u32];
        let mut scaled_squares = integer::product(&squares.magnitude, &n);
        let mut squared_sum = integer::product(&sum.magnitude, &sum.magnitude);
        let mut exponent = 2 * sum.exponent;
        // Both exponents differ from -2148 by whole words.
        let words = (squares.exponent - exponent) / 32;
        if words > 0 {
            scaled_squares = integer::shifted(scaled_squares, words as usize);
        } else {
            squared_sum = integer::shifted(squared_sum, words.unsigned_abs() as usize);
            exponent = squares.exponent;
        }
        if integer::compare(&scaled_squares, &squared_sum).is_le() {
            return Some(0.0);
        }
        let length = scaled_squares.len().max(squared_sum.len());
        scaled_squares.resize(length, 0);
        let numerator = integer::difference(&scaled_squares, &squared_sum);
        let (m, e) = integer::rounded(&numerator).unwrap_or((0.0, 0));
        let (m, e) = (m, e + exponent);
        let (m, e) = if e % 2 == 0 { (m, e) } else { (2.0 * m, e - 1) };
        let n = self.count as f64;
        Some(integer::scaled((m / (n * (n - 1.0))).sqrt(), e / 2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(numbers: &[f64]) -> Sums {
        let mut sums = Sums::new(true);
        numbers.iter().for_each(|&x| sums.add(x));
        sums
    }

    #[test]
    fn deviations_survive_cancellation() {
        // 1e15 and its three neighbours, an eighth apart: sample variance (1.25 / 64) * 4 / 3.
        let near = [1e15, 1e15 + 0.125, 1e15 + 0.25, 1e15 + 0.375];
        let expected = (0.015625f64 * 5.0 / 3.0).sqrt();
        assert!((of(&near).deviation().unwrap() / expected - 1.0).abs() < 4e-16);
        assert_eq!(of(&[7.1; 9]).deviation(), Some(0.0));
        assert_eq!(of(&[1.0]).deviation(), None);
        assert_eq!(of(&[]).sum(), None);
        let huge = of(&[1e200, -1e200]).deviation().unwrap();
        assert!((huge / (2f64.sqrt() * 1e200) - 1.0).abs() < 4e-16);
        let tiny = of(&[1e-200, -1e-200]).deviation().unwrap();
        assert!((tiny / (2f64.sqrt() * 1e-200) - 1.0).abs() < 4e-16);
    }

    #[test]
    fn the_mean_of_what_is_too_large_to_sum() {
        assert_eq!(of(&[f64::MAX, f64::MAX]).mean(), Some(f64::MAX));
        assert_eq!(of(&[-1e308, -1e308, -1e308]).mean(), Some(-1e308));
        assert_eq!(of(&[1e308, 1e308]).sum(), Some(f64::INFINITY));
    }

    #[test]
    fn what_is_not_finite_leaves_no_trace() {
        let mut sums = of(&[1.0, 2.0, f64::NAN, f64::INFINITY]);
        assert!(sums.sum().unwrap().is_nan());
        sums.remove(f64::NAN);
        assert_eq!(sums.sum(), Some(f64::INFINITY));
        assert!(sums.deviation().unwrap().is_nan());
        sums.add(f64::NEG_INFINITY);
        assert!(sums.sum().unwrap().is_nan());
        sums.remove(f64::INFINITY);
        assert_eq!(sums.mean(), Some(f64::NEG_INFINITY));
        sums.remove(f64::NEG_INFINITY);
        assert_eq!((sums.sum(), sums.mean()), (Some(3.0), Some(1.5)));
        assert_eq!(sums.deviation(), Some(0.5f64.sqrt()));
    }

    proptest! {
        #[test]
        fn deviation_is_that_of_integers(numbers in prop::collection::vec(-1_000_000i64..1_000_000, 2..40)) {
            let n = numbers.len() as i128;
            let (sum, squares) = numbers.iter().fold((0i128, 0i128), |(s, q), &x| (s + i128::from(x), q + i128::from(x).pow(2)));
            let expected = ((n * squares - sum * sum) as f64 / (n * (n - 1)) as f64).sqrt();
            let floats: Vec<f64> = numbers.iter().map(|&x| x as f64).collect();
            let found = of(&floats).deviation().unwrap();
            prop_assert!((found - expected).abs() <= 4e-16 * expected, "{} {}", found, expected);
            // A power of two scales it exactly.
            let scaled: Vec<f64> = floats.iter().map(|x| x * 2f64.powi(-40)).collect();
            prop_assert_eq!(of(&scaled).deviation().unwrap(), found * 2f64.powi(-40));
        }
    }
}
