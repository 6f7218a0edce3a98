//! What guards refuse, and what the alerts on them do.

use finai_engine::Error as Engine;
use pgrx::prelude::PgSqlErrorCode;

use crate::identifier::quoted;

use super::Error;

#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    #[error("guard \"{0}\" does not exist")]
    Unknown(String),
    #[error("guard \"{0}\" exists already")]
    Exists(String),
    #[error("must be owner of table {0}")]
    NotOwner(String),
    #[error("cannot guard {relation}: {what}")]
    Kind {
        relation: String,
        what: &'static str,
    },
    #[error("owner \"{owner}\" of table {relation} has no USE on model \"{model}\"")]
    OwnerDenied {
        owner: String,
        relation: String,
        model: String,
    },
    #[error("model \"{model}\" returns no single score")]
    NoScore { model: String },
    #[error("column \"{column}\" does not exist in table {relation}")]
    UnknownColumn {
        column: String,
        relation: String,
        parameter: &'static str,
    },
    #[error("column \"{column}\" of table {relation} cannot take {what}")]
    ColumnType {
        column: String,
        relation: String,
        what: &'static str,
        hint: &'static str,
    },
    #[error("column \"{column}\" of table {relation} is NOT NULL")]
    FlaggedNotNull { column: String, relation: String },
    #[error("column \"{column}\" of table {relation} is what the guard looks at")]
    FlaggedFeature { column: String, relation: String },
    #[error("column \"{column}\" of table {relation} is part of a partition key")]
    FlaggedKey { column: String, relation: String },
    #[error("feature \"{feature}\" of model \"{model}\" would come from a generated column")]
    Generated {
        feature: String,
        model: String,
        column: String,
    },
    #[error("feature set \"{0}\" does not exist")]
    UnknownFeatures(String),
    #[error("feature set \"{features}\" is not of table {relation}")]
    OtherSource {
        features: String,
        source_name: String,
        relation: String,
    },
    #[error("feature set \"{features}\" belongs to \"{owner}\"")]
    FeaturesOwner { features: String, owner: String },
    #[error("table {relation} of guard \"{guard}\" does not exist")]
    TableGone { guard: String, relation: String },
    #[error("partition {0} is a foreign table")]
    ForeignPartition(String),
    #[error("guard \"{guard}\" takes no foreign partition {partition}")]
    ForeignAttached { guard: String, partition: String },
    #[error("a held row cannot be an updated one")]
    HeldUpdate,
    #[error("partition {relation} cannot have a guard with action {action}")]
    Partition {
        relation: String,
        action: &'static str,
    },
    #[error("guard \"{0}\" was made without score_column and flag_column")]
    NothingToFlag(String),
    #[error("{reader} needs column \"{column}\" of table {relation}")]
    ReadColumn {
        relation: String,
        column: String,
        reader: String,
        removal: String,
    },
    /// What a query would be told to mend on its way to the model: a guard has no query.
    #[error(transparent)]
    Unbound(Box<Error>),
    #[error("trigger functions can only be called as triggers")]
    NotATrigger,
    #[error("guard \"{0}\" has no configuration")]
    NoConfiguration(String),
    #[error("guard \"{guard}\" rejects {rows} of {all} rows for table {relation}")]
    Rejected {
        guard: String,
        relation: String,
        rows: usize,
        all: usize,
        model: String,
        version: i32,
        threshold: f64,
    },
    #[error("guard \"{guard}\" could not score a row for table {relation}")]
    Refused {
        guard: String,
        relation: String,
        cause: Box<Error>,
    },
    #[error("budget of {0} ms exceeded")]
    OverBudget(u128),
    #[error("model returned no number")]
    NotANumber,
    /// SQL that a guard ran; the message may quote values, and stays in the log.
    #[error("features could not be computed: the server's log says why")]
    Features { sqlstate: PgSqlErrorCode },
    #[error("alert {0} does not exist")]
    UnknownAlert(i64),
    #[error("alert {id} is {status} already")]
    Done { id: i64, status: String },
    #[error("alert {0} holds no row")]
    NothingHeld(i64),
    #[error("row of alert {0} is held back still")]
    HeldStill(i64),
    #[error("table {relation} of alert {id} does not exist")]
    NoTable { id: i64, relation: String },
    #[error("row of alert {id} does not fit table {relation}: column \"{column}\"")]
    DoesNotFit {
        id: i64,
        relation: String,
        column: String,
    },
    #[error("row of alert {0} was not inserted")]
    NotInserted(i64),
    #[error("extension finai keeps rows that guards hold")]
    RowsHeld,
}

