//! Which version a model's name means in this statement, and its bytes.
//!
//! Everything is read by index probes under the active snapshot: no SPI, no transaction id, no SELECT privilege
//! on the state tables. A row that is remembered across calls counts only where it is found again as it was.

mod copied_set;
mod feature_set;
mod guard;
mod history;
mod kept;
mod known;
mod privilege;
mod reference;
mod scan;
mod settings;
mod signature;
mod statement;
mod status;
mod transforms;

use std::borrow::Cow;
use std::ffi::CStr;

use finai_engine::Declaration;
use pgrx::pg_sys;
use sha2::{Digest, Sha256};

use crate::bundled::{self, Entry};
use crate::error::{Error, Result};

pub use copied_set::{StoredCopy, stored_copy};
pub use feature_set::{FeatureSet, feature_set};
pub use guard::{Action, Guard, KnownGuard, OnError, Timing, guard, has_guards};
pub use history::{history, renamed_to};
pub use known::Known;
pub use privilege::{
    Privilege, acts_as, current_user, current_user_name, existing_name, grants, has,
    is_administrator, is_own_role, is_superuser, is_unchanged_bundled, names_are_current,
    owner_name, require, require_member, require_owner, role_name, role_named, session_user,
    session_user_name,
};
pub use reference::{Reference, Target, check_name};
pub use scan::extension_owner;
pub use settings::{OnSchemaChange, Settings, settings};
pub use signature::signature;
pub use statement::{Statement, current_command, next_command};
pub use status::{Status, broken_versions, status};
pub use transforms::{
    check_transform_name, require_transform_owner, transform, transform_now, transform_owner_now,
    transform_reference,
};

use scan::{Key, Row, first, visit, visit_by};

/// Alias of the version that a bare model name scores with.
pub const CHAMPION: &str = "champion";

/// Largest accepted |score - reference| / max(1, |reference|) of a reference row where nobody says otherwise: what single
/// precision differs by from a trainer's double precision.
pub const TOLERANCE: f64 = 1e-5;

/// One version of a model: everything that compiling it needs but its bytes.
#[derive(Debug, Clone)]
pub struct Version {
    pub model: String,
    pub version: i32,
    pub sha256: Vec<u8>,
    pub declaration: Declaration,
    pub notes: Option<String>,
    registrant: Option<Registrant>,
    bundled: Option<&'static Entry>,
}

/// Who registered a version: the role that its session was authenticated as.
#[derive(Debug, Clone)]
struct Registrant {
    name: String,
    /// Nothing where no role of that name existed when the row was written here.
    role: Option<pg_sys::Oid>,
}

impl Version {
    fn of_bundled(entry: &'static Entry) -> Version {
        Version {
            model: entry.model.name.to_owned(),
            version: entry.card.version,
            sha256: decode_hex(&entry.card.sha256),
            declaration: entry.card.declaration.clone(),
            notes: Some(entry.card.description.clone()),
            registrant: None,
            bundled: Some(entry),
        }
    }

    /// How a call names this version.
    pub fn reference(&self) -> String {
        format!("{}@{}", self.model, self.version)
    }

    /// True for a version that the library carries.
    pub fn is_bundled(&self) -> bool {
        self.bundled.is_some()
    }

    /// Whether whoever is connected registered it, under whatever name then.
    pub fn is_own(&self) -> bool {
        match &self.registrant {
            Some(Registrant {
                role: Some(role), ..
            }) => *role == session_user(),
            Some(Registrant { name, .. }) => *name == session_user_name(),
            None => false,
        }
    }

    /// The library's entry of a bundled version.
    pub fn bundled(&self) -> Option<&'static Entry> {
        self.bundled
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

/// The version that a reference means under the active snapshot, for a role that may score with it.
pub fn resolve(reference: &Reference) -> Result<Version> {
    let version = named(reference, Privilege::Use)?;
    refuse_retired(reference, version.version)?;
    Ok(version)
}

// No alias means a retired version, so only a call by number asks.
fn refuse_retired(reference: &Reference, version: i32) -> Result<()> {
    if matches!(reference.target, Target::Version(_))
        && status(&reference.model, version)? == Status::Retired
    {
        return Err(Error::Retired {
            model: reference.model.clone(),
            version,
        });
    }
    Ok(())
}

/// The version that a reference means, retired or not, for a role with that privilege on the model.
pub fn named(reference: &Reference, privilege: Privilege) -> Result<Version> {
    require(&reference.model, privilege)?;
    meant(reference)
}

/// The version that a reference means, whoever asks.
pub fn meant(reference: &Reference) -> Result<Version> {
    find(&reference.model, number(reference)?)
}

/// The number of the version that a reference means; one that is given need not be there.
fn number(reference: &Reference) -> Result<i32> {
    let model = &reference.model;
    match &reference.target {
        Target::Version(version) => Ok(*version),
        Target::Alias(alias) => aliased(model, alias)?.ok_or_else(|| means_nothing(model, alias)),
    }
}

fn means_nothing(model: &str, alias: &str) -> Error {
    if alias == CHAMPION {
        return Error::NothingPromoted(model.to_owned());
    }
    Error::UnknownAlias {
        model: model.to_owned(),
        alias: alias.to_owned(),
    }
}

/// The version that an alias of a model means; a bundled model's champion is its own version until another is promoted.
pub fn aliased(model: &str, alias: &str) -> Result<Option<i32>> {
    let promoted = first(c"model_alias", &alias_keys(model, alias), stored_alias)?.flatten();
    match promoted {
        None => unpromoted(model, alias),
        promoted => Ok(promoted),
    }
}

fn alias_keys<'a>(model: &'a str, alias: &'a str) -> [(&'static CStr, Key<'a>); 2] {
    [(c"model", Key::Text(model)), (c"alias", Key::Text(alias))]
}

