//! What a trigger knows of its table: whose guard it is, names, and the columns that tell rows apart.

use pgrx::pg_sys;

use crate::registry::Guard;
use crate::row::{Field, is_part_of, qualified_name, row_type_of};
use crate::trigger::Event;

/// Whether a guard was made for the trigger's table, or for one that this is a partition of.
pub fn is_of(event: Event, guard: &Guard) -> bool {
    let table = guard.relation;
    table.is_some_and(|table| is_part_of(event.relation(), table))
}

/// Whether the table that a guard was made for is there.
pub fn has_table(guard: &Guard) -> bool {
    guard
        .relation
        .is_some_and(|table| row_type_of(table).is_some())
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
