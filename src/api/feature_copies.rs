//! Stored copies of feature sets.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::error::{CopyError, Error};
use crate::feature_copy;
use crate::trigger::{Event, Outcome};

use super::given;

#[pg_extern(
    volatile,
    parallel_unsafe,
    sql = "CREATE PROCEDURE finai.refresh_feature_set(name text, rebuild boolean DEFAULT false) LANGUAGE c AS 'MODULE_PATHNAME', '@FUNCTION_NAME@';"
)]
fn refresh_feature_set(name: Option<&str>, rebuild: Option<bool>) -> Result<(), ErrorReport> {
    let name = given("name", name)?;
    let rebuild = given("rebuild", rebuild)?;
    Ok(feature_copy::refresh(name, rebuild)?)
}

#[pg_extern(volatile, parallel_unsafe)]
fn _log_feature_change(fcinfo: pg_sys::FunctionCallInfo) -> Result<Outcome, ErrorReport> {
    let event = Event::of(fcinfo).ok_or(Error::from(CopyError::NotATrigger))?;
    feature_copy::capture(event)?;
    Ok(Outcome::nothing())
}
