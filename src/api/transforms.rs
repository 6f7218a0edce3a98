//! Transforms: fitted, applied, described, dropped; Weight of Evidence tables.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::elevate::{self, NewTransform};
use crate::error::{Error, TransformError};
use crate::registry::{self, Statement};
use crate::row::{JsonText, Jsonb, PerCallSite, Record, Relation, RowQuery};
use crate::transform::{self, Source};

use super::given;

#[pg_extern(stable, parallel_unsafe)]
#[allow(clippy::type_complexity)]
fn woe_table(
    relation: Option<Relation>,
    column_name: Option<&str>,
    label: Option<&str>,
    bins: default!(Option<i32>, "10"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(bin, i32),
            name!(lower, Option<f64>),
            name!(upper, Option<f64>),
            name!(category, Option<String>),
            name!(rows, i64),
            name!(good, i64),
            name!(bad, i64),
            name!(bad_rate, Option<f64>),
            name!(woe, Option<f64>),
            name!(iv, Option<f64>),
            name!(total_iv, Option<f64>),
            name!(smoothed, i32),
        ),
    >,
    ErrorReport,
> {
    let source = Source::of_relation(given("relation", relation)?)?;
    let column = source.field(given("column_name", column_name)?)?;
    let label = source.field(given("label", label)?)?;
    let woe = transform::woe_of(&source, column, label, given("bins", bins)?)?;
    let (total_iv, smoothed) = (woe.total_iv, woe.smoothed);
    let rows = woe.bins.into_iter().enumerate().map(move |(index, bin)| {
        let rows = bin.good + bin.bad;
        (
            index as i32 + 1,
            bin.lower,
            bin.upper,
            bin.category,
            rows,
            bin.good,
            bin.bad,
            (rows > 0).then(|| bin.bad as f64 / rows as f64),
            bin.woe,
            bin.iv,
            total_iv,
            smoothed,
        )
    });
    Ok(TableIterator::new(rows))
}

#[pg_extern(volatile, parallel_unsafe)]
fn fit_transform(
    name: Option<&str>,
    relation: Option<Relation>,
    rules: Option<JsonText>,
) -> Result<i32, ErrorReport> {
    let name = given("name", name)?;
    registry::check_transform_name(name)?;
    let source = Source::of_relation(given("relation", relation)?)?;
    let rules = given("rules", rules)?;
    let parsed = rules.parse().map_err(|error| Error::Parameter {
        parameter: "rules",
        detail: format!("{error}."),
        hint: "Numbers in rules are in double precision.",
    })?;
    let parsed = transform::parse(&parsed)?;
    if let Some(owner) = registry::transform_owner_now(name)? {
        registry::require_transform_owner(name, owner)?;
    }
    let relation = source.sql.clone();
    let fitted = transform::to_json(&transform::fit(source, &parsed)?)?;
    Ok(elevate::add_transform(NewTransform {
        name,
        relation: &relation,
        rules: rules.as_str(),
        fitted: &fitted,
    })?)
}

/// A procedure: sql/75_transforms.sql declares it.
#[pg_extern(sql = false)]
fn transform_table(
    name: Option<&str>,
    source: Option<Relation>,
    target: Option<&str>,
) -> Result<(), ErrorReport> {
    let fit = registry::transform_now(given("name", name)?)?;
    let relation = given("source", source)?;
    let target = given("target", target)?;
    let source = Source::of_relation(relation)?;
    let steps = transform::of_json(&fit.fitted)?;
    let query = transform::of_relation(source, &steps)?;
    Ok(transform::create_table(relation, target, &query)?)
}

#[pg_extern(stable, strict, parallel_safe, cost = 1000)]
fn transform_row(
    name: &str,
    record: Record<'_>,
    mut site: PerCallSite<'_, RowTransform>,
) -> Result<Option<Jsonb>, ErrorReport> {
    Ok(site.transform(name, &record)?)
}

#[pg_extern(stable, parallel_safe)]
#[allow(clippy::type_complexity)]
fn describe_transform(
    name: Option<&str>,
) -> Result<
    TableIterator<
        'static,
        (
            name!(step, i32),
            name!(column_name, Option<String>),
            name!(rule, String),
            name!(fitted, String),
        ),
    >,
    ErrorReport,
> {
    let fit = registry::transform(given("name", name)?)?;
    let steps = transform::of_json(&fit.fitted)?;
    let rows = steps.into_iter().enumerate().map(|(index, step)| {
        let (column, rule, fitted) = step.describe();
        (index as i32 + 1, column, rule.to_owned(), fitted)
    });
    Ok(TableIterator::new(rows))
}

#[pg_extern(volatile, parallel_unsafe)]
fn drop_transform(name: Option<&str>) -> Result<(), ErrorReport> {
    let (name, version) = registry::transform_reference(given("name", name)?)?;
    Ok(elevate::drop_transform(name, version)?)
}

/// What generated SQL calls for a text that a rule cannot convert, so that the error names the column and not the text.
#[pg_extern(volatile, strict, parallel_safe)]
fn _refuse_text(column_name: &str, target: &str) -> Result<String, ErrorReport> {
    Err(Error::from(TransformError::Text {
        column: column_name.to_owned(),
        to: target.to_owned(),
    })
    .into())
}

/// What one call site keeps between rows.
#[derive(Default)]
struct RowTransform {
    reference: String,
    row_type: Option<(pg_sys::Oid, i32)>,
    statement: Option<Statement>,
    query: Option<RowQuery>,
}

impl RowTransform {
    fn transform(&mut self, reference: &str, record: &Record) -> Result<Option<Jsonb>, Error> {
        let is_ready = self.reference == reference
            && self.row_type == Some(record.row_type())
            && self.statement.as_ref().is_some_and(Statement::is_current);
        if !is_ready {
            self.statement = None;
            self.query = None;
            let fit = registry::transform(reference)?;
            let steps = transform::of_json(&fit.fitted)?;
            let query = transform::of_record(record, &steps)?;
            self.query = Some(RowQuery::new(&query, record)?);
            self.reference = reference.to_owned();
            self.row_type = Some(record.row_type());
            self.statement = Some(Statement::current());
        }
        match &self.query {
            Some(query) => query.run(record),
            None => Ok(None),
        }
    }
}
