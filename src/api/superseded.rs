//! Symbols that SQL of earlier releases calls and that took other arguments then: they ask for the update.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::error::Error;

#[pg_extern(sql = false)]
fn register_model() -> Result<(), ErrorReport> {
    Err(Error::Outdated.into())
}

#[pg_extern(sql = false)]
fn promote_model() -> Result<(), ErrorReport> {
    Err(Error::Outdated.into())
}

#[pg_extern(sql = false)]
fn grant_model() -> Result<(), ErrorReport> {
    Err(Error::Outdated.into())
}

#[pg_extern(sql = false)]
fn revoke_model() -> Result<(), ErrorReport> {
    Err(Error::Outdated.into())
}
