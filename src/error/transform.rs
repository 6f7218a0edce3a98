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
}

impl TransformError {
    pub(super) fn sqlstate(&self) -> PgSqlErrorCode {
        use PgSqlErrorCode::*;
        match self {
            TransformError::NotRows(_) => ERRCODE_WRONG_OBJECT_TYPE,
            TransformError::UnknownColumn { .. } => ERRCODE_UNDEFINED_COLUMN,
            TransformError::ColumnType { .. } => ERRCODE_DATATYPE_MISMATCH,
            TransformError::Label(_) => ERRCODE_INVALID_PARAMETER_VALUE,
        }
    }

    pub(super) fn detail(&self) -> Option<String> {
        match self {
            TransformError::Label(_) => {
                Some("It is neither boolean nor a number that is 0 or 1 in every row.".into())
            }
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
        })
    }
}
