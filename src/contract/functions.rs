//! Typed scoring functions, as PostgreSQL's catalogues know them.

use pgrx::prelude::*;

use crate::error::{Error, Result};
use crate::registry::{self, Privilege, Reference};

use super::ddl;

/// A typed scoring function.
#[derive(Debug, Clone)]
pub struct TypedFunction {
    pub function: pg_sys::Oid,
    pub owner: pg_sys::Oid,
    /// The relation whose rows it takes.
    pub relation: pg_sys::Oid,
    pub reference: Reference,
}

impl TypedFunction {
    /// Whether it may stand in others' way: its owner could score the relation's rows. As with views, who may not read a
    /// table has no say in its columns.
    pub fn has_standing(&self) -> bool {
        ddl::can_read(self.owner, self.relation)
            && registry::has(self.owner, &self.reference.model, Privilege::Use).unwrap_or(false)
    }
}

/// Names are qualified, because the search path is that of whoever runs DDL.
const TYPED_FUNCTIONS: &str = "SELECT p.oid, p.proowner, t.typrelid, p.prosrc
     FROM pg_catalog.pg_extension e
     JOIN pg_catalog.pg_depend d
       ON d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass
      AND d.refobjid OPERATOR(pg_catalog.=) e.oid
      AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
      AND d.deptype OPERATOR(pg_catalog.=) 'x'::pg_catalog.\"char\"
     JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) d.objid AND p.pronargs OPERATOR(pg_catalog.=) 1::pg_catalog.int2
     JOIN pg_catalog.pg_language l
       ON l.oid OPERATOR(pg_catalog.=) p.prolang AND l.lanname OPERATOR(pg_catalog.=) 'sql'::pg_catalog.name
     JOIN pg_catalog.pg_type t
       ON t.oid OPERATOR(pg_catalog.=) p.proargtypes[0] AND t.typrelid OPERATOR(pg_catalog.<>) 0::pg_catalog.oid
     WHERE e.extname OPERATOR(pg_catalog.=) 'finai'::pg_catalog.name
     ORDER BY p.oid";

/// Every typed scoring function. One whose body is anything but the generated call is none.
pub fn typed_functions() -> Result<Vec<TypedFunction>> {
    if !ddl::extension_has_dependents() {
        return Ok(Vec::new());
    }
    let damaged = |error: spi::Error| Error::Installation(error.to_string());
    Spi::connect(|client| {
        let rows = client.select(TYPED_FUNCTIONS, None, &[]).map_err(damaged)?;
        let mut functions = Vec::new();
        for row in rows {
            let function = row.get::<pg_sys::Oid>(1).map_err(damaged)?;
            let owner = row.get::<pg_sys::Oid>(2).map_err(damaged)?;
            let relation = row.get::<pg_sys::Oid>(3).map_err(damaged)?;
            let body = row.get::<String>(4).map_err(damaged)?;
            let reference = body.as_deref().and_then(called).map(Reference::parse);
            if let (Some(function), Some(owner), Some(relation), Some(Ok(reference))) =
                (function, owner, relation, reference)
            {
                functions.push(TypedFunction {
                    function,
                    owner,
                    relation,
                    reference,
                });
            }
        }
        Ok(functions)
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
