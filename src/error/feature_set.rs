//! What is wrong with a feature set, its source, or the row that features are asked for.

use pgrx::prelude::PgSqlErrorCode;

/// Messages name features, columns and relations, never values.
#[derive(Debug, thiserror::Error)]
pub enum FeatureSetError {
    #[error("feature set \"{0}\" does not exist")]
    Unknown(String),
    #[error("feature set \"{0}\" exists already")]
    Exists(String),
    #[error("{0} is not the view of a feature set")]
    NotTheView(String),
    #[error("view {view} of feature set \"{name}\" does not exist")]
    ViewGone { name: String, view: String },
    #[error("view {view} is not that of feature set \"{name}\": it has another owner")]
    ViewOfOthers { name: String, view: String },
    #[error("the row type that features are asked for does not exist any more")]
    TypeGone,
    #[error(
        "column \"{column}\" of {relation} is not the one that view {view} of feature set \"{name}\" reads under that name"
    )]
    ColumnMoved {
        name: String,
        view: String,
        relation: String,
        column: String,
    },
    #[error("view {view} of feature set \"{name}\" is not as it was created")]
    ViewChanged { name: String, view: String },
    #[error("features of {relation}, which is a {kind}, are not supported")]
    SourceKind {
        relation: String,
        kind: &'static str,
    },
    #[error("permission denied for {0}")]
    Denied(String),
    #[error("permission denied for feature set \"{0}\"")]
    NotOwner(String),
    #[error("{} feature set \"{name}\"", needing(guards))]
    Guarded { name: String, guards: Vec<String> },
    #[error("column \"{column}\" of {relation} does not exist")]
    UnknownColumn {
        column: String,
        relation: String,
        columns: String,
    },
    #[error("{relation} no longer has column \"{column}\", which feature set \"{name}\" reads")]
    ColumnGone {
        name: String,
        relation: String,
        column: String,
    },
    #[error("column \"{column}\" of type {found} cannot be the {what}")]
    ColumnType {
        column: String,
        found: String,
        what: String,
        hint: &'static str,
    },
    #[error("column \"{column}\" of {relation} can be null, which an event_id cannot be")]
    NullableId { column: String, relation: String },
    #[error("no unique index on column \"{column}\" of {relation}")]
    NoUniqueIndex {
        column: String,
        relation: String,
        statement: String,
    },
    #[error("invalid feature set: {problem}")]
    Shape { problem: String, hint: &'static str },
    #[error("invalid feature \"{feature}\": {problem}")]
    Feature {
        feature: String,
        problem: String,
        hint: String,
    },
    #[error("feature \"{feature}\" has the name of {what}")]
    NameTaken { feature: String, what: String },
    #[error("feature \"{feature}\" refers to feature \"{reference}\", which does not exist")]
    UnknownReference { feature: String, reference: String },
    #[error("feature \"{0}\" refers to itself")]
    Cycle(String),
    #[error("{what}: {given}, {most} at most")]
    TooMany {
        what: &'static str,
        given: usize,
        most: usize,
    },
    #[error("time zone \"{0}\" not recognized")]
    TimeZone(String),
    #[error("row of type {row} has no column \"{column}\", which feature set \"{name}\" reads")]
    RowColumn {
        name: String,
        row: String,
        column: String,
    },
    #[error(
        "column \"{column}\" of the row is of type {found}, but of type {wanted} in {relation}"
    )]
    RowType {
        column: String,
        found: String,
        wanted: String,
        relation: String,
    },
    #[error(
        "the entity is of type {found}, but column \"{column}\" of {relation} is of type {wanted}"
    )]
    EntityType {
        column: String,
        relation: String,
        found: String,
        wanted: String,
    },
    #[error("events are not in the order of their time")]
    OutOfOrder,
    #[error("finai's window aggregates are for the views of feature sets")]
    NotGenerated,
}

impl FeatureSetError {
    pub fn sqlstate(&self) -> PgSqlErrorCode {
        use PgSqlErrorCode::*;
        match self {
            FeatureSetError::Unknown(_) | FeatureSetError::UnknownReference { .. } => {
                ERRCODE_UNDEFINED_OBJECT
            }
            FeatureSetError::Exists(_) => ERRCODE_DUPLICATE_OBJECT,
            FeatureSetError::NotTheView(_) => ERRCODE_WRONG_OBJECT_TYPE,
            FeatureSetError::SourceKind { .. } => ERRCODE_WRONG_OBJECT_TYPE,
            FeatureSetError::ViewGone { .. }
            | FeatureSetError::ViewOfOthers { .. }
            | FeatureSetError::TypeGone
            | FeatureSetError::ColumnMoved { .. }
            | FeatureSetError::ViewChanged { .. }
            | FeatureSetError::ColumnGone { .. }
            | FeatureSetError::NullableId { .. }
            | FeatureSetError::NoUniqueIndex { .. } => ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            FeatureSetError::Guarded { .. } => ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST,
            FeatureSetError::Denied(_) | FeatureSetError::NotOwner(_) => {
                ERRCODE_INSUFFICIENT_PRIVILEGE
            }
            FeatureSetError::UnknownColumn { .. } | FeatureSetError::RowColumn { .. } => {
                ERRCODE_UNDEFINED_COLUMN
            }
            FeatureSetError::ColumnType { .. }
            | FeatureSetError::RowType { .. }
            | FeatureSetError::EntityType { .. } => ERRCODE_DATATYPE_MISMATCH,
            FeatureSetError::Shape { .. }
            | FeatureSetError::Feature { .. }
            | FeatureSetError::Cycle(_)
            | FeatureSetError::TimeZone(_)
            | FeatureSetError::OutOfOrder
            | FeatureSetError::NotGenerated => ERRCODE_INVALID_PARAMETER_VALUE,
            FeatureSetError::NameTaken { .. } => ERRCODE_DUPLICATE_COLUMN,
            FeatureSetError::TooMany { .. } => ERRCODE_PROGRAM_LIMIT_EXCEEDED,
        }
    }

