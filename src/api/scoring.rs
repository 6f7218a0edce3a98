//! Scoring one row: `score`, `score_version`, `predict`, `classify`, `probabilities`.

use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::error::{Error, Result};
use crate::row::{Flat, FlatBinding, Names, PerCallSite, Record, Values};
use crate::site::{Scored, Site};

#[pg_extern(stable, strict, parallel_safe, cost = 100)]
fn score(
    model: &str,
    record: Record<'_>,
    mut site: PerCallSite<'_, Site>,
) -> Result<f64, ErrorReport> {
    Ok(site.score(model, &record)?.score()?)
}

#[pg_extern(immutable, strict, parallel_safe, cost = 100)]
fn score_version(
    model: &str,
    version: i32,
    record: Record<'_>,
    mut site: PerCallSite<'_, Site>,
) -> Result<f64, ErrorReport> {
    Ok(site.score_version(model, version, &record)?.score()?)
}

#[pg_extern(name = "score_version", immutable, parallel_safe, cost = 100)]
fn score_version_flat(
    model: Option<&str>,
    version: Option<i32>,
    columns: Option<Names<'_>>,
    values: Values<'_>,
    mut site: PerCallSite<'_, Site<FlatBinding>>,
) -> Result<Option<f64>, ErrorReport> {
    let (Some(model), Some(version), Some(names)) = (model, version, columns) else {
        return Ok(None);
    };
    let row = Flat { names, values };
    Ok(Some(site.score_version(model, version, &row)?.score()?))
}

#[pg_extern(stable, strict, parallel_safe, cost = 100)]
fn predict(
    model: &str,
    record: Record<'_>,
    mut site: PerCallSite<'_, Site>,
) -> Result<pgrx::composite_type!('static, "finai.prediction"), ErrorReport> {
    Ok(prediction(&site.score(model, &record)?)?)
}

#[pg_extern(stable, strict, parallel_safe, cost = 100)]
fn classify(
    model: &str,
    record: Record<'_>,
    mut site: PerCallSite<'_, Site>,
) -> Result<String, ErrorReport> {
    let scored = site.score(model, &record)?;
    let label = scored.label().map(str::to_owned);
    Ok(label.ok_or_else(|| not_a_classifier(&scored, "classify"))?)
}

#[pg_extern(stable, strict, parallel_safe, cost = 100)]
fn probabilities(
    model: &str,
    record: Record<'_>,
    mut site: PerCallSite<'_, Site>,
) -> Result<pgrx::JsonB, ErrorReport> {
    let scored = site.score(model, &record)?;
    if scored.label().is_none() {
        return Err(not_a_classifier(&scored, "probabilities").into());
    }
    let object = scored
        .probabilities()
        .map(|(label, probability)| (label.to_owned(), probability.into()))
        .collect();
    Ok(pgrx::JsonB(serde_json::Value::Object(object)))
}

fn prediction(scored: &Scored) -> Result<PgHeapTuple<'static, AllocatedByRust>> {
    let mut tuple = PgHeapTuple::new_composite_type("finai.prediction").map_err(damaged)?;
    // A model of several classes without a declared output has a label, but no single score.
    let score = match scored.score() {
        Ok(score) => Some(score),
        Err(Error::Model {
            source: finai_engine::Error::AmbiguousOutput { .. },
            ..
        }) => None,
        Err(error) => return Err(error),
    };
    tuple.set_by_name("score", score).map_err(damaged)?;
    tuple
        .set_by_name("label", scored.label())
        .map_err(damaged)?;
    let model = scored.version.model.as_str();
    tuple.set_by_name("model", model).map_err(damaged)?;
    tuple
        .set_by_name("version", scored.version.version)
        .map_err(damaged)?;
    Ok(tuple)
}

fn damaged(error: impl std::fmt::Display) -> Error {
    Error::Installation(format!("type finai.prediction: {error}"))
}

fn not_a_classifier(scored: &Scored, function: &str) -> Error {
    Error::Parameter {
        parameter: "model",
        detail: format!(
            "Model \"{}\" version {} has no labels, so finai.{function} has nothing to return.",
            scored.version.model, scored.version.version
        ),
        hint: "Use finai.score for regressions.",
    }
}