impl GuardError {
    pub fn sqlstate(&self) -> PgSqlErrorCode {
        use PgSqlErrorCode::*;
        match self {
            GuardError::Unknown(_)
            | GuardError::UnknownFeatures(_)
            | GuardError::UnknownAlert(_) => ERRCODE_UNDEFINED_OBJECT,
            GuardError::Exists(_) => ERRCODE_DUPLICATE_OBJECT,
            GuardError::NotOwner(_)
            | GuardError::OwnerDenied { .. }
            | GuardError::FeaturesOwner { .. } => ERRCODE_INSUFFICIENT_PRIVILEGE,
            GuardError::Kind { .. } => ERRCODE_WRONG_OBJECT_TYPE,
            GuardError::UnknownColumn { .. } | GuardError::DoesNotFit { .. } => {
                ERRCODE_UNDEFINED_COLUMN
            }
            GuardError::ColumnType { .. } => ERRCODE_DATATYPE_MISMATCH,
            GuardError::OtherSource { .. }
            | GuardError::FlaggedNotNull { .. }
            | GuardError::FlaggedFeature { .. }
            | GuardError::NothingToFlag(_) => ERRCODE_INVALID_PARAMETER_VALUE,
            GuardError::NoScore { .. }
            | GuardError::Generated { .. }
            | GuardError::ForeignPartition(_)
            | GuardError::ForeignAttached { .. }
            | GuardError::FlaggedKey { .. }
            | GuardError::HeldUpdate
            | GuardError::Partition { .. }
            | GuardError::NotATrigger => ERRCODE_FEATURE_NOT_SUPPORTED,
            GuardError::NoConfiguration(_)
            | GuardError::Done { .. }
            | GuardError::NothingHeld(_)
            | GuardError::HeldStill(_)
            | GuardError::NotInserted(_) => ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            GuardError::ReadColumn { .. } | GuardError::RowsHeld => {
                ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST
            }
            GuardError::Rejected { .. } => ERRCODE_CHECK_VIOLATION,
            GuardError::Refused { cause, .. } | GuardError::Unbound(cause) => cause.sqlstate(),
            GuardError::OverBudget(_) => ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
            GuardError::NotANumber => ERRCODE_DATA_EXCEPTION,
            GuardError::Features { sqlstate } => *sqlstate,
            GuardError::NoTable { .. } | GuardError::TableGone { .. } => ERRCODE_UNDEFINED_TABLE,
        }
    }

