//! The plan of one entity's features as a text, which stands in views, and back.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use finai_engine::features::{Aggregate, Feature, Plan, Role};
use serde::{Deserialize, Serialize};

use crate::error::{FeatureSetError, Result};

/// Twice the longest text that a view has.
const MOST_TEXT: usize = 256 * 1024;

/// Plans that a backend keeps.
const MOST_KEPT: usize = 128;

thread_local! {
    static KEPT: RefCell<HashMap<String, Rc<Plan>>> = RefCell::default();
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanText {
    columns: Vec<String>,
    features: Vec<FeatureText>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FeatureText {
    agg: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    columns: Vec<usize>,
    /// Microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    window: Option<i64>,
    #[serde(default, skip_serializing_if = "is_default")]
    delay: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    current: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    k: usize,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

const ROLES: [(Role, &str); 4] = [
    (Role::Number, "number"),
    (Role::Flag, "flag"),
    (Role::Key, "key"),
    (Role::Text, "text"),
];

const AGGREGATES: [(Aggregate, &str); 16] = [
    (Aggregate::Count, "count"),
    (Aggregate::Sum, "sum"),
    (Aggregate::Avg, "avg"),
    (Aggregate::Min, "min"),
    (Aggregate::Max, "max"),
    (Aggregate::Stddev, "stddev"),
    (Aggregate::Distinct, "distinct"),
    (Aggregate::Share, "share"),
    (Aggregate::Risk, "risk"),
    (Aggregate::Last, "last"),
    (Aggregate::TimeSinceLast, "time_since_last"),
    (Aggregate::FirstSeen, "first_seen"),
    (Aggregate::Ratio, "ratio"),
    (Aggregate::Zscore, "zscore"),
    (Aggregate::Distance, "distance"),
    (Aggregate::Speed, "speed"),
];
const SEQUENCE: &str = "sequence";

/// The plan as a text.
pub fn write(plan: &Plan) -> String {
    let name_of = |role: &Role| {
        ROLES
            .iter()
            .find(|(known, _)| known == role)
            .map_or("", |(_, name)| name)
    };
    let feature = |feature: &Feature| {
        let (agg, k) = match feature.aggregate {
            Aggregate::Sequence { length } => (SEQUENCE, length),
            aggregate => {
                let entry = AGGREGATES.iter().find(|(known, _)| *known == aggregate);
                (entry.map_or("", |(_, name)| *name), 0)
            }
        };
        FeatureText {
            agg: agg.to_owned(),
            columns: feature.columns.clone(),
            window: feature.window,
            delay: feature.delay,
            current: feature.current,
            k,
        }
    };
    let text = PlanText {
        columns: plan
            .columns
            .iter()
            .map(|role| name_of(role).to_owned())
            .collect(),
        features: plan.features.iter().map(feature).collect(),
    };
    serde_json::to_string(&text).unwrap_or_default()
}

/// The plan of a text, from those that this backend has read already or read now.
pub fn read(text: &str) -> Result<Rc<Plan>> {
    if let Some(plan) = KEPT.with_borrow(|kept| kept.get(text).cloned()) {
        return Ok(plan);
    }
    let plan = parse(text)
        .filter(Plan::is_valid)
        .ok_or(FeatureSetError::NotGenerated)?;
    let plan = Rc::new(plan);
    KEPT.with_borrow_mut(|kept| {
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(text.to_owned(), plan.clone());
    });
    Ok(plan)
}

fn parse(text: &str) -> Option<Plan> {
    if text.len() > MOST_TEXT {
        return None;
    }
    let text: PlanText = serde_json::from_str(text).ok()?;
    let columns = text
        .columns
        .iter()
        .map(|name| Some(ROLES.iter().find(|(_, known)| known == name)?.0));
    let features = text.features.into_iter().map(|feature| {
        let aggregate = match feature.agg.as_str() {
            SEQUENCE => Aggregate::Sequence { length: feature.k },
            name => AGGREGATES.iter().find(|(_, known)| *known == name)?.0,
        };
        Some(Feature {
            aggregate,
            columns: feature.columns,
            window: feature.window,
            delay: feature.delay,
            current: feature.current,
        })
    });
    Some(Plan {
        columns: columns.collect::<Option<_>>()?,
        features: features.collect::<Option<_>>()?,
    })
}
