//! A query about one row of a relation, prepared once and kept.

use pgrx::{FromDatum, pg_sys};

use crate::error::{Error, Result};

use super::record::Record;
use super::tuple::Tuple;

/// A prepared query with a row as its only parameter, which returns a row.
pub struct RowQuery {
    plan: pg_sys::SPIPlanPtr,
    name: String,
    row_type: pg_sys::Oid,
}

impl RowQuery {
    /// Under a name that tells it from others. Raises what preparing does.
    pub fn prepare(name: &str, text: &str, row: &Tuple) -> Result<RowQuery> {
        let damaged = |what: &str| Error::Installation(what.to_owned());
        let query = std::ffi::CString::new(text).map_err(|_| damaged("a query has a zero"))?;
        let row_type = row.row_type();
        let mut types = [row_type];
        // SAFETY: the text is NUL-terminated, the types are as many as said; an error ends SPI with its transaction. What is
        // kept lives until Drop frees it.
        let plan = unsafe {
            pg_sys::SPI_connect();
            let plan = pg_sys::SPI_prepare(query.as_ptr(), 1, types.as_mut_ptr());
            let is_kept = !plan.is_null() && pg_sys::SPI_keepplan(plan) == 0;
            pg_sys::SPI_finish();
            is_kept.then_some(plan)
        };
        Ok(RowQuery {
            plan: plan.ok_or_else(|| damaged("a query cannot be prepared"))?,
            name: name.to_owned(),
            row_type,
        })
    }

    /// Whether this is the query of that name for rows like this one.
    pub fn is_for(&self, name: &str, row: &Tuple) -> bool {
        self.name == name && self.row_type == row.row_type()
    }

    /// Runs the query, which sees what the running command did so far, and hands over the row that it returns; nothing where
    /// it returns none. Raises what the query does.
    pub fn run<T>(&self, row: &Tuple, read: impl FnOnce(&Record) -> T) -> Option<T> {
        // SAFETY: the plan takes one row of this type; the result is read before SPI_finish frees it, and the query's only
        // column is a composite.
        unsafe {
            let mut argument = row.to_composite();
            pg_sys::SPI_connect();
            let status =
                pg_sys::SPI_execute_plan(self.plan, &raw mut argument, std::ptr::null(), false, 1);
            let table = pg_sys::SPI_tuptable;
            let found = status == pg_sys::SPI_OK_SELECT as i32
                && !table.is_null()
                && pg_sys::SPI_processed == 1;
            let result = if found {
                let mut is_null = false;
                let tuple = *(*table).vals;
                let datum = pg_sys::SPI_getbinval(tuple, (*table).tupdesc, 1, &raw mut is_null);
                Record::from_datum(datum, is_null).map(|record| read(&record))
            } else {
                None
            };
            pg_sys::SPI_finish();
            result
        }
    }
}

impl Drop for RowQuery {
    fn drop(&mut self) {
        // SAFETY: the plan was kept for this value alone, and is freed once.
        unsafe { pg_sys::SPI_freeplan(self.plan) };
    }
}
