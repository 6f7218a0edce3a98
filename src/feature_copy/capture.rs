//! The trigger function on the source of a feature set that has a copy: reads the rows that a statement touched.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::CStr;
use std::rc::Rc;

use pgrx::callconv::BoxRet;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::prelude::*;

use crate::elevate::{self, EventChange, Value, rows_now};
use crate::error::{CopyError, Result};
use crate::feature_set::{Basis, FeatureSet};
use crate::registry::{StoredCopy, stored_copy};
use crate::row::{Column, columns_of_relation};

/// So many changes are written at once.
const BATCH: usize = 10_000;
const IS_PARTITION_OF: &str =
    "SELECT FROM pg_catalog.pg_partition_ancestors($1::pg_catalog.oid::pg_catalog.regclass) a
     WHERE a.relid = $2::pg_catalog.oid::pg_catalog.regclass";

/// What a trigger function returns: a null pointer, which is no SQL NULL.
pub struct Nothing;

/// Where the columns of a set are in the rows of a relation.
struct Layout {
    created_at: i64,
    id: Cell,
    time: Cell,
    groups: Vec<GroupCells>,
}

struct GroupCells {
    entity: Vec<Cell>,
    reads: Vec<Cell>,
}

/// A column and the function that writes its values.
#[derive(Clone, Copy)]
struct Cell {
    position: usize,
    output: pg_sys::Oid,
}

/// A row as far as a set reads it, in texts.
struct Event {
    id: Option<String>,
    time: Option<String>,
    groups: Vec<EventGroup>,
}

#[derive(PartialEq)]
struct EventGroup {
    entity: Vec<Option<String>>,
    reads: Vec<Option<String>>,
}

thread_local! {
    /// Per set and relation, as they were found last.
    static LAYOUTS: RefCell<HashMap<(String, pg_sys::Oid), Rc<Layout>>> = RefCell::default();
}

/// Notes what the statement, or the row, that fired the trigger changed.
pub fn capture(fcinfo: pg_sys::FunctionCallInfo) -> Result<()> {
    let trigger = trigger_data(fcinfo)?;
    // SAFETY: the trigger manager passes its data and the open relation for the duration of the call.
    let (relation, event) = unsafe { ((*(*trigger).tg_relation).rd_id, (*trigger).tg_event) };
    let Some(set) = set_name(trigger) else {
        return Ok(());
    };
    // A trigger that outlived its set, or that somebody else made, has nothing to say.
    let Some(copy) = stored_copy(&set)? else {
        return Ok(());
    };
    if !is_source(&copy, relation)? {
        return Ok(());
    }
    let mut log = Log::of(&set);
    if event & pg_sys::TRIGGER_EVENT_OPMASK == pg_sys::TRIGGER_EVENT_TRUNCATE {
        log.push(EventChange::default())?;
        return log.flush();
    }
    let Some(layout) = layout(&set, &copy, relation) else {
        // The set is not what it was, as the next refresh will say: whoever writes is not kept from it.
        log.push(EventChange::default())?;
        return log.flush();
    };
    // SAFETY: trigger data as above.
    elevate::writing_text(|| unsafe {
        match event & pg_sys::TRIGGER_EVENT_ROW {
            0 => capture_statement(trigger, &layout, &mut log),
            _ => capture_row(trigger, &layout, &mut log),
        }
    })?;
    log.flush()
}

/// # Safety
/// `trigger` is the data of an AFTER ROW trigger that is firing.
unsafe fn capture_row(
    trigger: *mut pg_sys::TriggerData,
    layout: &Layout,
    log: &mut Log,
) -> Result<()> {
    // SAFETY: an AFTER ROW trigger has the row in tg_trigslot and, on UPDATE, the new one in tg_newslot.
    let (old, new) = unsafe {
        let first = layout.event((*trigger).tg_trigslot);
        match (*trigger).tg_event & pg_sys::TRIGGER_EVENT_OPMASK {
            pg_sys::TRIGGER_EVENT_UPDATE => {
                (Some(first), Some(layout.event((*trigger).tg_newslot)))
            }
            pg_sys::TRIGGER_EVENT_DELETE => (Some(first), None),
            _ => (None, Some(first)),
        }
    };
    note(old, new, log)
}

/// # Safety
/// `trigger` is the data of an AFTER STATEMENT trigger with the transition tables of its event.
unsafe fn capture_statement(
    trigger: *mut pg_sys::TriggerData,
    layout: &Layout,
    log: &mut Log,
) -> Result<()> {
    // SAFETY: transition tables are null where the trigger has none, and of the relation's row type.
    let (mut old, mut new) = unsafe {
        let descriptor = (*(*trigger).tg_relation).rd_att;
        (
            Rows::of((*trigger).tg_oldtable, descriptor),
            Rows::of((*trigger).tg_newtable, descriptor),
        )
    };
    // Both tables of an UPDATE list the same rows in the same order.
    loop {
        let before = old.as_mut().and_then(|rows| rows.next(layout));
        let after = new.as_mut().and_then(|rows| rows.next(layout));
        if before.is_none() && after.is_none() {
            break;
        }
        note(before, after, log)?;
    }
    for rows in [old, new].into_iter().flatten() {
        rows.close();
    }
    Ok(())
}

