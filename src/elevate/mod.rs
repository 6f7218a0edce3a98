//! The few writes done on behalf of a role that has no rights on finai's tables.
//!
//! Each runs as the owner of the tables, with a fixed search path and as a restricted operation, after `hold` has locked
//! the model and checked the privilege that it needs. Nothing else in the extension changes identity, but for `acting_as`.

mod alerts;
mod aliases;
mod attempt;
mod changes;
mod features;
mod grants;
mod guards;
mod identity;
mod models;
mod read;
mod role;
mod transforms;
mod versions;

use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;

use crate::bundled;
use crate::error::{Error, Result};
use crate::registry;

use identity::{as_owner, as_owner_for};

pub use alerts::{
    NewAlert, Occasion, delete as delete_alerts, insert as insert_alerts, release as release_alert,
    resolve as resolve_alert,
};
pub use aliases::{drop_alias, promote, rollback};
pub use attempt::{Failure, attempt};
pub use changes::{
    EventChange, forget_changes, lock_set, log_changes, noted_changes, store_copy, take_changes,
};
pub use features::{NewFeatureSet, create_feature_set, drop_feature_set};
pub use grants::{change_grant, store_role_names};
pub use guards::{
    create as create_guard, drop_row as drop_guard_row, follow_table_names, forget_dropped_tables,
    update as update_guard,
};
pub use identity::{under_fresh_snapshot, under_latest_snapshot};
pub use models::{Alteration, alter, drop_model, rename};
pub use read::{TextRow, Value, rows, rows_as_role, rows_now};
pub use role::{acting_as, reading_text, with_own_names, writing_text};
pub use transforms::{NewTransform, add_transform, drop_transform};
pub use versions::{NewVersion, register, retire, set_status};

/// Which model a change is about, and why it is made.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    pub model: &'a str,
    pub reason: Option<&'a str>,
}

const CREATE_MODEL: &str = "INSERT INTO finai.model (name, owner) VALUES ($1, $2)
     ON CONFLICT (name) DO NOTHING";
const KEEP_PUBLIC_USE: &str =
    "INSERT INTO finai.model_grant (model, grantee, privilege) VALUES ($1, '-', 'USE')
     ON CONFLICT DO NOTHING";
/// Every change of a model updates its row, so that of two at once the second waits and looks again, or fails with 40001.
const LOCK_MODEL: &str = "UPDATE finai.model SET next_version = next_version WHERE name = $1";
const RECORD_EVENT: &str = "INSERT INTO finai.model_event
       (happened_by, happened_session, model, event, version, detail, reason)
     VALUES ($1, $7, $2, $3, $4, $5, $6)";

/// Locks a model's row until the transaction ends, then checks once more, as the caller, what the statement's own snapshot
/// may be too old to see. A bundled model gets its row here; another one only for the role that registers it.
fn hold<T>(model: &str, registrant: Option<&str>, check: impl FnOnce() -> Result<T>) -> Result<T> {
    let bundled = bundled::find(model)?;
    let owner = registry::role_name(registry::extension_owner()?);
    as_owner(|| {
        if let Some(owner) = bundled.map(|_| owner.as_str()).or(registrant) {
            let created = run(CREATE_MODEL, &[model.into(), owner.into()])?;
            if bundled.is_some() && created == 1 {
                run(KEEP_PUBLIC_USE, &[model.into()])?;
            }
        }
        match run(LOCK_MODEL, &[model.into()])? {
            0 => Err(Error::UnknownModel(model.to_owned())),
            _ => Ok(()),
        }
    })?;
    under_latest_snapshot(check)
}

/// Adds to the history; only inside `as_owner`.
fn record(
    change: Change,
    by: &str,
    event: &str,
    version: Option<i32>,
    detail: Option<serde_json::Value>,
) -> Result<()> {
    run(
        RECORD_EVENT,
        &[
            by.into(),
            change.model.into(),
            event.into(),
            version.into(),
            detail.map(pgrx::JsonB).into(),
            change.reason.into(),
            registry::session_user_name().into(),
        ],
    )?;
    Ok(())
}

/// Runs a statement and returns how many rows it touched.
fn run(statement: &str, arguments: &[DatumWithOid]) -> Result<usize> {
    Spi::connect_mut(|client| {
        let rows = client.update(statement, None, arguments).map_err(damaged)?;
        Ok(rows.len())
    })
}

/// Runs a statement and returns the first column of its rows.
fn returned<T: FromDatum + IntoDatum>(
    statement: &str,
    arguments: &[DatumWithOid],
) -> Result<Vec<T>> {
    Spi::connect_mut(|client| {
        let rows = client.update(statement, None, arguments).map_err(damaged)?;
        let values = rows.map(|row| row.get::<T>(1).map_err(damaged));
        values.filter_map(Result::transpose).collect()
    })
}

fn damaged(error: spi::Error) -> Error {
    Error::Installation(error.to_string())
}
