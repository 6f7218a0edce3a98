//! Who may do what with a model, checked in every statement.

use std::ffi::{CStr, CString};

use pgrx::prelude::*;

use crate::bundled;
use crate::error::{Error, OWNERSHIP, Result};

use super::scan::{Key, Moment, Row, extension_owner, first, visit, visit_at};

/// A privilege on one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Privilege {
    Use,
    Explain,
    Read,
    Promote,
}

impl Privilege {
    pub const fn name(self) -> &'static str {
        match self {
            Privilege::Use => "USE",
            Privilege::Explain => "EXPLAIN",
            Privilege::Read => "READ",
            Privilege::Promote => "PROMOTE",
        }
    }

    /// Reads a privilege's name in any case.
    pub fn parse(text: &str) -> Result<Privilege> {
        [
            Privilege::Use,
            Privilege::Explain,
            Privilege::Read,
            Privilege::Promote,
        ]
        .into_iter()
        .find(|privilege| privilege.name().eq_ignore_ascii_case(text))
        .ok_or_else(|| Error::Privilege(text.to_owned()))
    }
}

/// Refuses unless the model exists and the current role is a superuser, owns it, or was granted the privilege.
pub fn require(model: &str, privilege: Privilege) -> Result<()> {
    let user = current_user();
    if !has(user, model, privilege)? {
        return Err(denied(model, privilege.name()));
    }
    // Such a transaction keeps its models, but no right that was taken away since.
    if !snapshot_is_kept() {
        return Ok(());
    }
    match has_at(Moment::Now, user, model, privilege) {
        Ok(true) | Err(Error::UnknownModel(_)) => Ok(()),
        Ok(false) => Err(denied(model, privilege.name())),
        Err(error) => Err(error),
    }
}

/// Whether this transaction reads everything as of its first statement.
pub fn snapshot_is_kept() -> bool {
    // SAFETY: reads a variable.
    unsafe { pg_sys::XactIsoLevel >= pg_sys::XACT_REPEATABLE_READ as i32 }
}

/// Whether a role is a superuser, owns the model, or was granted the privilege. `Error::UnknownModel` where there is none.
pub fn has(user: pg_sys::Oid, model: &str, privilege: Privilege) -> Result<bool> {
    has_at(Moment::Statement, user, model, privilege)
}

fn has_at(moment: Moment, user: pg_sys::Oid, model: &str, privilege: Privilege) -> Result<bool> {
    let owner = owner_at(moment, model)?;
    if owner.may(user, privilege) {
        return Ok(true);
    }
    let mut granted = false;
    visit_at(
        moment,
        c"model_grant",
        &[(c"model", Key::Text(model))],
        |row| {
            granted = grantee(row, privilege).is_some_and(|grantee| grantee.includes(user));
            !granted
        },
    )?;
    Ok(granted)
}

/// Refuses unless the model exists and the current role is a superuser or owns it.
pub fn require_owner(model: &str) -> Result<()> {
    if is_member_of(owner(model)?.role) {
        Ok(())
    } else {
        Err(denied(model, OWNERSHIP))
    }
}

/// Whether the current role is a superuser or acts for the role that owns the extension.
pub fn is_administrator() -> Result<bool> {
    Ok(is_member_of(extension_owner()?))
}

/// Refuses unless the current role is a member of a role, or a superuser.
pub fn require_member(role: pg_sys::Oid) -> Result<()> {
    // SAFETY: reads the role caches.
    if unsafe { pg_sys::is_member_of_role(pg_sys::GetUserId(), role) } {
        Ok(())
    } else {
        Err(Error::NotMember(role_name(role)))
    }
}

/// True for a bundled model that nobody changed.
pub fn is_unchanged_bundled(model: &str) -> Result<bool> {
    Ok(owner(model)?.is_unchanged_bundled)
}

/// The role that owns a model; nobody where it no longer exists.
pub fn owner_name(model: &str) -> Result<Option<String>> {
    Ok(existing_name(owner(model)?.role))
}

/// Whether the owner, the grantees and the registrants of a model are stored under the names that their roles have now: a dump carries names.
pub fn names_are_current(model: &str) -> Result<bool> {
    let is_current = |row: &Row, name: &CStr, oid: &CStr| match row.oid(oid).map(existing_name) {
        Some(Some(now)) => row.name(name) == Some(now),
        _ => true,
    };
    let owner = first(c"model", &[(c"name", Key::Text(model))], |row| {
        is_current(row, c"owner", c"owner_oid")
    })?;
    let mut current = owner.unwrap_or(true);
    visit(c"model_grant", &[(c"model", Key::Text(model))], |row| {
        current &= is_current(row, c"grantee", c"grantee_oid");
        current
    })?;
    visit(c"model_version", &[(c"model", Key::Text(model))], |row| {
        current &= is_current(row, c"registered_session", c"registered_session_oid");
        current
    })?;
    Ok(current)
}

/// The name of a role; nothing where it does not exist.
pub fn existing_name(role: pg_sys::Oid) -> Option<String> {
    // SAFETY: an oid without a role gives null; the name is palloc'd and NUL-terminated.
    unsafe {
        let name = pg_sys::GetUserNameFromId(role, true);
        (!name.is_null()).then(|| CStr::from_ptr(name).to_string_lossy().into_owned())
    }
}

/// Who was granted what on a model; PUBLIC is `public`.
pub fn grants(model: &str) -> Result<Vec<(String, String)>> {
    let mut grants = Vec::new();
    visit(c"model_grant", &[(c"model", Key::Text(model))], |row| {
        let grantee = match row.oid(c"grantee_oid") {
            Some(role) => existing_name(role),
            None if row.name(c"grantee").as_deref() == Some("-") => Some("public".to_owned()),
            None => None,
        };
        grants.extend(grantee.zip(row.text(c"privilege")));
        true
    })?;
    Ok(grants)
}

