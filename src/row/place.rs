//! Where a stored row is, and whether an update has moved it to another partition since.

use pgrx::pg_sys;

/// A row's place in a relation.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    relation: pg_sys::Oid,
    row: pg_sys::ItemPointerData,
}

/// What PostgreSQL's heap writes as the next version's place into a row that went to another partition.
const MOVED: pg_sys::ItemPointerData = pg_sys::ItemPointerData {
    ip_blkid: pg_sys::BlockIdData {
        bi_hi: u16::MAX,
        bi_lo: u16::MAX,
    },
    ip_posid: pg_sys::MovedPartitionsOffsetNumber as u16,
};

impl Place {
    /// # Safety
    /// `tuple` is a stored row of the relation.
    pub unsafe fn of(relation: pg_sys::Oid, tuple: pg_sys::HeapTuple) -> Place {
        Place {
            relation,
            // SAFETY: promised by the caller.
            row: unsafe { (*tuple).t_self },
        }
    }

    /// Whether the row that is there went to another partition. The running statement has the relation locked. Where rows are
    /// not kept in PostgreSQL's heap nobody can tell: it counts as moved then.
    pub fn is_left(&self) -> bool {
        // SAFETY: the relation is open and locked by the statement; the page stays pinned while the row on it is read.
        unsafe {
            let relation = pg_sys::table_open(self.relation, pg_sys::NoLock as pg_sys::LOCKMODE);
            let is_heap = (*(*relation).rd_rel).relam == pg_sys::HEAP_TABLE_AM_OID;
            let mut tuple = pg_sys::HeapTupleData {
                t_self: self.row,
                ..Default::default()
            };
            let mut buffer = pg_sys::InvalidBuffer as pg_sys::Buffer;
            let any = &raw mut pg_sys::SnapshotAnyData;
            let is_left = !is_heap
                || pg_sys::heap_fetch(relation, any, &raw mut tuple, &raw mut buffer, false) && {
                    let next = (*tuple.t_data).t_ctid;
                    pg_sys::ReleaseBuffer(buffer);
                    (next.ip_posid, next.ip_blkid.bi_hi, next.ip_blkid.bi_lo)
                        == (MOVED.ip_posid, MOVED.ip_blkid.bi_hi, MOVED.ip_blkid.bi_lo)
                };
            pg_sys::table_close(relation, pg_sys::NoLock as pg_sys::LOCKMODE);
            is_left
        }
    }
}
