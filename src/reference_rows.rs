//! The gate of a registration: rows with the trainer's own scores, which a version must reproduce.

mod parse;

use std::sync::Arc;

use finai_engine::{Batch, Feature, Kind, Model, Scorer, Scores};
use serde_json::{Map, Value};

use crate::cache;
use crate::error::{Error, Result};
use crate::registry::{self, Settings, TOLERANCE};
use crate::row::JsonText;

pub use parse::parse;
use parse::{ReferenceRow, malformed, number};

/// Rows that an error lists.
const LISTED: usize = 5;

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
    rows: Option<JsonText>,
    parsed: Vec<ReferenceRow>,
    tolerance: f64,
}

impl Gate {
    /// Reads the rows; the tolerance is the registration's, else the model's, else the default.
    pub fn new(model: &str, rows: Option<JsonText>, given: Option<f64>) -> Result<Gate> {
        let given = given.map(tolerance).transpose()?;
        let parsed = match &rows {
            Some(rows) => {
                let rows = rows.parse().map_err(|e| malformed(format!("{e}.")))?;
                parse(&rows)?
            }
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

    /// The rows as they were given, to be stored.
    pub fn rows(&self) -> Option<&str> {
        self.rows.as_ref().map(JsonText::as_str)
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
                Err(error @ finai_engine::Error::OutOfMemory) => return Err(error.into()),
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
