//! What `fit_transform` is told: steps in their order, read from JSON.

use serde_json::{Map, Value};

use crate::error::{Error, Result};

const HINT: &str = "Rules are an array of steps such as {\"column\": \"amount\", \"missing\": \"median\", \"scaling\": \"standard\"} or {\"duplicates\": \"all\"}; \\df+ finai.fit_transform lists them.";

/// One thing done to one column, or to whole rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    Column {
        column: String,
        action: Action,
    },
    Duplicates {
        columns: Option<Vec<String>>,
        order: Vec<Order>,
    },
}

/// A column by which rows are ordered.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Order {
    pub column: String,
    pub descending: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    Convert {
        to: Target,
        format: Option<String>,
        invalid_is_missing: bool,
    },
    Missing {
        with: Filling,
        indicator: bool,
    },
    DropMissing,
    Outliers(Outliers),
    Scale(Scaling),
    OneHot {
        categories: Option<Vec<String>>,
        indicator: bool,
    },
    Ordinal {
        categories: Option<Vec<String>>,
        unseen: Option<f64>,
    },
    Woe {
        label: String,
        bins: i32,
        unseen: Option<f64>,
    },
}

/// A type that a column is converted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    Number,
    Integer,
    Numeric,
    Text,
    Boolean,
    Date,
    Timestamp,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Filling {
    Mean,
    Median,
    Mode,
    Constant(Value),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outliers {
    Winsorise { lower: f64, upper: f64 },
    Iqr { factor: f64 },
    Drop { factor: f64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    Standard,
    MinMax,
    Robust,
}

impl Rule {
    /// What is done, by the word that asks for it.
    fn word(&self) -> &'static str {
        match self {
            Rule::Duplicates { .. } => "duplicates",
            Rule::Column { action, .. } => match action {
                Action::Convert { .. } => "type",
                Action::Missing { .. } | Action::DropMissing => "missing",
                Action::Outliers(_) => "outliers",
                Action::Scale(_) => "scaling",
                Action::OneHot { .. } | Action::Ordinal { .. } | Action::Woe { .. } => "encoding",
            },
        }
    }
}

/// The rules of a JSON array. A step that asks for several things is done in the order type, missing, outliers, scaling,
/// encoding; one with several columns column by column.
pub fn parse(rules: &Value) -> Result<Vec<Rule>> {
    let Value::Array(steps) = rules else {
        return Err(malformed("It is not a JSON array."));
    };
    if steps.is_empty() {
        return Err(malformed("It has no steps."));
    }
    let mut parsed: Vec<Rule> = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let added = parse_step(step)
            .map_err(|problem| malformed(format!("Step {}: {problem}.", index + 1)))?;
        for rule in added {
            if let Rule::Column { column, .. } = &rule
                && parsed
                    .iter()
                    .any(|earlier| earlier.word() == rule.word() && earlier.is_of(column))
            {
                return Err(malformed(format!(
                    "Step {}: \"{}\" of column \"{column}\" is there twice.",
                    index + 1,
                    rule.word()
                )));
            }
            if matches!(rule, Rule::Duplicates { .. }) && parsed.contains(&rule) {
                return Err(malformed(format!(
                    "Step {}: the same duplicates are removed twice.",
                    index + 1
                )));
            }
            parsed.push(rule);
        }
    }
    Ok(parsed)
}

impl Rule {
    fn is_of(&self, name: &str) -> bool {
        matches!(self, Rule::Column { column, .. } if column == name)
    }
}

fn malformed(detail: impl Into<String>) -> Error {
    Error::Parameter {
        parameter: "rules",
        detail: detail.into(),
        hint: HINT,
    }
}

/// What is wrong, as the end of a sentence.
type Parsed<T> = std::result::Result<T, String>;

/// A step whose keys are taken one by one; what is left nobody knows.
struct Step {
    keys: Map<String, Value>,
}

fn parse_step(step: &Value) -> Parsed<Vec<Rule>> {
    let Value::Object(keys) = step else {
        return Err("it is not a JSON object".into());
    };
    let mut step = Step { keys: keys.clone() };
    let rules = if step.keys.contains_key("duplicates") {
        vec![step.duplicates()?]
    } else {
        step.columns()?
    };
    match step.keys.keys().next() {
        None => Ok(rules),
        Some(key) => Err(format!("\"{key}\" is not understood here")),
    }
}

