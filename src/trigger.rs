//! What PostgreSQL hands to a trigger function: rows, old and new, and what it wants back.

use std::ffi::CStr;
use std::marker::PhantomData;

use pgrx::callconv::{BoxRet, FcInfo};
use pgrx::datum::Datum;
use pgrx::pg_sys;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};

use crate::row::{self, Place, Shape, Tuple};

/// One call of a trigger function.
#[derive(Clone, Copy)]
pub struct Event<'call> {
    data: *mut pg_sys::TriggerData,
    call: PhantomData<&'call ()>,
}

impl Event<'_> {
    /// The event that a function was called for; nothing where it was called otherwise.
    pub fn of<'call>(fcinfo: pg_sys::FunctionCallInfo) -> Option<Event<'call>> {
        // SAFETY: fcinfo is valid while the function is called; its context is null or a node.
        unsafe {
            let context = (*fcinfo).context;
            if context.is_null() || (*context).type_ != pg_sys::NodeTag::T_TriggerData {
                return None;
            }
            Some(Event {
                data: context.cast(),
                call: PhantomData,
            })
        }
    }

    fn data(&self) -> &pg_sys::TriggerData {
        // SAFETY: `of` found the node, which lives as long as the call.
        unsafe { &*self.data }
    }

    fn relation_data(&self) -> &pg_sys::RelationData {
        // SAFETY: the trigger's relation is open while the trigger runs.
        unsafe { &*self.data().tg_relation }
    }

    /// The arguments that the trigger was made with.
    pub fn arguments(&self) -> Vec<String> {
        // SAFETY: a trigger has as many NUL-terminated arguments as it says.
        unsafe {
            let trigger = &*self.data().tg_trigger;
            let argument = |at| CStr::from_ptr(*trigger.tgargs.add(at)).to_string_lossy();
            let count = usize::try_from(trigger.tgnargs).unwrap_or(0);
            (0..count).map(|at| argument(at).into_owned()).collect()
        }
    }

    pub fn is_row(&self) -> bool {
        self.data().tg_event & pg_sys::TRIGGER_EVENT_ROW != 0
    }

    pub fn is_before(&self) -> bool {
        self.data().tg_event & pg_sys::TRIGGER_EVENT_TIMINGMASK == pg_sys::TRIGGER_EVENT_BEFORE
    }

    pub fn is_after(&self) -> bool {
        self.data().tg_event & pg_sys::TRIGGER_EVENT_TIMINGMASK == pg_sys::TRIGGER_EVENT_AFTER
    }

    /// Whether a statement trigger has the rows as they are now.
    pub fn has_new_rows(&self) -> bool {
        !self.data().tg_newtable.is_null()
    }

    pub fn is_insert(&self) -> bool {
        self.data().tg_event & pg_sys::TRIGGER_EVENT_OPMASK == pg_sys::TRIGGER_EVENT_INSERT
    }

    pub fn is_delete(&self) -> bool {
        self.data().tg_event & pg_sys::TRIGGER_EVENT_OPMASK == pg_sys::TRIGGER_EVENT_DELETE
    }

    pub fn is_update(&self) -> bool {
        self.data().tg_event & pg_sys::TRIGGER_EVENT_OPMASK == pg_sys::TRIGGER_EVENT_UPDATE
    }

    pub fn is_truncate(&self) -> bool {
        self.data().tg_event & pg_sys::TRIGGER_EVENT_OPMASK == pg_sys::TRIGGER_EVENT_TRUNCATE
    }

    pub fn relation(&self) -> pg_sys::Oid {
        self.relation_data().rd_id
    }

    pub fn is_partition(&self) -> bool {
        // SAFETY: an open relation has a catalogue row.
        unsafe { (*self.relation_data().rd_rel).relispartition }
    }

    /// The relation's owner as of now.
    pub fn owner(&self) -> pg_sys::Oid {
        // SAFETY: an open relation has a catalogue row.
        unsafe { (*self.relation_data().rd_rel).relowner }
    }

    /// Positions of the columns that tell its rows apart, where there are some.
    pub fn key_positions(&self) -> Option<Vec<usize>> {
        // SAFETY: the relation stays open as long as the event lasts.
        unsafe { row::key_positions(self.data().tg_relation) }
    }

    pub fn shape(&self) -> Shape {
        // SAFETY: the relation stays open as long as the event lasts.
        unsafe { Shape::of(self.data().tg_relation) }
    }

    /// The row that a row trigger fires for, as it is to be stored or was.
    pub fn row(&self) -> Tuple<'_> {
        let data = self.data();
        let slot = if self.is_update() {
            data.tg_newslot
        } else {
            data.tg_trigslot
        };
        // SAFETY: row triggers have the slots of their event filled with rows of their relation.
        unsafe { Tuple::of_slot(slot, self.shape()) }
    }

    /// Where the row is that a BEFORE DELETE trigger fires for.
    pub fn place(&self) -> Place {
        // SAFETY: the trigger has the stored row.
        unsafe { Place::of(self.relation(), self.data().tg_trigtuple) }
    }

    /// The row before an update.
    pub fn old_row(&self) -> Option<Tuple<'_>> {
        // SAFETY: as above.
        self.is_update()
            .then(|| unsafe { Tuple::of_slot(self.data().tg_trigslot, self.shape()) })
    }

    /// The rows of a statement trigger as they are now, from the first one.
    pub fn rows(&self) -> Rows<'_> {
        let count = |stored: &Stored| stored.count();
        let (new, old) = (self.stored_new(), self.stored_old());
        let new_count = new.as_ref().map_or(0, count);
        let mut rows = Rows {
            shape: self.shape(),
            new,
            // A row that a trigger kept from moving to another partition is in the old table alone.
            old: old.filter(|old| count(old) == new_count),
            count: new_count,
            next: 0,
            event: PhantomData,
        };
        rows.rewind();
        rows
    }

    /// What a statement trigger's rows were and are.
    pub fn changes(&self) -> Changes<'_> {
        let changes = Changes {
            shape: self.shape(),
            old: self.stored_old(),
            new: self.stored_new(),
            event: PhantomData,
        };
        for stored in changes.old.iter().chain(&changes.new) {
            stored.rewind();
        }
        changes
    }

    fn stored_new(&self) -> Option<Stored> {
        self.stored(self.data().tg_newtable)
    }

    fn stored_old(&self) -> Option<Stored> {
        self.stored(self.data().tg_oldtable)
    }

    fn stored(&self, table: *mut pg_sys::Tuplestorestate) -> Option<Stored> {
        // SAFETY: a transition table has rows of the relation; the slot is dropped with what is returned.
        (!table.is_null()).then(|| unsafe {
            Stored {
                table,
                slot: pg_sys::MakeSingleTupleTableSlot(
                    self.relation_data().rd_att,
                    &raw const pg_sys::TTSOpsMinimalTuple,
                ),
                memory: pg_sys::CurrentMemoryContext,
            }
        })
    }

    /// What a BEFORE ROW trigger returns to have the row stored as it is.
    pub fn unchanged(&self) -> Outcome {
        let data = self.data();
        let tuple = if self.is_update() {
            data.tg_newtuple
        } else {
            data.tg_trigtuple
        };
        Outcome(pg_sys::Datum::from(tuple))
    }

    /// What it returns to have the row stored with other values, or none, in some columns, numbered from 0.
    pub fn changed(&self, columns: &[(usize, Option<pg_sys::Datum>)]) -> Outcome {
        let data = self.data();
        let tuple = if self.is_update() {
            data.tg_newtuple
        } else {
            data.tg_trigtuple
        };
        let mut numbers: Vec<i32> = columns.iter().map(|(at, _)| *at as i32 + 1).collect();
        let datum = |value: &Option<pg_sys::Datum>| value.unwrap_or_else(pg_sys::Datum::null);
        let mut values: Vec<pg_sys::Datum> = columns.iter().map(|(_, v)| datum(v)).collect();
        let mut nulls: Vec<bool> = columns.iter().map(|(_, v)| v.is_none()).collect();
        // SAFETY: the tuple is of the relation; numbers are of its columns, values of their types, one each.
        let tuple = unsafe {
            pg_sys::heap_modify_tuple_by_cols(
                tuple,
                self.relation_data().rd_att,
                numbers.len() as i32,
                numbers.as_mut_ptr(),
                values.as_mut_ptr(),
                nulls.as_mut_ptr(),
            )
        };
        Outcome(pg_sys::Datum::from(tuple))
    }
}

