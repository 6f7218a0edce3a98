//! Index probes into finai's own tables under the active snapshot.
//!
//! They read whatever the caller's privileges on the tables are, so callers check the model's privilege.

use std::ffi::CStr;

use pgrx::htup::heap_getattr_raw;
use pgrx::prelude::*;
use pgrx::{FromDatum, IntoDatum};

use crate::error::{Error, Result};
use crate::row::JsonText;

use super::kept::Stored;

/// A value of an index column; keys name the leading columns of the index.
pub enum Key<'a> {
    Text(&'a str),
    Integer(i32),
    Bytes(&'a [u8]),
}

/// Which rows a scan sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Those of the active snapshot.
    Statement,
    /// Those that are committed, or changed by this transaction, now.
    Now,
}

/// A row under the cursor, valid while it is being visited.
pub struct Row {
    tuple: pg_sys::HeapTuple,
    relation: pg_sys::Relation,
    /// That has the tuple's page, where one is known.
    buffer: pg_sys::Buffer,
}

impl Row {
    pub fn text(&self, column: &CStr) -> Option<String> {
        self.get(column)
    }

    pub fn integer(&self, column: &CStr) -> Option<i32> {
        self.get(column)
    }

    pub fn bytes(&self, column: &CStr) -> Option<Vec<u8>> {
        self.get(column)
    }

    pub fn name(&self, column: &CStr) -> Option<String> {
        self.get::<&CStr>(column)
            .map(|name| name.to_string_lossy().into_owned())
    }

    pub fn oid(&self, column: &CStr) -> Option<pg_sys::Oid> {
        self.get(column)
    }

    pub fn integers(&self, column: &CStr) -> Option<Vec<i32>> {
        self.get(column)
    }

    pub fn texts(&self, column: &CStr) -> Option<Vec<String>> {
        self.get(column)
    }

    pub fn bigint(&self, column: &CStr) -> Option<i64> {
        self.get(column)
    }

    pub fn timestamp(&self, column: &CStr) -> Option<TimestampWithTimeZone> {
        self.get(column)
    }

    pub fn float(&self, column: &CStr) -> Option<f64> {
        self.get(column)
    }

    pub fn boolean(&self, column: &CStr) -> Option<bool> {
        self.get(column)
    }

    pub fn json(&self, column: &CStr) -> Option<serde_json::Value> {
        self.get::<JsonText>(column)?.parse().ok()
    }

    pub fn json_text(&self, column: &CStr) -> Option<String> {
        self.get::<JsonText>(column)
            .map(|json| json.as_str().to_owned())
    }

    /// Its table, its place in it, and the buffer that has its page.
    pub fn place(&self) -> (pg_sys::Oid, pg_sys::ItemPointerData, pg_sys::Buffer) {
        // SAFETY: the tuple is valid while the row is.
        let tuple = unsafe { &*self.tuple };
        (tuple.t_tableOid, tuple.t_self, self.buffer)
    }

    pub fn stored(&self) -> Stored<&[u8]> {
        // SAFETY: the tuple is valid while the row is.
        unsafe { Stored::of(&*self.tuple) }
    }

    fn get<T: FromDatum>(&self, column: &CStr) -> Option<T> {
        // SAFETY: tuple and relation belong to the open scan that created this row; the attribute is found by name
        // and the readers above are used with the types that sql/ gives these columns.
        unsafe {
            let descriptor = (*self.relation).rd_att;
            let number = pg_sys::SPI_fnumber(descriptor, column.as_ptr());
            let number = std::num::NonZeroUsize::new(usize::try_from(number).ok()?)?;
            let datum = heap_getattr_raw(self.tuple, number, descriptor)?;
            T::from_datum(datum, false)
        }
    }
}

/// The first row whose primary key starts with `keys`, as `read` sees it.
pub fn first<T>(
    table: &CStr,
    keys: &[(&CStr, Key)],
    read: impl Fn(&Row) -> T,
) -> Result<Option<T>> {
    let mut found = None;
    visit(table, keys, |row| {
        found = Some(read(row));
        false
    })?;
    Ok(found)
}

/// Visits rows whose primary key starts with `keys` until `visitor` returns false.
pub fn visit(table: &CStr, keys: &[(&CStr, Key)], visitor: impl FnMut(&Row) -> bool) -> Result<()> {
    scan(Moment::Statement, None, table, keys, visitor)
}

/// As [`visit`], of the rows of a moment.
pub fn visit_at(
    moment: Moment,
    table: &CStr,
    keys: &[(&CStr, Key)],
    visitor: impl FnMut(&Row) -> bool,
) -> Result<()> {
    scan(moment, None, table, keys, visitor)
}

