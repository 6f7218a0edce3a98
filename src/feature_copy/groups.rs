//! Which events a change can reach: per entity, how far behind it features look back.

use serde_json::Value;

use crate::error::{Error, Result};
use crate::registry::CopiedSet;

/// The features of a set that share an entity.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub entity: Vec<String>,
    /// For how many microseconds after an event others of its entity can see it; nothing: for ever.
    pub horizon: Option<i64>,
    /// Columns whose values other events of the entity read, besides entity, time and id.
    pub reads: Vec<String>,
}

/// The groups of a set, in the order of their first features. Features of an event alone are in none.
pub fn groups(set: &CopiedSet) -> Result<Vec<Group>> {
    let damaged = || Error::Installation(format!("features of feature set \"{}\"", set.name));
    let mut groups: Vec<Group> = Vec::new();
    for feature in set.features.as_array().ok_or_else(damaged)? {
        let aggregate = feature["agg"].as_str().ok_or_else(damaged)?;
        if matches!(aggregate, "night" | "weekend") || !feature["of"].is_null() {
            continue;
        }
        let entity = match names(&feature["by"]) {
            names if names.is_empty() => vec![set.entity.clone()],
            names => names,
        };
        let horizon = match feature["window"].as_str() {
            None => None,
            Some(window) => {
                let delay = feature["delay"].as_str().map_or(Some(0), microseconds);
                let sum = microseconds(window).zip(delay).map(|(w, d)| w + d);
                Some(sum.ok_or_else(damaged)?)
            }
        };
        let mut reads = names(&feature["column"]);
        reads.extend(names(&feature["columns"]));
        match groups.iter_mut().find(|group| group.entity == entity) {
            None => groups.push(Group {
                entity,
                horizon,
                reads,
            }),
            Some(group) => {
                group.horizon = group.horizon.zip(horizon).map(|(a, b)| a.max(b));
                reads.retain(|name| !group.reads.contains(name));
                group.reads.extend(reads);
            }
        }
    }
    Ok(groups)
}

/// A name, or an array of names.
fn names(value: &Value) -> Vec<String> {
    match value {
        Value::String(name) => vec![name.clone()],
        Value::Array(names) => names
            .iter()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

/// A length as create_feature_set takes it: "7 days", "1 day 12 hours".
fn microseconds(text: &str) -> Option<i64> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut sum = 0;
    for pair in words.chunks(2) {
        let [number, unit] = pair else {
            return None;
        };
        let seconds = match unit.trim_end_matches('s') {
            "second" => 1.0,
            "minute" => 60.0,
            "hour" => 3600.0,
            "day" => 86_400.0,
            "week" => 604_800.0,
            _ => return None,
        };
        sum += (number.parse::<f64>().ok()? * seconds * 1e6).round() as i64;
    }
    Some(sum)
}
