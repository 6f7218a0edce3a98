//! Statements as the owner of a set runs them.

use pgrx::prelude::*;
use sha2::{Digest, Sha256};

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

/// A name as SQL quotes it.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The name of a set in at most so many bytes, of which the last tell it from others that begin alike.
pub fn shortened(set: &str, most: usize) -> String {
    let Some((start, _)) = set.split_at_checked(most - 9).filter(|_| set.len() > most) else {
        return set.to_owned();
    };
    let digest: String = Sha256::digest(set)
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{start}_{digest}")
}
