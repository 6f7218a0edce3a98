//! Privileges on models: granted, revoked.

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys;

use crate::error::Result;
use crate::registry;

use super::{Change, as_owner, hold, record, run};

const GRANT: &str = "INSERT INTO finai.model_grant (model, grantee, privilege) VALUES ($1, $2, $3)
     ON CONFLICT (model, grantee, privilege) DO UPDATE SET grantee = excluded.grantee";
const REVOKE: &str = "DELETE FROM finai.model_grant
     WHERE model = $1 AND privilege = $3 AND (grantee_oid = $4 OR grantee_oid IS NULL AND grantee = $2)";
/// Roles that were renamed since they were granted something; a role named - cannot be told from PUBLIC.
const RENAME_GRANTEES: &str = "UPDATE finai.model_grant g SET grantee = r.rolname FROM pg_roles r
     WHERE g.model = $1 AND r.oid = g.grantee_oid AND r.rolname <> g.grantee AND r.rolname <> '-'
       AND NOT EXISTS (SELECT FROM finai.model_grant o
                       WHERE o.model = g.model AND o.grantee = r.rolname AND o.privilege = g.privilege)";
const RENAME_OWNER: &str = "UPDATE finai.model m SET owner = r.rolname FROM pg_roles r
     WHERE m.name = $1 AND r.oid = m.owner_oid AND r.rolname <> m.owner";

const RENAME_REGISTRANTS: &str =
    "UPDATE finai.model_version v SET registered_session = r.rolname FROM pg_roles r
     WHERE v.model = $1 AND r.oid = v.registered_session_oid AND r.rolname <> v.registered_session";

/// Grants or revokes a privilege; no grantee is PUBLIC. Needs ownership of the model.
pub fn change_grant(
    granted: bool,
    change: Change,
    grantee: Option<pg_sys::Oid>,
    privilege: &str,
) -> Result<()> {
    let by = registry::current_user_name();
    let model = change.model;
    let name = grantee.map_or_else(|| "-".to_owned(), registry::role_name);
    let shown = grantee.map_or("public", |_| &name);
    let detail = serde_json::json!({ "grantee": shown, "privilege": privilege });
    hold(model, None, || registry::require_owner(model))?;
    as_owner(|| {
        rename_roles(model)?;
        let arguments: [DatumWithOid; 3] = [model.into(), name.as_str().into(), privilege.into()];
        let event = if granted {
            run(GRANT, &arguments)?;
            "grant"
        } else {
            let [model, name, privilege] = arguments;
            run(REVOKE, &[model, name, privilege, grantee.into()])?;
            "revoke"
        };
        record(change, &by, event, None, Some(detail))
    })
}

/// Stores the names that the owner, the grantees and the registrants of a model have now. Changes nobody's rights, which go
/// by oid. Needs ownership of the model.
pub fn store_role_names(model: &str) -> Result<()> {
    hold(model, None, || registry::require_owner(model))?;
    as_owner(|| rename_roles(model))
}

/// Gives the owner, the grantees and the registrants of a model the names that they have now; only inside `as_owner`.
pub(super) fn rename_roles(model: &str) -> Result<()> {
    run(RENAME_GRANTEES, &[model.into()])?;
    run(RENAME_OWNER, &[model.into()])?;
    run(RENAME_REGISTRANTS, &[model.into()])?;
    Ok(())
}
