//! Features as create_feature_set is told them: an array of objects, every key known, every value of its kind.

use std::collections::HashMap;

use finai_engine::features::{MOST_EVENTS, MOST_FEATURES, MOST_SEQUENCE_COLUMNS};
use serde_json::{Map, Value};

use crate::error::{FeatureSetError, Result};
use crate::row::JsonText;

use super::aggregates::{self, Computed, Entry, Wants};
use super::span::{self, Span};

/// References nest no deeper: each level can double an expression.
const MOST_LEVELS: usize = 8;

const KEYS: [&str; 11] = [
    "name", "agg", "column", "columns", "window", "delay", "by", "current", "k", "of", "to",
];
const SYSTEM_COLUMNS: [&str; 6] = ["tableoid", "ctid", "xmin", "cmin", "xmax", "cmax"];
const SCALE: &str = "scale";

/// One feature of a set.
#[derive(Debug, Clone)]
pub struct Feature {
    pub name: String,
    pub entry: &'static Entry,
    pub columns: Vec<String>,
    /// The columns of its entity; none where it has none.
    pub by: Vec<String>,
    /// None: all history.
    pub window: Option<Span>,
    pub delay: Span,
    /// Whether the event itself is in the window.
    pub current: bool,
    /// Events of a sequence.
    pub length: usize,
    /// A ratio's features, numerator first.
    pub references: Vec<String>,
    pub scale: f64,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Feature {
    /// Whether events of an entity decide it.
    pub fn is_windowed(&self) -> bool {
        matches!(self.entry.computed, Computed::Window(_))
    }

    pub fn is_sequence(&self) -> bool {
        self.entry.wants == Wants::Several
    }

    /// The name of a sequence's second column.
    pub fn mask_name(&self) -> String {
        format!("{}_mask", self.name)
    }
}

/// The features of a set whose entity is `entity`.
pub fn parse(features: &JsonText, entity: &str) -> Result<Vec<Feature>> {
    let shape = |problem: String| FeatureSetError::Shape {
        problem,
        hint: "Features are an array of objects, as in '[{\"name\": \"count_1d\", \"agg\": \"count\", \"window\": \"1 day\"}]'.",
    };
    let value = features
        .parse()
        .map_err(|_| shape("a number or the nesting is beyond what is read".into()))?;
    let Value::Array(objects) = value else {
        return Err(shape("features are not an array".into()).into());
    };
    if objects.is_empty() {
        return Err(shape("there are no features".into()).into());
    }
    if objects.len() > MOST_FEATURES {
        return Err(FeatureSetError::TooMany {
            what: "features",
            given: objects.len(),
            most: MOST_FEATURES,
        }
        .into());
    }
    let mut parsed = Vec::with_capacity(objects.len());
    for (i, object) in objects.iter().enumerate() {
        let Value::Object(object) = object else {
            return Err(shape(format!("feature {} is not an object", i + 1)).into());
        };
        let name = match object.get("name") {
            Some(Value::String(name)) if is_name(name) => name.clone(),
            _ => {
                return Err(FeatureSetError::Shape {
                    problem: format!("feature {} has no proper \"name\"", i + 1),
                    hint: "A name starts with a letter or underscore, continues with letters, digits and underscores, and has at most 63 characters.",
                }
                .into());
            }
        };
        if SYSTEM_COLUMNS.contains(&name.as_str()) {
            return Err(FeatureSetError::Feature {
                feature: name,
                problem: "it has the name of a system column".into(),
                hint: "Give it another name.".into(),
            }
            .into());
        }
        parsed.push(
            Reader {
                feature: &name,
                object,
            }
            .read(entity)?,
        );
    }
    check_references(&parsed)?;
    Ok(parsed)
}

pub fn is_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.len() <= 63
}

/// One feature's object.
struct Reader<'a> {
    feature: &'a str,
    object: &'a Map<String, Value>,
}