/// Writes a line into the server's log. Logging ends in a look for interrupts, which can leave by a long jump: they wait
/// for the next one.
pub fn log(text: &str) {
    // SAFETY: a counter of this single-threaded backend, back as it was right after.
    unsafe { pg_sys::InterruptHoldoffCount += 1 };
    pgrx::log!("{text}");
    // SAFETY: as above.
    unsafe { pg_sys::InterruptHoldoffCount -= 1 };
}

/// Whether this session applies what was replicated.
pub fn is_replica() -> bool {
    // SAFETY: reads a setting.
    unsafe { pg_sys::SessionReplicationRole == pg_sys::SESSION_REPLICATION_ROLE_REPLICA as i32 }
}

/// The rows of a statement in the order of its execution, with what they were before where it updates.
pub struct Rows<'event> {
    shape: Shape,
    new: Option<Stored>,
    old: Option<Stored>,
    count: usize,
    next: usize,
    event: PhantomData<&'event ()>,
}

/// What rows of a statement were and are: of an update in the same order.
pub struct Changes<'event> {
    shape: Shape,
    old: Option<Stored>,
    new: Option<Stored>,
    event: PhantomData<&'event ()>,
}

struct Stored {
    table: *mut pg_sys::Tuplestorestate,
    slot: *mut pg_sys::TupleTableSlot,
    /// Rows of a table that went to disk are read into this, for the slot to free.
    memory: pg_sys::MemoryContext,
}

