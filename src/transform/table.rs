//! Tables of the current role's own, filled by generated queries.

use pgrx::prelude::*;

use crate::error::{Error, Result, TransformError};
use crate::row::Relation;

use super::sql::identifier;

/// Creates a table, named `name` in the schema of another relation or `schema.name`, with the rows of a query, as the
/// current role.
pub fn create_table(beside: Relation, target: &str, query: &str) -> Result<()> {
    let malformed = || TransformError::Target(target.to_owned());
    let parts = Spi::connect(|client| {
        let rows = client.select("SELECT parse_ident($1)", None, &[target.into()])?;
        rows.first().get_one::<Vec<String>>()
    });
    let parts = parts.map_err(damaged)?.ok_or_else(malformed)?;
    let name = match parts.as_slice() {
        [name] => {
            let schema = beside
                .schema()
                .ok_or_else(|| Error::UnknownRelation(beside.oid().into()))?;
            format!("{}.{}", identifier(&schema), identifier(name))
        }
        [schema, name] => format!("{}.{}", identifier(schema), identifier(name)),
        _ => return Err(malformed().into()),
    };
    let exists = Spi::connect(|client| {
        let rows = client.select(
            "SELECT to_regclass($1) IS NOT NULL",
            None,
            &[name.as_str().into()],
        )?;
        rows.first().get_one::<bool>()
    });
    if exists.map_err(damaged)? == Some(true) {
        return Err(TransformError::TargetExists(name).into());
    }
    Spi::connect_mut(|client| {
        client
            .update(&format!("CREATE TABLE {name} AS {query}"), None, &[])
            .map_err(damaged)?;
        Ok(())
    })
}

fn damaged(error: spi::Error) -> Error {
    Error::Installation(error.to_string())
}
