//! One slot of a laid-out tree, in two sizes.
//!
//! A walk goes from a slot to `child + (x[feature] <= threshold)`. The two children of a slot are neighbours. A leaf has
//! the threshold NaN, which no value is below, and is its own child, so a walk of any length stays on it. The bit
//! `missing` sends NaN to the upper child, where a comparison with NaN alone would send it to the lower.

use crate::kernels::post::Score;

/// Arithmetic type of thresholds, weights and sums: f32, and f64 for double inputs.
pub trait Real: Score + std::fmt::Debug + Send + Sync + 'static {
    const NAN: Self;
    const LOWEST: Self;
    /// Rounded to the nearest.
    fn from_f64(value: f64) -> Self;
    fn to_f32(self) -> f32;
    fn to_f64(self) -> f64;
    /// The largest number below; NaN below negative infinity.
    fn below(self) -> Self;
    fn is_nan(self) -> bool;
    /// `self / n`.
    fn divide(self, n: usize) -> Self;
}

macro_rules! real {
    ($t:ty) => {
        impl Real for $t {
            const NAN: Self = <$t>::NAN;
            const LOWEST: Self = <$t>::NEG_INFINITY;
            fn from_f64(value: f64) -> Self {
                value as $t
            }
            fn to_f32(self) -> f32 {
                self as f32
            }
            fn to_f64(self) -> f64 {
                self.into()
            }
            fn below(self) -> Self {
                if self == <$t>::NEG_INFINITY {
                    <$t>::NAN
                } else {
                    self.next_down()
                }
            }
            #[inline]
            fn is_nan(self) -> bool {
                self.is_nan()
            }
            fn divide(self, n: usize) -> Self {
                self / n as $t
            }
        }
    };
}
real!(f32);
real!(f64);

/// A slot as a walk sees it.
pub trait Node: Copy + std::fmt::Debug + Send + Sync + 'static {
    type Value: Real;
    /// `None` where feature or child do not fit.
    fn new(threshold: Self::Value, feature: usize, missing: bool, child: usize) -> Option<Self>;
    fn feature(self) -> usize;
    /// Next slot for the feature's value; `MISSING` says whether NaN may be sent to the upper child.
    fn next<const MISSING: bool>(self, x: Self::Value) -> usize;
}

/// Eight bytes: for up to 2,048 features and 2^20 slots.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(8))]
pub struct Packed {
    threshold: f32,
    /// Child in the upper 20 bits, then `missing`, then 11 bits of feature.
    word: u32,
}

impl Packed {
    /// Of the word: bits of the feature, the bit `missing`, and where the child begins.
    pub const FEATURE: u32 = (1 << FEATURE_BITS) - 1;
    pub const MISSING: u32 = 1 << FEATURE_BITS;
    pub const CHILD: u32 = CHILD_SHIFT;

    /// Threshold, feature, where NaN goes and the lower child.
    pub fn parts(self) -> (f32, usize, bool, usize) {
        let missing = self.word & (1 << FEATURE_BITS) != 0;
        let child = (self.word >> CHILD_SHIFT) as usize;
        (self.threshold, self.feature(), missing, child)
    }
}

const FEATURE_BITS: u32 = 11;
const CHILD_SHIFT: u32 = FEATURE_BITS + 1;

impl Node for Packed {
    type Value = f32;

    fn new(threshold: f32, feature: usize, missing: bool, child: usize) -> Option<Packed> {
        if feature >> FEATURE_BITS != 0 || child >> (32 - CHILD_SHIFT) != 0 {
            return None;
        }
        let word =
            (child as u32) << CHILD_SHIFT | u32::from(missing) << FEATURE_BITS | feature as u32;
        Some(Packed { threshold, word })
    }

    #[inline(always)]
    fn feature(self) -> usize {
        (self.word & ((1 << FEATURE_BITS) - 1)) as usize
    }

    #[inline(always)]
    fn next<const MISSING: bool>(self, x: f32) -> usize {
        let missing = MISSING && x.is_nan() & (self.word & (1 << FEATURE_BITS) != 0);
        (self.word >> CHILD_SHIFT) as usize + usize::from((x <= self.threshold) | missing)
    }
}

/// Any number of features and slots up to 2^31, in f32 or f64.
#[derive(Debug, Clone, Copy)]
pub struct Wide<T> {
    threshold: T,
    /// `missing` in the top bit.
    feature: u32,
    child: u32,
}

const TOP: u32 = 1 << 31;

impl<T: Real> Node for Wide<T> {
    type Value = T;

    fn new(threshold: T, feature: usize, missing: bool, child: usize) -> Option<Wide<T>> {
        let feature = u32::try_from(feature).ok().filter(|f| f & TOP == 0)?;
        let child = u32::try_from(child).ok().filter(|c| c & TOP == 0)?;
        Some(Wide {
            threshold,
            feature: feature | if missing { TOP } else { 0 },
            child,
        })
    }

    #[inline(always)]
    fn feature(self) -> usize {
        (self.feature & !TOP) as usize
    }

    #[inline(always)]
    fn next<const MISSING: bool>(self, x: T) -> usize {
        let missing = MISSING && x.is_nan() & (self.feature & TOP != 0);
        self.child as usize + usize::from((x <= self.threshold) | missing)
    }
}
