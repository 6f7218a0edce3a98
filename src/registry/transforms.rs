//! Stored transforms, and who may use them.

use pgrx::pg_sys;

use crate::error::{Error, Result, TransformError};

use super::privilege::acts_as;
use super::scan::{Key, Moment, Row, visit_at};

/// One fit of a transform.
pub struct Transform {
    pub name: String,
    pub version: i32,
    /// Fitted steps, JSON.
    pub fitted: String,
    owner: pg_sys::Oid,
    relation: pg_sys::Oid,
}

/// The version that `name` or `name@version` means, for a role that may use it: one that acts for its owner, or may read
/// all rows of the relation that it was fitted on.
pub fn transform(reference: &str) -> Result<Transform> {
    transform_at(Moment::Statement, reference)
}

/// As [`transform`], as it is now: a procedure may run under an older snapshot than the statement before it.
pub fn transform_now(reference: &str) -> Result<Transform> {
    transform_at(Moment::Now, reference)
}

fn transform_at(moment: Moment, reference: &str) -> Result<Transform> {
    let (name, version) = transform_reference(reference)?;
    let mut found: Option<Transform> = None;
    let mut exists = false;
    visit_transforms(moment, name, |row| {
        exists = true;
        let number = row.integer(c"version").unwrap_or_default();
        let wanted = version.map_or_else(
            || found.as_ref().is_none_or(|latest| latest.version < number),
            |version| version == number,
        );
        if wanted {
            found = Some(Transform {
                name: name.to_owned(),
                version: number,
                fitted: row.json_text(c"fitted").unwrap_or_default(),
                owner: row.oid(c"owner_oid").unwrap_or(pg_sys::InvalidOid),
                relation: row.oid(c"relation_oid").unwrap_or(pg_sys::InvalidOid),
            });
        }
    })?;
    match (found, version) {
        (Some(transform), _) => {
            transform.require_use()?;
            Ok(transform)
        }
        (None, Some(version)) if exists => Err(TransformError::UnknownVersion {
            name: name.to_owned(),
            version,
        }
        .into()),
        _ => Err(TransformError::Unknown(name.to_owned()).into()),
    }
}

/// The role that a transform belongs to, as it is now; nothing where there is no transform of the name.
pub fn transform_owner_now(name: &str) -> Result<Option<pg_sys::Oid>> {
    let mut owner = None;
    visit_transforms(Moment::Now, name, |row| {
        owner = Some(row.oid(c"owner_oid").unwrap_or(pg_sys::InvalidOid));
    })?;
    Ok(owner)
}

/// Refuses unless the current role acts for a transform's owner.
pub fn require_transform_owner(name: &str, owner: pg_sys::Oid) -> Result<()> {
    // SAFETY: reads a variable.
    match acts_as(unsafe { pg_sys::GetUserId() }, owner) {
        true => Ok(()),
        false => Err(TransformError::NotOwner(name.to_owned()).into()),
    }
}

/// A name and, where there is one, a version number.
pub fn transform_reference(reference: &str) -> Result<(&str, Option<i32>)> {
    match reference.split_once('@') {
        None => Ok((reference, None)),
        Some((name, version)) => match version.parse() {
            Ok(version) => Ok((name, Some(version))),
            Err(_) => Err(TransformError::Reference(reference.to_owned()).into()),
        },
    }
}

/// Refuses what no transform can be called.
pub fn check_transform_name(name: &str) -> Result<()> {
    let is_name = name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    match is_name {
        true => Ok(()),
        false => Err(Error::Parameter {
            parameter: "name",
            detail: "It is not the name of a transform.".into(),
            hint: "A name starts with a letter or underscore, continues with letters, digits and underscores, and has at most 63 characters.",
        }),
    }
}

impl Transform {
    fn require_use(&self) -> Result<()> {
        // SAFETY: reads a variable, the role caches and the relation's catalogue row, which is there.
        let may = unsafe {
            let user = pg_sys::GetUserId();
            acts_as(user, self.owner)
                || self.relation != pg_sys::InvalidOid
                    && pg_sys::get_rel_relkind(self.relation) != 0
                    && pg_sys::pg_class_aclcheck(
                        self.relation,
                        user,
                        pg_sys::ACL_SELECT as pg_sys::AclMode,
                    ) == pg_sys::AclResult::ACLCHECK_OK
                    && pg_sys::check_enable_rls(self.relation, user, true)
                        != pg_sys::CheckEnableRlsResult::RLS_ENABLED as i32
        };
        match may {
            true => Ok(()),
            false => Err(TransformError::Denied(self.name.clone()).into()),
        }
    }
}

fn visit_transforms(moment: Moment, name: &str, mut visitor: impl FnMut(&Row)) -> Result<()> {
    visit_at(moment, c"transform", &[(c"name", Key::Text(name))], |row| {
        visitor(row);
        true
    })
}
