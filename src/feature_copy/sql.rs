//! Statements as the owner of a set runs them.

use pgrx::prelude::*;

use crate::elevate::{self, TextRow, Value};
use crate::error::{Error, Result};

/// Runs a statement and returns how many rows it touched.
pub fn execute(statement: &str, arguments: &[Vec<Option<String>>]) -> Result<usize> {
    Spi::connect_mut(|client| {
        let arguments: Vec<_> = arguments
            .iter()
            .map(|column| column.clone().into())
            .collect();
        let done = client.update(statement, None, &arguments);
        done.map(|rows| rows.len())
            .map_err(|error| Error::Installation(error.to_string()))
    })
}

/// Reads rows, of the catalogue as it is now.
pub fn rows(query: &str, parameters: &[Value]) -> Result<Vec<TextRow>> {
    elevate::rows_as_role(query, parameters)
}
