//! Whether a version is as it was registered.

use crate::error::Result;

use super::scan::{Key, exists, first, visit};

/// The state of a version. Only a verified one can be promoted; only a retired one is not scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Verified,
    /// A column that it reads through a typed scoring function is gone.
    Broken,
    /// It no longer loads, or its reference rows no longer agree.
    Failed,
    Retired,
}

impl Status {
    pub const fn name(self) -> &'static str {
        match self {
            Status::Verified => "verified",
            Status::Broken => "broken",
            Status::Failed => "failed",
            Status::Retired => "retired",
        }
    }
}

/// The status of a version; verified where nothing else is recorded.
pub fn status(model: &str, version: i32) -> Result<Status> {
    // A database whose extension is still at 0.1.0 has no such table.
    if !exists(c"model_status") {
        return Ok(Status::Verified);
    }
    let keys = [
        (c"model", Key::Text(model)),
        (c"version", Key::Integer(version)),
    ];
    let stored = first(c"model_status", &keys, |row| row.text(c"status"))?.flatten();
    let recorded = [Status::Broken, Status::Failed, Status::Retired]
        .into_iter()
        .find(|status| stored.as_deref() == Some(status.name()));
    Ok(recorded.unwrap_or(Status::Verified))
}

/// Versions that are recorded as broken, of all models.
pub fn broken_versions() -> Result<Vec<(String, i32)>> {
    let mut broken = Vec::new();
    visit(c"model_status", &[], |row| {
        if row.text(c"status").as_deref() == Some(Status::Broken.name()) {
            broken.extend(row.text(c"model").zip(row.integer(c"version")));
        }
        true
    })?;
    Ok(broken)
}
