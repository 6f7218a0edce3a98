//! Guards and their alerts.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::contract;
use crate::elevate;
use crate::error::{Error, GuardError, Result};
use crate::guard::{self, Definition, OUTCOMES, Settings};
use crate::registry::{Action, OnError};
use crate::row::{PerCallSite, Record, Relation};
use crate::site::Site;
use crate::trigger::{Event, Outcome};

use super::{given, given_as, statistics};

const ALERTS: &str =
    "SELECT id, guard, key, status FROM finai.alert lists the alerts that you may see.";

#[pg_extern(volatile, parallel_unsafe)]
fn _guard(fcinfo: pg_sys::FunctionCallInfo) -> Result<Outcome, ErrorReport> {
    let event = Event::of(fcinfo).ok_or(Error::from(GuardError::NotATrigger))?;
    Ok(guard::fire(event)?)
}

#[pg_extern(volatile, parallel_unsafe)]
#[allow(clippy::too_many_arguments)]
fn create_guard(
    relation: Option<Relation>,
    model: Option<&str>,
    threshold: Option<f64>,
    action: default!(Option<&str>, "'review'"),
    features: default!(Option<&str>, "NULL"),
    score_column: default!(Option<&str>, "NULL"),
    flag_column: default!(Option<&str>, "NULL"),
    watch: default!(Option<Vec<Option<String>>>, "NULL"),
    on_error: default!(Option<&str>, "'open'"),
    budget_ms: default!(Option<i32>, "NULL"),
    name: default!(Option<&str>, "NULL"),
) -> Result<String, ErrorReport> {
    let action = parse_action(given("action", action)?)?;
    if action == Action::Off {
        return Err(Error::Parameter {
            parameter: "action",
            detail: "A guard is created on.".into(),
            hint: "finai.alter_guard(<name>, action => 'off') switches it off.",
        }
        .into());
    }
    Ok(guard::create(Definition {
        relation: given("relation", relation)?,
        model: given("model", model)?,
        threshold: given("threshold", threshold)?,
        action,
        features,
        score_column,
        flag_column,
        watch: names(watch)?,
        on_error: parse_on_error(given("on_error", on_error)?)?,
        budget_ms,
        name,
    })?)
}

#[pg_extern(volatile, parallel_unsafe)]
fn alter_guard(
    name: Option<&str>,
    threshold: default!(Option<f64>, "NULL"),
    action: default!(Option<&str>, "NULL"),
    on_error: default!(Option<&str>, "NULL"),
    budget_ms: default!(Option<i32>, "NULL"),
) -> Result<(), ErrorReport> {
    let settings = Settings {
        threshold,
        action: action.map(parse_action).transpose()?,
        on_error: on_error.map(parse_on_error).transpose()?,
        budget_ms,
    };
    Ok(guard::alter(given("name", name)?, settings)?)
}

#[pg_extern(volatile, parallel_unsafe)]
fn drop_guard(name: Option<&str>) -> Result<(), ErrorReport> {
    guard::drop(given("name", name)?)?;
    // What only this guard missed is missed no more.
    Ok(contract::take_marks_back()?)
}

/// The view of a feature set over a table, and its column of time.
#[pg_extern(stable, parallel_unsafe)]
fn _guard_features(
    relation: Option<Relation>,
    features: Option<&str>,
) -> Result<TableIterator<'static, (name!(view, String), name!(event_time, String))>, ErrorReport> {
    let relation = given("relation", relation)?;
    let set = guard::features_of_table(given("features", features)?, relation.oid())?;
    let [_, event_time, _] = set.columns;
    Ok(TableIterator::once((set.view, event_time)))
}

/// Refuses a model that a guard could not score a relation's rows with, and a threshold that it never reaches. As the
/// current role.
#[pg_extern(stable, parallel_unsafe)]
fn _check_guard_model(
    relation: Option<Relation>,
    model: Option<&str>,
    threshold: Option<f64>,
) -> Result<(), ErrorReport> {
    let relation = given("relation", relation)?.oid();
    let threshold = given("threshold", threshold)?;
    Ok(guard::check_trial(
        relation,
        given("model", model)?,
        threshold,
    )?)
}

/// Why a guard's rows cannot be scored as things are; nothing where they can, and for whoever may not read its table.
#[pg_extern(stable, strict, parallel_unsafe)]
fn _guard_problem(guard: &str) -> Result<Option<String>, ErrorReport> {
    if !statistics::is_visible(guard) {
        return Ok(None);
    }
    Ok(guard::problem(guard)?)
}

/// The score that a guard would compare; nothing for a row that cannot be scored.
#[pg_extern(stable, strict, parallel_safe, cost = 100)]
fn _guard_score(
    model: &str,
    record: Record<'_>,
    mut site: PerCallSite<'_, Site>,
) -> Result<Option<f64>, ErrorReport> {
    Ok(site.score_if_any(model, &record)?)
}

#[pg_extern(volatile, parallel_unsafe)]
fn resolve_alert(
    id: Option<i64>,
    outcome: Option<&str>,
    note: default!(Option<&str>, "NULL"),
) -> Result<(), ErrorReport> {
    let id = given_as("id", id, ALERTS)?;
    let outcome = given_as("outcome", outcome, OUTCOMES)?;
    Ok(guard::resolve(id, outcome, note)?)
}

#[pg_extern(volatile, parallel_unsafe)]
fn release_alert(id: Option<i64>) -> Result<(), ErrorReport> {
    Ok(guard::release(given_as("id", id, ALERTS)?)?)
}

#[pg_extern(volatile, parallel_unsafe)]
fn delete_alerts(before: Option<TimestampWithTimeZone>) -> Result<i64, ErrorReport> {
    Ok(elevate::delete_alerts(given("before", before)?)?)
}

fn names(watch: Option<Vec<Option<String>>>) -> Result<Vec<String>> {
    let columns = watch.unwrap_or_default().into_iter();
    columns.map(|column| given("watch", column)).collect()
}

fn parse_action(text: &str) -> Result<Action> {
    Action::parse(text).ok_or_else(|| Error::Parameter {
        parameter: "action",
        detail: format!("There is no action \"{text}\"."),
        hint: "Actions are review, notify, reject, flag and hold, and off for a guard that exists.",
    })
}

fn parse_on_error(text: &str) -> Result<OnError> {
    OnError::parse(text).ok_or_else(|| Error::Parameter {
        parameter: "on_error",
        detail: format!("There is no setting \"{text}\"."),
        hint: "Settings are open (rows that cannot be scored go in, an alert says so) and closed (the statement fails).",
    })
}
