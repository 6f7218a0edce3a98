//! Sums without rounding: whatever was added and taken away, in any order, the sum is that of what is left.

use super::integer;

/// How many additions the words can take before carries must be passed on.
const BEFORE_CARRY: u32 = 1 << 28;

/// A sum of numbers m * 2^e, exact. Word i counts multiples of 2^(32 * (base + i) + MINIMUM).
#[derive(Debug, Clone, Default)]
pub struct Exact<const MINIMUM: i32> {
    base: usize,
    words: Vec<i64>,
    additions: u32,
}

/// Sums of double precision numbers, whose smallest is 2^-1074.
pub type Sum = Exact<-1074>;
/// Sums of their squares.
pub type SquareSum = Exact<-2148>;

/// A sum read: sign and magnitude, in multiples of 2^exponent.
#[derive(Debug, Clone)]
pub struct Total {
    pub is_negative: bool,
    pub magnitude: Vec<u32>,
    pub exponent: i32,
}

/// A finite number as mantissa and exponent.
fn parts(x: f64) -> (u64, i32) {
    let bits = x.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32;
    let fraction = bits & ((1 << 52) - 1);
    match exponent {
        0 => (fraction, -1074),
        exponent => (fraction | 1 << 52, exponent - 1075),
    }
}

impl Sum {
    /// Adds a finite number, or takes it away.
    pub fn add(&mut self, x: f64, taken_away: bool) {
        let (mantissa, exponent) = parts(x);
        self.add_parts(
            mantissa.into(),
            exponent,
            x.is_sign_negative() != taken_away,
        );
    }

    /// The sum, rounded once.
    pub fn value(&self) -> f64 {
        self.quotient(1.0)
    }

    /// The sum, rounded, over n: infinite where that is.
    pub fn quotient(&self, n: f64) -> f64 {
        let total = self.total();
        let value = match integer::rounded(&total.magnitude) {
            Some((m, e)) => integer::scaled(m / n, e + total.exponent),
            None => 0.0,
        };
        if total.is_negative { -value } else { value }
    }
}

impl SquareSum {
    /// Adds the square of a finite number, or takes it away.
    pub fn add(&mut self, x: f64, taken_away: bool) {
        let (mantissa, exponent) = parts(x);
        let square = u128::from(mantissa) * u128::from(mantissa);
        self.add_parts(square, 2 * exponent, taken_away);
    }
}

impl<const MINIMUM: i32> Exact<MINIMUM> {
    /// Adds or subtracts m * 2^e, where m has at most 106 bits and e is at least MINIMUM.
    fn add_parts(&mut self, mut mantissa: u128, exponent: i32, is_negative: bool) {
        if mantissa == 0 {
            return;
        }
        let position = (exponent - MINIMUM) as usize;
        let (mut word, shift) = (position / 32, position % 32);
        let bits = 128 - mantissa.leading_zeros() as usize + shift;
        self.make_room(word, word + bits.div_ceil(32));
        while mantissa != 0 {
            let piece = i64::from(mantissa as u32) << shift;
            let (low, high) = (piece & 0xffff_ffff, (piece as u64 >> 32) as i64);
            let i = word - self.base;
            if is_negative {
                self.words[i] -= low;
                self.words[i + 1] -= high;
            } else {
                self.words[i] += low;
                self.words[i + 1] += high;
            }
            mantissa >>= 32;
            word += 1;
        }
        self.additions += 1;
        if self.additions >= BEFORE_CARRY {
            self.carry();
        }
    }

    /// Makes words from `first` up to and including `last` exist.
    fn make_room(&mut self, first: usize, last: usize) {
        if self.words.is_empty() {
            self.base = first;
        } else if first < self.base {
            let missing = self.base - first;
            self.words.splice(0..0, std::iter::repeat_n(0, missing));
            self.base = first;
        }
        let length = last + 1 - self.base;
        if self.words.len() < length {
            self.words.resize(length, 0);
        }
    }

    /// Passes carries on; the last word keeps the sign.
    fn carry(&mut self) {
        let mut carry = 0;
        let count = self.words.len();
        for (i, word) in self.words.iter_mut().enumerate() {
            let sum = *word + carry;
            if i + 1 == count {
                *word = sum;
            } else {
                *word = sum & 0xffff_ffff;
                carry = sum >> 32;
            }
        }
        if self
            .words
            .last()
            .is_some_and(|&word| word.unsigned_abs() >= 1 << 31)
        {
            self.words.push(0);
            let last = self.words.len() - 2;
            self.words[last + 1] = self.words[last] >> 32;
            self.words[last] &= 0xffff_ffff;
        }
        self.additions = 0;
    }

