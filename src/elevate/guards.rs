//! Guards' rows: created, changed, removed.

use crate::error::{GuardError, Result};
use crate::registry::{Guard, current_user_name, has_guards};

use super::read::rows_now;
use super::{as_owner_for, run};

const CREATE: &str = "INSERT INTO finai.guard
       (name, relation, relation_oid, model, features, threshold, action, score_column, flag_column, watch, on_error, budget_ms, created_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
     ON CONFLICT (name) DO NOTHING";
const UPDATE: &str = "UPDATE finai.guard
     SET threshold = $2, action = $3, on_error = $4, budget_ms = $5, relation = $6, relation_oid = $7
     WHERE name = $1";
const DROP: &str = "DELETE FROM finai.guard WHERE name = $1";

const RENAMED: &str = "SELECT c.oid, format('%I.%I', n.nspname, c.relname)
     FROM finai.guard g JOIN pg_class c ON c.oid = g.relation_oid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE g.relation <> format('%I.%I', n.nspname, c.relname)";
const FOLLOW: [&str; 2] = [
    "UPDATE finai.guard SET relation = $2 WHERE relation_oid = $1::oid",
    "UPDATE finai.alert SET relation = $2 WHERE relation_oid = $1::oid",
];

/// Guards, and the alerts on their tables, are stored under the names that the tables have now: a dump carries names.
pub fn follow_table_names() -> Result<()> {
    if !has_guards() {
        return Ok(());
    }
    for row in rows_now(RENAMED, &[])? {
        let [Some(oid), Some(name)] = row.as_slice() else {
            continue;
        };
        as_owner_for(c"a change of a guard", || {
            for statement in FOLLOW {
                run(statement, &[oid.as_str().into(), name.as_str().into()])?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Tables that alerts are of and that are gone, found through the index.
const DROPPED: &str = "WITH RECURSIVE t (oid) AS (
       SELECT min(relation_oid) FROM finai.alert
       UNION ALL SELECT (SELECT min(a.relation_oid) FROM finai.alert a WHERE a.relation_oid > t.oid) FROM t WHERE t.oid IS NOT NULL)
     SELECT t.oid FROM t WHERE t.oid IS NOT NULL AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = t.oid)";
const FORGET: &str = "UPDATE finai.alert SET relation_oid = NULL WHERE relation_oid = $1::oid";

/// Alerts of tables that were dropped are of no table: one that gets the name is another, also where a dump is restored.
pub fn forget_dropped_tables() -> Result<()> {
    if !has_guards() {
        return Ok(());
    }
    for row in rows_now(DROPPED, &[])? {
        if let [Some(oid)] = row.as_slice() {
            as_owner_for(c"a change of an alert", || {
                run(FORGET, &[oid.as_str().into()])
            })?;
        }
    }
    Ok(())
}

/// Stores a guard. The caller has checked who asks, and owns the table.
pub fn create(guard: &Guard) -> Result<()> {
    let by = current_user_name();
    let created = as_owner_for(c"a change of a guard", || {
        run(
            CREATE,
            &[
                guard.name.as_str().into(),
                guard.relation_name.as_str().into(),
                guard.relation.into(),
                guard.model.as_str().into(),
                guard.features.as_deref().into(),
                guard.threshold.into(),
                guard.action.name().into(),
                guard.score_column.as_deref().into(),
                guard.flag_column.as_deref().into(),
                guard.watch.clone().into(),
                guard.on_error.name().into(),
                milliseconds(guard).into(),
                by.as_str().into(),
            ],
        )
    })?;
    match created {
        0 => Err(GuardError::Exists(guard.name.clone()).into()),
        _ => Ok(()),
    }
}

/// Stores new settings of a guard; false where it is gone by now.
pub fn update(guard: &Guard) -> Result<bool> {
    let updated = as_owner_for(c"a change of a guard", || {
        run(
            UPDATE,
            &[
                guard.name.as_str().into(),
                guard.threshold.into(),
                guard.action.name().into(),
                guard.on_error.name().into(),
                milliseconds(guard).into(),
                guard.relation_name.as_str().into(),
                guard.relation.into(),
            ],
        )
    })?;
    Ok(updated > 0)
}

/// Removes a guard's row; its alerts stay.
pub fn drop_row(name: &str) -> Result<()> {
    as_owner_for(c"a change of a guard", || run(DROP, &[name.into()])).map(|_| ())
}

fn milliseconds(guard: &Guard) -> Option<i32> {
    guard
        .budget
        .map(|budget| i32::try_from(budget.as_millis()).unwrap_or(i32::MAX))
}
