//! Whole models: altered, renamed, dropped.

use pgrx::pg_sys;

use crate::bundled;
use crate::error::{Error, Result};
use crate::registry::{self, OnSchemaChange, Privilege, Version};

use super::grants::rename_roles;
use super::read::{Value, rows_now};
use super::{CREATE_MODEL, Change, as_owner, hold, record, returned, run, under_latest_snapshot};

/// New values of a model's settings; what is not given stays.
#[derive(Debug, Default)]
pub struct Alteration<'a> {
    pub owner: Option<pg_sys::Oid>,
    pub use_case: Option<&'a str>,
    pub tolerance: Option<f64>,
    pub two_person: Option<bool>,
    pub on_schema_change: Option<OnSchemaChange>,
}

impl Alteration<'_> {
    pub fn is_empty(&self) -> bool {
        self.owner.is_none()
            && self.use_case.is_none()
            && self.tolerance.is_none()
            && self.two_person.is_none()
            && self.on_schema_change.is_none()
    }
}

const ALTER: &str = "UPDATE finai.model
     SET use_case = coalesce($2, use_case), tolerance = coalesce($3, tolerance),
         two_person = coalesce($4, two_person), on_schema_change = coalesce($5, on_schema_change)
     WHERE name = $1";
/// Its own statement: naming the column finds the owner's oid anew by name.
const SET_OWNER: &str = "UPDATE finai.model SET owner = $2 WHERE name = $1";
/// Keys of other tables follow.
const RENAME: &str = "UPDATE finai.model SET name = $2 WHERE name = $1 RETURNING next_version - 1";
const DEPENDENTS: &str = "SELECT d.object, d.owner FROM finai._version_dependents($1, $2) d";
const GUARDS: &str = "SELECT d.object, d.owner FROM finai._guard_dependents($1, $2) d";
const LAST_VERSION: &str = "SELECT next_version - 1 FROM finai.model WHERE name = $1";
/// Locked, so that a registration of the same bytes waits and stores them again.
const LOCK_BYTES: &str = "SELECT b.sha256 FROM finai.model_blob b
     WHERE b.sha256 IN (SELECT v.sha256 FROM finai.model_version v WHERE v.model = $1)
     ORDER BY b.sha256 FOR UPDATE";
const DROP_ALIASES: &str = "DELETE FROM finai.model_alias WHERE model = $1";
const DROP_MODEL: &str = "DELETE FROM finai.model WHERE name = $1";
const DROP_BYTES: &str = "DELETE FROM finai.model_blob WHERE sha256 = ANY ($1)";

/// Changes settings. Needs ownership of the model, membership in a new owner, and for giving up the two-person rule
/// an administrator who registered no version.
pub fn alter(change: Change, alteration: Alteration) -> Result<()> {
    let by = registry::current_user_name();
    let model = change.model;
    hold(model, None, || {
        registry::require_owner(model)?;
        if let Some(owner) = alteration.owner {
            registry::require_member(owner)?;
        }
        match alteration.two_person {
            Some(false) if registry::settings(model)?.two_person => {
                require_uninvolved_administrator(model)
            }
            _ => Ok(()),
        }
    })?;
    let owner = alteration.owner.map(registry::role_name);
    let on_schema_change = alteration.on_schema_change.map(OnSchemaChange::name);
    let settings = [
        ("owner", serde_json::json!(owner)),
        ("use_case", serde_json::json!(alteration.use_case)),
        ("tolerance", serde_json::json!(alteration.tolerance)),
        ("two_person", serde_json::json!(alteration.two_person)),
        ("on_schema_change", serde_json::json!(on_schema_change)),
    ];
    let detail: serde_json::Map<_, _> = settings
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    as_owner(|| {
        run(
            ALTER,
            &[
                model.into(),
                alteration.use_case.into(),
                alteration.tolerance.into(),
                alteration.two_person.into(),
                on_schema_change.into(),
            ],
        )?;
        rename_roles(model)?;
        if let Some(owner) = &owner {
            run(SET_OWNER, &[model.into(), owner.as_str().into()])?;
        }
        record(change, &by, "alter", None, Some(detail.into()))
    })
}

