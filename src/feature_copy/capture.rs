//! The trigger function on the source of a feature set that has a copy: reads the rows that a statement touched.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use pgrx::pg_sys;

use crate::elevate::{self, EventChange};
use crate::error::Result;
use crate::feature_set::{Basis, FeatureSet};
use crate::registry::{StoredCopy, stored_copy};
use crate::row::{TextColumn, Tuple, columns_of_relation, is_part_of};
use crate::trigger;

/// So many changes are written at once.
const BATCH: usize = 10_000;

/// Where the columns of a set are in the rows of a relation.
struct Layout {
    created_at: i64,
    id: TextColumn,
    time: TextColumn,
    groups: Vec<GroupCells>,
}

struct GroupCells {
    entity: Vec<TextColumn>,
    reads: Vec<TextColumn>,
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
pub fn capture(event: trigger::Event) -> Result<()> {
    let arguments = event.arguments();
    let Some(set) = arguments.first() else {
        return Ok(());
    };
    // A trigger that outlived its set, or that somebody else made, has nothing to say.
    let Some(copy) = stored_copy(set)? else {
        return Ok(());
    };
    let relation = event.relation();
    if !copy
        .source
        .is_some_and(|source| is_part_of(relation, source))
    {
        return Ok(());
    }
    let mut log = Log::of(set);
    if event.is_truncate() {
        log.push(EventChange::default())?;
        return log.flush();
    }
    let Some(layout) = layout(set, &copy, relation) else {
        // The set is not what it was, as the next refresh will say: whoever writes is not kept from it.
        log.push(EventChange::default())?;
        return log.flush();
    };
    elevate::writing_text(|| match event.is_row() {
        true => capture_row(event, &layout, &mut log),
        false => capture_statement(event, &layout, &mut log),
    })?;
    log.flush()
}

fn capture_row(event: trigger::Event, layout: &Layout, log: &mut Log) -> Result<()> {
    let row = Some(layout.event(&event.row()));
    let old = event.old_row().map(|old| layout.event(&old));
    match event.is_delete() {
        true => note(row, None, log),
        false => note(old, row, log),
    }
}

fn capture_statement(event: trigger::Event, layout: &Layout, log: &mut Log) -> Result<()> {
    let mut changes = event.changes();
    while let Some((old, new)) = changes.next() {
        let read = |row: Option<Tuple>| row.map(|row| layout.event(&row));
        note(read(old), read(new), log)?;
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

impl Layout {
    fn of(basis: &Basis, created_at: i64, relation: pg_sys::Oid) -> Option<Layout> {
        let columns = columns_of_relation(relation)?;
        let column = |name: &String| {
            let found = columns.iter().find(|column| column.name == *name);
            found.map(TextColumn::new)
        };
        let all = |names: &[String]| {
            let names = names.iter();
            names.map(column).collect::<Option<Vec<TextColumn>>>()
        };
        let groups = basis.reaches.iter().map(|reach| {
            Some(GroupCells {
                entity: all(&reach.entity)?,
                reads: all(&reach.reads)?,
            })
        });
        Some(Layout {
            created_at,
            id: column(&basis.event_id)?,
            time: column(&basis.event_time)?,
            groups: groups.collect::<Option<_>>()?,
        })
    }

    fn event(&self, row: &Tuple) -> Event {
        let texts = |columns: &[TextColumn]| columns.iter().map(|column| column.of(row)).collect();
        Event {
            id: self.id.of(row),
            time: self.time.of(row),
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
