//! Features of a guard's rows, where a feature set computes them.

use pgrx::pg_sys;

use crate::elevate::{Value, rows_now, under_latest_snapshot};
use crate::error::{GuardError, Result};
use crate::registry::{self, FeatureSet};
use crate::row::qualified_name;

const RELATION: &str = "SELECT to_regclass($1)::oid";

/// A feature set, which must be of this table.
pub fn of_table(features: &str, table: pg_sys::Oid) -> Result<FeatureSet> {
    let set = under_latest_snapshot(|| registry::feature_set(features))?
        .ok_or_else(|| GuardError::UnknownFeatures(features.to_owned()))?;
    if relation(&set.source)? != Some(table) {
        return Err(GuardError::OtherSource {
            features: set.name,
            source_name: set.source,
            relation: qualified_name(table),
        }
        .into());
    }
    Ok(set)
}

/// The relation that a name with its schema means.
pub fn relation(name: &str) -> Result<Option<pg_sys::Oid>> {
    let rows = rows_now(RELATION, &[Value::Text(name)])?;
    let oid = rows
        .first()
        .and_then(|row| row.first()?.as_ref()?.parse::<u32>().ok());
    Ok(oid.map(pg_sys::Oid::from))
}

/// The view of a feature set, as this statement finds it.
pub fn view(features: &str) -> Result<String> {
    let set = registry::feature_set(features)?;
    let set = set.ok_or_else(|| GuardError::UnknownFeatures(features.to_owned()))?;
    Ok(set.view)
}

/// The query that computes the features of a row.
pub fn query(view: &str) -> Result<String> {
    let known = relation(view)?.map(qualified_name);
    let known = known.ok_or_else(|| GuardError::UnknownFeatures(view.to_owned()))?;
    Ok(format!("SELECT finai.feature_row(NULL::{known}, $1)"))
}

/// Whether a set's definition mentions a column: as a whole string anywhere in it.
pub fn mentions(set: &FeatureSet, column: &str) -> bool {
    fn within(value: &serde_json::Value, column: &str) -> bool {
        match value {
            serde_json::Value::String(text) => text == column,
            serde_json::Value::Array(values) => values.iter().any(|v| within(v, column)),
            serde_json::Value::Object(object) => object.values().any(|v| within(v, column)),
            _ => false,
        }
    }
    set.columns.iter().any(|name| name == column) || within(&set.features, column)
}
