//! Features of a guard's rows, where a feature set computes them.

use pgrx::pg_sys;

use crate::elevate::under_latest_snapshot;
use crate::error::{GuardError, Result};
use crate::feature_set;
use crate::registry::{self, FeatureSet};
use crate::row::{qualified_name, relation_named, row_type_of};

/// A feature set, which must be of this table.
pub fn of_table(features: &str, table: pg_sys::Oid) -> Result<FeatureSet> {
    let set = under_latest_snapshot(|| registry::feature_set(features))?
        .ok_or_else(|| GuardError::UnknownFeatures(features.to_owned()))?;
    let source = feature_set::source(features)?;
    if source != table {
        return Err(GuardError::OtherSource {
            features: set.name,
            source_name: qualified_name(source),
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

/// The columns of its source that a set reads.
pub fn columns_read(set: &FeatureSet) -> Result<Vec<String>> {
    Ok(feature_set::FeatureSet::load(&set.name)?.columns_read())
}
