//! The few writes done on behalf of a role that has no rights on finai's tables.
//!
//! Each runs as the owner of the tables, with a fixed search path and as a restricted operation, after `hold` has locked
//! the model and checked the privilege that it needs. Nothing else in the extension changes identity.

use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;

use crate::bundled;
use crate::error::{Error, Result};
use crate::registry::{self, Privilege};

/// What a registration stores.
pub struct NewVersion<'a> {
    pub model: &'a str,
    pub onnx: &'a [u8],
    pub declaration: &'a str,
    pub signature: pgrx::JsonB,
    pub notes: Option<&'a str>,
}

const CREATE_MODEL: &str = "INSERT INTO finai.model (name, owner, next_version) VALUES ($1, $2, $3)
     ON CONFLICT (name) DO NOTHING";
const KEEP_PUBLIC_USE: &str =
    "INSERT INTO finai.model_grant (model, grantee, privilege) VALUES ($1, '-', 'USE')
     ON CONFLICT DO NOTHING";
const TAKE_VERSION: &str = "UPDATE finai.model SET next_version = next_version + 1 WHERE name = $1 RETURNING next_version - 1";
const STORE_BYTES: &str = "INSERT INTO finai.model_blob (sha256, onnx) VALUES (sha256($1), $1)
     ON CONFLICT (sha256) DO NOTHING";
const CREATE_VERSION: &str = "INSERT INTO finai.model_version
       (model, version, sha256, declaration, signature, notes, registered_by)
     VALUES ($1, $2, sha256($3), $4::json, $5, $6, $7)";
const MOVE_ALIAS: &str = "INSERT INTO finai.model_alias (model, alias, version) VALUES ($1, $2, $3)
     ON CONFLICT (model, alias) DO UPDATE SET version = excluded.version";
const GRANT: &str = "INSERT INTO finai.model_grant (model, grantee, privilege) VALUES ($1, $2, $3)
     ON CONFLICT (model, grantee, privilege) DO UPDATE SET grantee = excluded.grantee";
const REVOKE: &str = "DELETE FROM finai.model_grant
     WHERE model = $1 AND privilege = $3 AND (grantee = $2 OR grantee_oid = $4)";
/// Roles that were renamed since they were granted something.
const RENAME_GRANTEES: &str = "UPDATE finai.model_grant g SET grantee = r.rolname FROM pg_roles r
     WHERE g.model = $1 AND r.oid = g.grantee_oid AND r.rolname <> g.grantee
       AND NOT EXISTS (SELECT FROM finai.model_grant o
                       WHERE o.model = g.model AND o.grantee = r.rolname AND o.privilege = g.privilege)";
/// Every change of a model updates its row, so that of two at once the second waits and looks again, or fails with 40001.
const LOCK_MODEL: &str = "UPDATE finai.model SET next_version = next_version WHERE name = $1";
const RECORD_EVENT: &str =
    "INSERT INTO finai.model_event (happened_by, model, event, version, detail)
     VALUES ($1, $2, $3, $4, $5)";

/// Stores a version and returns its number. Needs ownership of the model, or that there is none of that name.
pub fn register(new: NewVersion) -> Result<i32> {
    let by = registry::current_user_name();
    hold(new.model, Some(&by), || registry::require_owner(new.model))?;
    as_owner(|| {
        let version: i32 = returned(TAKE_VERSION, &[new.model.into()])?;
        run(STORE_BYTES, &[new.onnx.into()])?;
        run(
            CREATE_VERSION,
            &[
                new.model.into(),
                version.into(),
                new.onnx.into(),
                new.declaration.into(),
                new.signature.into(),
                new.notes.into(),
                by.as_str().into(),
            ],
        )?;
        record(&by, new.model, "register", Some(version), None)?;
        Ok(version)
    })
}

/// Makes an alias mean a version. Needs PROMOTE on the model.
pub fn promote(model: &str, alias: &str, version: i32) -> Result<()> {
    let by = registry::current_user_name();
    let detail = serde_json::json!({ "alias": alias });
    hold(model, None, || registry::require(model, Privilege::Promote))?;
    as_owner(|| {
        run(MOVE_ALIAS, &[model.into(), alias.into(), version.into()])?;
        record(&by, model, "promote", Some(version), Some(detail))
    })
}

/// Grants or revokes a privilege; no grantee is PUBLIC. Needs ownership of the model.
pub fn change_grant(
    granted: bool,
    model: &str,
    grantee: Option<pg_sys::Oid>,
    privilege: &str,
) -> Result<()> {
    let by = registry::current_user_name();
    let name = grantee.map_or_else(|| "-".to_owned(), registry::role_name);
    let detail = serde_json::json!({ "grantee": name, "privilege": privilege });
    hold(model, None, || registry::require_owner(model))?;
    as_owner(|| {
        run(RENAME_GRANTEES, &[model.into()])?;
        let arguments: [DatumWithOid; 3] = [model.into(), name.as_str().into(), privilege.into()];
        let event = if granted {
            run(GRANT, &arguments)?;
            "grant"
        } else {
            let [model, name, privilege] = arguments;
            run(REVOKE, &[model, name, privilege, grantee.into()])?;
            "revoke"
        };
        record(&by, model, event, None, Some(detail))
    })
}

