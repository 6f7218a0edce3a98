//! Transforms: Weight of Evidence tables.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::row::Relation;
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
