//! A feature set as its row has it.

use pgrx::pg_sys;

use crate::error::Result;

use super::scan::{Key, first};

/// Where a set's features come from. Names of relations are as SQL writes them.
#[derive(Debug, Clone)]
pub struct FeatureSet {
    pub name: String,
    pub owner: Option<pg_sys::Oid>,
    pub view: String,
    /// Entity, time and id of an event, as create_feature_set was told.
    pub columns: [String; 3],
}

/// The feature set of that name; nothing where there is none.
pub fn feature_set(name: &str) -> Result<Option<FeatureSet>> {
    let keys = [(c"name", Key::Text(name))];
    let found = first(c"feature_set", &keys, |row| {
        Some(FeatureSet {
            name: name.to_owned(),
            owner: row.oid(c"owner_oid"),
            view: row.text(c"view")?,
            columns: [
                row.text(c"entity")?,
                row.text(c"event_time")?,
                row.text(c"event_id")?,
            ],
        })
    })?;
    Ok(found.flatten())
}