impl Step {
    fn duplicates(&mut self) -> Parsed<Rule> {
        let columns = match self.keys.remove("duplicates") {
            Some(Value::String(word)) if word == "all" => None,
            Some(value @ Value::Array(_)) => Some(names("duplicates", value)?),
            _ => return Err("\"duplicates\" is neither \"all\" nor an array of columns".into()),
        };
        let order = match self.keys.remove("order") {
            None => Vec::new(),
            Some(Value::String(one)) => vec![Order::parse(&one)],
            Some(value) => names("order", value)?
                .iter()
                .map(|name| Order::parse(name))
                .collect(),
        };
        if columns.is_some() && order.is_empty() {
            return Err("\"order\" is missing: it says which of the rows with equal columns is first and stays, as in \"order\": [\"event_time\", \"id desc\"]".into());
        }
        Ok(Rule::Duplicates { columns, order })
    }

    fn columns(&mut self) -> Parsed<Vec<Rule>> {
        let columns = match (self.keys.remove("column"), self.keys.remove("columns")) {
            (Some(Value::String(column)), None) => vec![column],
            (None, Some(value)) => names("columns", value)?,
            (None, None) => return Err("it names no \"column\"".into()),
            _ => return Err("it has no one \"column\" and no array \"columns\"".into()),
        };
        let indicator = self.flag("indicator")?;
        let mut actions = Vec::new();
        if let Some(word) = self.word("type")? {
            actions.push(self.convert(&word)?);
        }
        let mut indicates = false;
        if let Some(word) = self.word("missing")? {
            let action = self.missing(&word, indicator)?;
            indicates = matches!(action, Action::Missing { .. });
            actions.push(action);
        }
        if let Some(word) = self.word("outliers")? {
            actions.push(Action::Outliers(self.outliers(&word)?));
        }
        if let Some(word) = self.word("scaling")? {
            actions.push(Action::Scale(match word.as_str() {
                "standard" => Scaling::Standard,
                "min_max" => Scaling::MinMax,
                "robust" => Scaling::Robust,
                _ => return Err(unknown("scaling", &word, "standard, min_max or robust")),
            }));
        }
        if let Some(word) = self.word("encoding")? {
            let action = self.encoding(&word, indicator && !indicates)?;
            indicates |= matches!(action, Action::OneHot { .. });
            actions.push(action);
        }
        if actions.is_empty() {
            return Err("it asks for none of \"missing\", \"outliers\", \"scaling\", \"encoding\", \"type\" and \"duplicates\"".into());
        }
        if indicator && !indicates {
            return Err(
                "\"indicator\" goes with a \"missing\" that fills, or with the encoding one_hot"
                    .into(),
            );
        }
        let rules = columns.iter().flat_map(|column| {
            actions.iter().map(|action| Rule::Column {
                column: column.clone(),
                action: action.clone(),
            })
        });
        Ok(rules.collect())
    }

    fn convert(&mut self, word: &str) -> Parsed<Action> {
        let to = match word {
            "number" | "double precision" | "float8" => Target::Number,
            "integer" | "bigint" => Target::Integer,
            "numeric" => Target::Numeric,
            "text" => Target::Text,
            "boolean" => Target::Boolean,
            "date" => Target::Date,
            "timestamp" => Target::Timestamp,
            _ => {
                return Err(unknown(
                    "type",
                    word,
                    "number, integer, numeric, text, boolean, date or timestamp",
                ));
            }
        };
        let format = self.word("format")?;
        if format.is_some() && to != Target::Date {
            return Err("\"format\" goes with the type date".into());
        }
        let invalid_is_missing = match self.word("invalid")?.as_deref() {
            None | Some("error") => false,
            Some("missing") if matches!(to, Target::Date | Target::Timestamp | Target::Text) => {
                return Err("\"invalid\": \"missing\" goes with the types number, integer, numeric and boolean".into());
            }
            Some("missing") => true,
            Some(word) => return Err(unknown("invalid", word, "error or missing")),
        };
        Ok(Action::Convert {
            to,
            format,
            invalid_is_missing,
        })
    }

    fn missing(&mut self, word: &str, indicator: bool) -> Parsed<Action> {
        let with = match word {
            "mean" => Filling::Mean,
            "median" => Filling::Median,
            "mode" => Filling::Mode,
            "constant" => match self.keys.remove("value") {
                Some(value @ (Value::Bool(_) | Value::Number(_) | Value::String(_))) => {
                    Filling::Constant(value)
                }
                _ => return Err("\"missing\": \"constant\" needs a \"value\" that is a number, a text or a boolean".into()),
            },
            "drop" => return Ok(Action::DropMissing),
            _ => return Err(unknown("missing", word, "mean, median, mode, constant or drop")),
        };
        Ok(Action::Missing { with, indicator })
    }

