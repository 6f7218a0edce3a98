//! Probability of default to scorecard points.
//!
//! `points = offset + factor * ln((1 - p) / p)` with factor = PDO / ln 2 and offset = 600 - factor * ln 50:
//! 600 points at good:bad odds of 50:1, and 20 points double the odds. Higher is safer.

const POINTS_AT_REFERENCE: f64 = 600.0;
const REFERENCE_ODDS: f64 = 50.0;
const POINTS_TO_DOUBLE_ODDS: f64 = 20.0;
const CLIP: f64 = 1e-15;

/// Unrounded points; the probability is clipped to [1e-15, 1 - 1e-15].
pub fn from_probability(probability_of_default: f64) -> f64 {
    let p = probability_of_default.clamp(CLIP, 1.0 - CLIP);
    let factor = POINTS_TO_DOUBLE_ODDS / std::f64::consts::LN_2;
    let offset = POINTS_AT_REFERENCE - factor * REFERENCE_ODDS.ln();
    offset + factor * ((1.0 - p) / p).ln()
}
