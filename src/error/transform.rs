//! What is refused about transforms, and about the columns that they and WoE tables read.

use pgrx::prelude::PgSqlErrorCode;

/// Why a transform or a WoE table was refused. Messages name columns, never values.
#[derive(Debug, thiserror::Error)]
pub enum TransformError {
    #[error("{0} has no rows to read")]
    NotRows(String),
    #[error("{origin} has no column \"{column}\"")]
    UnknownColumn { origin: String, column: String },
    #[error("column \"{column}\" of type {found} cannot be {purpose}")]
    ColumnType {
        column: String,
        found: String,
        purpose: &'static str,
        hint: &'static str,
    },
    #[error("column \"{0}\" is no label")]
    Label(String),
    #[error("label \"{0}\" is the same in all rows")]
    OneClass(String),
    #[error("column \"{0}\" has no values to take parameters from")]
    NoValues(String),
    #[error("column \"{column}\" has more than {most} categories")]
    TooManyCategories { column: String, most: usize },
    #[error("constant for column \"{column}\" is not of its type {found}")]
    Constant { column: String, found: String },
    #[error("column \"{column}\" has texts that are no {to}")]
    Unconvertible {
        column: String,
        to: &'static str,
        rows: i64,
    },
    #[error("column \"{column}\" has a text that is no {to}")]
    Text { column: String, to: String },
    #[error("column \"{column}\" of type {found} is not {fitted}, which it was fitted on")]
    OtherType {
        column: String,
        found: String,
        fitted: &'static str,
    },
    #[error("column \"{column}\" would add a second column \"{added}\"")]
    DuplicateColumn { column: String, added: String },
    #[error("row has several columns \"{0}\"")]
    AmbiguousColumn(String),
    #[error("transform \"{0}\" does not exist")]
    Unknown(String),
    #[error("transform \"{name}\" has no version {version}")]
    UnknownVersion { name: String, version: i32 },
    #[error("invalid transform reference \"{0}\"")]
    Reference(String),
    #[error("permission denied for transform \"{0}\"")]
    Denied(String),
    #[error("transform \"{0}\" belongs to another role")]
    NotOwner(String),
    #[error("relation \"{0}\" exists already")]
    TargetExists(String),
    #[error("invalid target \"{0}\"")]
    Target(String),
}

impl TransformError {
    pub(super) fn sqlstate(&self) -> PgSqlErrorCode {
        use PgSqlErrorCode::*;
        match self {
            TransformError::NotRows(_) => ERRCODE_WRONG_OBJECT_TYPE,
            TransformError::UnknownColumn { .. } => ERRCODE_UNDEFINED_COLUMN,
            TransformError::ColumnType { .. }
            | TransformError::Constant { .. }
            | TransformError::OtherType { .. } => ERRCODE_DATATYPE_MISMATCH,
            TransformError::Label(_) | TransformError::Reference(_) | TransformError::Target(_) => {
                ERRCODE_INVALID_PARAMETER_VALUE
            }
            TransformError::OneClass(_) | TransformError::NoValues(_) => ERRCODE_DATA_EXCEPTION,
            TransformError::TooManyCategories { .. } => ERRCODE_PROGRAM_LIMIT_EXCEEDED,
            TransformError::Unconvertible { .. } | TransformError::Text { .. } => {
                ERRCODE_INVALID_TEXT_REPRESENTATION
            }
            TransformError::DuplicateColumn { .. } => ERRCODE_DUPLICATE_COLUMN,
            TransformError::AmbiguousColumn(_) => ERRCODE_AMBIGUOUS_COLUMN,
            TransformError::Unknown(_) | TransformError::UnknownVersion { .. } => {
                ERRCODE_UNDEFINED_OBJECT
            }
            TransformError::Denied(_) | TransformError::NotOwner(_) => {
                ERRCODE_INSUFFICIENT_PRIVILEGE
            }
            TransformError::TargetExists(_) => ERRCODE_DUPLICATE_TABLE,
        }
    }

    pub(super) fn detail(&self) -> Option<String> {
        match self {
            TransformError::Label(_) => {
                Some("It is neither boolean nor a number that is 0 or 1 in every row.".into())
            }
            TransformError::Unconvertible { rows, .. } => Some(format!("Number of such rows: {rows}.")),
            TransformError::Denied(_) => Some(
                "The current role neither owns it nor may read all rows of the relation that it was fitted on.".into(),
            ),
            TransformError::NotOwner(_) => Some("The current role is not a member of it.".into()),
            _ => None,
        }
    }

    pub(super) fn hint(&self) -> Option<String> {
        Some(match self {
            TransformError::NotRows(_) => "Name a table or view.".into(),
            TransformError::UnknownColumn { .. } => {
                "Columns are named as they are stored: SQL folds a name without quotes to lower case.".into()
            }
            TransformError::ColumnType { hint, .. } => (*hint).into(),
            TransformError::Label(_) => {
                "Make one in a view, as in CREATE VIEW v AS SELECT *, creditability = 'bad' AS bad FROM t; true and 1 mean bad.".into()
            }
            TransformError::OneClass(_) => "Weight of Evidence needs goods and bads.".into(),
            TransformError::NoValues(_) => {
                "Values are missing, or infinite, in every row that reached the step; fit on a relation that has some, or leave the step out.".into()
            }
            TransformError::TooManyCategories { .. } => {
                "Name those that matter in \"categories\"; others count as unseen.".into()
            }
            TransformError::Constant { .. } => {
                "Numbers are written without quotes, integers without a fraction; text, dates and timestamps as JSON texts.".into()
            }
            TransformError::Unconvertible { .. } => {
                "With \"invalid\": \"missing\" in the step they become missing.".into()
            }
            TransformError::Text { .. } => {
                "Mend it in a view or subquery, or fit the transform with \"invalid\": \"missing\" in the step.".into()
            }
            TransformError::OtherType { .. } => {
                "Cast the column in a view or subquery, or fit the transform again.".into()
            }
            TransformError::DuplicateColumn { .. } => {
                "Rename or leave out the other column in a view or subquery.".into()
            }
            TransformError::AmbiguousColumn(_) => "Give each column a name of its own.".into(),
            TransformError::Unknown(_) => {
                "SELECT finai.fit_transform('<name>', '<relation>', '<rules>') makes one.".into()
            }
            TransformError::UnknownVersion { name, .. } => {
                format!("SELECT * FROM finai.describe_transform('{name}') describes the latest one.")
            }
            TransformError::Reference(_) => {
                "A transform is named 'name', which means its latest version, or 'name@version'.".into()
            }
            TransformError::Denied(_) => {
                "Its parameters tell about those rows: have SELECT on the relation, without row security, or a role that owns the transform granted.".into()
            }
            TransformError::NotOwner(_) => "A transform of your own needs another name.".into(),
            TransformError::TargetExists(_) => "Name a table that does not exist, or drop it first.".into(),
            TransformError::Target(_) => {
                "Write name, for a table in the schema of the source, or schema.name.".into()
            }
        })
    }
}