/// As [`visit`], through another index than the primary key's.
pub fn visit_by(
    index: &CStr,
    table: &CStr,
    keys: &[(&CStr, Key)],
    visitor: impl FnMut(&Row) -> bool,
) -> Result<()> {
    scan(Moment::Statement, Some(index), table, keys, visitor)
}

fn scan(
    moment: Moment,
    index: Option<&CStr>,
    table: &CStr,
    keys: &[(&CStr, Key)],
    mut visitor: impl FnMut(&Row) -> bool,
) -> Result<()> {
    let oid = table_oid(table)?;
    let index = index.map(table_oid).transpose()?;
    // SAFETY: the relation stays open and locked until the scan has ended; scan keys live as long as the scan; the
    // active snapshot exists while a function is called. An error raised inside aborts the transaction, which closes both.
    unsafe {
        let lock = pg_sys::AccessShareLock as pg_sys::LOCKMODE;
        let relation = pg_sys::table_open(oid, lock);
        let index = index.unwrap_or_else(|| {
            #[cfg(feature = "pg18")]
            return pg_sys::RelationGetPrimaryKeyIndex(relation, false);
            #[cfg(not(feature = "pg18"))]
            pg_sys::RelationGetPrimaryKeyIndex(relation)
        });
        let mut scan_keys = [pg_sys::ScanKeyData::default(); 3];
        for (slot, (column, key)) in scan_keys.iter_mut().zip(keys) {
            let number = pg_sys::SPI_fnumber((*relation).rd_att, column.as_ptr());
            let (procedure, datum) = match key {
                Key::Text(value) => (pg_sys::F_TEXTEQ, value.into_datum()),
                Key::Integer(value) => (pg_sys::F_INT4EQ, value.into_datum()),
                Key::Bytes(value) => (pg_sys::F_BYTEAEQ, value.into_datum()),
            };
            pg_sys::ScanKeyInit(
                slot,
                number as pg_sys::AttrNumber,
                pg_sys::BTEqualStrategyNumber as pg_sys::StrategyNumber,
                procedure.into(),
                datum.unwrap_or_else(pg_sys::Datum::null),
            );
        }
        let scan = pg_sys::systable_beginscan(
            relation,
            index,
            true,
            match moment {
                Moment::Statement => pg_sys::GetActiveSnapshot(),
                // PostgreSQL takes a fresh one for a table that is no catalogue.
                Moment::Now => std::ptr::null_mut(),
            },
            keys.len().min(scan_keys.len()) as i32,
            scan_keys.as_mut_ptr(),
        );
        loop {
            let tuple = pg_sys::systable_getnext(scan);
            if tuple.is_null() {
                break;
            }
            let row = Row {
                tuple,
                relation,
                buffer: buffer_of((*scan).slot),
            };
            if !visitor(&row) {
                break;
            }
        }
        pg_sys::systable_endscan(scan);
        pg_sys::table_close(relation, lock);
    }
    Ok(())
}

/// # Safety
/// The slot holds a row.
unsafe fn buffer_of(slot: *const pg_sys::TupleTableSlot) -> pg_sys::Buffer {
    // SAFETY: the operations say what kind of slot it is.
    unsafe {
        if !std::ptr::eq((*slot).tts_ops, &raw const pg_sys::TTSOpsBufferHeapTuple) {
            return pg_sys::InvalidBuffer as pg_sys::Buffer;
        }
        (*slot.cast::<pg_sys::BufferHeapTupleTableSlot>()).buffer
    }
}

/// The role that owns finai's tables.
pub fn extension_owner() -> Result<pg_sys::Oid> {
    let oid = table_oid(c"model")?;
    // SAFETY: the relation stays open and locked while its catalogue row is read.
    unsafe {
        let lock = pg_sys::AccessShareLock as pg_sys::LOCKMODE;
        let relation = pg_sys::table_open(oid, lock);
        let owner = (*(*relation).rd_rel).relowner;
        pg_sys::table_close(relation, lock);
        Ok(owner)
    }
}

/// Whether the installed version of the extension has this table.
pub fn exists(table: &CStr) -> bool {
    relation(table) != pg_sys::InvalidOid
}

fn table_oid(table: &CStr) -> Result<pg_sys::Oid> {
    match relation(table) {
        pg_sys::InvalidOid => Err(Error::Installation(format!(
            "relation finai.{} is missing",
            table.to_string_lossy()
        ))),
        oid => Ok(oid),
    }
}

fn relation(name: &CStr) -> pg_sys::Oid {
    // SAFETY: catalogue lookups by NUL-terminated names.
    unsafe {
        let schema = pg_sys::get_namespace_oid(c"finai".as_ptr(), true);
        pg_sys::get_relname_relid(name.as_ptr(), schema)
    }
}