impl Reader<'_> {
    fn wrong(&self, problem: impl Into<String>, hint: impl Into<String>) -> FeatureSetError {
        FeatureSetError::Feature {
            feature: self.feature.to_owned(),
            problem: problem.into(),
            hint: hint.into(),
        }
    }

    fn read(&self, entity: &str) -> Result<Feature> {
        if let Some(key) = self
            .object
            .keys()
            .find(|key| !KEYS.contains(&key.as_str()) && *key != SCALE)
        {
            let keys = format!("Keys are {} and {SCALE}.", KEYS.join(", "));
            return Err(self
                .wrong(format!("key \"{key}\" is not known"), keys)
                .into());
        }
        let aggregates = || format!("Aggregates are {}.", aggregates::names());
        let name = self
            .text("agg")?
            .ok_or_else(|| self.wrong("it has no \"agg\"", aggregates()))?;
        let between = self.object.contains_key("of") || self.object.contains_key("to");
        let entry = aggregates::find(name, between).ok_or_else(|| {
            self.wrong(format!("aggregate \"{name}\" is not known"), aggregates())
        })?;
        self.refuse_keys(entry)?;
        let columns = self.columns(entry)?;
        let delay = self.span("delay", "7 days")?.unwrap_or(0);
        let current = match (self.flag("current")?, entry.current) {
            (Some(true), _) if delay > 0 => {
                return Err(self
                    .wrong(
                        "\"current\" is true, but the event itself is not known before its delay",
                        "Leave out one of the two.",
                    )
                    .into());
            }
            (Some(current), _) => current,
            (None, default) => default.unwrap_or(false) && delay == 0,
        };
        Ok(Feature {
            name: self.feature.to_owned(),
            entry,
            columns,
            by: match entry.computed {
                Computed::Window(_) => self.entity(entity)?,
                _ => Vec::new(),
            },
            window: self.span("window", "7 days")?,
            delay,
            current,
            length: self.length(entry)?,
            references: self.references(entry)?,
            scale: self.scale()?,
        })
    }

    /// Keys that mean nothing for this aggregate.
    fn refuse_keys(&self, entry: &Entry) -> Result<()> {
        let is_windowed = matches!(entry.computed, Computed::Window(_));
        for key in self.object.keys().map(String::as_str) {
            let means = match key {
                "name" | "agg" => true,
                "column" => matches!(entry.wants, Wants::One(_) | Wants::Optional(_)),
                "columns" => matches!(entry.wants, Wants::Place | Wants::Several),
                "window" => entry.windowed,
                "delay" => entry.delayed,
                "by" => is_windowed,
                "current" => entry.current.is_some(),
                "k" => entry.wants == Wants::Several,
                _ => entry.wants == Wants::Features,
            };
            if !means {
                let hint = format!("Leave \"{key}\" out.");
                return Err(self
                    .wrong(
                        format!("\"{key}\" has no meaning for aggregate \"{}\"", entry.name),
                        hint,
                    )
                    .into());
            }
        }
        Ok(())
    }

    fn columns(&self, entry: &Entry) -> Result<Vec<String>> {
        let name = entry.name;
        let (least, most, hint) = match entry.wants {
            Wants::One(_) => (1, 1, "Name it with \"column\": \"amount\".".to_owned()),
            Wants::Optional(_) | Wants::Nothing | Wants::Features => (0, 1, String::new()),
            Wants::Place => (
                2,
                2,
                "Name latitude and longitude with \"columns\": [\"lat\", \"lon\"].".to_owned(),
            ),
            Wants::Several => (
                1,
                MOST_SEQUENCE_COLUMNS,
                format!("Name 1 to {MOST_SEQUENCE_COLUMNS} with \"columns\": [\"amount\"]."),
            ),
        };
        let columns = match (self.text("column")?, self.object.get("columns")) {
            (Some(column), _) => vec![column.to_owned()],
            (None, None) => Vec::new(),
            (None, Some(value)) => self.names("columns", value)?,
        };
        if (least..=most).contains(&columns.len()) {
            return Ok(columns);
        }
        let problem = format!(
            "aggregate \"{name}\" asks for {}",
            match most {
                1 => "a column".to_owned(),
                2 => "two columns".to_owned(),
                most => format!("1 to {most} columns"),
            }
        );
        Err(self.wrong(problem, hint).into())
    }

    fn entity(&self, default: &str) -> Result<Vec<String>> {
        let by = match self.object.get("by") {
            None => return Ok(vec![default.to_owned()]),
            Some(Value::String(column)) => vec![column.clone()],
            Some(value) => self.names("by", value)?,
        };
        let mut different = by.clone();
        different.sort();
        different.dedup();
        if by.is_empty() || by.len() > 8 || different.len() < by.len() {
            return Err(self
                .wrong(
                    "\"by\" is not 1 to 8 different columns",
                    "An entity is a column, or several as in \"by\": [\"device\", \"country\"].",
                )
                .into());
        }
        Ok(by)
    }

    fn names(&self, key: &str, value: &Value) -> Result<Vec<String>> {
        let names = match value {
            Value::Array(values) => values
                .iter()
                .map(|value| value.as_str().map(str::to_owned))
                .collect(),
            _ => None,
        };
        let hint = format!("Write \"{key}\": [\"a\", \"b\"].");
        Ok(names.ok_or_else(|| {
            self.wrong(format!("\"{key}\" is not an array of column names"), hint)
        })?)
    }

    fn text(&self, key: &str) -> Result<Option<&str>> {
        match self.object.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self
                .wrong(
                    format!("\"{key}\" is not a text"),
                    format!("Write \"{key}\": \"...\"."),
                )
                .into()),
        }
    }

    fn flag(&self, key: &str) -> Result<Option<bool>> {
        match self.object.get(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(self
                .wrong(
                    format!("\"{key}\" is not true or false"),
                    format!("Write \"{key}\": true."),
                )
                .into()),
        }
    }

    fn span(&self, key: &str, example: &str) -> Result<Option<Span>> {
        let hint = || {
            format!(
                "Write \"{key}\": \"{example}\": seconds, minutes, hours, days and weeks, as many as are wanted, up to a hundred years. Without it: {}.",
                match key {
                    "window" => "all history",
                    _ => "none",
                }
            )
        };
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        match span::parse(text) {
            Ok(0) => Err(self.wrong(format!("\"{key}\" is zero"), hint()).into()),
            Ok(length) => Ok(Some(length)),
            Err(problem) => Err(self.wrong(format!("\"{key}\" {problem}"), hint()).into()),
        }
    }

    fn length(&self, entry: &Entry) -> Result<usize> {
        if entry.wants != Wants::Several {
            return Ok(0);
        }
        match self.object.get("k").and_then(Value::as_u64) {
            Some(k) if (1..=MOST_EVENTS as u64).contains(&k) => Ok(k as usize),
            _ => Err(self
                .wrong(
                    format!("\"k\" is not 1 to {MOST_EVENTS}"),
                    "A sequence has \"k\" events, as in \"k\": 5.",
                )
                .into()),
        }
    }

    fn references(&self, entry: &Entry) -> Result<Vec<String>> {
        if entry.wants != Wants::Features {
            return Ok(Vec::new());
        }
        match (self.text("of")?, self.text("to")?) {
            (Some(of), Some(to)) => Ok(vec![of.to_owned(), to.to_owned()]),
            _ => Err(self.wrong("only one of \"of\" and \"to\" is given", "Name two features: {\"agg\": \"ratio\", \"of\": \"count_1h\", \"to\": \"count_7d\", \"scale\": 168}.").into()),
        }
    }

    fn scale(&self) -> Result<f64> {
        match self.object.get(SCALE).map(Value::as_f64) {
            None => Ok(1.0),
            Some(Some(scale)) if scale.is_finite() && scale != 0.0 => Ok(scale),
            Some(_) => Err(self
                .wrong(
                    "\"scale\" is not a number other than zero",
                    "Write \"scale\": 168.",
                )
                .into()),
        }
    }
}