    pub fn detail(&self) -> Option<String> {
        match self {
            GuardError::Generated { column, .. } => Some(format!(
                "Column \"{column}\" is computed when the row is stored, after actions flag and hold look at it."
            )),
            GuardError::OtherSource { source_name, .. } => {
                Some(format!("Its source is {source_name}."))
            }
            GuardError::Rejected {
                model,
                version,
                threshold,
                ..
            } => Some(format!(
                "Version {version} of model \"{model}\" scores at least {threshold}."
            )),
            GuardError::Refused { cause, .. } => {
                let detail = match cause.as_ref() {
                    Error::Denied { .. } => Some(
                        "The table's owner, as whom a guard scores, does not have USE on it."
                            .into(),
                    ),
                    cause => cause.detail(),
                };
                let detail = detail.map_or(String::new(), |d| format!(" {d}"));
                Some(format!("{cause}.{detail}"))
            }
            GuardError::Unbound(cause) => cause.detail(),
            GuardError::NotInserted(_) => {
                Some("A trigger or rule of the table kept it out.".into())
            }
            GuardError::RowsHeld => Some("They are in no table.".into()),
            _ => None,
        }
    }

    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            GuardError::Unknown(_) => "SELECT guard, detail FROM finai.guards lists the guards; one without configuration can only be dropped.".into(),
            GuardError::Exists(name) => format!(
                "Choose another with name => '...': names of guards are unique in the database. SELECT relation FROM finai.guards WHERE guard = '{name}' names its table."
            ),
            GuardError::NotOwner(_) => {
                "A guard acts as the table's owner, who creates, alters and drops it.".into()
            }
            GuardError::Kind { .. } => {
                "A guard stands on an ordinary or partitioned table; guard the tables that a view reads from.".into()
            }
            GuardError::OwnerDenied { model, owner, .. } => format!(
                "A guard scores as the table's owner. SELECT finai.grant_model('{model}', '{owner}')."
            ),
            GuardError::NoScore { model } => format!(
                "SELECT * FROM finai.describe_model('{model}') shows what it returns; register it with output => '<label>'."
            ),
            GuardError::UnknownColumn { parameter, .. } => {
                format!("{parameter} names columns of the table.")
            }
            GuardError::ColumnType { hint, .. } => (*hint).into(),
            GuardError::FlaggedNotNull { column, relation } => format!(
                "A row that cannot be scored gets NULL there, whatever was written: ALTER TABLE {relation} ALTER {} DROP NOT NULL.",
                quoted(column)
            ),
            GuardError::FlaggedFeature { .. } => {
                "The score would replace a feature that it comes from, or that is watched: name another column.".into()
            }
            GuardError::FlaggedKey { .. } => {
                "PostgreSQL has found the row's partition before the guard sets the column: name another column.".into()
            }
            GuardError::Generated { .. } => {
                "Use action review, notify or reject, or compute the feature in the row before.".into()
            }
            GuardError::UnknownFeatures(_) => {
                "SELECT name FROM finai.feature_sets lists those whose source you may read.".into()
            }
            GuardError::OtherSource { .. } => {
                "The features of a guard's rows come from a feature set over the very table.".into()
            }
            GuardError::FeaturesOwner { .. } => {
                "It must belong to the table's owner, as whom its features are computed, or to a superuser: drop the set and create it as that role.".into()
            }
            GuardError::TableGone { guard, .. } => format!(
                "SELECT finai.drop_guard('{guard}') removes what is left of it; create one on another table."
            ),
            GuardError::ForeignPartition(_) => {
                "PostgreSQL collects no rows of foreign tables: use action flag or hold, or keep it out of the table.".into()
            }
            GuardError::ForeignAttached { guard, .. } => format!(
                "PostgreSQL collects no rows of foreign tables, and no row could be written there: SELECT finai.alter_guard('{guard}', action => 'hold') or SELECT finai.drop_guard('{guard}') first."
            ),
            GuardError::HeldUpdate => {
                "Use action flag, review, notify or reject with watch, or hold without.".into()
            }
            GuardError::Partition { .. } => {
                "It would see no rows that are written through the partitioned table, or hold those that an update moves here: guard the partitioned table, or use action flag.".into()
            }
            GuardError::NothingToFlag(name) => format!(
                "Drop it with SELECT finai.drop_guard('{name}') and create it with score_column or flag_column."
            ),
            GuardError::ReadColumn { removal, .. } => format!("{removal} first."),
            GuardError::Unbound(cause) => return hint_at_a_table(cause),
            GuardError::NotATrigger => "finai.create_guard makes the triggers that call it.".into(),
            GuardError::NoConfiguration(name) => format!(
                "Restore finai.guard, or drop what is left of it: SELECT finai.drop_guard('{name}')."
            ),
            GuardError::Rejected { .. } => {
                "No row of the statement went in, and no alert: the server's log has the score.".into()
            }
            GuardError::Refused { guard, cause, .. } => match hint_at_a_table(cause) {
                Some(hint) => format!(
                    "{hint} SELECT finai.alter_guard('{guard}', on_error => 'open') lets rows in unscored."
                ),
                None => format!(
                    "SELECT finai.alter_guard('{guard}', on_error => 'open') lets rows in unscored."
                ),
            },
            GuardError::OverBudget(_) => "Raise budget_ms with finai.alter_guard.".into(),
            GuardError::NotANumber => "Check the row's values against finai.describe_model.".into(),
            GuardError::Features { .. } => "The server's log has the whole message.".into(),
            GuardError::UnknownAlert(_) => {
                "SELECT id FROM finai.alert lists those that you may see: of tables that you may SELECT from.".into()
            }
            GuardError::Done { .. } => "An alert is resolved once, and its row released once.".into(),
            GuardError::NothingHeld(_) => "Only action hold keeps rows back; the row is in the table.".into(),
            GuardError::HeldStill(id) => format!(
                "Insert the row with SELECT finai.release_alert({id}) first: only outcome confirmed leaves it out for good."
            ),
            GuardError::NoTable { id, .. } => format!(
                "Insert the row by hand from column held of finai.alert, where it belongs now; then SELECT finai.resolve_alert({id}, 'unclear', '<where it went>')."
            ),
            GuardError::DoesNotFit { .. } => {
                "Undo the change of the table, or insert the row by hand from column held of finai.alert.".into()
            }
            GuardError::NotInserted(_) => "The row stays in column held of finai.alert.".into(),
            GuardError::RowsHeld => {
                "SELECT id, relation, held FROM finai.alert WHERE status = 'held' lists them: SELECT finai.release_alert(<id>) inserts one; DROP EXTENSION finai CASCADE loses them all.".into()
            }
        };
        Some(hint)
    }
}

/// What to do about an error in a table's rows, which no view or subquery comes before.
fn hint_at_a_table(cause: &Error) -> Option<String> {
    match cause {
        Error::MissingColumn { origin, model, .. } => {
            let kind = ["table ", "view ", "row of type "];
            let relation = kind.iter().find_map(|kind| origin.strip_prefix(kind));
            Some(format!(
                "SELECT * FROM finai.check_binding('{model}', '{}') shows what binds to what. Add or rename a column of the table (GENERATED, where others give it), or have a feature set compute it: features => '<set>'.",
                relation.unwrap_or(origin).replace('\'', "''")
            ))
        }
        Error::ColumnType { hint, .. } => {
            let taken = hint.split("; cast").next().unwrap_or_default();
            Some(format!(
                "{}; change the column's type, or have a feature set compute it: features => '<set>'.",
                taken.trim_end_matches('.')
            ))
        }
        Error::Model {
            source: Engine::NullFeature { feature } | Engine::NanFeature { feature },
            ..
        } => Some(format!(
            "Fill the column before its row is written, with a DEFAULT or a BEFORE trigger, or register the model with missing => '{{\"{feature}\": <value>}}'."
        )),
        cause => cause.hint(),
    }
}