/// Whom a model belongs to.
pub struct Owner {
    /// A role that no longer exists is nobody.
    role: pg_sys::Oid,
    /// A bundled model without a row belongs to the extension's owner, and PUBLIC may use it.
    is_unchanged_bundled: bool,
}

impl Owner {
    /// Whether a role may do this without a grant.
    pub fn may(&self, user: pg_sys::Oid, privilege: Privilege) -> bool {
        self.is_unchanged_bundled && privilege == Privilege::Use || acts_as(user, self.role)
    }
}

/// Whom a privilege was granted to.
pub enum Grantee {
    Role(pg_sys::Oid),
    Public,
}

impl Grantee {
    pub fn includes(&self, user: pg_sys::Oid) -> bool {
        match self {
            Grantee::Role(role) => acts_as(user, *role),
            Grantee::Public => true,
        }
    }
}

/// Who got this privilege by a row of `model_grant`; nothing where it grants another, or to a role that is gone.
pub fn grantee(row: &Row, privilege: Privilege) -> Option<Grantee> {
    if row.text(c"privilege").as_deref() != Some(privilege.name()) {
        return None;
    }
    match row.oid(c"grantee_oid") {
        Some(role) => Some(Grantee::Role(role)),
        None => (row.name(c"grantee").as_deref() == Some("-")).then_some(Grantee::Public),
    }
}

fn owner(model: &str) -> Result<Owner> {
    owner_at(Moment::Statement, model)
}

fn owner_at(moment: Moment, model: &str) -> Result<Owner> {
    let mut stored = None;
    visit_at(moment, c"model", &[(c"name", Key::Text(model))], |row| {
        stored = Some(stored_owner(row));
        false
    })?;
    owner_stored(model, stored)
}

/// The owner in a row of `model`.
pub fn stored_owner(row: &Row) -> Option<pg_sys::Oid> {
    row.oid(c"owner_oid")
}

/// Whom a model belongs to, by its row, which bundled ones need not have.
pub fn owner_stored(model: &str, stored: Option<Option<pg_sys::Oid>>) -> Result<Owner> {
    if let Some(role) = stored {
        return Ok(Owner {
            role: role.unwrap_or(pg_sys::InvalidOid),
            is_unchanged_bundled: false,
        });
    }
    if bundled::find(model)?.is_none() {
        return Err(Error::UnknownModel(model.to_owned()));
    }
    Ok(Owner {
        role: extension_owner()?,
        is_unchanged_bundled: true,
    })
}

/// The role that privileges are checked for.
pub fn current_user() -> pg_sys::Oid {
    // SAFETY: reads a variable.
    unsafe { pg_sys::GetUserId() }
}

/// The name of the role that privileges are checked for.
pub fn current_user_name() -> String {
    // SAFETY: reads a variable.
    role_name(unsafe { pg_sys::GetUserId() })
}

/// The role that the client was authenticated as: SET SESSION AUTHORIZATION does not change it.
pub fn session_user() -> pg_sys::Oid {
    // SAFETY: reads a variable.
    unsafe { pg_sys::GetAuthenticatedUserId() }
}

/// The name of that role.
pub fn session_user_name() -> String {
    role_name(session_user())
}

/// The name of a role that exists.
pub fn role_name(role: pg_sys::Oid) -> String {
    // SAFETY: an oid without a role raises an error; the name is palloc'd and NUL-terminated.
    unsafe {
        let name = pg_sys::GetUserNameFromId(role, false);
        CStr::from_ptr(name).to_string_lossy().into_owned()
    }
}

/// The oid of a role, or nothing for `public`.
pub fn role_named(name: &str) -> Result<Option<pg_sys::Oid>> {
    if name == "public" {
        return Ok(None);
    }
    let unknown = || Error::UnknownRole(name.to_owned());
    // A stored grant to - is one to PUBLIC.
    if name == "-" {
        return Err(unknown());
    }
    let c_name = CString::new(name).map_err(|_| unknown())?;
    // SAFETY: a catalogue lookup by a NUL-terminated name.
    match unsafe { pg_sys::get_role_oid(c_name.as_ptr(), true) } {
        // As SQL folds it, where no role has the name that was quoted.
        pg_sys::InvalidOid if name.eq_ignore_ascii_case("public") => Ok(None),
        pg_sys::InvalidOid => Err(unknown()),
        oid => Ok(Some(oid)),
    }
}

/// Whether a role is a superuser.
pub fn is_superuser(role: pg_sys::Oid) -> bool {
    // SAFETY: reads the role caches; a role that does not exist is none.
    unsafe { pg_sys::superuser_arg(role) }
}

/// Whether the current role is a role, inherits from it, or is a superuser.
pub fn is_own_role(role: pg_sys::Oid) -> bool {
    is_member_of(role)
}

fn is_member_of(role: pg_sys::Oid) -> bool {
    // SAFETY: reads a variable.
    acts_as(unsafe { pg_sys::GetUserId() }, role)
}

pub fn acts_as(user: pg_sys::Oid, role: pg_sys::Oid) -> bool {
    // SAFETY: has_privs_of_role reads the role caches; a role that does not exist has no members but superusers.
    unsafe { pg_sys::has_privs_of_role(user, role) }
}

pub fn denied(model: &str, privilege: &'static str) -> Error {
    Error::Denied {
        model: model.to_owned(),
        privilege,
    }
}