/// References name other features, computed numbers, and lead to an end.
fn check_references(features: &[Feature]) -> Result<()> {
    let by_name: HashMap<&str, &Feature> = features
        .iter()
        .map(|feature| (feature.name.as_str(), feature))
        .collect();
    let mut levels = HashMap::new();
    for feature in features {
        let given = level(feature, &by_name, &mut levels)?;
        if given > MOST_LEVELS {
            return Err(FeatureSetError::TooMany {
                what: "levels of references",
                given,
                most: MOST_LEVELS,
            }
            .into());
        }
    }
    Ok(())
}

/// How many references lie between a feature and what is computed from events. Features that are being asked have None.
fn level<'a>(
    feature: &'a Feature,
    by_name: &HashMap<&'a str, &'a Feature>,
    levels: &mut HashMap<&'a str, Option<usize>>,
) -> Result<usize> {
    match levels.get(feature.name.as_str()) {
        Some(Some(level)) => return Ok(*level),
        Some(None) => return Err(FeatureSetError::Cycle(feature.name.clone()).into()),
        None => {}
    }
    levels.insert(&feature.name, None);
    let mut found = 0;
    for reference in &feature.references {
        let referred =
            by_name
                .get(reference.as_str())
                .ok_or_else(|| FeatureSetError::UnknownReference {
                    feature: feature.name.clone(),
                    reference: reference.clone(),
                })?;
        if referred.is_sequence() || referred.entry.name == "last" {
            return Err(FeatureSetError::Feature {
                feature: feature.name.clone(),
                problem: format!("feature \"{reference}\" is no computed number"),
                hint: "A ratio is between counts, sums and the like.".into(),
            }
            .into());
        }
        found = found.max(1 + level(referred, by_name, levels)?);
    }
    levels.insert(&feature.name, Some(found));
    Ok(found)
}
