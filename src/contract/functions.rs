//! Typed scoring functions, as PostgreSQL's catalogues know them.

use pgrx::prelude::*;

use crate::elevate::rows_now;
use crate::error::Result;
use crate::registry::Reference;

use super::ddl;
use super::reader::{Name, Reader};

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
pub fn typed_functions() -> Result<Vec<Reader>> {
    if !ddl::extension_has_dependents() {
        return Ok(Vec::new());
    }
    let rows = rows_now(TYPED_FUNCTIONS, &[])?;
    Ok(rows.iter().filter_map(|row| typed_function(row)).collect())
}

fn typed_function(row: &[Option<String>]) -> Option<Reader> {
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
    Some(Reader {
        name: Name::Function(oid(function)?),
        owner: oid(owner)?,
        relation: oid(relation)?,
        label: None,
        columns: Vec::new(),
        table: oid(relation)?,
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