/// Notes one row's change: for each group that can tell, under the entity that it was and the one that it is.
fn note(old: Option<Event>, new: Option<Event>, log: &mut Log) -> Result<()> {
    match (old, new) {
        (Some(old), Some(new)) if old.id == new.id && old.time == new.time => {
            let changed = |i: usize| old.groups[i] != new.groups[i];
            let moved = |i: usize| old.groups[i].entity != new.groups[i].entity;
            if (0..old.groups.len()).any(moved) {
                log.push(old.change(moved))?;
            }
            log.push(new.change(changed))
        }
        (old, new) => {
            for event in [old, new].into_iter().flatten() {
                log.push(event.change(|_| true))?;
            }
            Ok(())
        }
    }
}

impl Event {
    fn change(&self, can_tell: impl Fn(usize) -> bool) -> EventChange {
        let entities: Vec<Option<&Vec<Option<String>>>> = self
            .groups
            .iter()
            .enumerate()
            .map(|(i, group)| {
                let is_known = group.entity.iter().all(Option::is_some);
                (is_known && self.time.is_some() && can_tell(i)).then_some(&group.entity)
            })
            .collect();
        EventChange {
            id: self.id.clone(),
            time: self.time.clone(),
            entities: entities
                .iter()
                .any(Option::is_some)
                .then(|| serde_json::json!(entities).to_string()),
        }
    }
}

/// Changes on their way into the table.
struct Log<'a> {
    set: &'a str,
    changes: Vec<EventChange>,
}