impl Rows<'_> {
    pub fn count(&self) -> usize {
        self.count
    }

    pub fn rewind(&mut self) {
        self.next = 0;
        for stored in self.new.iter().chain(&self.old) {
            stored.rewind();
        }
    }

    /// The next row and its number from 0, with the row before an update.
    pub fn next(&mut self) -> Option<(usize, Tuple<'_>, Option<Tuple<'_>>)> {
        let new = self.new.as_mut()?.fetch(self.shape)?;
        let old = match &mut self.old {
            Some(old) => Some(old.fetch(self.shape)?),
            None => None,
        };
        let number = self.next;
        self.next += 1;
        Some((number, new, old))
    }

    /// The row of a number that is not before the next one.
    pub fn skip_to(&mut self, number: usize) -> Option<Tuple<'_>> {
        let ahead = number.checked_sub(self.next)?;
        if ahead > 0 {
            for stored in self.new.iter().chain(&self.old) {
                stored.skip(ahead);
            }
        }
        self.next = number;
        self.next().map(|(_, new, _)| new)
    }
}

impl Changes<'_> {
    /// The next row as it was and as it is; nothing after the last one.
    pub fn next(&mut self) -> Option<(Option<Tuple<'_>>, Option<Tuple<'_>>)> {
        let old = self.old.as_mut().and_then(|old| old.fetch(self.shape));
        let new = self.new.as_mut().and_then(|new| new.fetch(self.shape));
        (old.is_some() || new.is_some()).then_some((old, new))
    }
}

impl Stored {
    fn count(&self) -> usize {
        // SAFETY: the table lasts as long as the event.
        let count = unsafe { pg_sys::tuplestore_tuple_count(self.table) };
        usize::try_from(count).unwrap_or(0)
    }

    fn rewind(&self) {
        // SAFETY: as above; pointer 0 is there from the start, and others' are their own.
        unsafe {
            pg_sys::tuplestore_select_read_pointer(self.table, 0);
            pg_sys::tuplestore_rescan(self.table);
        }
    }

    fn skip(&self, rows: usize) {
        // SAFETY: as above.
        unsafe {
            pg_sys::tuplestore_select_read_pointer(self.table, 0);
            pg_sys::tuplestore_skiptuples(self.table, rows as i64, true);
        }
    }

    fn fetch(&mut self, shape: Shape) -> Option<Tuple<'_>> {
        // SAFETY: table and slot last as long as the event, and the slot takes minimal tuples of the relation; it is filled
        // anew only when the row returned here is gone.
        unsafe {
            let before = pg_sys::MemoryContextSwitchTo(self.memory);
            pg_sys::tuplestore_select_read_pointer(self.table, 0);
            let found = pg_sys::tuplestore_gettupleslot(self.table, true, false, self.slot);
            pg_sys::MemoryContextSwitchTo(before);
            found.then(|| Tuple::of_slot(self.slot, shape))
        }
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        // SAFETY: the slot was made for this table alone, and is dropped once.
        unsafe { pg_sys::ExecDropSingleTupleTableSlot(self.slot) };
    }
}

/// Memory for what rows leave behind while they are read, given back batch by batch.
pub struct Scratch {
    context: pg_sys::MemoryContext,
    before: pg_sys::MemoryContext,
}

impl Scratch {
    /// Memory of PostgreSQL's that is asked for from now on is of the scratch.
    pub fn enter() -> Scratch {
        // SAFETY: the context is a child of the current one, which deletes it where an error leaves it behind.
        unsafe {
            let before = pg_sys::CurrentMemoryContext;
            let context = pg_sys::AllocSetContextCreateInternal(
                before,
                c"finai trigger".as_ptr(),
                pg_sys::ALLOCSET_DEFAULT_MINSIZE as usize,
                pg_sys::ALLOCSET_DEFAULT_INITSIZE as usize,
                pg_sys::ALLOCSET_DEFAULT_MAXSIZE as usize,
            );
            pg_sys::MemoryContextSwitchTo(context);
            Scratch { context, before }
        }
    }

    /// Gives back what was asked for.
    pub fn reset(&self) {
        // SAFETY: nothing of Rust's lies in it.
        unsafe { pg_sys::MemoryContextReset(self.context) };
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // SAFETY: the context that was current is so again; while an error unwinds, PostgreSQL chooses its own afterwards.
        unsafe {
            pg_sys::MemoryContextSwitchTo(self.before);
            pg_sys::MemoryContextDelete(self.context);
        }
    }
}

/// What a trigger function returns: a row, or nothing.
pub struct Outcome(pg_sys::Datum);

impl Outcome {
    /// After the fact, whatever is returned is ignored; before it, this keeps the row out.
    pub fn nothing() -> Outcome {
        Outcome(pg_sys::Datum::null())
    }
}

// SAFETY: a trigger function returns a pointer to a row, or a null pointer that is no SQL null.
unsafe impl BoxRet for Outcome {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        // SAFETY: as above.
        unsafe { fcinfo.return_raw_datum(self.0) }
    }
}

// SAFETY: a return type alone.
unsafe impl SqlTranslatable for Outcome {
    const TYPE_IDENT: &'static str = pgrx::pgrx_resolved_type!(Outcome);
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> = Err(ArgumentError::Datum);
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> =
        Ok(ReturnsRef::One(SqlMappingRef::literal("trigger")));
}
