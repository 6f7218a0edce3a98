//! Feature sets: made, described, dropped; one row's features; the aggregates that views call.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::error::Result;
use crate::feature_copy;
use crate::feature_set::{self, Declared, FeatureSet, Group};
use crate::row::{
    AnyValue, JsonText, Numbers, PerGroup, Record, Relation, RowDatum, Texts, TypeOf, Values,
};

use super::given;

#[pg_extern(volatile, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
#[allow(clippy::too_many_arguments, clippy::type_complexity)]
fn create_feature_set(
    name: Option<&str>,
    source: Option<Relation>,
    entity: Option<&str>,
    event_time: Option<&str>,
    event_id: Option<&str>,
    features: Option<JsonText>,
    time_zone: default!(Option<&str>, "'UTC'"),
    create_indexes: default!(Option<bool>, "false"),
) -> Result<TableIterator<'static, (name!(statement, String),)>, ErrorReport> {
    let features = given("features", features)?;
    let create_indexes = given("create_indexes", create_indexes)?;
    let set = FeatureSet::declare(&Declared {
        name: given("name", name)?,
        source: given("source", source)?.oid(),
        entity: given("entity", entity)?,
        event_time: given("event_time", event_time)?,
        event_id: given("event_id", event_id)?,
        features: &features,
        time_zone: given("time_zone", time_zone)?,
    })?;
    let statements = set.index_statements();
    set.create(&features)?;
    if create_indexes {
        statements
            .iter()
            .try_for_each(|statement| feature_set::run(statement))?;
    }
    Ok(TableIterator::new(
        statements.into_iter().map(|statement| (statement,)),
    ))
}

#[pg_extern(volatile, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
fn drop_feature_set(name: Option<&str>) -> Result<(), ErrorReport> {
    let name = given("name", name)?;
    feature_copy::drop_copy(name)?;
    Ok(feature_set::drop_set(name)?)
}

#[pg_extern(stable, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
#[allow(clippy::type_complexity)]
fn describe_feature_set(
    name: Option<&str>,
) -> Result<
    TableIterator<
        'static,
        (
            name!(feature, String),
            name!(data_type, String),
            name!(meaning, String),
            name!(aggregate, String),
            name!(columns, Vec<String>),
            name!(entity, Vec<String>),
            name!(window, Option<String>),
            name!(delay, Option<String>),
            name!(current_row, Option<bool>),
        ),
    >,
    ErrorReport,
> {
    let rows = feature_set::describe(given("name", name)?)?
        .into_iter()
        .map(|row| {
            (
                row.feature,
                row.sql_type,
                row.meaning,
                row.aggregate,
                row.columns,
                row.entity,
                row.window,
                row.delay,
                row.current,
            )
        });
    Ok(TableIterator::new(rows))
}

#[pg_extern(stable, parallel_unsafe, cost = 1000)]
#[search_path(pg_catalog, pg_temp)]
fn feature_row(view: TypeOf, event: Option<Record<'_>>) -> Result<Option<RowDatum>, ErrorReport> {
    let Some(event) = event else {
        return Ok(None);
    };
    Ok(Some(feature_set::feature_row(view.0, &event)?))
}

#[pg_extern(stable, parallel_unsafe, cost = 1000)]
#[search_path(pg_catalog, pg_temp)]
fn features_at(
    view: TypeOf,
    entity: AnyValue<'_>,
    at: Option<AnyValue<'_>>,
) -> Result<Option<RowDatum>, ErrorReport> {
    match at {
        Some(at) if !entity.is_null() => Ok(Some(feature_set::features_at(view.0, entity, at)?)),
        _ => Ok(None),
    }
}

/// The entities that a set's features are by, with the seconds that an event has a say in the features of later ones.
#[pg_extern(stable, parallel_unsafe)]
#[allow(clippy::type_complexity)]
fn _feature_set_entities(
    name: Option<&str>,
) -> Result<
    TableIterator<'static, (name!(columns, Vec<String>), name!(horizon, Option<i64>))>,
    ErrorReport,
> {
    let set = FeatureSet::load(given("name", name)?)?;
    let rows = set.entities().into_iter().map(|entity| {
        (
            entity.columns,
            entity.horizon.map(|horizon| horizon / 1_000_000),
        )
    });
    Ok(TableIterator::new(rows))
}

#[pg_extern(immutable, parallel_safe)]
fn _window_step<'call>(
    mut state: PerGroup<'call, Group>,
    plan: Option<&str>,
    is_event: Option<bool>,
    values: Values<'call>,
) -> Result<PerGroup<'call, Group>, ErrorReport> {
    if let Some(group) = state.get() {
        group.step(plan, is_event.unwrap_or(false), &values)?;
    }
    Ok(state)
}

#[pg_extern(immutable, parallel_safe)]
fn _window_numbers<'call>(state: PerGroup<'call, Group>) -> Option<Numbers<'call>> {
    state.into_group()?.numbers()
}

#[pg_extern(immutable, parallel_safe)]
fn _window_texts_of<'call>(state: PerGroup<'call, Group>) -> Option<Texts<'call>> {
    state.into_group()?.texts()
}

/// Whether the hour of a time is at most 6.
#[pg_extern(immutable, strict, parallel_safe)]
fn _is_night(at: Timestamp) -> Option<i32> {
    feature_set::is_night(at.into_inner()).map(i32::from)
}

/// Whether a time is on a Saturday or Sunday.
#[pg_extern(immutable, strict, parallel_safe)]
fn _is_weekend(at: Timestamp) -> Option<i32> {
    feature_set::is_weekend(at.into_inner()).map(i32::from)
}

/// of * scale / to; null where that is 0.
#[pg_extern(immutable, strict, parallel_safe)]
fn _quotient(of: f64, to: f64, scale: f64) -> Option<f64> {
    (to != 0.0).then(|| of * scale / to)
}
