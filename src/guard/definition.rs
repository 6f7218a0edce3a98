//! Guards created, altered and dropped: in which order it is done.

use std::time::Duration;

use pgrx::pg_sys;

use crate::elevate::{self, under_latest_snapshot};
use crate::error::{Error, GuardError, Result};
use crate::registry::{self, Action, Guard, OnError, check_name};
use crate::row::{Relation, row_type_of};

use super::checks::{check_action, check_columns, check_flagged, check_model};
use super::model::check_reach;
use super::table::{require_kind, require_owner, table};
use super::triggers::{self, Lock};

/// What create_guard is told.
pub struct Definition<'a> {
    pub relation: Relation,
    pub model: &'a str,
    pub threshold: f64,
    pub action: Action,
    pub features: Option<&'a str>,
    pub score_column: Option<&'a str>,
    pub flag_column: Option<&'a str>,
    pub watch: Vec<String>,
    pub on_error: OnError,
    pub budget_ms: Option<i32>,
    pub name: Option<&'a str>,
}

/// What alter_guard is told; what is not given stays.
#[derive(Debug, Default)]
pub struct Settings {
    pub threshold: Option<f64>,
    pub action: Option<Action>,
    pub on_error: Option<OnError>,
    /// 0 for none.
    pub budget_ms: Option<i32>,
}

/// Makes a guard with its triggers, and returns its name. For the table's owner.
pub fn create(definition: Definition) -> Result<String> {
    let oid = definition.relation.oid();
    let default = default_name(definition.relation, definition.model);
    let name = definition.name.unwrap_or(&default);
    check_name("guard name", name)?;
    require_kind(oid)?;
    require_owner(oid)?;
    triggers::lock(oid, Lock::Writers)?;
    let table = table(oid)?;
    let guard = Guard {
        name: name.to_owned(),
        relation: Some(oid),
        relation_name: table.name.clone(),
        model: definition.model.to_owned(),
        features: definition.features.map(str::to_owned),
        threshold: finite(definition.threshold)?,
        action: definition.action,
        score_column: definition.score_column.map(str::to_owned),
        flag_column: definition.flag_column.map(str::to_owned),
        watch: definition.watch,
        on_error: definition.on_error,
        budget: budget(definition.budget_ms)?,
        created_by: String::new(),
        created_at: 0,
    };
    check_columns(&guard, &table)?;
    under_latest_snapshot(|| {
        check_model(&guard, &table)?;
        check_reach(&guard)
    })?;
    if under_latest_snapshot(|| registry::guard(name))?.is_some() {
        return Err(GuardError::Exists(guard.name).into());
    }
    elevate::create_guard(&guard)?;
    triggers::renew(&guard, oid)?;
    Ok(guard.name)
}

/// Changes settings of a guard, and renews its triggers where partitions lack them. For the table's owner.
pub fn alter(name: &str, settings: Settings) -> Result<()> {
    let found = |name: &str| {
        under_latest_snapshot(|| registry::guard(name))?
            .ok_or_else(|| GuardError::Unknown(name.to_owned()))
            .map_err(Error::from)
    };
    let oid = guarded_table(&found(name)?)?;
    require_owner(oid)?;
    triggers::lock(oid, Lock::Changes)?;
    let mut guard = found(name)?;
    let table = table(oid)?;
    guard.relation = Some(oid);
    guard.relation_name = table.name.clone();
    if let Some(threshold) = settings.threshold {
        guard.threshold = finite(threshold)?;
        under_latest_snapshot(|| check_reach(&guard))?;
    }
    if let Some(on_error) = settings.on_error {
        guard.on_error = on_error;
    }
    if let Some(budget_ms) = settings.budget_ms {
        guard.budget = match budget_ms {
            0 => None,
            budget_ms => budget(Some(budget_ms))?,
        };
    }
    if let Some(action) = settings.action {
        if action == Action::Flag && guard.score_column.is_none() && guard.flag_column.is_none() {
            return Err(GuardError::NothingToFlag(guard.name).into());
        }
        if action == Action::Flag {
            check_flagged(&guard, &table)?;
        }
        guard.action = action;
        if action != Action::Off {
            check_action(&guard, &table)?;
            under_latest_snapshot(|| check_model(&guard, &table))?;
        }
    }
    if !elevate::update_guard(&guard)? {
        return Err(GuardError::Unknown(guard.name).into());
    }
    triggers::renew(&guard, oid)
}

