//! What changed in the sources of feature sets, and which copies there are.

use std::cell::OnceCell;
use std::ffi::CStr;

use pgrx::prelude::*;
use pgrx::spi::OwnedPreparedStatement;

use crate::error::Result;

use super::{as_owner_for, damaged, run};

/// One event that changed.
#[derive(Debug, Clone, Default)]
pub struct EventChange {
    /// Nothing: anything may have changed.
    pub id: Option<String>,
    pub time: Option<String>,
    /// JSON: per group of features nothing, where no other event can tell, or the columns of the entity.
    pub entities: Option<String>,
}

/// Changes that were noted, column by column.
#[derive(Debug, Default)]
pub struct Taken {
    pub count: i64,
    pub ids: Vec<Option<String>>,
    pub times: Vec<Option<String>>,
    pub entities: Vec<Option<String>>,
}

const CHANGE: &CStr = c"a refresh of a feature set";
const LOG: &str = "INSERT INTO finai.feature_change (feature_set, event_id, event_time, entities)
     SELECT $1, c.id, c.at, c.entities::pg_catalog.jsonb FROM unnest($2, $3, $4) AS c (id, at, entities)";
const LOCK_SET: &str = "SELECT FROM finai.feature_set WHERE name = $1 FOR UPDATE";
const COUNT: &str = "SELECT count(*), max(id), bool_or(event_id IS NULL) FROM finai.feature_change
     WHERE feature_set = $1";
const TAKE: &str = "WITH taken AS (
       DELETE FROM finai.feature_change c WHERE c.feature_set = $1 AND c.id IN (
         SELECT n.id FROM finai.feature_change n WHERE n.feature_set = $1 AND n.id <= $2 ORDER BY n.id LIMIT $3)
       RETURNING c.event_id, c.event_time, c.entities::text AS entities)
     SELECT count(*), array_agg(event_id), array_agg(event_time), array_agg(entities) FROM taken";
const FORGET: &str = "DELETE FROM finai.feature_change WHERE feature_set = $1";
const STORE: &str = "UPDATE finai.feature_set
     SET stored = $2, stored_source = $3, stored_state = $4, refreshed_at = pg_catalog.clock_timestamp()
     WHERE name = $1";

/// Notes changes of a set's source. For the triggers on that source alone.
pub fn log_changes(set: &str, changes: Vec<EventChange>) -> Result<()> {
    let mut columns: [Vec<Option<String>>; 3] = Default::default();
    for change in changes {
        columns[0].push(change.id);
        columns[1].push(change.time);
        columns[2].push(change.entities);
    }
    let [ids, times, entities] = columns;
    as_owner_for(CHANGE, || {
        let plan = log_plan()?;
        Spi::connect_mut(|client| {
            let arguments = [set.into(), ids.into(), times.into(), entities.into()];
            client.update(plan, None, &arguments).map_err(damaged)?;
            Ok(())
        })
    })
}

/// Prepared once per backend and kept until it ends: PostgreSQL plans it anew where what it names has changed.
fn log_plan() -> Result<&'static OwnedPreparedStatement> {
    thread_local! {
        static PLAN: OnceCell<&'static OwnedPreparedStatement> = const { OnceCell::new() };
    }
    if let Some(plan) = PLAN.with(|plan| plan.get().copied()) {
        return Ok(plan);
    }
    let types = [
        PgOid::from(pg_sys::TEXTOID),
        PgOid::from(pg_sys::TEXTARRAYOID),
        PgOid::from(pg_sys::TEXTARRAYOID),
        PgOid::from(pg_sys::TEXTARRAYOID),
    ];
    let plan = Spi::connect_mut(|client| {
        let plan = client.prepare_mut(LOG, &types).map_err(damaged)?;
        Ok::<_, crate::error::Error>(plan.keep())
    })?;
    Ok(PLAN.with(|kept| *kept.get_or_init(|| Box::leak(Box::new(plan)))))
}

/// Makes whoever refreshes or drops this set wait until the transaction ends. False where there is none.
pub fn lock_set(set: &str) -> Result<bool> {
    as_owner_for(CHANGE, || Ok(run(LOCK_SET, &[set.into()])? > 0))
}

/// What is noted of a set.
#[derive(Debug, Default)]
pub struct Noted {
    pub count: i64,
    /// The last change's number.
    pub last: i64,
    /// Whether one says that anything may have changed.
    pub anything: bool,
}

pub fn noted_changes(set: &str) -> Result<Noted> {
    as_owner_for(CHANGE, || {
        Spi::connect_mut(|client| {
            let rows = client.update(COUNT, None, &[set.into()]).map_err(damaged)?;
            let row = rows.first();
            Ok(Noted {
                count: row.get(1).map_err(damaged)?.unwrap_or(0),
                last: row.get(2).map_err(damaged)?.unwrap_or(0),
                anything: row.get(3).map_err(damaged)?.unwrap_or(false),
            })
        })
    })
}

/// Takes up to `most` changes away, of those with numbers up to `last`.
pub fn take_changes(set: &str, last: i64, most: i64) -> Result<Taken> {
    as_owner_for(CHANGE, || {
        Spi::connect_mut(|client| {
            let arguments = [set.into(), last.into(), most.into()];
            let rows = client.update(TAKE, None, &arguments).map_err(damaged)?;
            let row = rows.first();
            Ok(Taken {
                count: row.get(1).map_err(damaged)?.unwrap_or(0),
                ids: row.get(2).map_err(damaged)?.unwrap_or_default(),
                times: row.get(3).map_err(damaged)?.unwrap_or_default(),
                entities: row.get(4).map_err(damaged)?.unwrap_or_default(),
            })
        })
    })
}

/// Takes all changes away that can be seen.
pub fn forget_changes(set: &str) -> Result<()> {
    as_owner_for(CHANGE, || run(FORGET, &[set.into()]).map(|_| ()))
}

/// Remembers a set's copy, the table that it was made from, and what files that has.
pub fn store_copy(set: &str, copy: &str, source: pg_sys::Oid, state: &str) -> Result<()> {
    as_owner_for(CHANGE, || {
        let arguments = [set.into(), copy.into(), source.into(), state.into()];
        run(STORE, &arguments).map(|_| ())
    })
}
