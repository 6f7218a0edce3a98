//! Alerts: written for guards, resolved, released, deleted.

use pgrx::prelude::*;

use crate::error::Result;

use super::{as_owner, damaged, run};

/// On one channel, for whichever guard.
const NOTIFY: &str = "SELECT pg_notify('finai_alert', p) FROM unnest($1) p";
/// Alerts of one statement that are notified one by one; of more, their number is.
const NOTIFIED: usize = 100;

/// What the alerts of one statement have in common.
pub struct Occasion<'a> {
    pub created_by: &'a str,
    pub guard: &'a str,
    pub relation: &'a str,
    pub relation_oid: pg_sys::Oid,
    pub action: &'a str,
    pub model: Option<&'a str>,
    pub version: Option<i32>,
    pub threshold: Option<f64>,
    pub notifies: bool,
}

/// One row that a guard speaks up about. The texts are JSON but for the error.
#[derive(Debug, Default)]
pub struct NewAlert {
    pub key: String,
    pub score: Option<f64>,
    pub features: Option<String>,
    pub error: Option<String>,
    pub held: Option<String>,
}

impl NewAlert {
    fn status(&self) -> &'static str {
        match (&self.held, self.score) {
            (Some(_), _) => "held",
            (None, Some(_)) => "open",
            (None, None) => "unscored",
        }
    }
}

const INSERT: &str = "INSERT INTO finai.alert
       (created_by, guard, relation, relation_oid, action, model, version, threshold, key, score, features, error, held, status)
     SELECT $1, $2, $3, $4, $5, $6, $7, $8, a.key::jsonb, a.score, a.features::jsonb, a.error, a.held::json, a.status
     FROM unnest($9, $10, $11, $12, $13, $14) WITH ORDINALITY AS a (key, score, features, error, held, status, number)
     ORDER BY a.number
     RETURNING id";

/// Writes the alerts of one statement, in their order, and returns how many. Needs no privilege: a guard's trigger asks.
pub fn insert(occasion: &Occasion, alerts: Vec<NewAlert>) -> Result<usize> {
    let scores: Vec<Option<f64>> = alerts.iter().map(|alert| alert.score).collect();
    let statuses: Vec<&str> = alerts.iter().map(NewAlert::status).collect();
    let keys: Vec<&str> = alerts.iter().map(|alert| alert.key.as_str()).collect();
    let texts = |part: fn(&NewAlert) -> &Option<String>| {
        alerts
            .iter()
            .map(|alert| part(alert).as_deref())
            .collect::<Vec<Option<&str>>>()
    };
    let ids: Vec<i64> = as_owner(|| {
        Spi::connect_mut(|client| {
            let rows = client
                .update(
                    INSERT,
                    None,
                    &[
                        occasion.created_by.into(),
                        occasion.guard.into(),
                        occasion.relation.into(),
                        occasion.relation_oid.into(),
                        occasion.action.into(),
                        occasion.model.into(),
                        occasion.version.into(),
                        occasion.threshold.into(),
                        keys.into(),
                        scores.clone().into(),
                        texts(|alert| &alert.features).into(),
                        texts(|alert| &alert.error).into(),
                        texts(|alert| &alert.held).into(),
                        statuses.into(),
                    ],
                )
                .map_err(damaged)?;
            let ids = rows.map(|row| row.get::<i64>(1).map_err(damaged));
            ids.filter_map(Result::transpose).collect()
        })
    })?;
    if occasion.notifies {
        notify(occasion, &ids, &scores)?;
    }
    Ok(ids.len())
}

fn notify(occasion: &Occasion, ids: &[i64], scores: &[Option<f64>]) -> Result<()> {
    let guard = occasion.guard;
    let payloads: Vec<serde_json::Value> = if ids.len() > NOTIFIED {
        let (first, last) = (ids.iter().min(), ids.iter().max());
        vec![
            serde_json::json!({ "guard": guard, "alerts": ids.len(), "first": first, "last": last }),
        ]
    } else {
        let alerts = ids.iter().zip(scores);
        alerts
            .map(|(id, score)| serde_json::json!({ "guard": guard, "alert": id, "score": score }))
            .collect()
    };
    let payloads: Vec<String> = payloads.iter().map(ToString::to_string).collect();
    as_owner(|| run(NOTIFY, &[payloads.into()])).map(|_| ())
}
