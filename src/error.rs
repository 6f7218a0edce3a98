//! Every failure of the extension: message, SQLSTATE, detail and hint. A leaf: knows no other module.

use finai_engine::Error as Engine;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::PgSqlErrorCode;

/// What only a model's owner has; not a privilege that can be granted.
pub const OWNERSHIP: &str = "ownership";

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
    #[error("role \"{0}\" does not exist")]
    UnknownRole(String),
    #[error("invalid model reference \"{0}\"")]
    ModelReference(String),
    #[error("invalid {what} \"{value}\"")]
    Name { what: &'static str, value: String },
    #[error("unrecognized privilege \"{0}\"")]
    Privilege(String),
    #[error("parameter \"{0}\" is null")]
    NullParameter(&'static str),
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
    #[error(
        "row of type {relation} has several columns for feature \"{feature}\" of model \"{model}\""
    )]
    AmbiguousColumn {
        relation: String,
        feature: String,
        model: String,
    },
    #[error("row of type {relation} has no column for feature \"{feature}\" of model \"{model}\"")]
    MissingColumn {
        relation: String,
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
    #[error("stored bytes of model \"{model}\" version {version} do not match their checksum")]
    Corrupt { model: String, version: i32 },
    #[error("extension finai is damaged: {0}")]
    Installation(String),
    #[error("{source}")]
    Model { model: String, source: Engine },
    #[error(transparent)]
    Engine(#[from] Engine),
}

impl Error {
    /// The engine's error, with the model it concerns.
    pub fn of(model: &str) -> impl Fn(Engine) -> Error {
        move |source| Error::Model {
            model: model.to_owned(),
            source,
        }
    }

    fn sqlstate(&self) -> PgSqlErrorCode {
        use PgSqlErrorCode::*;
        match self {
            Error::UnknownModel(_)
            | Error::UnknownVersion { .. }
            | Error::UnknownAlias { .. }
            | Error::UnknownRole(_)
            | Error::MissingColumn { .. } => ERRCODE_UNDEFINED_OBJECT,
            Error::NothingPromoted(_) => ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            Error::ModelReference(_)
            | Error::Name { .. }
            | Error::Privilege(_)
            | Error::Parameter { .. } => ERRCODE_INVALID_PARAMETER_VALUE,
            Error::NullParameter(_) => ERRCODE_NULL_VALUE_NOT_ALLOWED,
            Error::Denied { .. } => ERRCODE_INSUFFICIENT_PRIVILEGE,
            Error::AmbiguousColumn { .. } => ERRCODE_AMBIGUOUS_COLUMN,
            Error::ColumnType { .. } => ERRCODE_DATATYPE_MISMATCH,
            Error::Corrupt { .. } => ERRCODE_DATA_CORRUPTED,
            Error::Installation(_) => ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            Error::Model { source, .. } | Error::Engine(source) => engine_sqlstate(source),
        }
    }

    fn detail(&self) -> Option<String> {
        match self {
            Error::Denied { privilege, .. } => {
                Some(format!("The current role does not have {privilege} on it."))
            }
            Error::MissingColumn { columns, .. } => Some(format!("Columns: {columns}.")),
            Error::Parameter { detail, .. } => Some(detail.clone()),
            Error::Model { model, .. } => Some(format!("Model: \"{model}\".")),
            _ => None,
        }
    }

    fn hint(&self) -> Option<String> {
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
            Error::UnknownRole(_) => "Roles are named as in CREATE ROLE; use 'public' for all of them.".into(),
            Error::ModelReference(_) => {
                "A model is named 'name', 'name@alias' or 'name@version'.".into()
            }
            Error::Name { .. } => {
                "A name starts with a letter or underscore, continues with letters, digits, _ . or -, and has at most 63 characters.".into()
            }
            Error::Privilege(_) => "Privileges on models are USE, EXPLAIN, READ and PROMOTE.".into(),
            Error::NullParameter(parameter) => format!("Give {parameter} a value."),
            Error::Parameter { hint, .. } => (*hint).into(),
            Error::Denied {
                privilege: OWNERSHIP, ..
            } => "Only its owner or a superuser may do this; a model of your own needs another name.".into(),
            Error::Denied { model, privilege } => format!(
                "Its owner can run SELECT finai.grant_model('{model}', '<role>', '{privilege}')."
            ),
            Error::MissingColumn { model, .. } => format!(
                "SELECT * FROM finai.check_binding('{model}', '<relation>') shows what binds to what; rename or add the column in a view or subquery."
            ),
            Error::AmbiguousColumn { .. } => {
                "Give the columns of the subquery names of their own.".into()
            }
            Error::ColumnType { hint, .. } => hint.clone(),
            Error::Corrupt { .. } => "Restore the row of finai.model_blob from a backup, or register the model again.".into(),
            Error::Installation(_) => "Drop the extension and create it again.".into(),
            Error::Model { model, source } => return engine_hint(source, Some(model)),
            Error::Engine(source) => return engine_hint(source, None),
        };
        Some(hint)
    }
}

