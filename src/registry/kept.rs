//! Rows that a backend found before. What the active snapshot sees where a row was, with the same bytes, is the row of its key
//! still: no index has to be asked.

use std::ffi::CStr;

use pgrx::itemptr::item_pointer_get_both;
use pgrx::pg_sys;

use crate::error::Result;

use super::file::File;
use super::scan::{Key, Row, visit};

/// A row's place, its bytes, and what was read of it.
pub struct Kept<T> {
    file: File,
    place: pg_sys::ItemPointerData,
    /// Where the page was in shared memory, numbered from 1.
    buffer: pg_sys::Buffer,
    stored: Vec<u8>,
    value: T,
}

impl<T> Kept<T> {
    pub fn of(row: &Row, value: T) -> Kept<T> {
        let (place, buffer) = row.place();
        Kept {
            file: row.file(),
            place,
            buffer,
            stored: row.stored().to_vec(),
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
        // What a serializable transaction reads is remembered by the index scan.
        // SAFETY: reads a variable.
        let is_serializable = unsafe { pg_sys::XactIsoLevel == pg_sys::XACT_SERIALIZABLE as i32 };
        let is_shared = self.buffer > pg_sys::InvalidBuffer as pg_sys::Buffer;
        let may_look = is_shared && !is_serializable && self.file.is_current();
        (may_look && self.is_there()).then_some(&self.value)
    }

    #[cfg(not(feature = "pg13"))]
    fn is_there(&self) -> bool {
        let (block, offset) = item_pointer_get_both(self.place);
        // SAFETY: the buffer is pinned only where it has this very page of the table's file, and then has it until it is
        // released; line pointers up to the page's last are there; the tuple lies in the page.
        unsafe {
            let (file, fork) = (self.file.locator, pg_sys::ForkNumber::MAIN_FORKNUM);
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
                        t_tableOid: self.file.table,
                        t_data: pg_sys::PageGetItem(page, item).cast(),
                    };
                    let snapshot = pg_sys::GetActiveSnapshot();
                    let tuple = &raw mut tuple;
                    is_there = Row::bytes_of(&*tuple) == self.stored
                        && pg_sys::HeapTupleSatisfiesVisibility(tuple, snapshot, self.buffer);
                }
            }
            pg_sys::UnlockReleaseBuffer(self.buffer);
            is_there
        }
    }

    #[cfg(feature = "pg13")]
    fn is_there(&self) -> bool {
        false
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
