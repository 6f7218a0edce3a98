//! Distances on the globe.

/// Mean radius of the earth in kilometres (IUGG).
const RADIUS: f64 = 6371.0088;

/// Great-circle distance in kilometres between two places in degrees, by the haversine formula.
pub fn kilometres(from: (f64, f64), to: (f64, f64)) -> f64 {
    let (latitude, longitude) = (to.0 - from.0, to.1 - from.1);
    let half = |degrees: f64| (degrees.to_radians() / 2.0).sin().powi(2);
    let h = half(latitude) + from.0.to_radians().cos() * to.0.to_radians().cos() * half(longitude);
    // f64::min would turn NaN into 1.
    let h = if h > 1.0 { 1.0 } else { h };
    2.0 * RADIUS * h.sqrt().asin()
}

/// Kilometres an hour; somewhere else at the same time is infinitely fast.
pub fn speed(kilometres: f64, microseconds: i64) -> f64 {
    match microseconds {
        0 if kilometres == 0.0 => 0.0,
        microseconds => kilometres / (microseconds as f64 / 3.6e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_distances() {
        // A quarter of a meridian, and half of the equator.
        let quarter = std::f64::consts::FRAC_PI_2 * RADIUS;
        assert!((kilometres((0.0, 0.0), (90.0, 0.0)) - quarter).abs() < 1e-9);
        assert!((kilometres((0.0, -90.0), (0.0, 90.0)) - 2.0 * quarter).abs() < 1e-9);
        // Across the date line.
        let near = kilometres((10.0, 179.5), (10.0, -179.5));
        assert!((near - kilometres((10.0, -0.5), (10.0, 0.5))).abs() < 1e-9);
        assert_eq!(kilometres((48.1, 11.6), (48.1, 11.6)), 0.0);
        assert!(kilometres((f64::NAN, 0.0), (0.0, 0.0)).is_nan());
    }

    #[test]
    fn speeds() {
        assert_eq!(speed(100.0, 3_600_000_000), 100.0);
        assert_eq!(speed(0.0, 0), 0.0);
        assert_eq!(speed(1.0, 0), f64::INFINITY);
    }
}
