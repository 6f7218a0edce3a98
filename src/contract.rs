//! Columns that typed scoring functions and guards read: which of them are missing or of another type.
//!
//! A contract is a function that `finai.create_scoring_function` made: it depends on the extension and its body is one
//! call. Nothing else is stored, so renaming tables and functions changes nothing and nothing can go stale. Or it is a guard,
//! whose table is known by its oid.

#[allow(unsafe_code)]
mod ddl;
mod functions;
mod guards;
mod reader;

use crate::binding_report;
use crate::cache;
use crate::elevate::{self, under_latest_snapshot};
use crate::error::{Error, GuardError, Result};
use crate::registry::{self, OnSchemaChange, Status, Target, Version};
use crate::row::columns_of_relation;
use finai_engine::Signature;

pub use ddl::{EventTrigger, can_read, drops_extension, is_event, warn};
pub use functions::typed_functions;
pub use reader::{Name, Reader};

/// A feature that the rows of a reader's relation do not supply, or another column that it needs.
#[derive(Debug, Clone)]
pub struct Breach {
    pub reader: Name,
    relation: String,
    /// Whether it is not a feature but a column of its own that is missed.
    is_own_column: bool,
    pub model: String,
    pub version: i32,
    pub feature: String,
    /// The column of that name and its type, where it is of a type that does not fit.
    pub found: Option<(String, String)>,
    /// Whether promotions of the model are up to the reader's owner: only then is a version marked.
    pub has_say: bool,
}

impl Breach {
    /// One sentence for people.
    pub fn describe(&self) -> String {
        let (reader, relation) = (self.reader.describe(), &self.relation);
        let feature = &self.feature;
        match &self.found {
            None => format!("{reader} finds no column for feature \"{feature}\" in {relation}"),
            Some((column, kind)) => format!(
                "{reader} finds column \"{column}\" of type {kind} for feature \"{feature}\" in {relation}"
            ),
        }
    }

    pub fn relation_name(&self) -> String {
        self.relation.clone()
    }

    fn is_same(&self, other: &Breach) -> bool {
        self.reader == other.reader
            && self.feature == other.feature
            && self.is_own_column == other.is_own_column
    }

    fn is_of(&self, model: &str, version: i32) -> bool {
        self.model == model && self.version == version
    }
}

/// What a change of an alias is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Something new: typed scoring functions and guards that it breaks can stand in its way.
    Promotion,
    /// The way out of something bad: nothing stands in its way.
    Return,
}

/// Runs `change`, which makes `alias` of a model mean another version. Where a reader of somebody who has a
/// say then finds columns missing that it did not miss before, a promotion is refused, or the version marked, as
/// `on_schema_change` says.
pub fn across<T>(
    purpose: Purpose,
    model: &str,
    alias: &str,
    change: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let target = Target::Alias(alias.to_owned());
    let mut readers = readers()?;
    readers.retain(|reader| {
        let reference = &reader.reference;
        let is_meant = reference.model == model && reference.target == target;
        is_meant && reader.has_standing() && reader.has_say()
    });
    // DDL that is under way ends first, and none begins before a promotion is committed.
    for reader in &readers {
        ddl::lock(reader.relation, purpose == Purpose::Promotion);
    }
    let breaches = || readers.iter().flat_map(breaches_now).collect::<Vec<_>>();
    let before = under_latest_snapshot(|| Ok(breaches()))?;
    let result = change()?;
    let now = under_latest_snapshot(|| Ok(breaches()))?;
    let is_new = |breach: &&Breach| !before.iter().any(|known| known.is_same(breach));
    if purpose == Purpose::Promotion
        && setting(model) == OnSchemaChange::Refuse
        && let Some(breach) = now.iter().find(is_new)
    {
        return Err(refusal(breach));
    }
    if let Some(breach) = now.first() {
        mark(model, breach.version, now.iter())?;
    }
    take_marks_back()?;
    Ok(result)
}

/// What readers that mean a version now do not find; nothing where the version is not broken.
pub fn broken(model: &str, version: i32) -> Result<Vec<Breach>> {
    let mut breaches = under_latest_snapshot(all_breaches)?;
    breaches.retain(|breach| breach.has_say && breach.is_of(model, version));
    Ok(breaches)
}

/// Before DDL that can change a row type: remembers what is broken already.
pub fn ddl_starts() -> Result<()> {
    let before = under_latest_snapshot(all_breaches)?;
    ddl::push(before);
    Ok(())
}

