//! SQL-callable functions: parse, call, return. One file per noun of the product.

mod administration;
mod bundled;
mod contracts;
mod feature_copies;
mod features;
mod guards;
mod models;
mod promotion;
mod scoring;
mod statistics;
mod superseded;
mod transforms;

use crate::error::{Error, Result};

/// An argument without which there is nothing to do.
fn given<T>(parameter: &'static str, value: Option<T>) -> Result<T> {
    value.ok_or(Error::NullParameter(parameter, None))
}

/// As [`given`], with what to give.
fn given_as<T>(parameter: &'static str, value: Option<T>, hint: &'static str) -> Result<T> {
    value.ok_or(Error::NullParameter(parameter, Some(hint)))
}
