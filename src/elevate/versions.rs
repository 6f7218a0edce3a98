//! Versions: registered, retired, marked.

use crate::error::{Error, Result};
use crate::registry::{self, Status};

use super::models::refuse_dependents;
use super::{Change, as_owner, hold, record, returned, run, under_latest_snapshot};

/// What a registration stores.
pub struct NewVersion<'a> {
    pub model: &'a str,
    pub onnx: &'a [u8],
    pub declaration: &'a str,
    pub signature: pgrx::JsonB,
    /// JSON.
    pub reference: Option<&'a str>,
    pub tolerance: Option<f64>,
    pub notes: Option<&'a str>,
}

/// $2 is what a model of this name had last, dropped ones included.
const TAKE_VERSION: &str =
    "UPDATE finai.model SET next_version = greatest(next_version, $2 + 1) + 1 WHERE name = $1
     RETURNING next_version - 1";
/// A row that is there already is locked, so that nobody who drops its last version takes it away meanwhile, and mended
/// where storage damaged it.
const STORE_BYTES: &str = "INSERT INTO finai.model_blob AS b (sha256, onnx) VALUES (sha256($1), $1)
     ON CONFLICT (sha256) DO UPDATE SET onnx = excluded.onnx WHERE sha256(b.onnx) <> b.sha256";
const CREATE_VERSION: &str = "INSERT INTO finai.model_version
       (model, version, sha256, declaration, signature, reference, tolerance, notes, registered_by, registered_session)
     VALUES ($1, $2, sha256($3), $4::json, $5, $6::jsonb, $7, $8, $9, $10)";
const SET_STATUS: &str =
    "INSERT INTO finai.model_status AS s (model, version, status, detail, changed_by)
     VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (model, version) DO UPDATE
     SET status = excluded.status, detail = excluded.detail, changed_by = excluded.changed_by, changed_at = now()
     WHERE s.status <> 'retired' AND (s.status, s.detail) IS DISTINCT FROM (excluded.status, excluded.detail)";
const CLEAR_STATUS: &str =
    "DELETE FROM finai.model_status WHERE model = $1 AND version = $2 AND status <> 'retired'";

/// Stores a version and returns its number. Needs ownership of the model, or that there is none of that name.
pub fn register(new: NewVersion) -> Result<i32> {
    let by = registry::current_user_name();
    let change = Change {
        model: new.model,
        reason: new.notes,
    };
    hold(new.model, Some(&by), || registry::require_owner(new.model))?;
    let last = under_latest_snapshot(|| registry::last_version(new.model))?;
    as_owner(|| {
        let version = returned::<i32>(TAKE_VERSION, &[new.model.into(), last.into()])?;
        let version = *version
            .first()
            .ok_or_else(|| Error::UnknownModel(new.model.to_owned()))?;
        run(STORE_BYTES, &[new.onnx.into()])?;
        run(
            CREATE_VERSION,
            &[
                new.model.into(),
                version.into(),
                new.onnx.into(),
                new.declaration.into(),
                new.signature.into(),
                new.reference.into(),
                new.tolerance.into(),
                new.notes.into(),
                by.as_str().into(),
                registry::session_user_name().into(),
            ],
        )?;
        record(change, &by, "register", Some(version), None)?;
        Ok(version)
    })
}

/// Keeps a version from being scored, for good. Needs ownership of the model, and that nothing means the version.
pub fn retire(change: Change, version: i32) -> Result<()> {
    let by = registry::current_user_name();
    let model = change.model;
    hold(model, None, || {
        registry::require_owner(model)?;
        registry::find(model, version)?;
        let aliases = registry::aliases(model)?;
        match aliases.into_iter().find(|(_, meant)| *meant == version) {
            Some((alias, version)) => Err(Error::Promoted {
                model: model.to_owned(),
                version,
                alias,
            }),
            None => Ok(()),
        }
    })?;
    refuse_dependents(model, Some(version))?;
    as_owner(|| {
        let retired: [pgrx::datum::DatumWithOid; 5] = [
            model.into(),
            version.into(),
            Status::Retired.name().into(),
            None::<&str>.into(),
            by.as_str().into(),
        ];
        match run(SET_STATUS, &retired)? {
            0 => Ok(()),
            _ => record(change, &by, "retire", Some(version), None),
        }
    })
}

/// Records what checking a version found: failed or broken with the reason, or verified again. Retired versions stay so.
/// For a check that the extension itself made; `check` says once more who may record it.
pub fn set_status(
    model: &str,
    version: i32,
    status: Status,
    detail: &str,
    check: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let by = registry::current_user_name();
    let change = Change {
        model,
        reason: None,
    };
    hold(model, None, check)?;
    as_owner(|| {
        let changed = if status == Status::Verified {
            run(CLEAR_STATUS, &[model.into(), version.into()])?
        } else {
            run(
                SET_STATUS,
                &[
                    model.into(),
                    version.into(),
                    status.name().into(),
                    detail.into(),
                    by.as_str().into(),
                ],
            )?
        };
        if changed == 0 {
            return Ok(());
        }
        let detail = serde_json::json!({ "detail": detail });
        record(change, &by, status.name(), Some(version), Some(detail))
    })
}