fn stored_alias(row: &Row) -> Option<i32> {
    row.integer(c"version")
}

/// What an alias without a row means.
fn unpromoted(model: &str, alias: &str) -> Result<Option<i32>> {
    if alias == CHAMPION {
        return bundled_champion(model);
    }
    Ok(None)
}

/// The version that a bundled model's champion means where nobody promoted another: none once it is retired.
fn bundled_champion(model: &str) -> Result<Option<i32>> {
    let Some(entry) = bundled::find(model)? else {
        return Ok(None);
    };
    let version = entry.card.version;
    let is_live = status(model, version)? != Status::Retired;
    Ok(is_live.then_some(version))
}

/// A version of a model by its number.
pub fn find(model: &str, version: i32) -> Result<Version> {
    let read = |row: &Row| stored_version(model, version, row);
    let stored = first(c"model_version", &version_keys(model, version), read)?;
    if let Some(version) = stored.transpose()?.flatten() {
        return Ok(version);
    }
    match bundled::find(model)? {
        Some(entry) if entry.card.version == version => Ok(Version::of_bundled(entry)),
        _ => Err(Error::UnknownVersion {
            model: model.to_owned(),
            version,
        }),
    }
}

fn version_keys(model: &str, version: i32) -> [(&'static CStr, Key<'_>); 2] {
    [
        (c"model", Key::Text(model)),
        (c"version", Key::Integer(version)),
    ]
}

fn stored_version(model: &str, version: i32, row: &Row) -> Result<Option<Version>> {
    let Some((sha256, declaration)) = row.bytes(c"sha256").zip(row.text(c"declaration")) else {
        return Ok(None);
    };
    let declaration = serde_json::from_str(&declaration).map_err(|error| {
        Error::Installation(format!("declaration of model \"{model}\": {error}"))
    })?;
    Ok(Some(Version {
        model: model.to_owned(),
        version,
        sha256,
        declaration,
        notes: row.text(c"notes"),
        registrant: registrant(row),
        bundled: None,
    }))
}

/// Reference rows of a version with their tolerance, where it was registered with any.
pub fn reference_rows(version: &Version) -> Result<Option<(serde_json::Value, f64)>> {
    if let Some(entry) = version.bundled {
        return Ok(Some((entry.details()?.reference.rows, TOLERANCE)));
    }
    let keys = version_keys(&version.model, version.version);
    let stored = first(c"model_version", &keys, |row| {
        (row.json(c"reference"), row.float(c"tolerance"))
    })?;
    Ok(match stored {
        Some((Some(rows), tolerance)) => Some((rows, tolerance.unwrap_or(TOLERANCE))),
        _ => None,
    })
}

/// Every model, bundled ones included, by name.
pub fn models() -> Result<Vec<String>> {
    let mut names: std::collections::BTreeSet<String> = bundled::all()?
        .iter()
        .map(|entry| entry.model.name.to_owned())
        .collect();
    visit(c"model", &[], |row| {
        names.extend(row.text(c"name"));
        true
    })?;
    Ok(names.into_iter().collect())
}

/// Every version of a model, a bundled one included, in order.
pub fn versions(model: &str) -> Result<Vec<Version>> {
    let mut numbers = std::collections::BTreeSet::new();
    numbers.extend(bundled::find(model)?.map(|entry| entry.card.version));
    visit(c"model_version", &[(c"model", Key::Text(model))], |row| {
        numbers.extend(row.integer(c"version"));
        true
    })?;
    numbers
        .into_iter()
        .map(|version| find(model, version))
        .collect()
}

/// The sha256 of all bytes that some version has.
pub fn stored_contents() -> Result<std::collections::HashSet<Vec<u8>>> {
    let mut contents = std::collections::HashSet::new();
    visit(c"model_version", &[], |row| {
        contents.extend(row.bytes(c"sha256"));
        true
    })?;
    Ok(contents)
}

/// Versions that an alias meant before, the last one last.
pub fn previous(model: &str, alias: &str) -> Result<Vec<i32>> {
    let keys = alias_keys(model, alias);
    let stored = first(c"model_alias", &keys, |row| row.integers(c"previous"))?;
    Ok(stored.flatten().unwrap_or_default())
}

/// The aliases of a model with their versions, a bundled model's unchanged champion included.
pub fn aliases(model: &str) -> Result<Vec<(String, i32)>> {
    let mut aliases = Vec::new();
    visit(c"model_alias", &[(c"model", Key::Text(model))], |row| {
        aliases.extend(row.text(c"alias").zip(row.integer(c"version")));
        true
    })?;
    if !aliases.iter().any(|(alias, _)| alias == CHAMPION) {
        let champion = bundled_champion(model)?;
        aliases.extend(champion.map(|version| (CHAMPION.to_owned(), version)));
    }
    Ok(aliases)
}

/// The highest version that a model of this name ever had, dropped ones included; 0 where there was none.
pub fn last_version(model: &str) -> Result<i32> {
    let mut last = bundled::find(model)?.map_or(0, |entry| entry.card.version);
    let keys = [(c"model", Key::Text(model))];
    visit_by(c"model_event_model_idx", c"model_event", &keys, |row| {
        last = last.max(row.integer(c"version").unwrap_or(0));
        true
    })?;
    Ok(last)
}

/// Who registered a stored version; by 0.1.0, the current role of then, known by name alone.
fn registrant(row: &Row) -> Option<Registrant> {
    let name = row.name(c"registered_session");
    Some(Registrant {
        name: name.or_else(|| row.name(c"registered_by"))?,
        role: row.oid(c"registered_session_oid"),
    })
}

fn decode_hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .filter_map(|i| u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok())
        .collect()
}
