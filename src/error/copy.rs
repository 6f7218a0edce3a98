//! What the stored copy of a feature set refuses, as SQL users read it.

use pgrx::prelude::PgSqlErrorCode;

#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error("feature set \"{0}\" does not exist")]
    UnknownSet(String),
    #[error("must be owner of feature set \"{0}\"")]
    NotOwner(String),
    #[error("role \"{owner}\" does not own {origin}, the source of feature set \"{set}\"")]
    NotOwnerOfSource {
        set: String,
        owner: String,
        origin: String,
    },
    #[error("feature set \"{set}\" reads {origin}, which is not a table")]
    NotATable { set: String, origin: String },
    #[error("feature set \"{set}\" reads {origin}, which other tables inherit from")]
    Inherited { set: String, origin: String },
    #[error("relation {relation} of feature set \"{set}\" does not exist")]
    Gone { set: String, relation: String },
    #[error("column \"{column}\" of {relation} does not exist")]
    ColumnGone { column: String, relation: String },
    #[error("relation {0} exists already and is not the copy of a feature set")]
    NameTaken(String),
    #[error("refresh_feature_set cannot run under isolation level {0}")]
    Isolation(&'static str),
    #[error("column \"{column}\" of {origin} does not tell events apart")]
    Duplicates { column: String, origin: String },
    #[error("column \"{column}\" of {origin} is null in some events")]
    NullIds { column: String, origin: String },
    #[error("trigger functions can only be called as triggers")]
    NotATrigger,
}

impl CopyError {
    pub fn sqlstate(&self) -> PgSqlErrorCode {
        use PgSqlErrorCode::*;
        match self {
            CopyError::UnknownSet(_) => ERRCODE_UNDEFINED_OBJECT,
            CopyError::NotOwner(_) | CopyError::NotOwnerOfSource { .. } => {
                ERRCODE_INSUFFICIENT_PRIVILEGE
            }
            CopyError::NotATable { .. } | CopyError::Inherited { .. } => {
                ERRCODE_FEATURE_NOT_SUPPORTED
            }
            CopyError::Gone { .. } => ERRCODE_UNDEFINED_TABLE,
            CopyError::ColumnGone { .. } => ERRCODE_UNDEFINED_COLUMN,
            CopyError::NameTaken(_) => ERRCODE_DUPLICATE_TABLE,
            CopyError::Isolation(_) => ERRCODE_ACTIVE_SQL_TRANSACTION,
            CopyError::Duplicates { .. } => ERRCODE_UNIQUE_VIOLATION,
            CopyError::NullIds { .. } => ERRCODE_NOT_NULL_VIOLATION,
            CopyError::NotATrigger => ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED,
        }
    }

    pub fn hint(&self) -> String {
        match self {
            CopyError::UnknownSet(_) => {
                "finai.create_feature_set makes one; SELECT name FROM finai.feature_set lists those that exist, for who may read it.".into()
            }
            CopyError::NotOwner(_) => {
                "A feature set belongs to who created it: SET ROLE to that role.".into()
            }
            CopyError::NotOwnerOfSource { set, origin, .. } => format!(
                "A copy needs triggers on {origin}, which its owner makes: let that role own the set, or read the view \"{set}\" instead of a copy."
            ),
            CopyError::NotATable { .. } => {
                "Changes are noticed by triggers, which tables and partitioned tables have: create the set on the table itself.".into()
            }
            CopyError::Inherited { .. } => {
                "Rows that are written to an inheriting table are not noticed: use a partitioned table.".into()
            }
            CopyError::Gone { set, .. } => format!(
                "SELECT finai.drop_feature_set('{set}') removes what is left of the set; create it anew."
            ),
            CopyError::ColumnGone { .. } => {
                "Give the column its name back, or drop the feature set and create it anew.".into()
            }
            CopyError::NameTaken(relation) => {
                format!("Rename {relation}, or drop it where it is of no use.")
            }
            CopyError::Isolation(_) => {
                "Run it under READ COMMITTED: an older snapshot could miss what others refreshed meanwhile.".into()
            }
            CopyError::Duplicates { column, .. } => format!(
                "A copy has one row per event: make \"{column}\" unique, or name another event_id when the set is created."
            ),
            CopyError::NullIds { column, .. } => {
                format!("A copy has one row per event: make \"{column}\" NOT NULL.")
            }
            CopyError::NotATrigger => {
                "finai.refresh_feature_set creates the triggers that call it.".into()
            }
        }
    }
}
