//! The gate of a registration: rows with the trainer's own scores, which a version must reproduce.

use std::sync::Arc;

use finai_engine::{Batch, Feature, Kind, Model, Scorer, Scores};
use serde_json::{Map, Value};

use crate::cache;
use crate::error::{Error, Result};
use crate::registry::{self, Settings, TOLERANCE};

/// Rows that one registration may bring.
const MOST_ROWS: usize = 10_000;
/// Rows that an error lists.
const LISTED: usize = 5;

/// A row with what the trainer's own software made of it; at least one of the answers is given.
pub struct ReferenceRow {
    features: Map<String, Value>,
    score: Option<f64>,
    label: Option<String>,
    probabilities: Map<String, Value>,
    values: Option<Vec<f64>>,
}

/// How far a version is from its reference rows.
#[derive(Debug, Default)]
pub struct Agreement {
    pub rows: usize,
    /// Largest |score - reference| / max(1, |reference|).
    pub worst: f64,
    /// Rows beyond the tolerance, the worst first.
    misses: Vec<Miss>,
}

#[derive(Debug)]
struct Miss {
    row: usize,
    distance: f64,
    what: String,
}

impl Agreement {
    pub fn missed(&self) -> usize {
        self.misses.len()
    }

    /// The worst rows in words; nothing where all agree.
    pub fn detail(&self) -> String {
        let listed: Vec<String> = self
            .misses
            .iter()
            .take(LISTED)
            .map(|miss| format!("row {}: {}", miss.row + 1, miss.what))
            .collect();
        listed.join("; ")
    }
}

/// Checks a tolerance that a caller gives: a finite number, 0 or larger.
pub fn tolerance(given: f64) -> Result<f64> {
    if given.is_finite() && given >= 0.0 {
        Ok(given)
    } else {
        Err(Error::Parameter {
            parameter: "tolerance",
            detail: "It is not a finite number of 0 or more.".into(),
            hint: "It bounds |score - reference| / max(1, |reference|); 1e-5 is the default.",
        })
    }
}

/// What a registration must pass: nothing where it brings no rows.
pub struct Gate {
    pub rows: Option<pgrx::JsonB>,
    parsed: Vec<ReferenceRow>,
    tolerance: f64,
}

impl Gate {
    /// Reads the rows; the tolerance is the registration's, else the model's, else the default.
    pub fn new(model: &str, rows: Option<pgrx::JsonB>, given: Option<f64>) -> Result<Gate> {
        let given = given.map(tolerance).transpose()?;
        let parsed = match &rows {
            Some(rows) => parse(&rows.0)?,
            None => Vec::new(),
        };
        let settings = match registry::settings(model) {
            Err(Error::UnknownModel(_)) => Settings::default(),
            settings => settings?,
        };
        Ok(Gate {
            rows,
            parsed,
            tolerance: given.or(settings.tolerance).unwrap_or(TOLERANCE),
        })
    }

    /// The tolerance that goes with the rows.
    pub fn tolerance(&self) -> Option<f64> {
        self.rows.is_some().then_some(self.tolerance)
    }