/// Locks a model's row until the transaction ends, then checks once more, as the caller, what the statement's own snapshot
/// may be too old to see. A bundled model gets its row here; another one only for the role that registers it.
fn hold(model: &str, registrant: Option<&str>, check: impl FnOnce() -> Result<()>) -> Result<()> {
    let bundled = bundled::find(model)?;
    let owner = registry::role_name(registry::extension_owner()?);
    as_owner(|| {
        match (bundled, registrant) {
            (Some(entry), _) => create_bundled(model, &owner, entry.card.version)?,
            (None, Some(registrant)) => {
                run(CREATE_MODEL, &[model.into(), registrant.into(), 1.into()])?;
            }
            (None, None) => {}
        }
        match run(LOCK_MODEL, &[model.into()])? {
            0 => Err(Error::UnknownModel(model.to_owned())),
            _ => Ok(()),
        }
    })?;
    under_latest_snapshot(check)
}

/// The row of a bundled model: PUBLIC keeps USE, and version numbers go on after the bundled one.
fn create_bundled(model: &str, owner: &str, version: i32) -> Result<()> {
    let created = run(
        CREATE_MODEL,
        &[model.into(), owner.into(), (version + 1).into()],
    )?;
    if created == 1 {
        run(KEEP_PUBLIC_USE, &[model.into()])?;
    }
    Ok(())
}

fn under_latest_snapshot(check: impl FnOnce() -> Result<()>) -> Result<()> {
    // SAFETY: the snapshot is popped on the way out; an error raised inside aborts the transaction, which pops it too.
    unsafe {
        pg_sys::CommandCounterIncrement();
        pg_sys::PushActiveSnapshot(pg_sys::GetLatestSnapshot());
    }
    let checked = check();
    // SAFETY: pops what was pushed above.
    unsafe { pg_sys::PopActiveSnapshot() };
    checked
}

fn record(
    by: &str,
    model: &str,
    event: &str,
    version: Option<i32>,
    detail: Option<serde_json::Value>,
) -> Result<()> {
    run(
        RECORD_EVENT,
        &[
            by.into(),
            model.into(),
            event.into(),
            version.into(),
            detail.map(pgrx::JsonB).into(),
        ],
    )?;
    Ok(())
}

/// Runs a statement and returns how many rows it touched.
fn run(statement: &str, arguments: &[DatumWithOid]) -> Result<usize> {
    Spi::connect_mut(|client| {
        let rows = client.update(statement, None, arguments).map_err(damaged)?;
        Ok(rows.len())
    })
}

fn returned(statement: &str, arguments: &[DatumWithOid]) -> Result<i32> {
    Spi::connect_mut(|client| {
        let rows = client.update(statement, None, arguments).map_err(damaged)?;
        let value = rows.first().get_one::<i32>().map_err(damaged)?;
        value.ok_or_else(|| Error::Installation(format!("no row from: {statement}")))
    })
}

fn damaged(error: spi::Error) -> Error {
    Error::Installation(error.to_string())
}

/// Runs `write` as the owner of finai's tables; the caller's identity and settings are back on every path.
fn as_owner<T>(write: impl FnOnce() -> Result<T>) -> Result<T> {
    let owner = registry::extension_owner()?;
    let identity = Identity::assume(owner);
    let result = write();
    identity.restore_settings();
    result
}

/// The caller's identity while another one is assumed.
struct Identity {
    user: pg_sys::Oid,
    context: i32,
    settings: i32,
}

impl Identity {
    fn assume(owner: pg_sys::Oid) -> Identity {
        let mut user = pg_sys::InvalidOid;
        let mut context = 0;
        // SAFETY: the identity is restored by Drop, and by PostgreSQL itself when a transaction aborts; the search path
        // is set inside a nesting level that restore_settings or the abort closes.
        unsafe {
            pg_sys::GetUserIdAndSecContext(&raw mut user, &raw mut context);
            let restricted = (pg_sys::SECURITY_LOCAL_USERID_CHANGE
                | pg_sys::SECURITY_RESTRICTED_OPERATION) as i32;
            pg_sys::SetUserIdAndSecContext(owner, context | restricted);
            let settings = pg_sys::NewGUCNestLevel();
            let identity = Identity {
                user,
                context,
                settings,
            };
            pg_sys::set_config_option(
                c"search_path".as_ptr(),
                c"pg_catalog, pg_temp".as_ptr(),
                pg_sys::GucContext::PGC_USERSET,
                pg_sys::GucSource::PGC_S_SESSION,
                pg_sys::GucAction::GUC_ACTION_SAVE,
                true,
                0,
                false,
            );
            identity
        }
    }

    fn restore_settings(self) {
        // SAFETY: closes the nesting level that `assume` opened.
        unsafe { pg_sys::AtEOXact_GUC(true, self.settings) };
    }
}

impl Drop for Identity {
    fn drop(&mut self) {
        // SAFETY: gives back the identity that `assume` found; cannot raise.
        unsafe { pg_sys::SetUserIdAndSecContext(self.user, self.context) };
    }
}
