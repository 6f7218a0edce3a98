//! The stored copy of a feature set, as it is committed or changed by this transaction now: a trigger in a transaction with
//! an old snapshot must know of a copy that is younger.

use pgrx::pg_sys;

use crate::error::Result;

use super::scan::{Key, Moment, Row, visit_at};

/// What is known of a set's copy.
#[derive(Debug, Clone)]
pub struct StoredCopy {
    /// Microseconds as PostgreSQL counts them; tells a set from a former one of its name.
    pub created_at: i64,
    /// Schema and name, quoted; nothing where there is no copy. So are the others.
    pub name: Option<String>,
    /// The table whose triggers note changes.
    pub source: Option<pg_sys::Oid>,
    /// Which files the source had when the copy was refreshed last.
    pub state: Option<String>,
}

/// The copy of the feature set of that name; nothing where there is no such set.
pub fn stored_copy(set: &str) -> Result<Option<StoredCopy>> {
    let mut found = None;
    let keys = [(c"name", Key::Text(set))];
    visit_at(Moment::Now, c"feature_set", &keys, |row| {
        found = Some(read(row));
        false
    })?;
    Ok(found)
}

fn read(row: &Row) -> StoredCopy {
    StoredCopy {
        created_at: row.bigint(c"created_at").unwrap_or(0),
        name: row.text(c"stored"),
        source: row.oid(c"stored_source"),
        state: row.text(c"stored_state"),
    }
}