fn engine_sqlstate(error: &Engine) -> PgSqlErrorCode {
    use PgSqlErrorCode::*;
    match error {
        Engine::NotOnnx(_) => ERRCODE_INVALID_BINARY_REPRESENTATION,
        Engine::TooLarge { .. } => ERRCODE_PROGRAM_LIMIT_EXCEEDED,
        Engine::UnsupportedOperator { .. } | Engine::Unsupported(_) | Engine::NoScore { .. } => {
            ERRCODE_FEATURE_NOT_SUPPORTED
        }
        Engine::Invalid(_)
        | Engine::UnnamedFeatures { .. }
        | Engine::Declaration(_)
        | Engine::AmbiguousOutput { .. } => ERRCODE_INVALID_PARAMETER_VALUE,
        Engine::NullFeature { .. } => ERRCODE_NULL_VALUE_NOT_ALLOWED,
        Engine::NanFeature { .. } | Engine::UnknownCategory { .. } => ERRCODE_DATA_EXCEPTION,
        Engine::Interrupted => ERRCODE_QUERY_CANCELED,
        Engine::OutOfMemory => ERRCODE_OUT_OF_MEMORY,
        Engine::Evaluation(_) => ERRCODE_EXTERNAL_ROUTINE_EXCEPTION,
    }
}

fn engine_hint(error: &Engine, model: Option<&str>) -> Option<String> {
    let describe = || match model {
        Some(model) => format!("finai.describe_model('{model}')"),
        None => "finai.describe_model".to_owned(),
    };
    let hint = match error {
        Engine::NotOnnx(_) => {
            "Pass the bytes of an .onnx file, for example with pg_read_binary_file or psql's decode(:'var', 'base64').".into()
        }
        Engine::TooLarge { .. } => {
            "Export a smaller model, or raise finai.max_model_size, finai.max_decode_memory or finai.max_tensor_memory.".into()
        }
        Engine::UnsupportedOperator { op, .. } if op == "Loop" => {
            "Keras writes GRU and SimpleRNN layers as a Loop: build them with unroll=True, or export from PyTorch."
                .into()
        }
        Engine::UnsupportedOperator { op, domain } => format!(
            "Reason: {}. SELECT * FROM finai.inspect_onnx(<bytes>) lists every operator of a model and whether it is supported.",
            finai_engine::admit::note(domain, op)
        ),
        Engine::Unsupported(_) => {
            "SELECT * FROM finai.inspect_onnx(<bytes>) shows what of a model is supported.".into()
        }
        Engine::NoScore { .. } => {
            "Register a version with an output of one column, named by output => where there are several.".into()
        }
        Engine::Invalid(_) => "Export the model again and check it with onnx.checker.".into(),
        Engine::UnnamedFeatures { .. } => {
            "Name them in order with features => ARRAY['a', 'b', ...], or write the model's metadata key feature_names.".into()
        }
        Engine::Declaration(_) => {
            "features, task, labels, missing and output must fit the model; leave out what the file says already.".into()
        }
        Engine::AmbiguousOutput { labels } => format!(
            "Register it with output => '<label>' (labels: {}), or use finai.classify or finai.probabilities.",
            labels.join(", ")
        ),
        Engine::NullFeature { feature } | Engine::NanFeature { feature } => format!(
            "Fill it with coalesce in a view or subquery, or register the model with missing => '{{\"{feature}\": <value>}}'."
        ),
        Engine::UnknownCategory { .. } => {
            format!("SELECT * FROM {} lists the categories it knows.", describe())
        }
        Engine::Interrupted => return None,
        Engine::OutOfMemory => "Free memory on the server or score smaller models.".into(),
        Engine::Evaluation(_) => format!("Check the row against {}.", describe()),
    };
    Some(hint)
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
