//! What scoring did and holds: counts by model, compiled models, memory.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::allocator;
use crate::cache;
use crate::contract;
use crate::description::hex;
use crate::error::{Error, Result};
use crate::registry;
use crate::statistics::{self, Counts, Key};

/// Counts of the versions that exist, for the view finai.stat_models.
#[pg_extern(volatile, parallel_restricted)]
#[allow(clippy::type_complexity)]
fn _model_statistics() -> Result<
    TableIterator<
        'static,
        (
            name!(model, String),
            name!(version, i32),
            name!(calls, i64),
            name!(rows, i64),
            name!(errors, i64),
            name!(total_ms, f64),
            name!(mean_us, Option<f64>),
            name!(last_scored, Option<TimestampWithTimeZone>),
            name!(scope, String),
        ),
    >,
    ErrorReport,
> {
    let mut rows = Vec::new();
    for (key, counts) in statistics::all() {
        if !key.is_of_guard() && exists(&key)? {
            rows.push(statistics_row(&key, &counts));
        }
    }
    Ok(TableIterator::new(rows))
}

/// Counts of guards, for the view finai.guards.
#[pg_extern(volatile, parallel_restricted)]
#[allow(clippy::type_complexity)]
fn _guard_statistics() -> TableIterator<
    'static,
    (
        name!(guard, String),
        name!(created_at, Option<TimestampWithTimeZone>),
        name!(statements, i64),
        name!(rows, i64),
        name!(alerts, i64),
        name!(unscored, i64),
        name!(mean_us, Option<f64>),
        name!(last_scored, Option<TimestampWithTimeZone>),
    ),
> {
    let counted = statistics::all().into_iter();
    TableIterator::new(
        counted
            .filter(|(key, _)| key.is_of_guard() && is_visible(&key.name()))
            .map(|(key, counts)| {
                let time = |time: i64| TimestampWithTimeZone::try_from(time).ok();
                (
                    key.name(),
                    time(key.content.cast_signed()),
                    counts.calls as i64,
                    counts.rows as i64,
                    counts.alerts as i64,
                    counts.errors as i64,
                    (counts.rows > 0).then(|| counts.nanoseconds as f64 / 1e3 / counts.rows as f64),
                    time(counts.last_scored),
                )
            }),
    )
}

/// Whose scoring is counted.
#[pg_extern(stable, parallel_restricted)]
fn _statistics_scope() -> &'static str {
    statistics::scope().name()
}

#[pg_extern(volatile, parallel_restricted)]
fn reset_stat_models() {
    statistics::reset();
}

#[pg_extern(volatile, parallel_restricted)]
#[allow(clippy::type_complexity)]
fn cached_models() -> TableIterator<
    'static,
    (
        name!(model, String),
        name!(version, i32),
        name!(sha256, String),
        name!(bytes, i64),
        name!(hits, i64),
        name!(load_ms, f64),
        name!(loaded_at, Option<TimestampWithTimeZone>),
        name!(last_used, Option<TimestampWithTimeZone>),
    ),
> {
    TableIterator::new(cache::all().into_iter().map(|cached| {
        (
            cached.model,
            cached.version,
            hex(&cached.sha256),
            cached.bytes as i64,
            cached.hits as i64,
            cached.load.as_secs_f64() * 1e3,
            TimestampWithTimeZone::try_from(cached.loaded_at).ok(),
            TimestampWithTimeZone::try_from(cached.last_used).ok(),
        )
    }))
}

#[pg_extern(volatile, parallel_restricted)]
fn backend_memory()
-> TableIterator<'static, (name!(allocated, i64), name!(peak, i64), name!(cached, i64))> {
    let cached = cache::memory() as i64;
    let row = (
        allocator::allocated() as i64,
        allocator::peak() as i64,
        cached,
    );
    TableIterator::once(row)
}

/// Whether the version is there for this statement, with the bytes that were counted.
fn exists(key: &Key) -> Result<bool> {
    match registry::find(&key.name(), key.version) {
        Ok(version) => Ok(Key::content_of(&version.sha256) == key.content),
        Err(Error::UnknownModel(_) | Error::UnknownVersion { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

#[allow(clippy::type_complexity)]
fn statistics_row(
    key: &Key,
    counts: &Counts,
) -> (
    String,
    i32,
    i64,
    i64,
    i64,
    f64,
    Option<f64>,
    Option<TimestampWithTimeZone>,
    String,
) {
    let scored = counts.rows > 0;
    (
        key.name(),
        key.version,
        counts.calls as i64,
        counts.rows as i64,
        counts.errors as i64,
        counts.nanoseconds as f64 / 1e6,
        scored.then(|| counts.nanoseconds as f64 / 1e3 / counts.rows as f64),
        scored
            .then(|| TimestampWithTimeZone::try_from(counts.last_scored).ok())
            .flatten(),
        statistics::scope().name().to_owned(),
    )
}

/// Who may read a guard's table sees what the guard did.
pub(super) fn is_visible(guard: &str) -> bool {
    let guard = registry::guard(guard).ok().flatten();
    let table = guard.and_then(|guard| guard.relation);
    table.is_some_and(|table| contract::can_read(registry::current_user(), table))
}
