//! Which version a model's name means in this statement, and its bytes.
//!
//! Everything is read by index probes under the active snapshot: no SPI, no transaction id, no SELECT privilege
//! on the state tables. Nothing here remembers anything across calls.

mod privilege;
mod reference;
mod scan;
mod statement;

use std::borrow::Cow;

use finai_engine::Declaration;
use sha2::{Digest, Sha256};

use crate::bundled::{self, Entry};
use crate::error::{Error, Result};

pub use privilege::{Privilege, current_user_name, require, require_owner, role_name, role_named};
pub use reference::{Reference, Target, check_name};
pub use scan::extension_owner;
pub use statement::Statement;

use scan::{Key, first};

/// Alias of the version that a bare model name scores with.
pub const CHAMPION: &str = "champion";

/// One version of a model: everything that compiling it needs but its bytes.
#[derive(Debug, Clone)]
pub struct Version {
    pub model: String,
    pub version: i32,
    pub sha256: Vec<u8>,
    pub declaration: Declaration,
    pub notes: Option<String>,
    bundled: Option<&'static Entry>,
}

impl Version {
    fn of_bundled(entry: &'static Entry) -> Version {
        Version {
            model: entry.model.name.to_owned(),
            version: entry.card.version,
            sha256: decode_hex(&entry.card.sha256),
            declaration: entry.card.declaration.clone(),
            notes: Some(entry.card.description.clone()),
            bundled: Some(entry),
        }
    }

    /// True for a version that the library carries.
    pub fn is_bundled(&self) -> bool {
        self.bundled.is_some()
    }

    /// The ONNX bytes, checked against their sha256.
    pub fn onnx(&self) -> Result<Cow<'static, [u8]>> {
        let bytes: Cow<'static, [u8]> = match self.bundled {
            Some(entry) => Cow::Borrowed(entry.model.onnx),
            None => {
                let key = [(c"sha256", Key::Bytes(&self.sha256))];
                let stored = first(c"model_blob", &key, |row| row.bytes(c"onnx"))?;
                Cow::Owned(stored.flatten().ok_or_else(|| self.corrupt())?)
            }
        };
        if Sha256::digest(&bytes).as_slice() != self.sha256 {
            return Err(self.corrupt());
        }
        Ok(bytes)
    }

    fn corrupt(&self) -> Error {
        Error::Corrupt {
            model: self.model.clone(),
            version: self.version,
        }
    }
}

/// The version that a reference means under the active snapshot, for a role that may use it.
pub fn resolve(reference: &Reference) -> Result<Version> {
    let model = &reference.model;
    require(model, Privilege::Use)?;
    match &reference.target {
        Target::Version(version) => find(model, *version),
        Target::Alias(alias) => match aliased(model, alias)? {
            Some(version) => find(model, version),
            None if alias == CHAMPION => Err(Error::NothingPromoted(model.clone())),
            None => Err(Error::UnknownAlias {
                model: model.clone(),
                alias: alias.clone(),
            }),
        },
    }
}

/// The version that an alias of a model means; a bundled model's champion is its own version until another is promoted.
pub fn aliased(model: &str, alias: &str) -> Result<Option<i32>> {
    let keys = [(c"model", Key::Text(model)), (c"alias", Key::Text(alias))];
    let promoted = first(c"model_alias", &keys, |row| row.integer(c"version"))?.flatten();
    match (promoted, bundled::find(model)?) {
        (None, Some(entry)) if alias == CHAMPION => Ok(Some(entry.card.version)),
        (promoted, _) => Ok(promoted),
    }
}

/// A version of a model by its number.
pub fn find(model: &str, version: i32) -> Result<Version> {
    let keys = [
        (c"model", Key::Text(model)),
        (c"version", Key::Integer(version)),
    ];
    let stored = first(c"model_version", &keys, |row| {
        (
            row.bytes(c"sha256"),
            row.text(c"declaration"),
            row.text(c"notes"),
        )
    })?;
    if let Some((Some(sha256), Some(declaration), notes)) = stored {
        let declaration = serde_json::from_str(&declaration).map_err(|error| {
            Error::Installation(format!("declaration of model \"{model}\": {error}"))
        })?;
        return Ok(Version {
            model: model.to_owned(),
            version,
            sha256,
            declaration,
            notes,
            bundled: None,
        });
    }
    match bundled::find(model)? {
        Some(entry) if entry.card.version == version => Ok(Version::of_bundled(entry)),
        _ => Err(Error::UnknownVersion {
            model: model.to_owned(),
            version,
        }),
    }
}

fn decode_hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .filter_map(|i| u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok())
        .collect()
}
