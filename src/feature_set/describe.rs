//! A set in words, a row a feature.

use crate::elevate::{Value, rows_now};
use crate::error::{FeatureSetError, Result};
use crate::registry;

use super::FeatureSet;
use super::aggregates::{Computed, Wants};
use super::definition::Feature;
use super::span;

/// One feature.
pub struct Description {
    pub feature: String,
    pub sql_type: String,
    pub aggregate: String,
    pub columns: Vec<String>,
    pub entity: Vec<String>,
    pub window: Option<String>,
    pub delay: Option<String>,
    pub current: Option<bool>,
    pub meaning: String,
}

const CAN_SELECT: &str = "SELECT has_table_privilege($1::oid, to_regclass($2), 'SELECT')";

/// What the features of a set mean, for roles that may read its view.
pub fn describe(name: &str) -> Result<Vec<Description>> {
    let set = FeatureSet::load(name)?;
    let user = u32::from(registry::current_user()).to_string();
    let allowed = rows_now(CAN_SELECT, &[Value::Text(&user), Value::Text(&set.view)])?;
    if allowed
        .first()
        .and_then(|row| row.first().cloned().flatten())
        .as_deref()
        != Some("t")
    {
        return Err(FeatureSetError::Denied(format!("view {}", set.view)).into());
    }
    let mut descriptions = Vec::new();
    for feature in &set.features {
        let description = set.description(feature)?;
        if feature.is_sequence() {
            let mask = Description {
                feature: feature.mask_name(),
                sql_type: "double precision[]".into(),
                aggregate: description.aggregate.clone(),
                columns: Vec::new(),
                entity: feature.by.clone(),
                window: None,
                delay: None,
                current: None,
                meaning: format!(
                    "1 for each event of {} that exists, 0 for those that pad it",
                    feature.name
                ),
            };
            descriptions.extend([description, mask]);
        } else {
            descriptions.push(description);
        }
    }
    Ok(descriptions)
}

impl FeatureSet {
    fn description(&self, feature: &Feature) -> Result<Description> {
        let has_window = feature.entry.windowed;
        Ok(Description {
            feature: feature.name.clone(),
            sql_type: self.feature_type(feature)?,
            aggregate: feature.entry.name.to_owned(),
            columns: match feature.entry.wants {
                Wants::Features => feature.references.clone(),
                _ => feature.columns.clone(),
            },
            entity: feature.by.clone(),
            window: has_window
                .then(|| feature.window.map_or("all history".to_owned(), span::words)),
            delay: (feature.delay > 0).then(|| span::words(feature.delay)),
            current: feature.entry.current.map(|_| feature.current),
            meaning: self.meaning(feature),
        })
    }

    fn meaning(&self, feature: &Feature) -> String {
        let column = feature.columns.first().map_or("", String::as_str);
        let zone = match self.has_time_zone() {
            true => format!(" in {}", self.time_zone),
            false => String::new(),
        };
        // What it is, of which events, and what it is where there are none.
        let (what, otherwise) = match feature.entry.name {
            "night" => {
                return format!(
                    "1 where {} is from 00:00 up to 06:59:59{zone}, else 0",
                    self.event_time
                );
            }
            "weekend" => {
                return format!(
                    "1 where {} is on a Saturday or Sunday{zone}, else 0",
                    self.event_time
                );
            }
            "ratio" if feature.entry.computed == Computed::Quotient => {
                let scale = match feature.scale {
                    1.0 => String::new(),
                    scale => format!(" times {scale}"),
                };
                let of = feature.references.first().map_or("", String::as_str);
                let to = feature.references.last().map_or("", String::as_str);
                return format!("{of}{scale} over {to}; null where that is 0");
            }
            "count" if column.is_empty() => ("number of events".to_owned(), ""),
            "count" => (format!("number of events with a {column}"), ""),
            "sum" => (format!("sum of {column}"), "null"),
            "avg" => (format!("mean of {column}"), "null"),
            "min" => (format!("least {column}"), "null"),
            "max" => (format!("greatest {column}"), "null"),
            "stddev" => (
                format!("sample standard deviation of {column}"),
                "null below two",
            ),
            "distinct" => (format!("number of different values of {column}"), ""),
            "share" => (
                format!("share of events with {column} set, of those where it is known,"),
                "null",
            ),
            "risk" => (
                format!("share of events with {column} set, of those where it is known,"),
                "0",
            ),
            "last" => (format!("latest {column}"), "null"),
            "time_since_last" if column.is_empty() => {
                ("seconds since the event before,".to_owned(), "null")
            }
            "time_since_last" => (
                format!("seconds since the last event with the same {column},"),
                "null",
            ),
            "first_seen" if column.is_empty() => ("1 for the first event, else 0,".to_owned(), ""),
            "first_seen" => (
                format!("1 for the first event with its {column}, else 0,"),
                "",
            ),
            "ratio" => (
                format!("{column} of the event over the mean {column}"),
                "null for a mean of 0 and",
            ),
            "zscore" => (
                format!("{column} of the event less the mean {column}, in standard deviations,"),
                "null below two",
            ),
            "distance" => ("kilometres from the last known place,".to_owned(), "null"),
            "speed" => (
                "kilometres an hour from the last known place,".to_owned(),
                "null",
            ),
            _ => {
                let columns = feature.columns.join(" and ");
                (
                    format!(
                        "{columns} of the last {} events, the event itself last, padded with 0 in front,",
                        feature.length
                    ),
                    "",
                )
            }
        };
        let which = match (feature.window, feature.delay) {
            _ if feature.is_sequence() => String::new(),
            (None, 0) => " in all history".to_owned(),
            (None, delay) => format!(" in all history up to {} before", span::words(delay)),
            (Some(window), 0) => format!(" within {}", span::words(window)),
            (Some(window), delay) => format!(
                " within the {} up to {} before",
                span::words(window),
                span::words(delay)
            ),
        };
        let current = match (feature.entry.current, feature.current) {
            (Some(_), true) => ", the event itself included",
            (Some(_), false) if feature.delay == 0 => ", without the event itself",
            _ => "",
        };
        let otherwise = match otherwise {
            "" => String::new(),
            otherwise => format!("; {otherwise} without any"),
        };
        let otherwise =
            otherwise.replace(" below two without any", " where there are fewer than two");
        format!(
            "{what} by {}{which}{current}{otherwise}",
            feature.by.join(", ")
        )
    }
}
