//! Schema contracts: what the event triggers call, and the typed functions that they watch.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::contract::{self, EventTrigger, Name};
use crate::error::{Error, Result};
use crate::guard;
use crate::registry::Target;

#[pg_extern(volatile, parallel_unsafe)]
fn _ddl_starts(fcinfo: pg_sys::FunctionCallInfo) -> Result<EventTrigger, ErrorReport> {
    require_event(fcinfo)?;
    if contract::drops_extension(fcinfo)? {
        guard::require_nothing_held()?;
    }
    contract::ddl_starts()?;
    Ok(EventTrigger)
}

#[pg_extern(volatile, parallel_unsafe)]
fn _ddl_ends(fcinfo: pg_sys::FunctionCallInfo) -> Result<EventTrigger, ErrorReport> {
    require_event(fcinfo)?;
    if let Some(text) = contract::ddl_ends()? {
        contract::warn(text);
    }
    Ok(EventTrigger)
}

/// Typed scoring functions with the model, and the alias or version of it, that each calls.
#[pg_extern(stable, parallel_unsafe)]
#[allow(clippy::type_complexity)]
fn _typed_functions() -> Result<
    TableIterator<
        'static,
        (
            name!(function, pg_sys::Oid),
            name!(model, String),
            name!(alias, Option<String>),
            name!(version, Option<i32>),
        ),
    >,
    ErrorReport,
> {
    let functions = contract::typed_functions()?;
    Ok(TableIterator::new(functions.into_iter().filter_map(
        |typed| {
            let Name::Function(function) = typed.name else {
                return None;
            };
            let (alias, version) = match typed.reference.target {
                Target::Alias(alias) => (Some(alias), None),
                Target::Version(version) => (None, Some(version)),
            };
            Some((function, typed.reference.model, alias, version))
        },
    )))
}

fn require_event(fcinfo: pg_sys::FunctionCallInfo) -> Result<()> {
    match contract::is_event(fcinfo) {
        true => Ok(()),
        false => Err(Error::NotAnEvent),
    }
}
