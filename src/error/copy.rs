//! What the stored copy of a feature set refuses, as SQL users read it.

use pgrx::prelude::PgSqlErrorCode;

#[derive(Debug, thiserror::Error)]
pub enum CopyError {
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
    #[error(
        "feature set \"{set}\" reads {origin}, which is unlogged, or has an unlogged partition"
    )]
    Unlogged { set: String, origin: String },
    #[error("relation {0} exists already and is not the copy of a feature set")]
    NameTaken(String),
    #[error("refresh_feature_set cannot run under isolation level {0}")]
    Isolation(&'static str),
    #[error("column \"{column}\" of {origin} does not tell events apart")]
    Duplicates { column: String, origin: String },
    #[error("{copy}, the copy of feature set \"{set}\", lacks {lacks}")]
    Changed {
        set: String,
        copy: String,
        lacks: String,
    },
    #[error("trigger functions can only be called as triggers")]
    NotATrigger,
}

impl CopyError {
    pub fn sqlstate(&self) -> PgSqlErrorCode {
        use PgSqlErrorCode::*;
        match self {
            CopyError::NotOwnerOfSource { .. } => ERRCODE_INSUFFICIENT_PRIVILEGE,
            CopyError::NotATable { .. }
            | CopyError::Inherited { .. }
            | CopyError::Unlogged { .. } => ERRCODE_FEATURE_NOT_SUPPORTED,
            CopyError::NameTaken(_) => ERRCODE_DUPLICATE_TABLE,
            CopyError::Isolation(_) => ERRCODE_ACTIVE_SQL_TRANSACTION,
            CopyError::Duplicates { .. } => ERRCODE_UNIQUE_VIOLATION,
            CopyError::Changed { .. } => ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            CopyError::NotATrigger => ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED,
        }
    }

    pub fn hint(&self) -> String {
        match self {
            CopyError::NotOwnerOfSource { set, origin, .. } => format!(
                "A copy needs triggers on {origin}, which its owner makes: let that role create a set, or read the view \"{set}\"."
            ),
            CopyError::NotATable { .. } => {
                "Changes are noticed by triggers, which tables and partitioned tables have: create the set on the table itself.".into()
            }
            CopyError::Inherited { .. } => {
                "Rows that are written to an inheriting table are not noticed: use a partitioned table.".into()
            }
            CopyError::Unlogged { origin, .. } => format!(
                "A crash empties it and leaves the copy as it was: ALTER TABLE {origin} SET LOGGED, or read the view."
            ),
            CopyError::NameTaken(relation) => {
                format!("Rename {relation}, or drop it where it is of no use.")
            }
            CopyError::Isolation(_) => {
                "Run it under READ COMMITTED: an older snapshot could miss what others refreshed meanwhile.".into()
            }
            CopyError::Duplicates { column, .. } => format!(
                "A copy has one row per event: make \"{column}\" unique, or name another event_id when the set is created."
            ),
            CopyError::Changed { set, copy, .. } => format!(
                "DROP TABLE {copy}, and CALL finai.refresh_feature_set('{set}') makes it anew."
            ),
            CopyError::NotATrigger => {
                "finai.refresh_feature_set creates the triggers that call it.".into()
            }
        }
    }
}