    fn outliers(&mut self, word: &str) -> Parsed<Outliers> {
        match word {
            "winsorise" | "winsorize" => {
                let lower = self.number("lower")?.unwrap_or(0.01);
                let upper = self.number("upper")?.unwrap_or(0.99);
                if 0.0 <= lower && lower < upper && upper <= 1.0 {
                    Ok(Outliers::Winsorise { lower, upper })
                } else {
                    Err("\"lower\" and \"upper\" are shares from 0 to 1, lower below upper".into())
                }
            }
            "iqr" | "drop" => {
                let factor = self.number("factor")?.unwrap_or(1.5);
                if !(0.0..1e150).contains(&factor) {
                    return Err("\"factor\" is not a number of 0 or more".into());
                }
                Ok(match word {
                    "iqr" => Outliers::Iqr { factor },
                    _ => Outliers::Drop { factor },
                })
            }
            _ => Err(unknown("outliers", word, "winsorise, iqr or drop")),
        }
    }

    fn encoding(&mut self, word: &str, indicator: bool) -> Parsed<Action> {
        match word {
            "one_hot" => Ok(Action::OneHot {
                categories: self.categories()?,
                indicator,
            }),
            "ordinal" => Ok(Action::Ordinal {
                categories: self.categories()?,
                unseen: match self.keys.get("unseen") {
                    Some(Value::Null) => self.keys.remove("unseen").and(None),
                    _ => Some(self.number("unseen")?.unwrap_or(-1.0)),
                },
            }),
            "woe" => {
                let label = self.word("label")?;
                let bins = self.number("bins")?.unwrap_or(10.0);
                if bins.fract() != 0.0 || !(2.0..=1000.0).contains(&bins) {
                    return Err("\"bins\" is not a whole number from 2 to 1000".into());
                }
                Ok(Action::Woe {
                    label: label.ok_or("the encoding woe needs a \"label\"")?,
                    bins: bins as i32,
                    unseen: self.number("unseen")?,
                })
            }
            _ => Err(unknown("encoding", word, "one_hot, ordinal or woe")),
        }
    }

    fn categories(&mut self) -> Parsed<Option<Vec<String>>> {
        let wrong =
            || "\"categories\" is not an array of different texts, numbers or booleans".to_owned();
        let Some(value) = self.keys.remove("categories") else {
            return Ok(None);
        };
        let Value::Array(values) = value else {
            return Err(wrong());
        };
        let mut categories = Vec::new();
        for value in values {
            let text = match value {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Bool(value) => value.to_string(),
                _ => return Err(wrong()),
            };
            if categories.contains(&text) {
                return Err(wrong());
            }
            categories.push(text);
        }
        if categories.is_empty() {
            return Err(wrong());
        }
        Ok(Some(categories))
    }

    fn word(&mut self, key: &str) -> Parsed<Option<String>> {
        match self.keys.remove(key) {
            None => Ok(None),
            Some(Value::String(word)) => Ok(Some(word)),
            Some(_) => Err(format!("\"{key}\" is not a text")),
        }
    }

    fn number(&mut self, key: &str) -> Parsed<Option<f64>> {
        match self.keys.remove(key) {
            None => Ok(None),
            Some(Value::Number(number)) => Ok(number.as_f64()),
            Some(_) => Err(format!("\"{key}\" is not a number")),
        }
    }

    fn flag(&mut self, key: &str) -> Parsed<bool> {
        match self.keys.remove(key) {
            None => Ok(false),
            Some(Value::Bool(value)) => Ok(value),
            Some(_) => Err(format!("\"{key}\" is neither true nor false")),
        }
    }
}

impl Order {
    /// Reads `name`, `name asc` or `name desc`.
    fn parse(text: &str) -> Order {
        let (column, descending) = match text.rsplit_once(' ') {
            Some((column, word)) if word.eq_ignore_ascii_case("desc") => (column.trim(), true),
            Some((column, word)) if word.eq_ignore_ascii_case("asc") => (column.trim(), false),
            _ => (text, false),
        };
        Order {
            column: column.to_owned(),
            descending,
        }
    }
}

fn names(key: &str, value: Value) -> Parsed<Vec<String>> {
    let wrong = || format!("\"{key}\" is not an array of different column names");
    let Value::Array(values) = value else {
        return Err(wrong());
    };
    let mut names = Vec::new();
    for value in values {
        match value {
            Value::String(name) if !names.contains(&name) => names.push(name),
            _ => return Err(wrong()),
        }
    }
    if names.is_empty() {
        Err(wrong())
    } else {
        Ok(names)
    }
}

fn unknown(key: &str, word: &str, known: &str) -> String {
    format!("\"{key}\" is \"{word}\", not {known}")
}
