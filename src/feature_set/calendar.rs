//! Night and weekend, by the clock on the wall.

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// Whether a local time, in microseconds since 2000-01-01, has an hour of at most 6; nothing where it is infinite.
pub fn is_night(at: i64) -> Option<bool> {
    is_finite(at).then(|| at.rem_euclid(DAY) < 7 * HOUR)
}

/// Whether a local time is on a Saturday or Sunday; nothing where it is infinite.
pub fn is_weekend(at: i64) -> Option<bool> {
    // 2000-01-01 was a Saturday.
    is_finite(at).then(|| at.div_euclid(DAY).rem_euclid(7) < 2)
}

fn is_finite(at: i64) -> bool {
    at != i64::MIN && at != i64::MAX
}
