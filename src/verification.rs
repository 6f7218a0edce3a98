//! Versions checked again: do they load, and do their reference rows still agree?

use std::sync::Arc;

use finai_engine::Model;

use crate::contract;
use crate::elevate;
use crate::error::{Error, Result};
use crate::guc;
use crate::reference_rows::{self, Agreement};
use crate::registry::{self, Status, Version};

/// One line of `finai.verify_models`.
pub struct VerifiedRow {
    pub model: String,
    pub version: i32,
    pub status: Status,
    /// Reference rows scored.
    pub rows: usize,
    /// Largest |score - reference| / max(1, |reference|); nothing where there are no rows.
    pub worst: Option<f64>,
    pub tolerance: Option<f64>,
    pub detail: Option<String>,
}

/// Checks every version but the retired ones of one model, or of all that the current role owns, and records what
/// changed; roles that were renamed since are stored under their new names.
pub fn verify(model: Option<&str>) -> Result<Vec<VerifiedRow>> {
    let models = match model {
        Some(model) => {
            registry::require_owner(model)?;
            vec![model.to_owned()]
        }
        None => registry::models()?
            .into_iter()
            .filter(|model| registry::require_owner(model).is_ok())
            .collect(),
    };
    let mut rows = Vec::new();
    for model in models {
        if !registry::names_are_current(&model)? {
            elevate::store_role_names(&model)?;
        }
        for version in registry::versions(&model)? {
            let recorded = registry::status(&model, version.version)?;
            if recorded == Status::Retired {
                continue;
            }
            let mut row = verify_version(&version)?;
            if row.status == Status::Verified {
                let breaches = contract::broken(&model, version.version)?;
                if let Some(breach) = breaches.first() {
                    row.status = Status::Broken;
                    row.detail = Some(breach.describe());
                }
            }
            if row.status != recorded {
                let detail = row.detail.as_deref().unwrap_or("reference rows agree");
                elevate::set_status(&model, version.version, row.status, detail, || {
                    registry::require_owner(&model)
                })?;
            }
            rows.push(row);
        }
    }
    Ok(rows)
}

fn verify_version(version: &Version) -> Result<VerifiedRow> {
    let mut row = VerifiedRow {
        model: version.model.clone(),
        version: version.version,
        status: Status::Verified,
        rows: 0,
        worst: None,
        tolerance: None,
        detail: None,
    };
    match agreement(version) {
        Ok(None) => {}
        Ok(Some((agreement, tolerance))) => {
            row.rows = agreement.rows;
            row.worst = Some(agreement.worst);
            row.tolerance = Some(tolerance);
            if agreement.missed() > 0 {
                row.status = Status::Failed;
                row.detail = Some(format!(
                    "{} of {} reference rows disagree: {}",
                    agreement.missed(),
                    agreement.rows,
                    agreement.detail()
                ));
            }
        }
        // Not the version's fault.
        Err(error) if error.is_out_of_memory() => return Err(error),
        Err(error) => {
            row.status = Status::Failed;
            row.detail = Some(error.to_string());
        }
    }
    Ok(row)
}

/// Compiles the stored bytes anew, past the cache, and scores the reference rows, if there are any.
fn agreement(version: &Version) -> Result<Option<(Agreement, f64)>> {
    let onnx = version.onnx()?;
    let model = Model::load_as(&onnx, &version.declaration, &guc::registered_limits())
        .map_err(Error::of(&version.model))?;
    drop(onnx);
    match registry::reference_rows(version)? {
        None => Ok(None),
        Some((rows, tolerance)) => {
            let rows = reference_rows::parse(&rows)?;
            let agreement = reference_rows::compare(&Arc::new(model), &rows, tolerance)?;
            Ok(Some((agreement, tolerance)))
        }
    }
}