    /// Refuses a model that disagrees with a row, and names the worst ones.
    pub fn pass(&self, name: &str, model: &Arc<Model>) -> Result<()> {
        let agreement = compare(model, &self.parsed, self.tolerance)?;
        if agreement.missed() == 0 {
            return Ok(());
        }
        Err(Error::Disagreement {
            model: name.to_owned(),
            missed: agreement.missed(),
            rows: agreement.rows,
            tolerance: self.tolerance,
            detail: agreement.detail(),
        })
    }
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

/// Scores every row and compares. Interruptible; an error where a row does not fit the model's features.
pub fn compare(model: &Arc<Model>, rows: &[ReferenceRow], tolerance: f64) -> Result<Agreement> {
    let mut scorer = Scorer::new(model.clone(), 1)?;
    let mut agreement = Agreement {
        rows: rows.len(),
        ..Agreement::default()
    };
    for (index, row) in rows.iter().enumerate() {
        pgrx::check_for_interrupts!();
        let batch = scorer.batch();
        batch.clear();
        batch.push_row()?;
        let features = &model.signature().features;
        for (position, feature) in features.iter().enumerate() {
            fill(batch, position, feature, &row.features)
                .map_err(|problem| malformed(format!("Row {}: {problem}.", index + 1)))?;
        }
        let (distance, what) =
            match cache::restarted(|interrupted| scorer.run(interrupted).map(|_| ())) {
                Ok(()) => row.distance(&model.signature().labels, scorer.scores())?,
                Err(error @ finai_engine::Error::Interrupted) => return Err(error.into()),
                Err(error) => (f64::INFINITY, error.to_string()),
            };
        agreement.worst = agreement.worst.max(distance);
        if distance > tolerance {
            agreement.misses.push(Miss {
                row: index,
                distance,
                what,
            });
        }
    }
    let by_distance = |a: &Miss, b: &Miss| b.distance.total_cmp(&a.distance);
    agreement.misses.sort_by(by_distance);
    Ok(agreement)
}

impl ReferenceRow {
    /// The largest distance of the model's answers from the reference's, and that answer in words.
    fn distance(&self, labels: &[String], scores: &Scores) -> Result<(f64, String)> {
        let mut worst = (0.0, String::new());
        let mut note = |found: f64, expected: f64, what: &str| {
            let distance = distance(found, expected);
            if distance >= worst.0 {
                worst = (distance, format!("{what} {found}, reference {expected}"));
            }
        };
        if let Some(expected) = self.score {
            note(scores.score(0)?, expected, "score");
        }
        for (label, expected) in &self.probabilities {
            let position = labels.iter().position(|known| known == label);
            let found = position.and_then(|i| scores.probabilities(0).get(i));
            let found =
                found.ok_or_else(|| malformed(format!("The model has no label \"{label}\".")))?;
            let expected = number(expected).unwrap_or(f64::NAN);
            note(*found, expected, &format!("probability of \"{label}\""));
        }
        if let Some(expected) = &self.values {
            let found = scores.probabilities(0);
            if found.len() != expected.len() {
                return Err(malformed(format!(
                    "The model returns {} values, the reference has {}.",
                    found.len(),
                    expected.len()
                )));
            }
            for (position, (found, expected)) in found.iter().zip(expected).enumerate() {
                note(*found, *expected, &format!("value {}", position + 1));
            }
        }
        match (&self.label, scores.label(0)) {
            (Some(expected), Some(found)) if expected != found => {
                worst = (
                    f64::INFINITY,
                    format!("label \"{found}\", reference \"{expected}\""),
                );
            }
            (Some(_), None) => return Err(malformed("The model has no labels.".into())),
            _ => {}
        }
        Ok(worst)
    }
}

/// |found - expected| / max(1, |expected|); 0 for the same value, NaN and infinities included.
fn distance(found: f64, expected: f64) -> f64 {
    if found == expected || found.is_nan() && expected.is_nan() {
        return 0.0;
    }
    let distance = (found - expected).abs() / expected.abs().max(1.0);
    if distance.is_nan() {
        f64::INFINITY
    } else {
        distance
    }
}

/// A number as JSON has it, or the words that SQL's JSON functions write for what JSON cannot say.
fn number(value: &Value) -> Option<f64> {
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

fn fill(
    batch: &mut Batch,
    position: usize,
    feature: &Feature,
    row: &Map<String, Value>,
) -> Result<(), String> {
    let folded = || row.get(&feature.name.to_ascii_lowercase());
    let name = &feature.name;
    let Some(value) = row.get(name).or_else(folded) else {
        return Err(format!("it has no feature \"{name}\""));
    };
    let filled = match (feature.kind, value) {
        (_, Value::Null) => batch.set_null(position),
        (Kind::Text, Value::String(text)) => batch.set_text(position, text),
        (Kind::Bool, Value::Bool(value)) => batch.set_bool(position, *value),
        (Kind::Float32 | Kind::Float64, Value::Bool(value)) => {
            batch.set_float(position, f64::from(u8::from(*value)))
        }
        (Kind::Int64, Value::Bool(value)) => batch.set_integer(position, i64::from(*value)),
        (Kind::Int64, Value::Number(number)) if number.is_i64() => {
            batch.set_integer(position, number.as_i64().unwrap_or_default())
        }
        (Kind::Float32 | Kind::Float64, value) if number(value).is_some() => {
            batch.set_float(position, number(value).unwrap_or(f64::NAN))
        }
        _ => {
            return Err(format!(
                "feature \"{name}\" is of another type than {}",
                crate::description::kind_name(feature.kind)
            ));
        }
    };
    filled.map_err(|error| error.to_string())
}

fn malformed(detail: String) -> Error {
    Error::Parameter {
        parameter: "reference",
        detail,
        hint: "Pass an array such as [{\"row\": {\"income\": 1200, \"purpose\": \"car\"}, \"score\": 0.27}]: jsonb_agg(jsonb_build_object('row', to_jsonb(t), 'score', t.score)) makes one of a table.",
    }
}
