//! A step with the parameters that it took from its relation: stored as JSON, never changed.

use serde::{Deserialize, Serialize};

use super::field::Kind;
use super::number::Number;
use super::rules::{Order, Scaling, Target};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Step {
    Column {
        column: String,
        /// What the column was when the step was fitted.
        kind: Kind,
        #[serde(flatten)]
        action: Fitted,
    },
    #[serde(rename = "rows")]
    Duplicates {
        /// All of them where there are none.
        columns: Option<Vec<String>>,
        order: Vec<Order>,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Fitted {
    Convert {
        to: Target,
        format: Option<String>,
        invalid_is_missing: bool,
    },
    /// Missing numbers, where the result is in double precision.
    FillNumber {
        with: Number,
        /// What it is of the column.
        is: String,
        indicator: Option<String>,
    },
    /// Missing values of any type, by a value that is written as text.
    FillValue {
        with: String,
        is: String,
        indicator: Option<String>,
    },
    DropMissing,
    Clip {
        lower: Number,
        upper: Number,
        is: String,
    },
    DropOutside {
        lower: Number,
        upper: Number,
        is: String,
    },
    Scale {
        how: Scaling,
        center: Number,
        /// 0 where the column did not vary.
        scale: Number,
    },
    OneHot {
        columns: Vec<Hot>,
        indicator: Option<String>,
    },
    Ordinal {
        categories: Vec<String>,
        unseen: Option<Number>,
    },
    WoeOfCategories {
        label: String,
        bins: Vec<Weight>,
        missing: Option<Number>,
        unseen: Option<Number>,
    },
    WoeOfNumbers {
        label: String,
        /// Where the bins but the first begin.
        cuts: Vec<Number>,
        woe: Vec<Number>,
        missing: Option<Number>,
        unseen: Option<Number>,
    },
}

/// A column of 0 and 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hot {
    pub category: String,
    pub column: String,
}

/// A category and its weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Weight {
    pub category: String,
    pub woe: Number,
}

impl Step {
    /// What it does and with which parameters, in words.
    pub fn describe(&self) -> (Option<String>, &'static str, String) {
        match self {
            Step::Duplicates { columns, order } => {
                let same = columns
                    .as_ref()
                    .map_or("all columns".to_owned(), |c| c.join(", "));
                let order: Vec<String> = order
                    .iter()
                    .map(|o| format!("{}{}", o.column, if o.descending { " desc" } else { "" }))
                    .collect();
                let first = match order.is_empty() {
                    true => "one".to_owned(),
                    false => format!("the first by {}", order.join(", ")),
                };
                (
                    None,
                    "duplicates",
                    format!("of rows equal in {same}, {first} stays"),
                )
            }
            Step::Column { column, action, .. } => {
                let (word, text) = action.describe();
                (Some(column.clone()), word, text)
            }
        }
    }
}

impl Fitted {
    fn describe(&self) -> (&'static str, String) {
        match self {
            Fitted::Convert {
                to,
                format,
                invalid_is_missing,
            } => {
                let mut text = format!("to {}", to.name());
                if let Some(format) = format {
                    text += &format!(", written as {format}");
                }
                if *invalid_is_missing {
                    text += ", missing where that fails";
                }
                ("type", text)
            }
            Fitted::FillNumber {
                with,
                is,
                indicator,
            } => (
                "missing",
                format!("becomes {}, {is}{}", with.0, indicated(indicator)),
            ),
            Fitted::FillValue {
                with,
                is,
                indicator,
            } => (
                "missing",
                format!("becomes \"{with}\", {is}{}", indicated(indicator)),
            ),
            Fitted::DropMissing => ("missing", "rows without a value are left out".into()),
            Fitted::Clip { lower, upper, is } => (
                "outliers",
                format!("moved to {} and {}, {is}", lower.0, upper.0),
            ),
            Fitted::DropOutside { lower, upper, is } => (
                "outliers",
                format!(
                    "rows below {} or above {} are left out, {is}",
                    lower.0, upper.0
                ),
            ),
            Fitted::Scale { how, center, scale } => (
                "scaling",
                match scale.0 == 0.0 {
                    true => format!("0: {} did not vary", how.name()),
                    false => format!("{}: (value - {}) / {}", how.name(), center.0, scale.0),
                },
            ),
            Fitted::OneHot { columns, indicator } => {
                let columns: Vec<&str> = columns.iter().map(|hot| hot.column.as_str()).collect();
                (
                    "encoding",
                    format!("one_hot: {}{}", columns.join(", "), indicated(indicator)),
                )
            }
            Fitted::Ordinal { categories, unseen } => {
                let places: Vec<String> = categories
                    .iter()
                    .enumerate()
                    .map(|(place, category)| format!("\"{category}\" {place}"))
                    .collect();
                (
                    "encoding",
                    format!("ordinal: {}, others {}", places.join(", "), shown(unseen)),
                )
            }
            Fitted::WoeOfCategories {
                label,
                bins,
                missing,
                unseen,
            } => {
                let bins: Vec<String> = bins
                    .iter()
                    .map(|bin| format!("\"{}\" {}", bin.category, bin.woe.0))
                    .collect();
                (
                    "encoding",
                    format!(
                        "woe against {label}: {}, missing {}, others {}",
                        bins.join(", "),
                        shown(missing),
                        shown(unseen)
                    ),
                )
            }
            Fitted::WoeOfNumbers {
                label,
                cuts,
                woe,
                missing,
                ..
            } => {
                let mut bins = Vec::new();
                for (place, woe) in woe.iter().enumerate() {
                    bins.push(
                        match place.checked_sub(1).and_then(|below| cuts.get(below)) {
                            None => format!("{}", woe.0),
                            Some(cut) => format!("from {} {}", cut.0, woe.0),
                        },
                    );
                }
                (
                    "encoding",
                    format!(
                        "woe against {label}: {}, missing {}",
                        bins.join(", "),
                        shown(missing)
                    ),
                )
            }
        }
    }
}

fn indicated(indicator: &Option<String>) -> String {
    indicator
        .as_ref()
        .map_or(String::new(), |column| format!("; {column} says where"))
}

fn shown(number: &Option<Number>) -> String {
    number.map_or("null".to_owned(), |number| number.0.to_string())
}

impl Target {
    pub fn name(self) -> &'static str {
        match self {
            Target::Number => "number",
            Target::Integer => "integer",
            Target::Numeric => "numeric",
            Target::Text => "text",
            Target::Boolean => "boolean",
            Target::Date => "date",
            Target::Timestamp => "timestamp",
        }
    }
}

impl Scaling {
    pub fn name(self) -> &'static str {
        match self {
            Scaling::Standard => "standard",
            Scaling::MinMax => "min_max",
            Scaling::Robust => "robust",
        }
    }
}
