//! A query of one row that takes one row, planned once.

use std::ffi::CString;

use pgrx::callconv::{BoxRet, FcInfo};
use pgrx::pg_sys;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};

use crate::error::{Error, Result};

use super::record::Record;

/// A kept plan of a query whose $1 is a row and whose answer is one jsonb.
pub struct RowQuery {
    plan: pg_sys::SPIPlanPtr,
}

/// A jsonb value as PostgreSQL made it.
pub struct Jsonb(pg_sys::Datum);

impl RowQuery {
    /// Plans a query for rows of this row's type.
    pub fn new(query: &str, record: &Record) -> Result<RowQuery> {
        let query = CString::new(query).map_err(|error| Error::Installation(error.to_string()))?;
        let mut types = [record.row_type().0];
        // SAFETY: one parameter has one type; the plan is kept until Drop frees it; an error raised inside aborts the
        // transaction, which ends SPI too.
        unsafe {
            pg_sys::SPI_connect();
            let plan = pg_sys::SPI_prepare(query.as_ptr(), 1, types.as_mut_ptr());
            let kept = if plan.is_null() {
                pg_sys::SPI_result
            } else {
                pg_sys::SPI_keepplan(plan)
            };
            pg_sys::SPI_finish();
            match kept {
                0 => Ok(RowQuery { plan }),
                status => Err(Error::Installation(format!("SPI status {status}"))),
            }
        }
    }

    /// The answer for a row, read under the statement's snapshot; nothing where there is no row of it.
    pub fn run(&self, record: &Record) -> Result<Option<Jsonb>> {
        let mut values = [record.datum()];
        let nulls = [b' ' as std::ffi::c_char];
        // SAFETY: the row is of the type that the plan was made for; the answer is copied out of SPI's memory into the
        // caller's before SPI_finish frees it; an error raised inside aborts the transaction, which ends SPI too.
        unsafe {
            pg_sys::SPI_connect();
            let status =
                pg_sys::SPI_execute_plan(self.plan, values.as_mut_ptr(), nulls.as_ptr(), true, 1);
            let table = pg_sys::SPI_tuptable;
            if status != pg_sys::SPI_OK_SELECT as i32 || table.is_null() {
                pg_sys::SPI_finish();
                return Err(Error::Installation(format!("SPI status {status}")));
            }
            let mut answer = None;
            if pg_sys::SPI_processed > 0 {
                let mut is_null = false;
                let value =
                    pg_sys::SPI_getbinval(*(*table).vals, (*table).tupdesc, 1, &raw mut is_null);
                if !is_null {
                    answer = Some(Jsonb(pg_sys::SPI_datumTransfer(value, false, -1)));
                }
            }
            pg_sys::SPI_finish();
            Ok(answer)
        }
    }
}

impl Drop for RowQuery {
    fn drop(&mut self) {
        // SAFETY: the plan belongs to this query and is freed once; reads no catalogue.
        unsafe { pg_sys::SPI_freeplan(self.plan) };
    }
}

// SAFETY: the datum is a jsonb in memory of the function's caller.
unsafe impl BoxRet for Jsonb {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> pgrx::datum::Datum<'fcx> {
        // SAFETY: as above.
        unsafe { fcinfo.return_raw_datum(self.0) }
    }
}

// SAFETY: `jsonb` is the SQL type of the datum.
unsafe impl SqlTranslatable for Jsonb {
    const TYPE_IDENT: &'static str = pgrx::pgrx_resolved_type!(Jsonb);
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: std::result::Result<SqlMappingRef, ArgumentError> =
        Ok(SqlMappingRef::literal("jsonb"));
    const RETURN_SQL: std::result::Result<ReturnsRef, ReturnsError> =
        Ok(ReturnsRef::One(SqlMappingRef::literal("jsonb")));
}
