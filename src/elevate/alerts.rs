//! Alerts: written for guards, resolved, released, deleted.

use std::cell::Cell;

use pgrx::prelude::*;
use pgrx::spi::{OwnedPreparedStatement, SpiClient};

use crate::error::{GuardError, Result};
use crate::registry;

use super::read::{Value, rows_now};
use super::{as_owner_for, damaged, run};

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
    fn size(&self) -> usize {
        let texts = [&self.features, &self.error, &self.held];
        let texts = texts.iter().filter_map(|text| text.as_ref());
        self.key.len() + texts.map(String::len).sum::<usize>()
    }

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

const ARGUMENTS: [PgBuiltInOids; 14] = {
    use pgrx::pg_sys::BuiltinOid::*;
    [
        TEXTOID,
        TEXTOID,
        TEXTOID,
        OIDOID,
        TEXTOID,
        TEXTOID,
        INT4OID,
        FLOAT8OID,
        TEXTARRAYOID,
        FLOAT8ARRAYOID,
        TEXTARRAYOID,
        TEXTARRAYOID,
        TEXTARRAYOID,
        TEXTARRAYOID,
    ]
};

thread_local! {
    /// Lasts as long as the process.
    static PLAN: Cell<Option<&'static OwnedPreparedStatement>> = const { Cell::new(None) };
}

/// [`INSERT`], planned once. PostgreSQL plans it anew where finai's tables have changed.
fn plan(client: &SpiClient) -> Result<&'static OwnedPreparedStatement> {
    if let Some(plan) = PLAN.get() {
        return Ok(plan);
    }
    let arguments = ARGUMENTS.map(PgOid::from);
    let plan = client.prepare_mut(INSERT, &arguments).map_err(damaged)?;
    let plan = &*Box::leak(Box::new(plan.keep()));
    PLAN.set(Some(plan));
    Ok(plan)
}

/// Bytes and alerts that are written at once: what PostgreSQL takes as one array has a bound.
const PORTION: (usize, usize) = (16 << 20, 10_000);

/// Writes the alerts of one statement, in their order, and returns how many. Needs no privilege: a guard's trigger asks.
pub fn insert(occasion: &Occasion, alerts: &[NewAlert]) -> Result<usize> {
    let mut ids: Vec<i64> = Vec::with_capacity(alerts.len());
    let mut rest = alerts;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = |alert: &&NewAlert| {
            bytes += alert.size();
            bytes <= PORTION.0
        };
        let count = rest.iter().take(PORTION.1).take_while(fits).count().max(1);
        let (portion, left) = rest.split_at(count);
        ids.append(&mut insert_portion(occasion, portion)?);
        rest = left;
    }
    if occasion.notifies {
        let scores: Vec<Option<f64>> = alerts.iter().map(|alert| alert.score).collect();
        notify(occasion, &ids, &scores)?;
    }
    Ok(ids.len())
}

