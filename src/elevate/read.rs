//! Catalogue queries whose answer must not be older than the locks that are held, whoever asks.

use std::ffi::{CStr, CString};

use pgrx::prelude::*;

use crate::error::{Error, Result};

use super::identity::{acting_as_owner, under_latest_snapshot};

/// A parameter of a query.
pub enum Value<'a> {
    Text(&'a str),
    Integer(Option<i32>),
}

/// One row, every column as text.
pub type TextRow = Vec<Option<String>>;

/// The rows of a query as the owner of finai's tables sees them now. SPI reads under a pushed snapshot only where it is told
/// that nothing is written; pgrx's own calls take the transaction's, which in REPEATABLE READ is old.
pub fn rows_now(query: &str, parameters: &[Value]) -> Result<Vec<TextRow>> {
    let query = CString::new(query).map_err(|error| Error::Installation(error.to_string()))?;
    under_latest_snapshot(|| acting_as_owner(|| execute(&query, parameters)))
}

/// As `rows_now`, as the current role.
pub fn rows_as_role(query: &str, parameters: &[Value]) -> Result<Vec<TextRow>> {
    let query = CString::new(query).map_err(|error| Error::Installation(error.to_string()))?;
    under_latest_snapshot(|| execute(&query, parameters))
}

/// The rows of a query as the current role reads them under the statement's snapshot, however many queries one call asks.
pub fn rows(query: &str) -> Result<Vec<TextRow>> {
    let query = CString::new(query).map_err(|error| Error::Installation(error.to_string()))?;
    execute(&query, &[])
}

fn execute(query: &CStr, parameters: &[Value]) -> Result<Vec<TextRow>> {
    let mut types: Vec<pg_sys::Oid> = parameters.iter().map(Value::kind).collect();
    let values: Vec<Option<pg_sys::Datum>> = parameters.iter().map(Value::datum).collect();
    let nulls: Vec<std::ffi::c_char> = values
        .iter()
        .map(|value| if value.is_some() { b' ' } else { b'n' } as std::ffi::c_char)
        .collect();
    let mut datums: Vec<pg_sys::Datum> = values
        .into_iter()
        .map(|value| value.unwrap_or_else(pg_sys::Datum::null))
        .collect();
    // SAFETY: types, datums and nulls have one entry per parameter and outlive the call; the table of results is read
    // before SPI_finish frees it; an error raised inside aborts the transaction, which ends SPI too.
    unsafe {
        pg_sys::SPI_connect();
        let status = pg_sys::SPI_execute_with_args(
            query.as_ptr(),
            datums.len() as i32,
            types.as_mut_ptr(),
            datums.as_mut_ptr(),
            nulls.as_ptr(),
            true,
            0,
        );
        let table = pg_sys::SPI_tuptable;
        let found = if status == pg_sys::SPI_OK_SELECT as i32 && !table.is_null() {
            let count = pg_sys::SPI_processed as usize;
            Ok((0..count).map(|row| text_row(table, row)).collect())
        } else {
            Err(Error::Installation(format!("SPI status {status}")))
        };
        pg_sys::SPI_finish();
        found
    }
}

/// # Safety
/// `table` holds the results of a query that returned more than `row` rows.
unsafe fn text_row(table: *mut pg_sys::SPITupleTable, row: usize) -> TextRow {
    // SAFETY: the caller's promise; a value is null or a palloc'd NUL-terminated string.
    unsafe {
        let descriptor = (*table).tupdesc;
        let tuple = *(*table).vals.add(row);
        (1..=(*descriptor).natts)
            .map(|column| {
                let value = pg_sys::SPI_getvalue(tuple, descriptor, column);
                (!value.is_null()).then(|| CStr::from_ptr(value).to_string_lossy().into_owned())
            })
            .collect()
    }
}

impl Value<'_> {
    fn kind(&self) -> pg_sys::Oid {
        match self {
            Value::Text(_) => pg_sys::TEXTOID,
            Value::Integer(_) => pg_sys::INT4OID,
        }
    }

    fn datum(&self) -> Option<pg_sys::Datum> {
        match self {
            Value::Text(text) => text.into_datum(),
            Value::Integer(number) => number.into_datum(),
        }
    }
}
