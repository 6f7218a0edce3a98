//! What reads columns of a relation to score its rows: a typed scoring function, or a guard.

use pgrx::pg_sys;

use crate::registry::{self, Privilege, Reference};

use super::ddl;

/// Which function or guard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    Function(pg_sys::Oid),
    Guard(String),
}

impl Name {
    /// As a sentence names it.
    pub fn describe(&self) -> String {
        match self {
            Name::Function(function) => format!("function {}", ddl::function_name(*function)),
            Name::Guard(guard) => format!("guard \"{guard}\""),
        }
    }

    /// A statement that removes it.
    pub fn removal(&self) -> String {
        match self {
            Name::Function(function) => format!("DROP FUNCTION {}", ddl::function_name(*function)),
            Name::Guard(guard) => format!("SELECT finai.drop_guard('{guard}')"),
        }
    }
}

/// A reader of a relation's columns.
#[derive(Debug, Clone)]
pub struct Reader {
    pub name: Name,
    pub owner: pg_sys::Oid,
    /// The relation whose rows it scores.
    pub relation: pg_sys::Oid,
    /// What that is called where it may be gone.
    pub label: Option<String>,
    pub relation_owner: pg_sys::Oid,
    pub reference: Reference,
    /// Columns of the table that it needs beside the model's.
    pub columns: Vec<String>,
    pub table: pg_sys::Oid,
}

impl Reader {
    /// Whether it may stand in the way of DDL: it could score the relation's rows, and belongs to the relation's owner or to
    /// whom the model's promotions are up to. Others could hold a table hostage that they can merely read.
    pub fn has_standing(&self) -> bool {
        let model = &self.reference.model;
        let can_read =
            matches!(self.name, Name::Guard(_)) || ddl::can_read(self.owner, self.relation);
        can_read
            && registry::has(self.owner, model, Privilege::Use).unwrap_or(false)
            && (registry::acts_as(self.owner, self.relation_owner) || self.has_say())
    }

    /// Whether promotions are up to its owner: a superuser, the model's owner, who has PROMOTE.
    pub fn has_say(&self) -> bool {
        registry::has(self.owner, &self.reference.model, Privilege::Promote).unwrap_or(false)
    }
}
