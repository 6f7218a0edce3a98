//! Reference rows as JSON writes them.

use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// Rows that one registration may bring.
const MOST_ROWS: usize = 10_000;

/// A row with what the trainer's own software made of it; at least one of the answers is given.
pub struct ReferenceRow {
    pub features: Map<String, Value>,
    pub score: Option<f64>,
    pub label: Option<String>,
    pub probabilities: Map<String, Value>,
    pub values: Option<Vec<f64>>,
}

/// Reads `[{"row": {..}, "score": .., "label": .., "probabilities": {..}, "values": [..]}, ..]`.
pub fn parse(reference: &Value) -> Result<Vec<ReferenceRow>> {
    let Value::Array(rows) = reference else {
        return Err(malformed("It is not a JSON array.".into()));
    };
    if rows.is_empty() {
        return Err(malformed("It has no rows.".into()));
    }
    if rows.len() > MOST_ROWS {
        return Err(Error::TooManyReferenceRows {
            given: rows.len(),
            most: MOST_ROWS,
        });
    }
    rows.iter()
        .enumerate()
        .map(|(index, row)| {
            parse_row(row).map_err(|problem| malformed(format!("Row {} {problem}.", index + 1)))
        })
        .collect()
}

fn parse_row(row: &Value) -> Result<ReferenceRow, String> {
    let Value::Object(parts) = row else {
        return Err("is not a JSON object".into());
    };
    let mut parsed = ReferenceRow {
        features: Map::new(),
        score: None,
        label: None,
        probabilities: Map::new(),
        values: None,
    };
    let mut has_row = false;
    for (key, value) in parts {
        match (key.as_str(), value) {
            ("row", Value::Object(features)) => {
                parsed.features = features.clone();
                has_row = true;
            }
            (_, Value::Null) if key != "row" => {}
            ("score", value) => {
                parsed.score = Some(number(value).ok_or("has a score that is no number")?);
            }
            ("label", Value::String(label)) => parsed.label = Some(label.clone()),
            ("label", Value::Number(label)) => parsed.label = Some(label.to_string()),
            ("label", Value::Bool(label)) => parsed.label = Some(label.to_string()),
            ("probabilities", Value::Object(probabilities)) => {
                if probabilities.values().any(|value| number(value).is_none()) {
                    return Err("has a probability that is no number".into());
                }
                parsed.probabilities = probabilities.clone();
            }
            ("values", Value::Array(values)) => {
                let numbers: Option<Vec<f64>> = values.iter().map(number).collect();
                parsed.values = Some(numbers.ok_or("has a value that is no number")?);
            }
            ("row" | "label" | "probabilities" | "values", _) => {
                return Err(format!("has a \"{key}\" of another JSON type"));
            }
            _ => {
                return Err(
                    "has a key that is none of row, score, label, probabilities and values".into(),
                );
            }
        }
    }
    if !has_row {
        return Err("has no \"row\"".into());
    }
    let is_answered = parsed.score.is_some()
        || parsed.label.is_some()
        || parsed.values.is_some()
        || !parsed.probabilities.is_empty();
    if is_answered {
        Ok(parsed)
    } else {
        Err("says neither score, label, probabilities nor values".into())
    }
}

/// A number as JSON has it, or the words that SQL's JSON functions write for what JSON cannot say.
pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(word) => match word.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

pub fn malformed(detail: String) -> Error {
    Error::Parameter {
        parameter: "reference",
        detail,
        hint: "Pass an array such as [{\"row\": {\"income\": 1200, \"purpose\": \"car\"}, \"score\": 0.27}]: jsonb_agg(jsonb_build_object('row', to_jsonb(t), 'score', t.score)) makes one of a table.",
    }
}