/// Removes a guard with its triggers, also where one of them, or the table, is gone. For the owner of the table; without
/// one, for who made it or administers the extension. Others' triggers under its name are their own affair.
pub fn drop(name: &str) -> Result<()> {
    let guard = under_latest_snapshot(|| registry::guard(name))?;
    let table = match &guard {
        Some(guard) => existing_table(guard)?,
        None => None,
    };
    match (table, &guard) {
        (Some(table), _) => {
            require_owner(table)?;
            triggers::remove_all(name, table)?;
        }
        (None, Some(guard)) => require_maker(guard)?,
        (None, None) => {
            let tables = triggers::tables(name)?;
            if tables.is_empty() {
                return Err(GuardError::Unknown(name.to_owned()).into());
            }
            let mut own = tables.iter().filter(|table| require_owner(**table).is_ok());
            let first = own.next().map(|table| triggers::remove_all(name, *table));
            match (first, tables.first()) {
                (None, Some(table)) => require_owner(*table)?,
                (first, _) => first.transpose().map(|_| ())?,
            }
            own.try_for_each(|table| triggers::remove_all(name, *table))?;
        }
    }
    elevate::drop_guard_row(name)
}

fn require_maker(guard: &Guard) -> Result<()> {
    let is_maker = match registry::role_named(&guard.created_by) {
        Ok(Some(role)) => registry::require_member(role).is_ok(),
        _ => false,
    };
    if is_maker || registry::is_administrator()? {
        return Ok(());
    }
    Err(GuardError::NotOwner(guard.relation_name.clone()).into())
}

/// The table of a guard: the one it was created on, else, for who made it, the only one that carries its triggers, as after a
/// restore under another name.
fn existing_table(guard: &Guard) -> Result<Option<pg_sys::Oid>> {
    let known = guard.relation.filter(|oid| row_type_of(*oid).is_some());
    if known.is_some() {
        return Ok(known);
    }
    match triggers::tables(&guard.name)?.as_slice() {
        [table] => {
            require_maker(guard)?;
            Ok(Some(*table))
        }
        _ => Ok(None),
    }
}

fn guarded_table(guard: &Guard) -> Result<pg_sys::Oid> {
    let table = existing_table(guard)?;
    Ok(table.ok_or_else(|| GuardError::TableGone {
        guard: guard.name.clone(),
        relation: guard.relation_name.clone(),
    })?)
}

fn default_name(relation: Relation, model: &str) -> String {
    let table = relation.name().unwrap_or_default();
    let name = format!("{table}_{model}");
    let is_usual = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let name = name.chars().map(|c| if is_usual(c) { c } else { '_' });
    let mut name: String = name.take(63).collect();
    if name.starts_with(|c: char| !c.is_ascii_alphabetic() && c != '_') {
        name.replace_range(..1, "_");
    }
    name
}

fn finite(threshold: f64) -> Result<f64> {
    if threshold.is_finite() {
        return Ok(threshold);
    }
    Err(Error::Parameter {
        parameter: "threshold",
        detail: "It is not a finite number.".into(),
        hint: "Pass the score from which on the guard speaks up; finai.try_guard counts alerts at a threshold.",
    })
}

fn budget(milliseconds: Option<i32>) -> Result<Option<Duration>> {
    match milliseconds.map(u64::try_from) {
        None => Ok(None),
        Some(Ok(milliseconds)) if milliseconds > 0 => Ok(Some(Duration::from_millis(milliseconds))),
        Some(_) => Err(Error::Parameter {
            parameter: "budget_ms",
            detail: "It is not above 0.".into(),
            hint: "Pass the milliseconds that scoring one statement's rows may take, or leave it out; finai.alter_guard takes 0 for none.",
        }),
    }
}
