//! Numbers that keep their last bit in JSON, and JSON as jsonb prints it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

/// A finite number. Written as JSON's; read from the digits themselves, which [`quote_numbers`] keeps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number(pub f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Number, D::Error> {
        struct Digits;
        impl Visitor<'_> for Digits {
            type Value = Number;
            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("a number")
            }
            fn visit_str<E: serde::de::Error>(self, digits: &str) -> Result<Number, E> {
                digits.parse().map(Number).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Digits)
    }
}

/// JSON with its numbers as texts: a parser of numbers may miss the nearest double.
pub fn quote_numbers(json: &str) -> String {
    let mut quoted = String::with_capacity(json.len() + 64);
    let (mut in_text, mut escaped, mut in_number) = (false, false, false);
    for c in json.chars() {
        let is_number = !in_text
            && (c.is_ascii_digit()
                || matches!(c, '-' | '+' | '.')
                || in_number && matches!(c, 'e' | 'E'));
        if is_number != in_number {
            quoted.push('"');
            in_number = is_number;
        }
        if in_text {
            in_text = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else {
            in_text = c == '"';
        }
        quoted.push(c);
    }
    if in_number {
        quoted.push('"');
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_texts_and_texts_stay() {
        let json = r#"{"a": -1.5, "b1": [2, 3e-7], "c": "4, \"5\\", "d": null}"#;
        let quoted = r#"{"a": "-1.5", "b1": ["2", "3e-7"], "c": "4, \"5\\", "d": null}"#;
        assert_eq!(quote_numbers(json), quoted);
    }
}
