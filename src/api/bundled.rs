//! The bundled models by their own names: `credit_score`, `default_prob`, `fraud_prob`.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::bundled;
use crate::points;
use crate::row::{PerCallSite, Record};
use crate::site::Site;

const CREDIT_SCORE: &str = "credit_score";
const FRAUD_PROB: &str = "fraud_prob";

#[pg_extern(stable, strict, parallel_safe, cost = 100)]
fn credit_score(record: Record<'_>, mut site: PerCallSite<'_, Site>) -> Result<f64, ErrorReport> {
    let probability = site.score(CREDIT_SCORE, &record)?.score()?;
    Ok(points::from_probability(probability))
}

#[pg_extern(stable, strict, parallel_safe, cost = 100)]
fn default_prob(record: Record<'_>, mut site: PerCallSite<'_, Site>) -> Result<f64, ErrorReport> {
    Ok(site.score(CREDIT_SCORE, &record)?.score()?)
}

#[pg_extern(stable, strict, parallel_safe, cost = 100)]
fn fraud_prob(record: Record<'_>, mut site: PerCallSite<'_, Site>) -> Result<f64, ErrorReport> {
    Ok(site.score(FRAUD_PROB, &record)?.score()?)
}

/// The models that the library carries, for the view finai.models.
#[pg_extern(stable, parallel_safe)]
#[allow(clippy::type_complexity)]
fn _bundled_models() -> Result<
    TableIterator<
        'static,
        (
            name!(model, String),
            name!(version, i32),
            name!(task, String),
            name!(sha256, String),
            name!(notes, String),
        ),
    >,
    ErrorReport,
> {
    let rows: Vec<_> = bundled::all()?
        .into_iter()
        .map(|entry| {
            (
                entry.model.name.to_owned(),
                entry.card.version,
                entry.card.task.clone(),
                entry.card.sha256.clone(),
                entry.card.description.clone(),
            )
        })
        .collect();
    Ok(TableIterator::new(rows))
}
