//! A feature set and its stored copy, as they are committed or changed by this transaction now: a trigger in a
//! transaction with an old snapshot must know of a copy that is younger.

use pgrx::pg_sys;

use crate::error::{Error, Result};

use super::scan::{Key, Moment, Row, visit_at};

/// One feature set with what is known of its copy.
#[derive(Debug, Clone)]
pub struct CopiedSet {
    pub name: String,
    pub owner: String,
    /// Nothing where no role of that name existed when the row was written here.
    pub owner_oid: Option<pg_sys::Oid>,
    /// Schema and name, quoted; so is `source`.
    pub view: String,
    pub source: String,
    pub entity: String,
    pub event_time: String,
    pub event_id: String,
    pub features: serde_json::Value,
    /// Microseconds as PostgreSQL counts them; tells a set from a former one of its name.
    pub created_at: i64,
    /// The copy, schema and name, quoted; nothing where there is none.
    pub stored: Option<String>,
    /// The table whose triggers note changes.
    pub stored_source: Option<pg_sys::Oid>,
    /// Which files the source had when the copy was refreshed last.
    pub stored_state: Option<String>,
}

/// The feature set of that name; nothing where there is none.
pub fn copied_set(name: &str) -> Result<Option<CopiedSet>> {
    let mut found = None;
    let keys = [(c"name", Key::Text(name))];
    visit_at(Moment::Now, c"feature_set", &keys, |row| {
        found = Some(read(name, row));
        false
    })?;
    match found {
        Some(None) => Err(Error::Installation(format!(
            "row of feature set \"{name}\""
        ))),
        found => Ok(found.flatten()),
    }
}

fn read(name: &str, row: &Row) -> Option<CopiedSet> {
    Some(CopiedSet {
        name: name.to_owned(),
        owner: row.name(c"owner")?,
        owner_oid: row.oid(c"owner_oid"),
        view: row.text(c"view")?,
        source: row.text(c"source")?,
        entity: row.text(c"entity")?,
        event_time: row.text(c"event_time")?,
        event_id: row.text(c"event_id")?,
        features: row.json(c"features")?,
        created_at: row.bigint(c"created_at").unwrap_or(0),
        stored: row.text(c"stored"),
        stored_source: row.oid(c"stored_source"),
        stored_state: row.text(c"stored_state"),
    })
}