/// After it: refuses what it broke, or marks the version, as the model's `on_schema_change` says; takes back the mark of a
/// version that nothing misses any more. Returns what whoever ran the DDL should be told of versions that it marked.
pub fn ddl_ends() -> Result<Option<String>> {
    elevate::follow_table_names()?;
    elevate::forget_dropped_tables()?;
    guards::refuse_foreign_partitions()?;
    let Some(before) = ddl::pop() else {
        return Ok(None);
    };
    let now = under_latest_snapshot(all_breaches)?;
    let mut marked: Vec<&Breach> = Vec::new();
    for breach in &now {
        if before.iter().any(|known| known.is_same(breach)) {
            continue;
        }
        match setting(&breach.model) {
            _ if breach.is_own_column => return Err(refusal(breach)),
            OnSchemaChange::Refuse => return Err(refusal(breach)),
            OnSchemaChange::Mark if breach.has_say => marked.push(breach),
            OnSchemaChange::Mark => {}
        }
    }
    let mut told: Vec<String> = Vec::new();
    while let Some(breach) = marked.pop() {
        let (model, version) = (&breach.model, breach.version);
        told.push(format!(
            "version {version} of model \"{model}\" is broken: {}",
            breach.describe()
        ));
        marked.retain(|other| !other.is_of(model, version));
        mark(
            model,
            version,
            now.iter().filter(|b| b.has_say && b.is_of(model, version)),
        )?;
    }
    take_marks_back()?;
    Ok((!told.is_empty()).then(|| told.join("; ")))
}

/// Broken versions of which nothing is missed any more are verified again.
pub fn take_marks_back() -> Result<()> {
    let broken = under_latest_snapshot(registry::broken_versions)?;
    if broken.is_empty() {
        return Ok(());
    }
    let now = under_latest_snapshot(all_breaches)?;
    for (model, version) in broken {
        let is_missed = |breach: &Breach| breach.has_say && breach.is_of(&model, version);
        if !now.iter().any(is_missed) {
            set(
                &model,
                version,
                Status::Verified,
                "every column is found again",
            )?;
        }
    }
    Ok(())
}

/// What failed verification stays failed.
fn mark<'a>(model: &str, version: i32, breaches: impl Iterator<Item = &'a Breach>) -> Result<()> {
    let breaches: Vec<String> = breaches.map(Breach::describe).collect();
    match status(model, version)? {
        Status::Verified | Status::Broken => {
            set(model, version, Status::Broken, &breaches.join("; "))
        }
        Status::Failed | Status::Retired => Ok(()),
    }
}

/// Whoever was allowed to run the DDL, or to promote, may have the consequence recorded.
fn set(model: &str, version: i32, status: Status, detail: &str) -> Result<()> {
    elevate::set_status(model, version, status, detail, || Ok(()))
}

fn status(model: &str, version: i32) -> Result<Status> {
    under_latest_snapshot(|| registry::status(model, version))
}

fn setting(model: &str) -> OnSchemaChange {
    under_latest_snapshot(|| registry::settings(model))
        .map(|settings| settings.on_schema_change)
        .unwrap_or_default()
}

fn refusal(breach: &Breach) -> Error {
    if breach.is_own_column {
        return GuardError::ReadColumn {
            relation: breach.relation_name(),
            column: breach.feature.clone(),
            reader: breach.reader.describe(),
            removal: breach.reader.removal(),
        }
        .into();
    }
    Error::Contract {
        relation: breach.relation_name(),
        feature: breach.feature.clone(),
        found: breach.found.clone(),
        reader: breach.reader.describe(),
        removal: breach.reader.removal(),
        model: breach.model.clone(),
        version: breach.version,
    }
}

fn all_breaches() -> Result<Vec<Breach>> {
    Ok(readers()?.iter().flat_map(breaches_now).collect())
}

fn readers() -> Result<Vec<Reader>> {
    let mut readers = typed_functions()?;
    readers.append(&mut guards::guards()?);
    Ok(readers)
}

/// A reference that means nothing, a version that is retired and a model that is damaged are no contracts.
fn breaches_now(reader: &Reader) -> Vec<Breach> {
    match registry::meant(&reader.reference) {
        Ok(version) if reader.has_standing() => breaches_of(reader, &version),
        _ => Vec::new(),
    }
}

fn breaches_of(reader: &Reader, version: &Version) -> Vec<Breach> {
    let Some(signature) = signature(version) else {
        return Vec::new();
    };
    let columns = columns_of_relation(reader.relation).unwrap_or_default();
    let has_say = reader.has_say();
    let breach = |relation: String, feature: String, found, is_own_column| Breach {
        reader: reader.name.clone(),
        relation,
        is_own_column,
        model: version.model.clone(),
        version: version.version,
        feature,
        found,
        has_say,
    };
    let label = || {
        let label = reader.label.clone();
        label.unwrap_or_else(|| ddl::relation_name(reader.relation))
    };
    let features = binding_report::rows_of(&signature, &columns)
        .into_iter()
        .filter(|row| row.status != binding_report::OK)
        .map(|row| breach(label(), row.feature, row.column.zip(row.found), false));
    let own = columns_of_relation(reader.table).unwrap_or_default();
    let is_there = |name: &String| own.iter().any(|column| column.name == *name);
    let missing = reader.columns.iter().filter(|name| !is_there(name));
    let table = || ddl::relation_name(reader.table);
    let missing = missing.map(|name| breach(table(), name.clone(), None, true));
    features.chain(missing).collect()
}

/// What a version that can be scored reads; nothing for any other.
fn signature(version: &Version) -> Option<Signature> {
    match registry::status(&version.model, version.version) {
        Ok(Status::Retired) | Err(_) => None,
        Ok(_) if version.is_bundled() => Some(cache::model(version).ok()?.signature().clone()),
        Ok(_) => registry::signature(version).ok().flatten(),
    }
}
