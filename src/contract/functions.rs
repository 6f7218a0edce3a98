//! Typed scoring functions, as PostgreSQL's catalogues know them.

use pgrx::prelude::*;

use crate::elevate::rows_now;
use crate::error::Result;
use crate::registry::{self, Privilege, Reference};

use super::ddl;

/// A typed scoring function.
#[derive(Debug, Clone)]
pub struct TypedFunction {
    pub function: pg_sys::Oid,
    pub owner: pg_sys::Oid,
    /// The relation whose rows it takes.
    pub relation: pg_sys::Oid,
    pub relation_owner: pg_sys::Oid,
    pub reference: Reference,
}

impl TypedFunction {
    /// Whether it may stand in the way of DDL: it could score the relation's rows, and belongs to the relation's owner or to
    /// whom the model's promotions are up to. Others could hold a table hostage that they can merely read.
    pub fn has_standing(&self) -> bool {
        let model = &self.reference.model;
        ddl::can_read(self.owner, self.relation)
            && registry::has(self.owner, model, Privilege::Use).unwrap_or(false)
            && (registry::acts_as(self.owner, self.relation_owner) || self.has_say())
    }

    /// Whether promotions are up to its owner: a superuser, the model's owner, who has PROMOTE.
    pub fn has_say(&self) -> bool {
        registry::has(self.owner, &self.reference.model, Privilege::Promote).unwrap_or(false)
    }
}

/// Functions on temporary tables are their session's own affair.
const TYPED_FUNCTIONS: &str = "SELECT p.oid, p.proowner, c.oid, c.relowner, p.prosrc
     FROM pg_extension e
     JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'x'
     JOIN pg_proc p ON p.oid = d.objid AND p.pronargs = 1
     JOIN pg_language l ON l.oid = p.prolang AND l.lanname = 'sql'
     JOIN pg_type t ON t.oid = p.proargtypes[0]
     JOIN pg_class c ON c.oid = t.typrelid AND c.relpersistence <> 't'
     WHERE e.extname = 'finai'
     ORDER BY p.oid";

/// Every typed scoring function. One whose body is anything but the generated call is none.
pub fn typed_functions() -> Result<Vec<TypedFunction>> {
    if !ddl::extension_has_dependents() {
        return Ok(Vec::new());
    }
    let rows = rows_now(TYPED_FUNCTIONS, &[])?;
    Ok(rows.iter().filter_map(|row| typed_function(row)).collect())
}

fn typed_function(row: &[Option<String>]) -> Option<TypedFunction> {
    let [
        Some(function),
        Some(owner),
        Some(relation),
        Some(relation_owner),
        Some(body),
    ] = row
    else {
        return None;
    };
    let oid = |text: &String| text.parse::<u32>().ok().map(pg_sys::Oid::from);
    Some(TypedFunction {
        function: oid(function)?,
        owner: oid(owner)?,
        relation: oid(relation)?,
        relation_owner: oid(relation_owner)?,
        reference: Reference::parse(called(body)?).ok()?,
    })
}

/// The model that a generated body calls.
fn called(body: &str) -> Option<&str> {
    let call = body.strip_prefix("SELECT finai.")?;
    let (function, arguments) = call.split_once("('")?;
    if !matches!(function, "score" | "classify" | "predict" | "probabilities") {
        return None;
    }
    let reference = arguments.strip_suffix("', $1)")?;
    (!reference.contains(['\'', '\\'])).then_some(reference)
}