impl Log<'_> {
    fn of(set: &str) -> Log<'_> {
        Log {
            set,
            changes: Vec::new(),
        }
    }

    fn push(&mut self, change: EventChange) -> Result<()> {
        self.changes.push(change);
        match self.changes.len() {
            BATCH => self.flush(),
            _ => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<()> {
        let changes = std::mem::take(&mut self.changes);
        if changes.is_empty() {
            return Ok(());
        }
        elevate::log_changes(self.set, changes)
    }
}

/// Rows of a transition table.
struct Rows {
    table: *mut pg_sys::Tuplestorestate,
    pointer: i32,
    slot: *mut pg_sys::TupleTableSlot,
}

impl Rows {
    /// # Safety
    /// `table` is null or a transition table with rows of `descriptor`, and outlives the result.
    unsafe fn of(
        table: *mut pg_sys::Tuplestorestate,
        descriptor: pg_sys::TupleDesc,
    ) -> Option<Rows> {
        if table.is_null() {
            return None;
        }
        // SAFETY: other readers of the table have read pointers of their own; the slot lives in the trigger's memory.
        unsafe {
            let pointer =
                pg_sys::tuplestore_alloc_read_pointer(table, pg_sys::EXEC_FLAG_REWIND as i32);
            pg_sys::tuplestore_select_read_pointer(table, pointer);
            pg_sys::tuplestore_rescan(table);
            Some(Rows {
                table,
                pointer,
                slot: pg_sys::MakeSingleTupleTableSlot(
                    descriptor,
                    &raw const pg_sys::TTSOpsMinimalTuple,
                ),
            })
        }
    }

    fn close(self) {
        // SAFETY: the slot that `of` made; an error on the way here gives it back with the transaction's other resources.
        unsafe { pg_sys::ExecDropSingleTupleTableSlot(self.slot) };
    }

    fn next(&mut self, layout: &Layout) -> Option<Event> {
        // SAFETY: the slot is of the table's row type; what it holds is read before the next row is fetched.
        unsafe {
            pg_sys::tuplestore_select_read_pointer(self.table, self.pointer);
            pg_sys::tuplestore_gettupleslot(self.table, true, false, self.slot)
                .then(|| layout.event(self.slot))
        }
    }
}

impl Layout {
    fn of(basis: &Basis, created_at: i64, relation: pg_sys::Oid) -> Option<Layout> {
        let columns = columns_of_relation(relation)?;
        let all = |names: &[String]| {
            let names = names.iter();
            names
                .map(|name| Cell::of(&columns, name))
                .collect::<Option<Vec<Cell>>>()
        };
        let groups = basis.reaches.iter().map(|reach| {
            Some(GroupCells {
                entity: all(&reach.entity)?,
                reads: all(&reach.reads)?,
            })
        });
        Some(Layout {
            created_at,
            id: Cell::of(&columns, &basis.event_id)?,
            time: Cell::of(&columns, &basis.event_time)?,
            groups: groups.collect::<Option<_>>()?,
        })
    }

    /// # Safety
    /// `slot` holds a row of the relation that the layout is of.
    unsafe fn event(&self, slot: *mut pg_sys::TupleTableSlot) -> Event {
        let texts = |cells: &[Cell]| {
            let cells = cells.iter();
            // SAFETY: the caller's promise; cells are columns of that relation.
            cells.map(|cell| unsafe { cell.text(slot) }).collect()
        };
        Event {
            // SAFETY: as above.
            id: unsafe { self.id.text(slot) },
            // SAFETY: as above.
            time: unsafe { self.time.text(slot) },
            groups: self
                .groups
                .iter()
                .map(|group| EventGroup {
                    entity: texts(&group.entity),
                    reads: texts(&group.reads),
                })
                .collect(),
        }
    }
}

impl Cell {
    fn of(columns: &[Column], name: &str) -> Option<Cell> {
        let column = columns.iter().find(|column| column.name == name)?;
        let (mut output, mut is_varlena) = (pg_sys::InvalidOid, false);
        // SAFETY: a catalogue lookup by a type's oid.
        unsafe {
            pg_sys::getTypeOutputInfo(column.base_type, &raw mut output, &raw mut is_varlena)
        };
        Some(Cell {
            position: column.position,
            output,
        })
    }

    /// # Safety
    /// `slot` holds a row that has the column.
    unsafe fn text(self, slot: *mut pg_sys::TupleTableSlot) -> Option<String> {
        // SAFETY: columns up to this one are taken apart first; the output function is the column's type's, which answers
        // with a palloc'd NUL-terminated string.
        unsafe {
            if ((*slot).tts_nvalid as usize) <= self.position {
                pg_sys::slot_getsomeattrs_int(slot, self.position as i32 + 1);
            }
            if *(*slot).tts_isnull.add(self.position) {
                return None;
            }
            let value = *(*slot).tts_values.add(self.position);
            let text = pg_sys::OidOutputFunctionCall(self.output, value);
            let owned = CStr::from_ptr(text).to_string_lossy().into_owned();
            pg_sys::pfree(text.cast());
            Some(owned)
        }
    }
}

/// Nothing where the set lacks its view or a column.
fn layout(set: &str, copy: &StoredCopy, relation: pg_sys::Oid) -> Option<Rc<Layout>> {
    let key = (set.to_owned(), relation);
    let known = LAYOUTS.with_borrow(|layouts| layouts.get(&key).cloned());
    if let Some(layout) = known.filter(|layout| layout.created_at == copy.created_at) {
        return Some(layout);
    }
    let basis = FeatureSet::load(set).ok()?.basis();
    let layout = Rc::new(Layout::of(&basis, copy.created_at, relation)?);
    LAYOUTS.with_borrow_mut(|layouts| layouts.insert(key, layout.clone()));
    Some(layout)
}

/// Whether the copy was made from this relation, or from the table that it is a partition of.
fn is_source(copy: &StoredCopy, relation: pg_sys::Oid) -> Result<bool> {
    let Some(source) = copy.source else {
        return Ok(false);
    };
    if relation == source {
        return Ok(true);
    }
    // SAFETY: a catalogue lookup by oid.
    if !unsafe { pg_sys::get_rel_relispartition(relation) } {
        return Ok(false);
    }
    let (relation, source) = (relation.to_u32().to_string(), source.to_u32().to_string());
    let rows = rows_now(
        IS_PARTITION_OF,
        &[Value::Text(&relation), Value::Text(&source)],
    )?;
    Ok(!rows.is_empty())
}

/// The first argument of the trigger.
fn set_name(trigger: *mut pg_sys::TriggerData) -> Option<String> {
    // SAFETY: a trigger has tgnargs arguments, each NUL-terminated.
    unsafe {
        let trigger = (*trigger).tg_trigger;
        ((*trigger).tgnargs >= 1).then(|| {
            CStr::from_ptr(*(*trigger).tgargs)
                .to_string_lossy()
                .into_owned()
        })
    }
}

fn trigger_data(fcinfo: pg_sys::FunctionCallInfo) -> Result<*mut pg_sys::TriggerData> {
    // SAFETY: a call's context is null or a node, whose tag says what it is.
    unsafe {
        let context = (*fcinfo).context;
        match !context.is_null() && (*context).type_ == pg_sys::NodeTag::T_TriggerData {
            true => Ok(context.cast()),
            false => Err(CopyError::NotATrigger.into()),
        }
    }
}

// SAFETY: a null pointer that is no SQL NULL is what AFTER triggers return.
unsafe impl BoxRet for Nothing {
    unsafe fn box_into<'fcx>(
        self,
        fcinfo: &mut pgrx::callconv::FcInfo<'fcx>,
    ) -> pgrx::datum::Datum<'fcx> {
        // SAFETY: as above.
        unsafe { fcinfo.return_raw_datum(pg_sys::Datum::null()) }
    }
}

// SAFETY: a return type alone, whose value nobody reads.
unsafe impl SqlTranslatable for Nothing {
    const TYPE_IDENT: &'static str = pgrx::pgrx_resolved_type!(Nothing);
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> = Err(ArgumentError::Datum);
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> =
        Ok(ReturnsRef::One(SqlMappingRef::literal("trigger")));
}
