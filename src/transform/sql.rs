//! Words of generated SQL, and its answers. The functions that call this pin search_path, DateStyle and extra_float_digits.

use pgrx::spi::{quote_identifier, quote_literal};

use crate::elevate::TextRow;

pub fn identifier(name: &str) -> String {
    quote_identifier(name)
}

pub fn literal(text: &str) -> String {
    quote_literal(text)
}

/// A number to its last bit.
pub fn float(number: f64) -> String {
    format!("{}::float8", literal(&bare_float(number)))
}

/// An array of numbers to their last bits.
pub fn floats(numbers: &[f64]) -> String {
    let numbers: Vec<String> = numbers.iter().copied().map(bare_float).collect();
    format!("'{{{}}}'::float8[]", numbers.join(","))
}

fn bare_float(number: f64) -> String {
    format!("{number:?}")
}

/// A column of an answer as a number; nothing for NULL.
pub fn number_at(row: &TextRow, column: usize) -> Option<f64> {
    row.get(column)?.as_deref()?.parse().ok()
}

/// A column of an answer as a count; 0 for NULL.
pub fn count_at(row: &TextRow, column: usize) -> i64 {
    let text = row.get(column).and_then(Option::as_deref);
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// A column of an answer as a list of numbers.
pub fn numbers_at(row: &TextRow, column: usize) -> Vec<f64> {
    let text = row.get(column).and_then(Option::as_deref).unwrap_or("");
    let inner = text.trim_start_matches('{').trim_end_matches('}');
    inner
        .split(',')
        .filter_map(|part| part.parse().ok())
        .collect()
}
