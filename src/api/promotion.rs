//! Moving aliases and retiring versions.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::contract::{self, Purpose};
use crate::elevate::{self, Change};
use crate::error::Result;
use crate::registry::{self, CHAMPION, Privilege};

use super::given;

/// Aliases that need no mention when they are new.
const USUAL: [&str; 3] = [CHAMPION, "challenger", "shadow"];

#[pg_extern(volatile, parallel_unsafe, name = "promote_model")]
fn promote(
    name: Option<&str>,
    version: Option<i32>,
    alias: default!(Option<&str>, "'champion'"),
    reason: default!(Option<&str>, "NULL"),
) -> Result<(), ErrorReport> {
    let change = change(name, reason)?;
    let version = given("version", version)?;
    let alias = named_alias(alias)?;
    registry::require(change.model, Privilege::Promote)?;
    registry::find(change.model, version)?;
    let is_new = !USUAL.contains(&alias) && registry::aliased(change.model, alias)?.is_none();
    contract::across(Purpose::Promotion, change.model, alias, || {
        elevate::promote(change, alias, version)
    })?;
    // A misspelt alias, or a reason in its place, would go unnoticed.
    if is_new {
        notice!("alias \"{alias}\" of model \"{}\" is new", change.model);
    }
    Ok(())
}

#[pg_extern(volatile, parallel_unsafe)]
fn rollback_model(
    name: Option<&str>,
    alias: default!(Option<&str>, "'champion'"),
    reason: default!(Option<&str>, "NULL"),
) -> Result<i32, ErrorReport> {
    let change = change(name, reason)?;
    let alias = named_alias(alias)?;
    registry::require(change.model, Privilege::Promote)?;
    Ok(contract::across(
        Purpose::Return,
        change.model,
        alias,
        || elevate::rollback(change, alias),
    )?)
}

#[pg_extern(volatile, parallel_unsafe)]
fn drop_alias(
    name: Option<&str>,
    alias: Option<&str>,
    reason: default!(Option<&str>, "NULL"),
) -> Result<(), ErrorReport> {
    let change = change(name, reason)?;
    let alias = named_alias(alias)?;
    registry::require(change.model, Privilege::Promote)?;
    Ok(contract::across(
        Purpose::Return,
        change.model,
        alias,
        || elevate::drop_alias(change, alias),
    )?)
}

#[pg_extern(volatile, parallel_unsafe)]
fn retire_model(
    name: Option<&str>,
    version: Option<i32>,
    reason: default!(Option<&str>, "NULL"),
) -> Result<(), ErrorReport> {
    let change = change(name, reason)?;
    let version = given("version", version)?;
    registry::require_owner(change.model)?;
    registry::find(change.model, version)?;
    Ok(elevate::retire(change, version)?)
}

fn change<'a>(name: Option<&'a str>, reason: Option<&'a str>) -> Result<Change<'a>> {
    let model = given("name", name)?;
    Ok(Change { model, reason })
}

fn named_alias(alias: Option<&str>) -> Result<&str> {
    let alias = given("alias", alias)?;
    registry::check_name("alias", alias)?;
    Ok(alias)
}
