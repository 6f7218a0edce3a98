//! What the engine refuses, as SQL users read it.

use finai_engine::Error as Engine;
use pgrx::prelude::PgSqlErrorCode;

/// The SQLSTATE of an engine's failure.
pub fn sqlstate(error: &Engine) -> PgSqlErrorCode {
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

/// What to do about it, with the model it concerns where that is known.
pub fn hint(error: &Engine, model: Option<&str>) -> Option<String> {
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
