//! The version that a reference means, for a call site that asks again in every statement: rows that answered before are looked
//! for where they were.

use std::sync::Arc;

use pgrx::pg_sys;

use crate::error::Result;

use super::kept::{self, Kept};
use super::privilege::{self, Grantee, Privilege};
use super::scan::{Key, visit};
use super::{Reference, Target, Version, refuse_retired};

/// What answered before.
#[derive(Default)]
pub struct Known {
    /// What is asked for, as it is written.
    text: String,
    reference: Option<Reference>,
    owner: Option<Kept<Option<pg_sys::Oid>>>,
    /// The row that gave a role its right.
    grant: Option<Kept<Grantee>>,
    alias: Option<Kept<Option<i32>>>,
    /// Nothing where the row cannot be read.
    version: Option<Kept<Option<Arc<Version>>>>,
}

impl Known {
    /// As [`super::resolve`] of a reference; the version of an unchanged row is the one that was given before.
    pub fn resolve(&mut self, text: &str) -> Result<Arc<Version>> {
        let reference = match self.reference.take().filter(|_| self.text == text) {
            Some(reference) => reference,
            None => {
                let reference = Reference::parse(text)?;
                *self = Known {
                    text: text.to_owned(),
                    ..Known::default()
                };
                reference
            }
        };
        let version = self.meant(&reference);
        self.reference = Some(reference);
        version
    }

    fn meant(&mut self, reference: &Reference) -> Result<Arc<Version>> {
        let model = &reference.model;
        self.require_use(model)?;
        let version = match &reference.target {
            Target::Version(version) => *version,
            Target::Alias(alias) => self.aliased(model, alias)?,
        };
        refuse_retired(reference, version)?;
        self.version(model, version)
    }

    fn require_use(&mut self, model: &str) -> Result<()> {
        // A right that was taken away since the snapshot is none: that is for an index scan.
        if privilege::snapshot_is_kept() {
            return privilege::require(model, Privilege::Use);
        }
        let keys = [(c"name", Key::Text(model))];
        let owner = kept::first(&mut self.owner, c"model", &keys, privilege::stored_owner)?;
        let owner = privilege::owner_stored(model, owner.copied())?;
        let user = privilege::current_user();
        if owner.may(user, Privilege::Use) {
            return Ok(());
        }
        let granted = self.grant.as_ref().and_then(Kept::current);
        if granted.is_some_and(|grantee| grantee.includes(user)) {
            return Ok(());
        }
        self.grant = None;
        visit(c"model_grant", &[(c"model", Key::Text(model))], |row| {
            let grantee = privilege::grantee(row, Privilege::Use);
            let grantee = grantee.filter(|grantee| grantee.includes(user));
            self.grant = grantee.map(|grantee| Kept::of(row, grantee));
            self.grant.is_none()
        })?;
        match self.grant {
            Some(_) => Ok(()),
            None => Err(privilege::denied(model, Privilege::Use.name())),
        }
    }

    fn aliased(&mut self, model: &str, alias: &str) -> Result<i32> {
        let keys = super::alias_keys(model, alias);
        let stored = kept::first(&mut self.alias, c"model_alias", &keys, super::stored_alias)?;
        match stored.copied().flatten() {
            Some(version) => Ok(version),
            None => {
                super::unpromoted(model, alias)?.ok_or_else(|| super::means_nothing(model, alias))
            }
        }
    }

    fn version(&mut self, model: &str, version: i32) -> Result<Arc<Version>> {
        let is_other = |kept: &mut Kept<Option<Arc<Version>>>| {
            kept.last().as_ref().is_none_or(|v| v.version != version)
        };
        self.version.take_if(is_other);
        let keys = super::version_keys(model, version);
        let read = |row: &super::Row| {
            let version = super::stored_version(model, version, row);
            version.ok().flatten().map(Arc::new)
        };
        match kept::first(&mut self.version, c"model_version", &keys, read)? {
            Some(Some(version)) => Ok(version.clone()),
            _ => super::find(model, version).map(Arc::new),
        }
    }
}
