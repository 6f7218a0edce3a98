//! What PostgreSQL hands to a guard's trigger: rows, old and new, and what it wants back.

use std::ffi::CStr;
use std::marker::PhantomData;

use pgrx::callconv::{BoxRet, FcInfo};
use pgrx::datum::Datum;
use pgrx::pg_sys;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};

use crate::error::{GuardError, Result};
use crate::row::{self, Place, Shape, Tuple};

/// One call of a trigger function.
#[derive(Clone, Copy)]
pub struct Event<'call> {
    data: *mut pg_sys::TriggerData,
    call: PhantomData<&'call ()>,
}

/// When a trigger fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    AfterStatement,
    BeforeRow,
    /// Only made on partitioned tables.
    BeforeDelete,
    /// Only made for sessions that apply what was replicated.
    AfterRow,
}

impl Event<'_> {
    /// The event that a function was called for. `GuardError::NotATrigger` where there is none.
    pub fn of<'call>(fcinfo: pg_sys::FunctionCallInfo) -> Result<Event<'call>> {
        // SAFETY: fcinfo is valid while the function is called; its context is null or a node.
        unsafe {
            let context = (*fcinfo).context;
            if context.is_null() || (*context).type_ != pg_sys::NodeTag::T_TriggerData {
                return Err(GuardError::NotATrigger.into());
            }
            Ok(Event {
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

    /// The trigger's only argument. `GuardError::NotATrigger` for a trigger that no guard made.
    pub fn guard_name(&self) -> Result<String> {
        // SAFETY: a trigger has as many NUL-terminated arguments as it says.
        unsafe {
            let trigger = &*self.data().tg_trigger;
            if trigger.tgnargs != 1 {
                return Err(GuardError::NotATrigger.into());
            }
            let name = CStr::from_ptr(*trigger.tgargs);
            Ok(name.to_string_lossy().into_owned())
        }
    }

    pub fn moment(&self) -> Result<Moment> {
        let event = self.data().tg_event;
        let is_row = event & pg_sys::TRIGGER_EVENT_ROW != 0;
        match event & pg_sys::TRIGGER_EVENT_TIMINGMASK {
            pg_sys::TRIGGER_EVENT_BEFORE if is_row && self.is_delete() => Ok(Moment::BeforeDelete),
            _ if !self.is_insert() && !self.is_update() => Err(GuardError::NotATrigger.into()),
            pg_sys::TRIGGER_EVENT_BEFORE if is_row => Ok(Moment::BeforeRow),
            pg_sys::TRIGGER_EVENT_AFTER if is_row => Ok(Moment::AfterRow),
            pg_sys::TRIGGER_EVENT_AFTER if !self.data().tg_newtable.is_null() => {
                Ok(Moment::AfterStatement)
            }
            _ => Err(GuardError::NotATrigger.into()),
        }
    }

    fn is_insert(&self) -> bool {
        self.data().tg_event & pg_sys::TRIGGER_EVENT_OPMASK == pg_sys::TRIGGER_EVENT_INSERT
    }

    fn is_delete(&self) -> bool {
        self.data().tg_event & pg_sys::TRIGGER_EVENT_OPMASK == pg_sys::TRIGGER_EVENT_DELETE
    }

    pub fn is_update(&self) -> bool {
        self.data().tg_event & pg_sys::TRIGGER_EVENT_OPMASK == pg_sys::TRIGGER_EVENT_UPDATE
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

    /// The rows of a statement trigger, from the first one.
    pub fn rows(&self) -> Rows<'_> {
        let data = self.data();
        // SAFETY: a statement trigger with a transition table; both slots are dropped with the rows.
        unsafe {
            let slot = || {
                pg_sys::MakeSingleTupleTableSlot(
                    self.relation_data().rd_att,
                    &raw const pg_sys::TTSOpsMinimalTuple,
                )
            };
            let count = |table| usize::try_from(pg_sys::tuplestore_tuple_count(table)).unwrap_or(0);
            let new_count = count(data.tg_newtable);
            // A row that a trigger kept from moving to another partition is in the old table alone.
            let has_old = !data.tg_oldtable.is_null() && count(data.tg_oldtable) == new_count;
            let mut rows = Rows {
                shape: self.shape(),
                new: Stored {
                    table: data.tg_newtable,
                    slot: slot(),
                    memory: pg_sys::CurrentMemoryContext,
                },
                old: has_old.then(|| Stored {
                    table: data.tg_oldtable,
                    slot: slot(),
                    memory: pg_sys::CurrentMemoryContext,
                }),
                count: new_count,
                next: 0,
                event: PhantomData,
            };
            rows.rewind();
            rows
        }
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
    new: Stored,
    old: Option<Stored>,
    count: usize,
    next: usize,
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
        for stored in std::iter::once(&self.new).chain(&self.old) {
            // SAFETY: the table lasts as long as the event; pointer 0 is there from the start, and others' are their own.
            unsafe {
                pg_sys::tuplestore_select_read_pointer(stored.table, 0);
                pg_sys::tuplestore_rescan(stored.table);
            }
        }
    }

    /// The next row and its number from 0, with the row before an update.
    pub fn next(&mut self) -> Option<(usize, Tuple<'_>, Option<Tuple<'_>>)> {
        if !self.new.fetch() || !self.old.as_ref().is_none_or(Stored::fetch) {
            return None;
        }
        let number = self.next;
        self.next += 1;
        // SAFETY: the slots hold rows of the relation, and are filled anew only when the rows returned here are gone.
        unsafe {
            let new = Tuple::of_slot(self.new.slot, self.shape);
            let old = self
                .old
                .as_ref()
                .map(|old| Tuple::of_slot(old.slot, self.shape));
            Some((number, new, old))
        }
    }

    /// The row of a number that is not before the next one.
    pub fn skip_to(&mut self, number: usize) -> Option<Tuple<'_>> {
        let stored = std::iter::once(&self.new).chain(&self.old);
        let ahead = number.checked_sub(self.next)?;
        if ahead > 0 {
            for stored in stored {
                // SAFETY: as in `rewind`.
                unsafe { pg_sys::tuplestore_skiptuples(stored.table, ahead as i64, true) };
            }
        }
        self.next = number;
        self.next().map(|(_, new, _)| new)
    }
}

impl Stored {
    fn fetch(&self) -> bool {
        // SAFETY: table and slot last as long as the event, and the slot takes minimal tuples.
        unsafe {
            let before = pg_sys::MemoryContextSwitchTo(self.memory);
            pg_sys::tuplestore_select_read_pointer(self.table, 0);
            let found = pg_sys::tuplestore_gettupleslot(self.table, true, false, self.slot);
            pg_sys::MemoryContextSwitchTo(before);
            found
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
                c"finai guard".as_ptr(),
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