fn insert_portion(occasion: &Occasion, alerts: &[NewAlert]) -> Result<Vec<i64>> {
    let scores: Vec<Option<f64>> = alerts.iter().map(|alert| alert.score).collect();
    let statuses: Vec<&str> = alerts.iter().map(NewAlert::status).collect();
    let keys: Vec<&str> = alerts.iter().map(|alert| alert.key.as_str()).collect();
    let texts = |part: fn(&NewAlert) -> &Option<String>| {
        alerts
            .iter()
            .map(|alert| part(alert).as_deref())
            .collect::<Vec<Option<&str>>>()
    };
    as_owner_for(c"a change of an alert", || {
        Spi::connect_mut(|client| {
            let rows = client
                .update(
                    plan(client)?,
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
                        scores.into(),
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
    })
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
    as_owner_for(c"a change of an alert", || run(NOTIFY, &[payloads.into()])).map(|_| ())
}

/// What a held row is inserted from.
pub struct Held {
    pub relation: String,
    pub relation_oid: Option<pg_sys::Oid>,
    /// A JSON object.
    pub row: String,
}

const RELEASE: &str =
    "UPDATE finai.alert SET status = 'released', released_by = $2, released_at = clock_timestamp()
     WHERE id = $1 AND status = 'held'
     RETURNING relation, relation_oid, held::text";
const RESOLVE: &str = "UPDATE finai.alert
     SET status = 'resolved', outcome = $3, note = $4, resolved_by = $2, resolved_at = clock_timestamp()
     WHERE id = $1 AND status <> 'resolved' AND (status <> 'held' OR $3 = 'confirmed'
       OR NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = relation_oid))";
const STATUS: &str =
    "SELECT a.status, a.held IS NOT NULL FROM finai.alert a WHERE a.id = $1::bigint";
const DELETE: &str = "DELETE FROM finai.alert
     WHERE created_at < $1 AND status <> 'held' AND ($2 IS NULL OR relation_oid = ANY ($2))";
const TABLES: &str = "SELECT DISTINCT c.oid, c.relowner FROM finai.alert a JOIN pg_class c ON c.oid = a.relation_oid";

/// Marks a held alert, which the current role may see, as released. The row goes in next, or the statement fails.
pub fn release(id: i64) -> Result<Held> {
    let by = registry::current_user_name();
    let held = as_owner_for(c"a change of an alert", || {
        Spi::connect_mut(|client| {
            let arguments = [id.into(), by.as_str().into()];
            let rows = client.update(RELEASE, None, &arguments).map_err(damaged)?;
            let mut held = rows.map(|row| {
                Ok(Held {
                    relation: row.get(1).map_err(damaged)?.unwrap_or_default(),
                    relation_oid: row.get(2).map_err(damaged)?,
                    row: row.get(3).map_err(damaged)?.unwrap_or_default(),
                })
            });
            held.next().transpose()
        })
    })?;
    match held {
        Some(held) => Ok(held),
        None => Err(match status(id)? {
            (_, false) => GuardError::NothingHeld(id).into(),
            (status, true) => GuardError::Done { id, status }.into(),
        }),
    }
}

/// Records what a reviewer, who may see the alert, found.
pub fn resolve(id: i64, outcome: &str, note: Option<&str>) -> Result<()> {
    let by = registry::current_user_name();
    let arguments = [id.into(), by.as_str().into(), outcome.into(), note.into()];
    if as_owner_for(c"a change of an alert", || run(RESOLVE, &arguments))? > 0 {
        return Ok(());
    }
    Err(match status(id)? {
        (status, _) if status == "held" => GuardError::HeldStill(id).into(),
        (status, _) => GuardError::Done { id, status }.into(),
    })
}

/// Status of an alert now, and whether it holds a row.
fn status(id: i64) -> Result<(String, bool)> {
    let text = id.to_string();
    let rows = rows_now(STATUS, &[Value::Text(&text)])?;
    match rows.first().map(Vec::as_slice) {
        Some([Some(status), Some(holds)]) => Ok((status.clone(), holds == "t")),
        _ => Err(GuardError::UnknownAlert(id).into()),
    }
}

/// Deletes alerts that were written before a moment, but for rows that are held still: those of tables that the current role
/// owns, all of them for an administrator of the extension.
pub fn delete(before: TimestampWithTimeZone) -> Result<i64> {
    let tables = if registry::is_administrator()? {
        None
    } else {
        let oid = |text: &Option<String>| text.as_ref()?.parse::<u32>().ok().map(pg_sys::Oid::from);
        let rows = rows_now(TABLES, &[])?;
        let own = rows.iter().filter_map(|row| match row.as_slice() {
            [table, owner] if registry::is_own_role(oid(owner)?) => oid(table),
            _ => None,
        });
        Some(own.collect::<Vec<pg_sys::Oid>>())
    };
    let deleted = as_owner_for(c"a change of an alert", || {
        run(DELETE, &[before.into(), tables.into()])
    })?;
    Ok(i64::try_from(deleted).unwrap_or(i64::MAX))
}
