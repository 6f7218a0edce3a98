//! Statements prepared once per backend, run as the caller under the active snapshot, and their rows.

use std::ffi::CString;

use pgrx::pg_sys;

use crate::error::{Error, Result};

/// A value, or null.
#[derive(Clone, Copy)]
pub struct Cell {
    pub(super) datum: pg_sys::Datum,
    pub(super) is_null: bool,
}

impl Cell {
    pub(super) fn null() -> Cell {
        Cell {
            datum: pg_sys::Datum::null(),
            is_null: true,
        }
    }
}

/// A prepared statement that only reads.
pub struct SavedPlan {
    plan: pg_sys::SPIPlanPtr,
    parameters: usize,
}

impl SavedPlan {
    /// Prepares a statement whose parameters have these types. It is planned once, for any values.
    pub fn new(statement: &str, types: &[pg_sys::Oid]) -> Result<SavedPlan> {
        let statement =
            CString::new(statement).map_err(|error| Error::Installation(error.to_string()))?;
        let mut types: Vec<pg_sys::Oid> = types.iter().map(|oid| known(*oid)).collect();
        // SAFETY: the statement is NUL-terminated, the types are as many as said; an error aborts the transaction, which
        // ends SPI too. A kept plan outlives SPI_finish.
        unsafe {
            pg_sys::SPI_connect();
            let options = (pg_sys::CURSOR_OPT_GENERIC_PLAN | pg_sys::CURSOR_OPT_NO_SCROLL) as i32;
            let plan = pg_sys::SPI_prepare_cursor(
                statement.as_ptr(),
                types.len() as i32,
                types.as_mut_ptr(),
                options,
            );
            let kept = match plan.is_null() {
                true => pg_sys::SPI_ERROR_ARGUMENT,
                false => pg_sys::SPI_keepplan(plan),
            };
            pg_sys::SPI_finish();
            match kept {
                0 => Ok(SavedPlan {
                    plan,
                    parameters: types.len(),
                }),
                status => Err(Error::Installation(format!("SPI status {status}"))),
            }
        }
    }

    /// The first row, in the caller's memory. With a row type, nothing too where the columns are not of its types.
    pub fn first_row(
        &self,
        cells: &[Cell],
        row_type: Option<pg_sys::Oid>,
    ) -> Result<Option<Vec<Cell>>> {
        if cells.len() != self.parameters {
            return Err(Error::Installation(format!(
                "{} values for {} parameters",
                cells.len(),
                self.parameters
            )));
        }
        let mut datums: Vec<pg_sys::Datum> = cells.iter().map(|cell| cell.datum).collect();
        let nulls: Vec<std::ffi::c_char> = cells
            .iter()
            .map(|cell| if cell.is_null { b'n' } else { b' ' } as std::ffi::c_char)
            .collect();
        // SAFETY: one datum and one null flag per parameter, which outlive the call; rows are read before SPI_finish frees
        // them; an error raised inside aborts the transaction, which ends SPI too.
        unsafe {
            pg_sys::SPI_connect();
            let status =
                pg_sys::SPI_execute_plan(self.plan, datums.as_mut_ptr(), nulls.as_ptr(), true, 1);
            let table = pg_sys::SPI_tuptable;
            let found = if status != pg_sys::SPI_OK_SELECT as i32 || table.is_null() {
                Err(Error::Installation(format!("SPI status {status}")))
            } else if pg_sys::SPI_processed == 0 {
                Ok(None)
            } else {
                let (tuple, descriptor) = (*(*table).vals, (*table).tupdesc);
                match row_type.is_none_or(|row_type| has_types(descriptor, row_type)) {
                    true => Ok(Some(copied(tuple, descriptor))),
                    false => Ok(None),
                }
            };
            pg_sys::SPI_finish();
            found
        }
    }
}

impl Drop for SavedPlan {
    fn drop(&mut self) {
        // SAFETY: the plan was kept by `new` and is freed once.
        unsafe { pg_sys::SPI_freeplan(self.plan) };
    }
}

/// A literal of no type is passed as a text.
pub(super) fn known(oid: pg_sys::Oid) -> pg_sys::Oid {
    match oid {
        pg_sys::UNKNOWNOID => pg_sys::TEXTOID,
        oid => oid,
    }
}

/// # Safety
/// The descriptor is valid.
unsafe fn has_types(descriptor: pg_sys::TupleDesc, row_type: pg_sys::Oid) -> bool {
    // SAFETY: the row type's descriptor is pinned while it is read.
    unsafe {
        let wanted = pg_sys::lookup_rowtype_tupdesc(row_type, -1);
        let types = |descriptor: pg_sys::TupleDesc| -> Vec<pg_sys::Oid> {
            let columns = pgrx::PgTupleDesc::from_pg_unchecked(descriptor);
            columns.iter().map(|column| column.atttypid).collect()
        };
        let same = types(descriptor) == types(wanted);
        super::columns::release(wanted);
        same
    }
}

/// Copies into the memory that was current when SPI was connected.
///
/// # Safety
/// The tuple is of the descriptor; SPI is connected.
unsafe fn copied(tuple: pg_sys::HeapTuple, descriptor: pg_sys::TupleDesc) -> Vec<Cell> {
    // SAFETY: the lists have a place for each attribute; a datum that is not null is of its attribute's type.
    unsafe {
        let count = (*descriptor).natts as usize;
        let mut datums = vec![pg_sys::Datum::null(); count];
        let mut nulls = vec![true; count];
        pg_sys::heap_deform_tuple(tuple, descriptor, datums.as_mut_ptr(), nulls.as_mut_ptr());
        let columns = pgrx::PgTupleDesc::from_pg_unchecked(descriptor);
        let cells = columns.iter().zip(datums.iter().zip(&nulls));
        let cells = cells.map(|(column, (datum, is_null))| match is_null {
            true => Cell::null(),
            false => Cell {
                datum: pg_sys::SPI_datumTransfer(*datum, column.attbyval, i32::from(column.attlen)),
                is_null: false,
            },
        });
        cells.collect()
    }
}
