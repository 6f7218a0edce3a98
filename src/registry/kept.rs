//! Rows that a backend found before. What the active snapshot sees where a row was, stored in the same way, is the row of its
//! key still: no index has to be asked.

use std::ffi::CStr;

use pgrx::itemptr::item_pointer_get_both;
use pgrx::pg_sys;

use crate::error::Result;

use super::scan::{Key, Row, visit};

/// A row's place, what is stored there, and what was read of it.
pub struct Kept<T> {
    table: pg_sys::Oid,
    place: pg_sys::ItemPointerData,
    /// Where the page was in shared memory, numbered from 1.
    buffer: pg_sys::Buffer,
    stored: Stored<Vec<u8>>,
    value: T,
}

impl<T> Kept<T> {
    pub fn of(row: &Row, value: T) -> Kept<T> {
        let (table, place, buffer) = row.place();
        Kept {
            table,
            place,
            buffer,
            stored: row.stored().to_owned(),
            value,
        }
    }

    /// What was read of the row, whatever has become of it.
    pub fn last(&self) -> &T {
        &self.value
    }

    /// What was read of the row, where it is as it was and the active snapshot sees it. Nothing says nothing: the row may
    /// have moved, or its page have left memory.
    pub fn current(&self) -> Option<&T> {
        // SAFETY: the relation is open and locked while it is read, so that nobody has given the table another file and not
        // said so; one that is gone is not opened.
        let is_there = unsafe {
            // What a serializable transaction reads is remembered by the index scan.
            let is_serializable = pg_sys::XactIsoLevel == pg_sys::XACT_SERIALIZABLE as i32;
            if is_serializable || self.buffer <= pg_sys::InvalidBuffer as pg_sys::Buffer {
                return None;
            }
            let lock = pg_sys::AccessShareLock as pg_sys::LOCKMODE;
            let relation = pg_sys::try_relation_open(self.table, lock);
            if relation.is_null() {
                return None;
            }
            let is_there = self.is_in(relation);
            pg_sys::relation_close(relation, lock);
            is_there
        };
        is_there.then_some(&self.value)
    }

    /// # Safety
    /// The relation is open and locked, and there is an active snapshot.
    #[cfg(not(feature = "pg13"))]
    unsafe fn is_in(&self, relation: pg_sys::Relation) -> bool {
        let (block, offset) = item_pointer_get_both(self.place);
        // SAFETY: the buffer is pinned only where it has this very page of the relation's file, and then has it until it is
        // released; line pointers up to the page's last are there; the tuple lies in the page.
        unsafe {
            #[cfg(any(feature = "pg14", feature = "pg15"))]
            let file = (*relation).rd_node;
            #[cfg(not(any(feature = "pg14", feature = "pg15")))]
            let file = (*relation).rd_locator;
            let fork = pg_sys::ForkNumber::MAIN_FORKNUM;
            if !pg_sys::ReadRecentBuffer(file, fork, block, self.buffer) {
                return false;
            }
            pg_sys::LockBuffer(self.buffer, pg_sys::BUFFER_LOCK_SHARE as i32);
            let page = pg_sys::BufferGetPage(self.buffer);
            let mut is_there = false;
            if offset <= pg_sys::PageGetMaxOffsetNumber(page) {
                let item = pg_sys::PageGetItemId(page, offset);
                if (*item).lp_flags() == pg_sys::LP_NORMAL {
                    let mut tuple = pg_sys::HeapTupleData {
                        t_len: (*item).lp_len(),
                        t_self: self.place,
                        t_tableOid: self.table,
                        t_data: pg_sys::PageGetItem(page, item).cast(),
                    };
                    let snapshot = pg_sys::GetActiveSnapshot();
                    let tuple = &raw mut tuple;
                    is_there = Stored::of(&*tuple) == self.stored.as_slice()
                        && pg_sys::HeapTupleSatisfiesVisibility(tuple, snapshot, self.buffer);
                }
            }
            pg_sys::UnlockReleaseBuffer(self.buffer);
            is_there
        }
    }

    #[cfg(feature = "pg13")]
    unsafe fn is_in(&self, _relation: pg_sys::Relation) -> bool {
        false
    }
}

/// A row as it is stored: equal ones of a table have equal values.
#[derive(PartialEq, Eq)]
pub struct Stored<B> {
    columns: u32,
    has_nulls: bool,
    /// From which columns are NULL on.
    bytes: B,
}

impl Stored<&[u8]> {
    /// # Safety
    /// The tuple's data is there, as long as it says.
    pub unsafe fn of(tuple: &pg_sys::HeapTupleData) -> Stored<&[u8]> {
        let start = std::mem::offset_of!(pg_sys::HeapTupleHeaderData, t_bits);
        let length = (tuple.t_len as usize).saturating_sub(start);
        // SAFETY: the caller's promise; what the header ends with is within the tuple's length.
        unsafe {
            let header = &*tuple.t_data;
            Stored {
                columns: u32::from(header.t_infomask2) & pg_sys::HEAP_NATTS_MASK,
                has_nulls: u32::from(header.t_infomask) & pg_sys::HEAP_HASNULL != 0,
                bytes: std::slice::from_raw_parts(tuple.t_data.cast::<u8>().add(start), length),
            }
        }
    }

    fn to_owned(&self) -> Stored<Vec<u8>> {
        Stored {
            columns: self.columns,
            has_nulls: self.has_nulls,
            bytes: self.bytes.to_vec(),
        }
    }
}

impl Stored<Vec<u8>> {
    fn as_slice(&self) -> Stored<&[u8]> {
        Stored {
            columns: self.columns,
            has_nulls: self.has_nulls,
            bytes: &self.bytes,
        }
    }
}

/// As [`super::scan::first`], looked for first where it was: `kept` is of the same table and keys.
pub fn first<'kept, T>(
    kept: &'kept mut Option<Kept<T>>,
    table: &CStr,
    keys: &[(&CStr, Key)],
    read: impl Fn(&Row) -> T,
) -> Result<Option<&'kept T>> {
    let is_current = kept.as_ref().is_some_and(|kept| kept.current().is_some());
    if !is_current {
        *kept = None;
        visit(table, keys, |row| {
            *kept = Some(Kept::of(row, read(row)));
            false
        })?;
    }
    Ok(kept.as_ref().map(|kept| &kept.value))
}
