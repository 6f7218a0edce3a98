//! Transforms: a version added, versions dropped.

use crate::error::{Result, TransformError};
use crate::registry;

use super::{as_owner_for, returned, run, under_latest_snapshot};

/// What a fit stores.
pub struct NewTransform<'a> {
    pub name: &'a str,
    /// Its name with its schema's.
    pub relation: &'a str,
    /// JSON.
    pub rules: &'a str,
    /// JSON.
    pub fitted: &'a str,
}

const CHANGE: &std::ffi::CStr = c"a change of a transform";

/// Of two changes of one transform the second waits and looks again, or fails with 40001.
const LOCK: &str = "SELECT FROM finai.transform WHERE name = $1 FOR UPDATE";
/// Nothing where somebody else adds the same version at once.
const ADD: &str = "INSERT INTO finai.transform (name, version, owner, relation, rules, fitted)
     SELECT $1, coalesce(max(t.version), 0) + 1, $2, $3, $4::jsonb, $5::jsonb FROM finai.transform t WHERE t.name = $1
     ON CONFLICT (name, version) DO NOTHING RETURNING version";
const DROP: &str =
    "DELETE FROM finai.transform WHERE name = $1 AND version = coalesce($2, version)";

/// Stores a fit and returns its version. Needs that there is none of that name, or to act for the owner.
pub fn add_transform(new: NewTransform) -> Result<i32> {
    let by = registry::current_user_name();
    loop {
        pgrx::check_for_interrupts!();
        as_owner_for(CHANGE, || run(LOCK, &[new.name.into()]))?;
        let owner = match under_latest_snapshot(|| registry::transform_owner_now(new.name))? {
            Some(owner) => {
                registry::require_transform_owner(new.name, owner)?;
                registry::existing_name(owner).unwrap_or_else(|| by.clone())
            }
            None => by.clone(),
        };
        let added = as_owner_for(CHANGE, || {
            returned::<i32>(
                ADD,
                &[
                    new.name.into(),
                    owner.into(),
                    new.relation.into(),
                    new.rules.into(),
                    new.fitted.into(),
                ],
            )
        })?;
        if let Some(version) = added.first() {
            return Ok(*version);
        }
    }
}

/// Removes a version of a transform, or all. Needs to act for the owner.
pub fn drop_transform(name: &str, version: Option<i32>) -> Result<()> {
    as_owner_for(CHANGE, || run(LOCK, &[name.into()]))?;
    match under_latest_snapshot(|| registry::transform_owner_now(name))? {
        Some(owner) => registry::require_transform_owner(name, owner)?,
        None => return Err(TransformError::Unknown(name.to_owned()).into()),
    }
    match (
        as_owner_for(CHANGE, || run(DROP, &[name.into(), version.into()]))?,
        version,
    ) {
        (0, Some(version)) => Err(TransformError::UnknownVersion {
            name: name.to_owned(),
            version,
        }
        .into()),
        _ => Ok(()),
    }
}
