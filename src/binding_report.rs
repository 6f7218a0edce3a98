//! How the columns of a relation would bind to a model's features, without scoring anything.

use finai_engine::Signature;

use crate::description::kind_name;
use crate::error::{Error, Result};
use crate::row::{Column, Conversion, Found, Relation, columns_of_relation, find_column};

/// One feature and the column that would supply it.
pub struct BindingRow {
    pub feature: String,
    pub kind: String,
    pub column: Option<String>,
    pub found: Option<String>,
    pub status: String,
    pub hint: Option<String>,
}

/// The status of a feature whose column fits.
pub const OK: &str = "ok";

/// One row per feature: `ok`, `missing` or `mismatch`.
pub fn rows(signature: &Signature, relation: Relation) -> Result<Vec<BindingRow>> {
    let oid = relation.oid();
    let name = relation
        .name()
        .ok_or_else(|| Error::UnknownRelation(oid.into()))?;
    let columns = columns_of_relation(oid).ok_or_else(|| Error::Parameter {
        parameter: "relation",
        detail: format!("\"{name}\" has no row type."),
        hint: "Name a table, view, materialized view, foreign table or composite type's relation.",
    })?;
    Ok(rows_of(signature, &columns))
}

/// As [`rows`], of columns that are known already.
pub fn rows_of(signature: &Signature, columns: &[Column]) -> Vec<BindingRow> {
    let rows = signature.features.iter().map(|feature| {
        // A relation's columns have names of their own, so there is never more than one.
        let column = match find_column(columns, &feature.name) {
            Found::Column(column) => Some(column),
            Found::Nothing | Found::Several => None,
        };
        let (status, hint) = match column.map(|column| Conversion::find(column, feature.kind)) {
            None => (
                "missing",
                Some("Add or rename the column in a view or subquery.".to_owned()),
            ),
            Some(Ok(_)) => (OK, None),
            Some(Err(refusal)) => ("mismatch", Some(refusal.0)),
        };
        BindingRow {
            feature: feature.name.clone(),
            kind: kind_name(feature.kind).to_owned(),
            column: column.map(|column| column.name.clone()),
            found: column.map(|column| column.type_name.clone()),
            status: status.to_owned(),
            hint,
        }
    });
    rows.collect()
}
