//! What a stored version reads and returns, as registration found it.

use finai_engine::Signature;

use crate::error::{Error, Result};

use super::Version;
use super::scan::{Key, first};

/// The stored signature of a version, without compiling it; nothing for a bundled one.
pub fn signature(version: &Version) -> Result<Option<Signature>> {
    let keys = [
        (c"model", Key::Text(&version.model)),
        (c"version", Key::Integer(version.version)),
    ];
    let stored = first(c"model_version", &keys, |row| row.json(c"signature"))?.flatten();
    stored
        .map(serde_json::from_value)
        .transpose()
        .map_err(|error| {
            Error::Installation(format!("signature of model \"{}\": {error}", version.model))
        })
}