/// Gives a model another name. Needs ownership, under the two-person rule an administrator who registered no version, a free
/// name, and that no stored expression or typed function has the old one.
pub fn rename(change: Change, new_name: &str) -> Result<()> {
    let by = registry::current_user_name();
    let model = change.model;
    if bundled::find(model)?.is_some() {
        return Err(Error::BundledModel(model.to_owned()));
    }
    hold(model, None, || require_removal(model))?;
    match under_latest_snapshot(|| registry::settings(new_name)) {
        Err(Error::UnknownModel(_)) => {}
        Ok(_) => return Err(Error::ModelExists(new_name.to_owned())),
        Err(error) => return Err(error),
    }
    if !under_latest_snapshot(|| is_free(model, new_name))? {
        return Err(Error::FormerName(new_name.to_owned()));
    }
    // Who is taking the name just now is waited for.
    as_owner(
        || match run(CREATE_MODEL, &[new_name.into(), by.as_str().into()])? {
            0 => Err(Error::ModelExists(new_name.to_owned())),
            _ => run(DROP_MODEL, &[new_name.into()]).map(|_| ()),
        },
    )?;
    refuse_dependents(model, None)?;
    as_owner(|| {
        let last = returned::<i32>(RENAME, &[model.into(), new_name.into()])?;
        let last = last.first().copied();
        let from = serde_json::json!({ "from": model });
        let to = serde_json::json!({ "to": new_name });
        record(change, &by, "rename", last, Some(to))?;
        let change = Change {
            model: new_name,
            ..change
        };
        record(change, &by, "rename", last, Some(from))
    })
}

/// Removes a model with its versions, aliases and grants, and bytes that no other model has; a bundled model becomes what
/// it was when the extension was created. Needs ownership and, under the two-person rule, an administrator who
/// registered no version.
pub fn drop_model(change: Change) -> Result<()> {
    let by = registry::current_user_name();
    let model = change.model;
    if registry::is_unchanged_bundled(model)? {
        return Err(Error::BundledModel(model.to_owned()));
    }
    hold(model, None, || require_removal(model))?;
    refuse_dependents(model, None)?;
    as_owner(|| {
        let last = returned::<i32>(LAST_VERSION, &[model.into()])?;
        let bytes = returned::<Vec<u8>>(LOCK_BYTES, &[model.into()])?;
        run(DROP_ALIASES, &[model.into()])?;
        run(DROP_MODEL, &[model.into()])?;
        let kept = under_latest_snapshot(registry::stored_contents)?;
        let unused: Vec<Vec<u8>> = bytes.into_iter().filter(|b| !kept.contains(b)).collect();
        run(DROP_BYTES, &[unused.into()])?;
        record(change, &by, "drop", last.first().copied(), None)
    })
}

/// Refuses while a guard, a generated column, an index, a constraint or a typed scoring function has this model's name in it, or,
/// with a version, that version's number. Objects of roles that may not use the model have no say.
pub(super) fn refuse_dependents(model: &str, version: Option<i32>) -> Result<()> {
    let parameters = [Value::Text(model), Value::Integer(version)];
    let mut dependents = rows_now(DEPENDENTS, &parameters)?;
    // A database whose extension is of an earlier version has none.
    if registry::has_guards() {
        dependents.extend(rows_now(GUARDS, &parameters)?);
    }
    let mut objects = Vec::new();
    for dependent in dependents {
        let [Some(object), Some(owner)] = dependent.as_slice() else {
            continue;
        };
        let owner = pg_sys::Oid::from(owner.parse::<u32>().unwrap_or_default());
        if registry::has(owner, model, Privilege::Use)? {
            objects.push(format!("{object} (owner {})", registry::role_name(owner)));
        }
    }
    if objects.is_empty() {
        return Ok(());
    }
    Err(Error::Dependents {
        model: model.to_owned(),
        objects,
    })
}

/// Taking a name away from its model, so that another can have it, goes around the two-person rule: see
/// `require_uninvolved_administrator`.
fn require_removal(model: &str) -> Result<()> {
    registry::require_owner(model)?;
    match registry::settings(model)?.two_person {
        true => require_uninvolved_administrator(model),
        false => Ok(()),
    }
}

/// Whether a name never had versions, or no others than this model's, which had the name before: a name with a number means
/// one content for ever.
fn is_free(model: &str, new_name: &str) -> Result<bool> {
    if registry::last_version(new_name)? == 0 {
        return Ok(true);
    }
    let mut name = new_name.to_owned();
    let mut seen = std::collections::HashSet::new();
    while seen.insert(name.clone()) {
        match registry::renamed_to(&name)? {
            Some(next) if next == model => return Ok(true),
            Some(next) => name = next,
            None => return Ok(false),
        }
    }
    Ok(false)
}

/// Setting the rule aside, for a moment too, would let one person promote alone: it is for an administrator who registered
/// none of the versions.
fn require_uninvolved_administrator(model: &str) -> Result<()> {
    let is_own = registry::versions(model)?.iter().any(Version::is_own);
    if is_own || !registry::is_administrator()? {
        return Err(Error::OwnRule {
            session: registry::session_user_name(),
            model: model.to_owned(),
        });
    }
    Ok(())
}