    pub fn detail(&self) -> Option<String> {
        match self {
            FeatureSetError::UnknownColumn { columns, .. } => Some(format!("Columns: {columns}.")),
            FeatureSetError::NotOwner(_) => Some("The current role does not own it.".into()),
            FeatureSetError::Denied(_) => {
                Some("The current role does not have SELECT on it.".into())
            }
            _ => None,
        }
    }

    pub fn hint(&self) -> String {
        match self {
            FeatureSetError::Unknown(_) => "SELECT name FROM finai.feature_sets lists those whose source you may read; a set has the name of its view, without the schema.".into(),
            FeatureSetError::Exists(name) => {
                format!("Choose another name, or run SELECT finai.drop_feature_set('{name}') first.")
            }
            FeatureSetError::NotTheView(_) => {
                "Name the set's view, as in finai.feature_row(NULL::my_features, <row>).".into()
            }
            FeatureSetError::ViewGone { name, .. }
            | FeatureSetError::ViewChanged { name, .. } => format!(
                "Run SELECT finai.drop_feature_set('{name}') and create the set again."
            ),
            FeatureSetError::ViewOfOthers { name, .. } => format!(
                "A set's view belongs to who created the set, or to a member of that role. Give it back with ALTER VIEW .. OWNER TO, or rename it, run SELECT finai.drop_feature_set('{name}') and create the set again."
            ),
            FeatureSetError::TypeGone => {
                "The feature set was made anew since the statement was planned: run DISCARD PLANS, or connect again.".into()
            }
            FeatureSetError::ColumnMoved { name, .. } => format!(
                "Name the columns as they were, or run SELECT finai.drop_feature_set('{name}') and create the set again."
            ),
            FeatureSetError::ColumnGone { name, column, .. } => format!(
                "Name the column \"{column}\" again, or run SELECT finai.drop_feature_set('{name}') and create the set with the new name."
            ),
            FeatureSetError::SourceKind { kind, .. } => match *kind {
                "temporary table" => "Keep the events in a permanent table.".into(),
                _ => "Name a table, a partitioned table or a materialized view: features are looked up through indexes.".into(),
            },
            FeatureSetError::Denied(_) => "Its owner can grant SELECT on it.".into(),
            FeatureSetError::Guarded { guards, .. } => {
                let drops = guards.iter().map(|guard| format!("finai.drop_guard('{guard}')"));
                let drops: Vec<String> = drops.collect();
                format!(
                    "Run SELECT {} first: a guard keeps its feature set, and one with another set is created anew. Alerts stay.",
                    drops.join(", ")
                )
            }
            FeatureSetError::NotOwner(_) => "Its view's owner or a superuser may do this.".into(),
            FeatureSetError::UnknownColumn { .. } => {
                "Columns are named exactly as they are stored, without quotes.".into()
            }
            FeatureSetError::ColumnType { hint, .. } => (*hint).into(),
            FeatureSetError::NullableId { column, relation } => {
                format!("ALTER TABLE {relation} ALTER COLUMN \"{column}\" SET NOT NULL.")
            }
            FeatureSetError::NoUniqueIndex { statement, .. } => format!("{statement}."),
            FeatureSetError::Shape { hint, .. } => (*hint).into(),
            FeatureSetError::Feature { hint, .. } => hint.clone(),
            FeatureSetError::NameTaken { .. } => {
                "The view has the source's columns and the features beside each other: rename the feature.".into()
            }
            FeatureSetError::UnknownReference { .. } => {
                "\"of\" and \"to\" name other features of the set.".into()
            }
            FeatureSetError::Cycle(_) => "A ratio can refer to features that do not depend on it.".into(),
            FeatureSetError::TooMany { .. } => "Make several sets.".into(),
            FeatureSetError::TimeZone(_) => {
                "SELECT name FROM pg_timezone_names lists the time zones.".into()
            }
            FeatureSetError::RowColumn { .. } => {
                "Pass a row of the set's source, or one with columns of the same names.".into()
            }
            FeatureSetError::RowType { column, wanted, .. } => {
                format!("Cast it in a subquery: \"{column}\"::{wanted}.")
            }
            FeatureSetError::EntityType { wanted, .. } => {
                format!("Give one of type {wanted}, or cast it where nothing is lost.")
            }
            FeatureSetError::OutOfOrder | FeatureSetError::NotGenerated => {
                "Create a set with finai.create_feature_set and read its view.".into()
            }
        }
    }
}

/// Guards by name, as who needs what follows.
fn needing(guards: &[String]) -> String {
    let names: Vec<String> = guards.iter().map(|guard| format!("\"{guard}\"")).collect();
    match names.as_slice() {
        [one] => format!("guard {one} needs"),
        several => format!("guards {} need", several.join(", ")),
    }
}
