//! Aliases: moved, moved back, removed.

use crate::bundled;
use crate::error::{Error, Result};
use crate::registry::{self, CHAMPION, Privilege, Status};

use super::{Change, as_owner, hold, record, returned, run};

/// Remembers the last hundred versions that an alias meant.
const MOVE_ALIAS: &str = "INSERT INTO finai.model_alias AS a (model, alias, version, previous) VALUES ($1, $2, $3, $4)
     ON CONFLICT (model, alias) DO UPDATE
     SET version = excluded.version,
         previous = CASE WHEN a.version = excluded.version THEN a.previous
                         ELSE (a.previous || a.version)[greatest(cardinality(a.previous) - 98, 1):] END";
const MOVE_BACK: &str = "UPDATE finai.model_alias SET version = $3, previous = previous[:$4] WHERE model = $1 AND alias = $2";
const DROP_ALIAS: &str =
    "DELETE FROM finai.model_alias WHERE model = $1 AND alias = $2 RETURNING version";

/// Makes an alias mean a version. Needs PROMOTE on the model, a verified version, and another person where the model says so.
pub fn promote(change: Change, alias: &str, version: i32) -> Result<()> {
    let by = registry::current_user_name();
    let model = change.model;
    hold(model, None, || {
        registry::require(model, Privilege::Promote)?;
        let status = registry::status(model, version)?;
        if status != Status::Verified {
            return Err(Error::NotVerified {
                model: model.to_owned(),
                version,
                status: status.name(),
            });
        }
        require_second_person(model, version)
    })?;
    // A bundled model's champion is no row before its first promotion.
    let before: Vec<i32> = bundled::find(model)?
        .filter(|entry| alias == CHAMPION && entry.card.version != version)
        .map(|entry| entry.card.version)
        .into_iter()
        .collect();
    as_owner(|| {
        run(
            MOVE_ALIAS,
            &[model.into(), alias.into(), version.into(), before.into()],
        )?;
        let detail = serde_json::json!({ "alias": alias });
        record(change, &by, "promote", Some(version), Some(detail))
    })
}

/// Makes an alias mean what it meant before its last promotion, and returns that version; retired and failed ones are passed
/// over. Needs PROMOTE on the model, and another person where the model says so.
pub fn rollback(change: Change, alias: &str) -> Result<i32> {
    let by = registry::current_user_name();
    let model = change.model;
    let (version, left) = hold(model, None, || {
        require_alias(model, alias)?;
        let mut previous = registry::previous(model, alias)?;
        while let Some(version) = previous.pop() {
            let status = registry::status(model, version)?;
            if !matches!(status, Status::Retired | Status::Failed) {
                require_second_person(model, version)?;
                return Ok((version, previous.len()));
            }
        }
        Err(Error::NothingBefore {
            model: model.to_owned(),
            alias: alias.to_owned(),
        })
    })?;
    as_owner(|| {
        run(
            MOVE_BACK,
            &[
                model.into(),
                alias.into(),
                version.into(),
                (left as i32).into(),
            ],
        )?;
        let detail = serde_json::json!({ "alias": alias });
        record(change, &by, "rollback", Some(version), Some(detail))?;
        Ok(version)
    })
}

/// Removes an alias; a bundled model's champion means the bundled version again. Needs PROMOTE on the model.
pub fn drop_alias(change: Change, alias: &str) -> Result<()> {
    let by = registry::current_user_name();
    let model = change.model;
    hold(model, None, || require_alias(model, alias))?;
    as_owner(|| {
        let versions = returned::<i32>(DROP_ALIAS, &[model.into(), alias.into()])?;
        // A bundled model's champion that nobody moved is no row.
        let version = *versions
            .first()
            .ok_or_else(|| Error::BundledChampion(model.to_owned()))?;
        let detail = serde_json::json!({ "alias": alias });
        record(change, &by, "drop_alias", Some(version), Some(detail))
    })
}

/// Under the two-person rule, refuses who registered the version.
fn require_second_person(model: &str, version: i32) -> Result<()> {
    let found = registry::find(model, version)?;
    if registry::settings(model)?.two_person && found.is_own() {
        return Err(Error::SamePerson {
            session: registry::session_user_name(),
            model: model.to_owned(),
            version,
        });
    }
    Ok(())
}

fn require_alias(model: &str, alias: &str) -> Result<()> {
    registry::require(model, Privilege::Promote)?;
    match registry::aliased(model, alias)? {
        Some(_) => Ok(()),
        None => Err(unknown(model, alias)),
    }
}

fn unknown(model: &str, alias: &str) -> Error {
    Error::UnknownAlias {
        model: model.to_owned(),
        alias: alias.to_owned(),
    }
}
