//! Registering, verifying and describing models.

use std::sync::Arc;

use finai_engine::{Declaration, Missing, Model, Task};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::binding_report::{self, BindingRow};
use crate::cache;
use crate::description::{self, DescriptionRow};
use crate::elevate::{self, NewVersion};
use crate::error::{Error, Result};
use crate::guc;
use crate::reference_rows::Gate;
use crate::registry::{self, Privilege, Reference, Target};
use crate::row::{JsonText, Relation};
use crate::verification;

use super::given;

#[pg_extern(volatile, parallel_unsafe, name = "register_model")]
#[allow(clippy::too_many_arguments)]
fn register(
    name: Option<&str>,
    onnx: Option<&[u8]>,
    features: default!(Option<Vec<Option<String>>>, "NULL"),
    task: default!(Option<&str>, "NULL"),
    labels: default!(Option<Vec<Option<String>>>, "NULL"),
    missing: default!(Option<JsonText>, "NULL"),
    output: default!(Option<&str>, "NULL"),
    reference: default!(Option<JsonText>, "NULL"),
    tolerance: default!(Option<f64>, "NULL"),
    notes: default!(Option<&str>, "NULL"),
) -> Result<i32, ErrorReport> {
    let name = given("name", name)?;
    let onnx = given("onnx", onnx)?;
    registry::check_name("model name", name)?;
    match registry::require_owner(name) {
        Ok(()) | Err(Error::UnknownModel(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let declaration = Declaration {
        features: features
            .map(|names| all_given("features", names))
            .transpose()?,
        task: task.map(parse_task).transpose()?,
        labels: labels.map(|names| all_given("labels", names)).transpose()?,
        missing: missing.map(parse_missing).transpose()?.unwrap_or_default(),
        output: output.map(str::to_owned),
    };
    let gate = Gate::new(name, reference, tolerance)?;
    let model = Model::load_as(onnx, &declaration, &guc::limits()).map_err(Error::of(name))?;
    let model = Arc::new(model);
    pgrx::check_for_interrupts!();
    cache::restarted(|interrupted| finai_engine::probe(&model, interrupted))
        .map_err(Error::of(name))?;
    gate.pass(name, &model)?;
    let declaration = json("declaration", serde_json::to_string(&declaration))?;
    let signature = json("signature", serde_json::to_value(model.signature()))?;
    drop(model);
    Ok(elevate::register(NewVersion {
        model: name,
        onnx,
        declaration: &declaration,
        signature: pgrx::JsonB(signature),
        tolerance: gate.tolerance(),
        reference: gate.rows(),
        notes,
    })?)
}

/// The ONNX bytes of a version, checked against their sha256.
#[pg_extern(stable, parallel_safe)]
fn model_onnx(
    name: Option<&str>,
    version: default!(Option<i32>, "NULL"),
) -> Result<Vec<u8>, ErrorReport> {
    let reference = reference(name, version)?;
    let version = registry::named(&reference, Privilege::Read)?;
    Ok(version.onnx()?.into_owned())
}

#[pg_extern(volatile, parallel_unsafe)]
#[allow(clippy::type_complexity)]
fn verify_models(
    name: default!(Option<&str>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(model, String),
            name!(version, i32),
            name!(status, String),
            name!(rows, i32),
            name!(worst, Option<f64>),
            name!(tolerance, Option<f64>),
            name!(detail, Option<String>),
        ),
    >,
    ErrorReport,
> {
    let rows = verification::verify(name)?;
    Ok(TableIterator::new(rows.into_iter().map(|row| {
        (
            row.model,
            row.version,
            row.status.name().to_owned(),
            row.rows as i32,
            row.worst,
            row.tolerance,
            row.detail,
        )
    })))
}

#[pg_extern(stable, parallel_safe)]
#[allow(clippy::type_complexity)]
fn describe_model(
    name: Option<&str>,
    version: default!(Option<i32>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(part, String),
            name!(name, String),
            name!(type, String),
            name!(detail, String),
        ),
    >,
    ErrorReport,
> {
    let reference = reference(name, version)?;
    let version = registry::named(&reference, Privilege::Use)?;
    let model = cache::model(&version)?;
    let rows = description::rows(&version, &model)?;
    Ok(TableIterator::new(rows.into_iter().map(
        |DescriptionRow {
             part,
             name,
             kind,
             detail,
         }| (part, name, kind, detail),
    )))
}

#[pg_extern(stable, parallel_safe)]
#[allow(clippy::type_complexity)]
fn check_binding(
    name: Option<&str>,
    relation: Option<Relation>,
) -> Result<
    TableIterator<
        'static,
        (
            name!(feature, String),
            name!(kind, String),
            name!(column_name, Option<String>),
            name!(type, Option<String>),
            name!(status, String),
            name!(hint, Option<String>),
        ),
    >,
    ErrorReport,
> {
    let reference = Reference::parse(given("name", name)?)?;
    let relation = given("relation", relation)?;
    let version = registry::named(&reference, Privilege::Use)?;
    let model = cache::model(&version)?;
    let rows = binding_report::rows(model.signature(), relation)?;
    Ok(TableIterator::new(rows.into_iter().map(
        |BindingRow {
             feature,
             kind,
             column,
             found,
             status,
             hint,
         }| (feature, kind, column, found, status, hint),
    )))
}

#[pg_extern(stable, strict, parallel_safe)]
#[allow(clippy::type_complexity)]
fn inspect_onnx(
    onnx: &[u8],
) -> Result<
    TableIterator<
        'static,
        (
            name!(op, String),
            name!(domain, String),
            name!(uses, i64),
            name!(supported, bool),
            name!(note, String),
        ),
    >,
    ErrorReport,
> {
    let uses = finai_engine::inspect(onnx, &guc::limits()).map_err(Error::from)?;
    Ok(TableIterator::new(uses.into_iter().map(|found| {
        (
            found.op,
            found.domain,
            found.uses as i64,
            found.supported,
            found.note,
        )
    })))
}

/// A model's reference, or one of its versions by number.
fn reference(name: Option<&str>, version: Option<i32>) -> Result<Reference> {
    let mut reference = Reference::parse(given("name", name)?)?;
    if let Some(version) = version {
        reference.target = Target::Version(version);
    }
    Ok(reference)
}

fn all_given(parameter: &'static str, values: Vec<Option<String>>) -> Result<Vec<String>> {
    values
        .into_iter()
        .map(|value| given(parameter, value))
        .collect()
}

fn parse_task(task: &str) -> Result<Task> {
    match task.to_ascii_lowercase().as_str() {
        "binary" => Ok(Task::Binary),
        "multiclass" => Ok(Task::Multiclass),
        "regression" => Ok(Task::Regression),
        "vector" => Ok(Task::Vector),
        _ => Err(Error::Parameter {
            parameter: "task",
            detail: format!("There is no task \"{task}\"."),
            hint: "Tasks are binary, multiclass, regression and vector.",
        }),
    }
}

fn parse_missing(policies: JsonText) -> Result<std::collections::BTreeMap<String, Missing>> {
    let malformed = |detail: String| Error::Parameter {
        parameter: "missing",
        detail,
        hint: "Pass an object such as {\"income\": \"native\", \"age\": \"error\", \"balance\": 0, \"purpose\": \"unknown\"}.",
    };
    let policies = policies.parse().map_err(|e| malformed(format!("{e}.")))?;
    let serde_json::Value::Object(policies) = policies else {
        return Err(malformed("It is not a JSON object.".into()));
    };
    policies
        .into_iter()
        .map(|(feature, policy)| {
            let missing = match &policy {
                serde_json::Value::String(word) if word == "native" => Missing::Native,
                serde_json::Value::String(word) if word == "error" => Missing::Error,
                serde_json::Value::String(text) => Missing::Text(text.clone()),
                serde_json::Value::Bool(value) => Missing::Number(f64::from(u8::from(*value))),
                serde_json::Value::Number(number) => {
                    Missing::Number(number.as_f64().ok_or_else(|| {
                        malformed(format!("The number for \"{feature}\" is out of range."))
                    })?)
                }
                _ => {
                    return Err(malformed(format!(
                        "The policy of \"{feature}\" is neither a word, a number nor a text."
                    )));
                }
            };
            Ok((feature, missing))
        })
        .collect()
}

fn json<T>(what: &str, result: serde_json::Result<T>) -> Result<T> {
    result.map_err(|error| Error::Installation(format!("{what}: {error}")))
}
