//! Whole models: settings, names, privileges, history.

use pgrx::datum::TimestampWithTimeZone;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::elevate::{self, Alteration, Change};
use crate::error::{Error, Result};
use crate::registry::{self, OnSchemaChange, Privilege};

use super::given;

#[pg_extern(volatile, parallel_unsafe)]
#[allow(clippy::too_many_arguments)]
fn alter_model(
    name: Option<&str>,
    owner: default!(Option<&str>, "NULL"),
    use_case: default!(Option<&str>, "NULL"),
    tolerance: default!(Option<f64>, "NULL"),
    two_person: default!(Option<bool>, "NULL"),
    on_schema_change: default!(Option<&str>, "NULL"),
    reason: default!(Option<&str>, "NULL"),
) -> Result<(), ErrorReport> {
    let model = given("name", name)?;
    registry::require_owner(model)?;
    let alteration = Alteration {
        owner: owner.map(new_owner).transpose()?,
        use_case,
        tolerance: tolerance
            .map(crate::reference_rows::tolerance)
            .transpose()?,
        two_person,
        on_schema_change: on_schema_change.map(parse_setting).transpose()?,
    };
    if alteration.is_empty() {
        return Err(Error::NothingToAlter(model.to_owned()).into());
    }
    Ok(elevate::alter(Change { model, reason }, alteration)?)
}

#[pg_extern(volatile, parallel_unsafe)]
fn rename_model(
    name: Option<&str>,
    new_name: Option<&str>,
    reason: default!(Option<&str>, "NULL"),
) -> Result<(), ErrorReport> {
    let model = given("name", name)?;
    let new_name = given("new_name", new_name)?;
    registry::check_name("model name", new_name)?;
    registry::require_owner(model)?;
    Ok(elevate::rename(Change { model, reason }, new_name)?)
}

#[pg_extern(volatile, parallel_unsafe)]
fn drop_model(
    name: Option<&str>,
    reason: default!(Option<&str>, "NULL"),
) -> Result<(), ErrorReport> {
    let model = given("name", name)?;
    registry::require_owner(model)?;
    Ok(elevate::drop_model(Change { model, reason })?)
}

#[pg_extern(volatile, parallel_unsafe, name = "grant_model")]
fn grant(
    name: Option<&str>,
    grantee: Option<&str>,
    privilege: default!(Option<&str>, "'USE'"),
    reason: default!(Option<&str>, "NULL"),
) -> Result<(), ErrorReport> {
    Ok(change_grant(true, name, grantee, privilege, reason)?)
}

#[pg_extern(volatile, parallel_unsafe, name = "revoke_model")]
fn revoke(
    name: Option<&str>,
    grantee: Option<&str>,
    privilege: default!(Option<&str>, "'USE'"),
    reason: default!(Option<&str>, "NULL"),
) -> Result<(), ErrorReport> {
    Ok(change_grant(false, name, grantee, privilege, reason)?)
}

#[pg_extern(stable, parallel_safe)]
#[allow(clippy::type_complexity)]
fn model_history(
    name: Option<&str>,
) -> Result<
    TableIterator<
        'static,
        (
            name!(happened_at, Option<TimestampWithTimeZone>),
            name!(event, Option<String>),
            name!(version, Option<i32>),
            name!(detail, Option<pgrx::JsonB>),
            name!(happened_by, Option<String>),
            name!(happened_session, Option<String>),
            name!(reason, Option<String>),
        ),
    >,
    ErrorReport,
> {
    let name = given("name", name)?;
    registry::require(name, Privilege::Promote)?;
    let rows = registry::history(name)?.into_iter().map(|event| {
        (
            event.happened_at,
            event.event,
            event.version,
            event.detail.map(pgrx::JsonB),
            event.by,
            event.session,
            event.reason,
        )
    });
    Ok(TableIterator::new(rows))
}

fn change_grant(
    granted: bool,
    name: Option<&str>,
    grantee: Option<&str>,
    privilege: Option<&str>,
    reason: Option<&str>,
) -> Result<()> {
    let model = given("name", name)?;
    let grantee = given("grantee", grantee)?;
    let privilege = Privilege::parse(given("privilege", privilege)?)?;
    registry::require_owner(model)?;
    let grantee = registry::role_named(grantee)?;
    elevate::change_grant(granted, Change { model, reason }, grantee, privilege.name())
}

fn new_owner(role: &str) -> Result<pg_sys::Oid> {
    registry::role_named(role)?.ok_or_else(|| Error::Parameter {
        parameter: "owner",
        detail: "A model belongs to one role.".into(),
        hint: "Name a role; privileges for all are given with finai.grant_model(<model>, 'public').",
    })
}

fn parse_setting(text: &str) -> Result<OnSchemaChange> {
    OnSchemaChange::parse(text).ok_or_else(|| Error::Parameter {
        parameter: "on_schema_change",
        detail: format!("There is no setting \"{text}\"."),
        hint: "Settings are refuse (the DDL fails) and mark (the version is marked as broken).",
    })
}
