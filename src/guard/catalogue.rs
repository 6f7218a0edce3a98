//! What a trigger knows of its table: whose guard it is, names, and the columns that tell rows apart.

use pgrx::pg_sys;

use crate::registry::Guard;
use crate::row::{Field, parent_of, qualified_name};

use super::trigger::Event;

/// Whether a guard was made for the trigger's table, or for one that this is a partition of.
pub fn is_of(event: Event, guard: &Guard) -> bool {
    let Some(guarded) = guard.relation else {
        return false;
    };
    let mut relation = event.relation();
    if relation == guarded {
        return true;
    }
    if !event.is_partition() {
        return false;
    }
    while let Some(parent) = parent_of(relation) {
        if parent == guarded {
            return true;
        }
        relation = parent;
    }
    false
}

/// A relation as SQL writes it, with its schema.
pub fn name(relation: pg_sys::Oid) -> String {
    qualified_name(relation)
}

/// The columns that an alert names a row by: all where none tell rows apart.
pub fn key_fields(event: Event) -> Vec<Field> {
    let columns = event.shape().columns();
    match event.key_positions() {
        Some(positions) => positions
            .iter()
            .filter_map(|at| columns.iter().find(|column| column.position == *at))
            .map(Field::new)
            .collect(),
        None => columns.iter().map(Field::new).collect(),
    }
}