    /// The sum as an integer times a power of two.
    pub fn total(&self) -> Total {
        let pass = |sign: i64| -> (Vec<u32>, i64) {
            let mut magnitude = Vec::with_capacity(self.words.len() + 2);
            let mut carry = 0i64;
            for &word in &self.words {
                let sum = sign * word + carry;
                magnitude.push(sum as u32);
                carry = sum >> 32;
            }
            for _ in 0..2 {
                magnitude.push(carry as u32);
                carry >>= 32;
            }
            (magnitude, carry)
        };
        let (magnitude, rest) = pass(1);
        let is_negative = rest < 0;
        Total {
            is_negative,
            magnitude: if is_negative { pass(-1).0 } else { magnitude },
            exponent: MINIMUM + 32 * self.base as i32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigInt;
    use proptest::prelude::*;

    fn exact(numbers: &[f64], minimum: i32, square: bool) -> BigInt {
        let add = |sum: BigInt, &x: &f64| {
            let (mantissa, exponent) = parts(x);
            let signed = BigInt::from(mantissa) * if x.is_sign_negative() { -1 } else { 1 };
            let (term, exponent) = match square {
                true => (&signed * &signed, 2 * exponent),
                false => (signed, exponent),
            };
            sum + (term << (exponent - minimum) as usize)
        };
        numbers.iter().fold(BigInt::from(0), add)
    }

    fn as_integer(total: &Total, minimum: i32) -> BigInt {
        let magnitude = num_bigint::BigUint::new(total.magnitude.clone());
        let shifted = BigInt::from(magnitude) << (total.exponent - minimum) as usize;
        if total.is_negative { -shifted } else { shifted }
    }

    fn number() -> impl Strategy<Value = f64> {
        prop_oneof![
            any::<f64>().prop_filter("finite", |x| x.is_finite()),
            (-1000i32..1000).prop_map(|cents| f64::from(cents) / 100.0),
            Just(f64::MAX),
            Just(-f64::MAX),
            Just(f64::MIN_POSITIVE),
            Just(5e-324),
            Just(-0.0),
            Just(1e16),
            Just(-1e16),
        ]
    }

    proptest! {
        #[test]
        fn sums_are_those_of_integers(numbers in prop::collection::vec(number(), 0..60), removed in 0usize..60) {
            let (mut sum, mut squares) = (Sum::default(), SquareSum::default());
            for &x in &numbers {
                sum.add(x, false);
                squares.add(x, false);
            }
            let removed = removed.min(numbers.len());
            for &x in &numbers[..removed] {
                sum.add(x, true);
                squares.add(x, true);
            }
            let left = &numbers[removed..];
            prop_assert_eq!(as_integer(&sum.total(), -1074), exact(left, -1074, false));
            prop_assert_eq!(as_integer(&squares.total(), -2148), exact(left, -2148, true));
            let mut fresh = Sum::default();
            for &x in left {
                fresh.add(x, false);
            }
            prop_assert_eq!(fresh.value().to_bits(), sum.value().to_bits());
            sum.carry();
            prop_assert_eq!(fresh.value().to_bits(), sum.value().to_bits());
        }

        #[test]
        fn one_number_and_two_are_rounded_as_the_processor_rounds(a in number(), b in number()) {
            let mut sum = Sum::default();
            sum.add(a, false);
            prop_assert_eq!(sum.value(), a);
            sum.add(b, false);
            prop_assert_eq!(sum.value(), a + b);
        }
    }

    #[test]
    fn cancellation_leaves_what_was_small() {
        let mut sum = Sum::default();
        for x in [1e300, 1.0, -1e300, 1e-300, 1e16, -1.0, -1e16] {
            sum.add(x, false);
        }
        assert_eq!(sum.value(), 1e-300);
        sum.add(1e-300, true);
        assert_eq!(sum.value().to_bits(), 0);
    }

    #[test]
    fn overflow_is_infinite_and_passes() {
        let mut sum = Sum::default();
        sum.add(f64::MAX, false);
        sum.add(f64::MAX, false);
        assert_eq!(sum.value(), f64::INFINITY);
        sum.add(f64::MAX, true);
        assert_eq!(sum.value(), f64::MAX);
    }

    #[test]
    fn carries_can_be_passed_on_at_any_time() {
        let mut sum = Sum::default();
        for i in 0..1000 {
            sum.add(-0.1, false);
            if i % 7 == 0 {
                sum.carry();
            }
        }
        let mut fresh = Sum::default();
        (0..1000).for_each(|_| fresh.add(-0.1, false));
        assert_eq!(sum.value().to_bits(), fresh.value().to_bits());
        assert_eq!(sum.value(), -100.0);
    }
}
