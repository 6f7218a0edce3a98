//! Whether a guard can do what it is told on its table: columns, action, model, features.

use finai_engine::Signature;
use pgrx::pg_sys;

use crate::cache;
use crate::elevate::under_latest_snapshot;
use crate::error::{Error, GuardError, Result};
use crate::registry::{self, Action, Guard, Privilege, Reference, Status, Timing};
use crate::row::{is_partition, relation_named, row_type_of};

use super::features;
use super::model::{bound, check_score};
use super::table::{Table, table};

/// Whether the columns that the guard sets and watches are there and take what it does.
pub fn check_columns(guard: &Guard, table: &Table) -> Result<()> {
    let is_given = guard.score_column.is_some() || guard.flag_column.is_some();
    if is_given != (guard.action == Action::Flag) {
        return Err(Error::Parameter {
            parameter: "action",
            detail: "score_column and flag_column are what action flag sets.".into(),
            hint: "Name one of them, or both, with action flag and with no other.",
        });
    }
    check_flagged(guard, table)?;
    for column in &guard.watch {
        table.find(column, "watch")?;
        if guard.sets(column) {
            return Err(GuardError::FlaggedFeature {
                column: column.clone(),
                relation: table.name.clone(),
            }
            .into());
        }
    }
    check_action(guard, table)
}

/// Whether the columns that the guard sets take what it sets, NULL included, and leave rows in their partitions.
pub fn check_flagged(guard: &Guard, table: &Table) -> Result<()> {
    let flagged = [
        (
            guard.score_column.as_deref(),
            "score_column",
            "a score",
            "Name a column of type double precision, real or numeric without a precision, not a domain nor generated.",
            &[pg_sys::FLOAT8OID, pg_sys::FLOAT4OID, pg_sys::NUMERICOID][..],
        ),
        (
            guard.flag_column.as_deref(),
            "flag_column",
            "a flag",
            "Name a column of type boolean, not a domain nor generated.",
            &[pg_sys::BOOLOID][..],
        ),
    ];
    for (column, parameter, what, hint, types) in flagged {
        let Some(column) = column else {
            continue;
        };
        let found = table.find(column, parameter)?;
        if found.is_not_null {
            return Err(GuardError::FlaggedNotNull {
                column: column.to_owned(),
                relation: table.name.clone(),
            }
            .into());
        }
        if found.is_key {
            return Err(GuardError::FlaggedKey {
                column: column.to_owned(),
                relation: table.name.clone(),
            }
            .into());
        }
        if found.is_generated || found.has_modifier || !types.contains(&found.type_oid) {
            return Err(GuardError::ColumnType {
                column: column.to_owned(),
                relation: table.name.clone(),
                what,
                hint,
            }
            .into());
        }
    }
    Ok(())
}

/// Whether the action sees all rows of the table, and holds none but new ones.
pub fn check_action(guard: &Guard, table: &Table) -> Result<()> {
    if guard.action == Action::Hold && !guard.watch.is_empty() {
        return Err(GuardError::HeldUpdate.into());
    }
    if guard.action != Action::Flag && is_partition(table.oid) {
        return Err(GuardError::Partition {
            relation: table.name.clone(),
            action: guard.action.name(),
        }
        .into());
    }
    Ok(())
}

/// Why a guard's rows cannot be scored as things are; nothing where they can, or its table is gone.
pub fn problem(name: &str) -> Result<Option<String>> {
    let Some(guard) = registry::guard(name)? else {
        return Ok(None);
    };
    let relation = guard.relation.filter(|oid| row_type_of(*oid).is_some());
    let Some(relation) = relation else {
        return Ok(None);
    };
    let check = || check_model(&guard, &table(relation)?);
    Ok(under_latest_snapshot(check)
        .err()
        .map(|error| error.to_string()))
}

/// Whether the owner may score with the model, and the rows supply its features.
pub fn check_model(guard: &Guard, table: &Table) -> Result<()> {
    let reference = Reference::parse(&guard.model)?;
    if !registry::has(table.owner, &reference.model, Privilege::Use)? {
        return Err(GuardError::OwnerDenied {
            owner: registry::role_name(table.owner),
            relation: table.name.clone(),
            model: reference.model,
        }
        .into());
    }
    let version = registry::meant(&reference)?;
    if registry::status(&version.model, version.version)? == Status::Retired {
        return Err(Error::Retired {
            model: version.model,
            version: version.version,
        });
    }
    let model = cache::model(&version)?;
    check_score(&model, &version)?;
    check_features(guard, table, model.signature())
}

fn check_features(guard: &Guard, table: &Table, signature: &Signature) -> Result<()> {
    let (source, origin) = match &guard.features {
        None => (table.oid, format!("table {}", table.name)),
        Some(name) => feature_view(guard, table, name)?,
    };
    for (feature, column) in bound(signature, source, origin, &guard.model)? {
        if guard.sets(&column) {
            return Err(GuardError::FlaggedFeature {
                column,
                relation: table.name.clone(),
            }
            .into());
        }
        if is_before(guard) && table.is_generated(&column) {
            return Err(GuardError::Generated {
                feature,
                model: guard.model.clone(),
                column,
            }
            .into());
        }
    }
    Ok(())
}

/// The view of a feature set that the guard's rows may be scored through.
fn feature_view(guard: &Guard, table: &Table, name: &str) -> Result<(pg_sys::Oid, String)> {
    let set = features::of_table(name, table.oid)?;
    let is_trusted = |owner| owner == table.owner || registry::is_superuser(owner);
    if !set.owner.is_some_and(is_trusted) {
        return Err(GuardError::FeaturesOwner {
            features: set.name,
            owner: set.owner.map(registry::role_name).unwrap_or_default(),
        }
        .into());
    }
    let read = features::columns_read(&set)?;
    let mut used = table.columns.iter().filter(|c| read.contains(&c.name));
    if let Some(column) = used.clone().find(|c| guard.sets(&c.name)) {
        return Err(GuardError::FlaggedFeature {
            column: column.name.clone(),
            relation: table.name.clone(),
        }
        .into());
    }
    let generated = used.find(|column| column.is_generated);
    if let Some(column) = generated.filter(|_| is_before(guard)) {
        return Err(GuardError::Generated {
            feature: column.name.clone(),
            model: guard.model.clone(),
            column: column.name.clone(),
        }
        .into());
    }
    let view =
        relation_named(&set.view).ok_or_else(|| GuardError::UnknownFeatures(name.to_owned()))?;
    Ok((view, format!("view {}", set.view)))
}

/// Whether the guard looks at rows before they are stored, when generated columns are NULL.
fn is_before(guard: &Guard) -> bool {
    guard.action.timing() == Some(Timing::Row)
}
