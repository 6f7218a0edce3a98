//! A set in words, a row a feature.

use crate::elevate::{Value, rows_now};
use crate::error::{FeatureSet as Problem, Result};
use crate::registry;

use super::FeatureSet;
use super::aggregates::{Computed, Wants};
use super::definition::Feature;
use super::span::{self, SECOND};

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
        return Err(Problem::Denied(format!("view {}", set.view)).into());
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
        let entity = feature.by.join(", ");
        let column = feature.columns.first().map_or("", String::as_str);
        let zone = match self.has_time_zone() {
            true => format!(" in {}", self.time_zone),
            false => String::new(),
        };
        let what = match feature.entry.name {
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
                return format!(
                    "{}{scale} over {}; null where that is 0",
                    feature.references[0], feature.references[1]
                );
            }
            "count" if column.is_empty() => "number of events".to_owned(),
            "count" => format!("number of events with a {column}"),
            "sum" => format!("sum of {column}"),
            "avg" => format!("mean of {column}"),
            "min" => format!("least {column}"),
            "max" => format!("greatest {column}"),
            "stddev" => format!("sample standard deviation of {column}"),
            "distinct" => format!("number of different values of {column}"),
            "share" => format!("share of events where {column} is set; null without any"),
            "risk" => format!("share of events where {column} is set; 0 without any"),
            "last" => format!("latest {column}"),
            "time_since_last" if column.is_empty() => "seconds since the event before".to_owned(),
            "time_since_last" => format!("seconds since the last event with the same {column}"),
            "first_seen" if column.is_empty() => {
                "1 where there is no event before, else 0,".to_owned()
            }
            "first_seen" => {
                format!("1 where {column} has a value that it did not have before, else 0,")
            }
            "ratio" => format!("this event's {column} over the mean of {column}"),
            "zscore" => {
                format!("this event's {column} less the mean of {column}, in standard deviations,")
            }
            "distance" => "kilometres from the last known place".to_owned(),
            "speed" => "kilometres an hour from the last known place".to_owned(),
            _ => format!(
                "{} of the last {} events, the oldest first, 0 where there were none,",
                feature.columns.join(" and "),
                feature.length
            ),
        };
        let time = &self.event_time;
        let known = match feature.delay / SECOND {
            0 => String::new(),
            _ => format!(" known after {}", span::words(feature.delay)),
        };
        let window = match feature.window {
            _ if feature.is_sequence() => String::new(),
            None => match feature.delay {
                0 => " in all history".to_owned(),
                delay => format!(", {time} up to {} earlier", span::words(delay)),
            },
            Some(window) => match feature.delay {
                0 => format!(" in the last {}", span::words(window)),
                delay => format!(
                    " in the {} that ended {} earlier",
                    span::words(window),
                    span::words(delay)
                ),
            },
        };
        let _ = known;
        let current = match (feature.entry.current, feature.current) {
            _ if feature.delay > 0 => "",
            (Some(_), true) => ", this event included",
            (Some(_), false) => ", this event not included",
            (None, _) => "",
        };
        format!("{what} of the same {entity}{window}{current}")
    }
}
