//! Feature sets: made and dropped with their views, which belong to who makes them.

use crate::error::{FeatureSetError, Result};

use super::{as_owner, run};

/// What is stored of a set.
pub struct NewFeatureSet<'a> {
    pub name: &'a str,
    pub owner: &'a str,
    pub view: &'a str,
    pub source: &'a str,
    pub entity: &'a str,
    pub event_time: &'a str,
    pub event_id: &'a str,
    pub time_zone: &'a str,
    /// JSON.
    pub features: &'a str,
}

const CREATE: &str = "INSERT INTO finai.feature_set (name, owner, view, source, entity, event_time, event_id, time_zone, features, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, clock_timestamp()) ON CONFLICT (name) DO NOTHING";
const DROP: &str = "DELETE FROM finai.feature_set WHERE name = $1";

/// Stores a set of a free name. The caller makes its view in the same transaction, with rights of their own.
pub fn create_feature_set(new: &NewFeatureSet) -> Result<()> {
    let created = as_owner(|| {
        let texts = [
            new.name,
            new.owner,
            new.view,
            new.source,
            new.entity,
            new.event_time,
            new.event_id,
            new.time_zone,
            new.features,
        ];
        run(CREATE, &texts.map(Into::into))
    })?;
    match created {
        0 => Err(FeatureSetError::Exists(new.name.to_owned()).into()),
        _ => Ok(()),
    }
}

/// Forgets a set, whose owner the caller was found to be.
pub fn drop_feature_set(name: &str) -> Result<()> {
    match as_owner(|| run(DROP, &[name.into()]))? {
        0 => Err(FeatureSetError::Unknown(name.to_owned()).into()),
        _ => Ok(()),
    }
}
