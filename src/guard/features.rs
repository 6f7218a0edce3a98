//! Features of a guard's rows, where a feature set computes them.

use pgrx::pg_sys;

use crate::elevate::under_latest_snapshot;
use crate::error::{GuardError, Result};
use crate::registry::{self, FeatureSet};
use crate::row::{qualified_name, relation_named, row_type_of};

/// A feature set, which must be of this table.
pub fn of_table(features: &str, table: pg_sys::Oid) -> Result<FeatureSet> {
    let set = under_latest_snapshot(|| registry::feature_set(features))?
        .ok_or_else(|| GuardError::UnknownFeatures(features.to_owned()))?;
    if relation_named(&set.source) != Some(table) {
        return Err(GuardError::OtherSource {
            features: set.name,
            source_name: set.source,
            relation: qualified_name(table),
        }
        .into());
    }
    Ok(set)
}

/// The row type of a feature set's view, as this statement finds the set.
pub fn view_type(features: &str) -> Result<pg_sys::Oid> {
    let unknown = || GuardError::UnknownFeatures(features.to_owned());
    let set = registry::feature_set(features)?.ok_or_else(unknown)?;
    let view = relation_named(&set.view).and_then(row_type_of);
    Ok(view.ok_or_else(unknown)?)
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
