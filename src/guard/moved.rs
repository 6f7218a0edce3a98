//! Rows that an update moves to another partition. PostgreSQL deletes such a row from its partition, then inserts it into the
//! other: BEFORE INSERT triggers fire for a row that is none the less no new one.

use std::cell::RefCell;

use crate::registry::Statement;
use crate::row::Place;
use crate::trigger::Event;

/// Notes kept: one for each statement within another that deletes rows, and each of their guards.
const NOTES: usize = 1024;

thread_local! {
    static NOTED: RefCell<Vec<Note>> = const { RefCell::new(Vec::new()) };
}

struct Note {
    guard: String,
    statement: Statement,
    place: Place,
}

/// Before a row is deleted: it may turn up in another partition next.
pub fn leaves(event: Event, guard: String) {
    let place = event.place();
    NOTED.with(|noted| {
        let Ok(mut noted) = noted.try_borrow_mut() else {
            return;
        };
        if let Some(at) = position(&noted, &guard) {
            noted[at].place = place;
            return;
        }
        if noted.len() >= NOTES {
            noted.remove(0);
        }
        noted.push(Note {
            guard,
            statement: Statement::current(),
            place,
        });
    });
}

/// Whether the row that is about to be inserted is the one that this statement deleted last, on its way to here.
pub fn arrives(guard: &str) -> bool {
    let place = NOTED.with(|noted| {
        let mut noted = noted.try_borrow_mut().ok()?;
        let at = position(&noted, guard)?;
        Some(noted.remove(at).place)
    });
    place.is_some_and(|place| place.is_left())
}

fn position(noted: &[Note], guard: &str) -> Option<usize> {
    let is_meant = |note: &Note| note.guard == guard && note.statement.is_current();
    noted.iter().rposition(is_meant)
}
