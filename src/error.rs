//! Every failure of the extension: message, SQLSTATE, detail and hint. A leaf: knows no other module.

mod copy;
mod engine;
mod feature_set;
mod guard;
mod transform;

use finai_engine::Error as Engine;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::PgSqlErrorCode;

pub use copy::CopyError;
pub use feature_set::FeatureSetError;
pub use transform::TransformError;

/// What only a model's owner has; not a privilege that can be granted.
pub const OWNERSHIP: &str = "ownership";

pub use guard::GuardError;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call was refused. Messages name models, features and columns, never values.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("model \"{0}\" does not exist")]
    UnknownModel(String),
    #[error("model \"{model}\" has no version {version}")]
    UnknownVersion { model: String, version: i32 },
    #[error("model \"{model}\" has no alias \"{alias}\"")]
    UnknownAlias { model: String, alias: String },
    #[error("no version of model \"{0}\" has been promoted")]
    NothingPromoted(String),
    #[error("version {version} of model \"{model}\" is retired")]
    Retired { model: String, version: i32 },
    #[error("version {version} of model \"{model}\" is not verified: {status}")]
    NotVerified {
        model: String,
        version: i32,
        status: &'static str,
    },
    #[error("no setting of model \"{0}\" is given")]
    NothingToAlter(String),
    #[error("model \"{0}\" exists already")]
    ModelExists(String),
    #[error("versions of another model had the name \"{0}\"")]
    FormerName(String),
    #[error("model \"{0}\" comes with the extension")]
    BundledModel(String),
    #[error("champion of model \"{0}\" is the bundled version already")]
    BundledChampion(String),
    #[error("alias \"{alias}\" of model \"{model}\" means version {version}")]
    Promoted {
        model: String,
        version: i32,
        alias: String,
    },
    #[error("alias \"{alias}\" of model \"{model}\" has no earlier version to go back to")]
    NothingBefore { model: String, alias: String },
    #[error(
        "session user \"{session}\" registered version {version} of model \"{model}\" and cannot make it live"
    )]
    SamePerson {
        session: String,
        model: String,
        version: i32,
    },
    #[error(
        "the two-person rule of model \"{model}\" is not for session user \"{session}\" to set aside"
    )]
    OwnRule { session: String, model: String },
    #[error("other objects depend on model \"{model}\"")]
    Dependents { model: String, objects: Vec<String> },
    #[error("model \"{model}\" disagrees with {missed} of {rows} reference rows")]
    Disagreement {
        model: String,
        missed: usize,
        rows: usize,
        tolerance: f64,
        detail: String,
    },
    #[error("{given} reference rows, {most} at most")]
    TooManyReferenceRows { given: usize, most: usize },
    #[error("extension finai of this database is older than its library")]
    Outdated,
    #[error("current role is not a member of role \"{0}\"")]
    NotMember(String),
    #[error("relation with OID {0} does not exist")]
    UnknownRelation(u32),
    #[error("role \"{0}\" does not exist")]
    UnknownRole(String),
    #[error("invalid model reference \"{0}\"")]
    ModelReference(String),
    #[error("invalid {what} \"{value}\"")]
    Name { what: &'static str, value: String },
    #[error("unrecognized privilege \"{0}\"")]
    Privilege(String),
    #[error("parameter \"{0}\" is null")]
    NullParameter(&'static str, Option<&'static str>),
    #[error("invalid value for parameter \"{parameter}\"")]
    Parameter {
        parameter: &'static str,
        detail: String,
        hint: &'static str,
    },
    #[error("permission denied for model \"{model}\"")]
    Denied {
        model: String,
        privilege: &'static str,
    },
    #[error("{origin} has several columns for feature \"{feature}\" of model \"{model}\"")]
    AmbiguousColumn {
        origin: String,
        feature: String,
        model: String,
    },
    #[error("{origin} has no column for feature \"{feature}\" of model \"{model}\"")]
    MissingColumn {
        origin: String,
        feature: String,
        model: String,
        columns: String,
    },
    #[error(
        "column \"{column}\" of type {found} cannot supply feature \"{feature}\" of model \"{model}\""
    )]
    ColumnType {
        column: String,
        found: String,
        feature: String,
        model: String,
        hint: String,
    },
    #[error("parameter \"columns\" names {columns} columns, but {values} values follow")]
    ValueCount { columns: usize, values: usize },
    #[error("{}", taken_away(relation, feature, found.as_ref(), model))]
    Contract {
        relation: String,
        feature: String,
        /// The column of that name and its type.
        found: Option<(String, String)>,
        /// The typed function or guard that reads it.
        reader: String,
        /// A statement that removes the reader.
        removal: String,
        model: String,
        version: i32,
    },
    #[error("event trigger functions can only be called as event triggers")]
    NotAnEvent,
    #[error("version {version} of model \"{model}\" runs as a graph")]
    Graph { model: String, version: i32 },
    #[error("stored bytes of model \"{model}\" version {version} do not match their checksum")]
    Corrupt { model: String, version: i32 },
    #[error("extension finai is damaged: {0}")]
    Installation(String),
    #[error("{source}")]
    Model { model: String, source: Engine },
    #[error(transparent)]
    FeatureSet(#[from] FeatureSetError),
    #[error(transparent)]
    Engine(#[from] Engine),
    #[error(transparent)]
    Copy(#[from] CopyError),
    #[error(transparent)]
    Guard(#[from] GuardError),
    #[error(transparent)]
    Transform(#[from] TransformError),
}

impl Error {
    /// The engine's error, with the model it concerns.
    pub fn of(model: &str) -> impl Fn(Engine) -> Error {
        move |source| Error::Model {
            model: model.to_owned(),
            source,
        }
    }

    /// True where memory was short, which is nobody's failure.
    pub fn is_out_of_memory(&self) -> bool {
        matches!(
            self,
            Error::Engine(Engine::OutOfMemory)
                | Error::Model {
                    source: Engine::OutOfMemory,
                    ..
                }
        )
    }

    /// The SQLSTATE's five characters.
    pub fn state(&self) -> String {
        let code = self.sqlstate() as i32;
        let characters = (0..5).map(|i| (code >> (6 * i)) & 0x3f);
        characters
            .filter_map(|c| u8::try_from(c).ok())
            .map(|c| char::from(c + b'0'))
            .collect()
    }

    pub fn sqlstate(&self) -> PgSqlErrorCode {
        use PgSqlErrorCode::*;
        match self {
            Error::UnknownModel(_)
            | Error::UnknownVersion { .. }
            | Error::UnknownAlias { .. }
            | Error::UnknownRole(_)
            | Error::MissingColumn { .. } => ERRCODE_UNDEFINED_OBJECT,
            Error::NothingPromoted(_)
            | Error::Retired { .. }
            | Error::NotVerified { .. }
            | Error::BundledModel(_)
            | Error::BundledChampion(_)
            | Error::Promoted { .. }
            | Error::NothingBefore { .. }
            | Error::Outdated => ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            Error::ModelExists(_) | Error::FormerName(_) => ERRCODE_DUPLICATE_OBJECT,
            Error::Dependents { .. } | Error::Contract { .. } => {
                ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST
            }
            Error::TooManyReferenceRows { .. } => ERRCODE_PROGRAM_LIMIT_EXCEEDED,
            Error::ModelReference(_)
            | Error::Name { .. }
            | Error::Privilege(_)
            | Error::Parameter { .. }
            | Error::NothingToAlter(_)
            | Error::Disagreement { .. }
            | Error::ValueCount { .. } => ERRCODE_INVALID_PARAMETER_VALUE,
            Error::Graph { .. } | Error::NotAnEvent => ERRCODE_FEATURE_NOT_SUPPORTED,
            Error::NullParameter(..) => ERRCODE_NULL_VALUE_NOT_ALLOWED,
            Error::Denied { .. }
            | Error::SamePerson { .. }
            | Error::OwnRule { .. }
            | Error::NotMember(_) => ERRCODE_INSUFFICIENT_PRIVILEGE,
            Error::UnknownRelation(_) => ERRCODE_UNDEFINED_TABLE,
            Error::AmbiguousColumn { .. } => ERRCODE_AMBIGUOUS_COLUMN,
            Error::ColumnType { .. } => ERRCODE_DATATYPE_MISMATCH,
            Error::Corrupt { .. } => ERRCODE_DATA_CORRUPTED,
            Error::Installation(_) => ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            Error::FeatureSet(error) => error.sqlstate(),
            Error::Model { source, .. } | Error::Engine(source) => engine::sqlstate(source),
            Error::Copy(error) => error.sqlstate(),
            Error::Guard(guard) => guard.sqlstate(),
            Error::Transform(error) => error.sqlstate(),
        }
    }

    pub fn detail(&self) -> Option<String> {
        match self {
            Error::Denied {
                privilege: OWNERSHIP,
                ..
            } => Some("The current role does not own it.".into()),
            Error::Denied { privilege, .. } => {
                Some(format!("The current role does not have {privilege} on it."))
            }
            Error::MissingColumn { columns, .. } => Some(format!("Columns: {columns}.")),
            Error::Parameter { detail, .. } => Some(detail.clone()),
            Error::Contract {
                reader,
                model,
                version,
                ..
            } => Some(format!(
                "{} scores rows of it with version {version} of model \"{model}\".",
                capitalised(reader)
            )),
            Error::Graph { .. } => Some(
                "Its scores may differ in the last bits between processors, so they cannot be immutable.".into(),
            ),
            Error::Dependents { objects, .. } => Some(format!("{}.", objects.join("\n"))),
            Error::Disagreement {
                tolerance, detail, ..
            } => Some(format!("Tolerance {tolerance:e}; {detail}.")),
            Error::FeatureSet(error) => error.detail(),
            Error::Model { model, .. } => Some(format!("Model: \"{model}\".")),
            Error::Guard(guard) => guard.detail(),
            Error::Transform(error) => error.detail(),
            _ => None,
        }
    }

    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Error::UnknownModel(_) => {
                "SELECT DISTINCT model FROM finai.models lists the models.".into()
            }
            Error::UnknownVersion { model, .. } | Error::UnknownAlias { model, .. } => {
                format!("SELECT * FROM finai.models WHERE model = '{model}' lists its versions and aliases.")
            }
            Error::NothingPromoted(model) => format!(
                "Make a version live with SELECT finai.promote_model('{model}', <version>), or call one directly as '{model}@<version>'."
            ),
            Error::Retired { model, .. } => format!(
                "Score with another version; SELECT version, status FROM finai.models WHERE model = '{model}' lists them."
            ),
            Error::NotVerified { status: "retired", .. } => {
                "Register the same bytes again: they become a new version.".into()
            }
            Error::NotVerified { model, .. } => format!(
                "SELECT * FROM finai.verify_models('{model}') says what is wrong."
            ),
            Error::NothingToAlter(_) => {
                "Settings are owner, use_case, tolerance, two_person and on_schema_change.".into()
            }
            Error::FormerName(_) => {
                "Choose a name that no model had: a name with a version number means one content for ever.".into()
            }
            Error::ModelExists(_) => "Choose another name, or drop that model first.".into(),
            Error::BundledModel(model) => format!(
                "It cannot be renamed or dropped. Keep others from using it with SELECT finai.revoke_model('{model}', 'public')."
            ),
            Error::BundledChampion(model) => format!(
                "Promote another version with SELECT finai.promote_model('{model}', <version>), or keep others from using it with SELECT finai.revoke_model('{model}', 'public')."
            ),
            Error::Promoted { model, alias, .. } => format!(
                "Promote another version first. An alias that was promoted can be removed with SELECT finai.drop_alias('{model}', '{alias}')."
            ),
            Error::NothingBefore { model, alias } => format!(
                "SELECT finai.promote_model('{model}', <version>, '{alias}') names a version; SELECT finai.drop_alias('{model}', '{alias}') removes the alias."
            ),
            Error::SamePerson { .. } => {
                "The model's two-person rule asks for somebody else with PROMOTE, in a session of their own.".into()
            }
            Error::OwnRule { .. } => {
                "A superuser, or a member of the role that owns the extension, who registered none of its versions may do this in a session of their own.".into()
            }
            Error::Dependents { .. } => "Drop them first. Objects whose owner has no USE on the model do not count.".into(),
            Error::Disagreement { .. } => {
                "Export the model that made the reference scores, name the positive class with output => '<label>', or pass a larger tolerance.".into()
            }
            Error::TooManyReferenceRows { .. } => "A sample of rows is enough.".into(),
            Error::Outdated => "Run ALTER EXTENSION finai UPDATE.".into(),
            Error::NotMember(_) => {
                "A model can be given to a role that one is a member of; a superuser gives it to any.".into()
            }
            Error::UnknownRelation(_) => "Name a table or view.".into(),
            Error::UnknownRole(_) => "Roles are named as in CREATE ROLE; privileges are granted to all of them as 'public'.".into(),
            Error::ModelReference(_) => {
                "A model is named 'name', 'name@alias' or 'name@version'.".into()
            }
            Error::Name { .. } => {
                "A name starts with a letter or underscore, continues with letters, digits, _ . or -, and has at most 63 characters.".into()
            }
            Error::Privilege(_) => "Privileges on models are USE, EXPLAIN, READ and PROMOTE.".into(),
            Error::NullParameter(_, Some(hint)) => (*hint).into(),
            Error::NullParameter(parameter, None) => format!("Give {parameter} a value."),
            Error::Parameter { hint, .. } => (*hint).into(),
            Error::Denied {
                privilege: OWNERSHIP, ..
            } => "Only its owner or a superuser may do this; a model of your own needs another name.".into(),
            Error::Denied { model, privilege } => format!(
                "Its owner or a superuser can run SELECT finai.grant_model('{model}', '<role>', '{privilege}')."
            ),
            Error::MissingColumn { model, .. } => format!(
                "SELECT * FROM finai.check_binding('{model}', '<relation>') shows what binds to what; rename or add the column in a view or subquery."
            ),
            Error::ValueCount { .. } => {
                "Pass one value for each name; NULL stands for a missing value.".into()
            }
            Error::Contract { removal, model, .. } => format!(
                "{removal}, or promote a version that does not read the column (unless a version is named), or let such changes mark the version: SELECT finai.alter_model('{model}', on_schema_change => 'mark')."
            ),
            Error::NotAnEvent => "ALTER EVENT TRIGGER finai_ddl_starts and finai_ddl_ends switch them.".into(),
            Error::Graph { model, version } => {
                format!("Use finai.score('{model}@{version}', <row>).")
            }
            Error::AmbiguousColumn { .. } => {
                "Give each column a name of its own.".into()
            }
            Error::ColumnType { hint, .. } => hint.clone(),
            Error::Corrupt { .. } => "Restore the row of finai.model_blob from a backup, or register the model again.".into(),
            Error::Installation(_) => {
                "Compare finai's objects with those of a fresh installation, and undo what was changed or restore a backup.".into()
            }
            Error::FeatureSet(error) => error.hint(),
            Error::Model { model, source } => return engine::hint(source, Some(model)),
            Error::Engine(source) => return engine::hint(source, None),
            Error::Copy(error) => error.hint(),
            Error::Guard(guard) => return guard.hint(),
            Error::Transform(error) => return error.hint(),
        };
        Some(hint)
    }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

/// What a contract would miss.
fn taken_away(
    relation: &str,
    feature: &str,
    found: Option<&(String, String)>,
    model: &str,
) -> String {
    match found {
        None => {
            format!(
                "{relation} would have no column for feature \"{feature}\" of model \"{model}\""
            )
        }
        Some((column, kind)) => format!(
            "column \"{column}\" of {relation} would be of type {kind}, which cannot supply feature \"{feature}\" of model \"{model}\""
        ),
    }
}

impl From<Error> for ErrorReport {
    fn from(error: Error) -> ErrorReport {
        let mut report = ErrorReport::new(error.sqlstate(), error.to_string(), "finai");
        if let Some(detail) = error.detail() {
            report = report.set_detail(detail);
        }
        if let Some(hint) = error.hint() {
            report = report.set_hint(hint);
        }
        report
    }
}
