//! The table of a guard, as the catalogue has it: what it is, whose, and its columns.

use pgrx::pg_sys;

use crate::elevate::{self, Value, rows_now};
use crate::error::{Error, GuardError, Result};
use crate::registry;
use crate::row::{owner_of, qualified_name};

/// A table as the catalogue has it.
pub struct Table {
    pub oid: pg_sys::Oid,
    pub owner: pg_sys::Oid,
    pub name: String,
    pub columns: Vec<TableColumn>,
}

pub struct TableColumn {
    pub name: String,
    /// Domains are not looked through: what a guard sets is not checked against them.
    pub type_oid: pg_sys::Oid,
    pub has_modifier: bool,
    pub is_generated: bool,
    pub is_not_null: bool,
    /// Of the table's partition key, or of that of a table above or below it.
    pub is_key: bool,
}

const KIND: &str = "SELECT c.relkind, c.relpersistence, c.oid < 16384 OR n.nspname = 'information_schema', n.nspname = 'finai'
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::oid";
/// A partition key has its columns depend on their table, whether by name or in an expression.
const COLUMNS: &str =
    "SELECT a.attname, a.atttypid, a.atttypmod >= 0, a.attgenerated <> '', a.attnotnull, EXISTS (
       SELECT FROM (SELECT relid FROM pg_partition_tree(a.attrelid) UNION ALL SELECT relid FROM pg_partition_ancestors(a.attrelid)) t
       JOIN pg_attribute k ON k.attrelid = t.relid AND k.attname = a.attname
       JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = t.relid AND d.objsubid = k.attnum
         AND d.refclassid = 'pg_class'::regclass AND d.refobjid = t.relid AND d.refobjsubid = 0 AND d.deptype = 'i')
     FROM pg_attribute a
     WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped";

fn ask(query: &str, oid: pg_sys::Oid) -> Result<Vec<elevate::TextRow>> {
    let oid = u32::from(oid).to_string();
    rows_now(query, &[Value::Text(&oid)])
}

/// Refuses what cannot be guarded.
pub fn require_kind(oid: pg_sys::Oid) -> Result<()> {
    let rows = ask(KIND, oid)?;
    let row = rows.first().map(Vec::as_slice);
    let Some(
        [
            Some(kind),
            Some(persistence),
            Some(is_system),
            Some(is_finai),
        ],
    ) = row
    else {
        return Err(Error::UnknownRelation(oid.into()));
    };
    let what = match (kind.as_str(), persistence.as_str()) {
        _ if is_system == "t" => "it is a system catalogue",
        _ if is_finai == "t" => "it is finai's own",
        ("r" | "p", "t") => "it is a temporary table",
        ("r" | "p", _) => return Ok(()),
        ("v", _) => "it is a view",
        ("m", _) => "it is a materialized view",
        ("f", _) => "it is a foreign table",
        ("i" | "I", _) => "it is an index",
        ("S", _) => "it is a sequence",
        _ => "it is no table",
    };
    Err(GuardError::Kind {
        relation: qualified_name(oid),
        what,
    }
    .into())
}

/// Refuses whoever is no member of the table's owner.
pub fn require_owner(oid: pg_sys::Oid) -> Result<()> {
    let owner = owner(oid)?;
    match registry::is_own_role(owner) {
        true => Ok(()),
        false => Err(GuardError::NotOwner(qualified_name(oid)).into()),
    }
}

fn owner(oid: pg_sys::Oid) -> Result<pg_sys::Oid> {
    owner_of(oid).ok_or_else(|| Error::UnknownRelation(oid.into()))
}

pub fn table(oid: pg_sys::Oid) -> Result<Table> {
    let columns = ask(COLUMNS, oid)?;
    let column = |row: &elevate::TextRow| {
        let [
            Some(name),
            Some(type_oid),
            has_modifier,
            is_generated,
            is_not_null,
            is_key,
        ] = row.as_slice()
        else {
            return None;
        };
        Some(TableColumn {
            name: name.clone(),
            type_oid: type_oid.parse::<u32>().ok()?.into(),
            has_modifier: has_modifier.as_deref() == Some("t"),
            is_generated: is_generated.as_deref() == Some("t"),
            is_not_null: is_not_null.as_deref() == Some("t"),
            is_key: is_key.as_deref() == Some("t"),
        })
    };
    Ok(Table {
        oid,
        owner: owner(oid)?,
        name: qualified_name(oid),
        columns: columns.iter().filter_map(column).collect(),
    })
}

impl Table {
    pub fn find(&self, column: &str, parameter: &'static str) -> Result<&TableColumn, GuardError> {
        let found = self.columns.iter().find(|c| c.name == column);
        found.ok_or_else(|| GuardError::UnknownColumn {
            column: column.to_owned(),
            relation: self.name.clone(),
            parameter,
        })
    }

    pub fn is_generated(&self, column: &str) -> bool {
        let mut columns = self.columns.iter();
        columns.any(|known| known.name == column && known.is_generated)
    }
}
