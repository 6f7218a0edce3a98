//! Lengths of windows and delays: a fixed number of seconds, whatever the calendar says.

/// Microseconds.
pub type Span = i64;

pub const SECOND: Span = 1_000_000;

/// Longest and shortest unit first; the names that each is known by.
const UNITS: [(Span, &[&str]); 5] = [
    (604_800, &["weeks", "week", "w"]),
    (86_400, &["days", "day", "d"]),
    (3_600, &["hours", "hour", "h"]),
    (60, &["minutes", "minute", "min", "mins", "m"]),
    (1, &["seconds", "second", "sec", "secs", "s"]),
];

/// A hundred years.
const LONGEST: Span = 36_525 * 86_400;

/// A length such as `7 days` or `1 day 12 hours`; an error says what is wrong with it.
pub fn parse(text: &str) -> Result<Span, &'static str> {
    let mut seconds: Span = 0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err("is empty");
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let number: Span = rest[..digits]
            .parse()
            .map_err(|_| match rest.as_bytes().first() {
                Some(b'-') => "is negative",
                _ => "is not a number of units",
            })?;
        rest = rest[digits..].trim_start();
        let letters = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let unit = rest[..letters].to_ascii_lowercase();
        rest = rest[letters..].trim_start();
        if unit.starts_with("mon") || unit.starts_with('y') {
            return Err("has units of no fixed length");
        }
        let known = UNITS
            .iter()
            .find(|(_, names)| names.contains(&unit.as_str()));
        let (length, _) = known.ok_or("is not a number of units")?;
        seconds = number
            .checked_mul(*length)
            .and_then(|length| seconds.checked_add(length))
            .filter(|seconds| *seconds <= LONGEST)
            .ok_or("is longer than a hundred years")?;
    }
    Ok(seconds * SECOND)
}

/// The length in words: `7 days`, `1 day 12 hours`.
pub fn words(span: Span) -> String {
    let mut seconds = span / SECOND;
    // Days read better than weeks.
    let parts = UNITS[1..].iter().filter_map(|(length, names)| {
        let number = seconds / length;
        seconds %= length;
        match number {
            0 => None,
            1 => Some(format!("1 {}", names[1])),
            number => Some(format!("{number} {}", names[0])),
        }
    });
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() {
        return "0 seconds".to_owned();
    }
    parts.join(" ")
}
