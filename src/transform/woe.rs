//! Weight of Evidence of one column: bins, what lies in them, ln(good% / bad%).

use crate::elevate;
use crate::error::{Error, Result, TransformError};

use super::field::{Field, Kind, Source};
use super::sql::{count_at, float, floats, number_at, numbers_at};

/// What a proportion that is smaller counts as.
const SMALLEST: f64 = 1e-4;
const MOST_BINS: i32 = 1000;

/// Rows that are alike: of one category, from `lower` up to but without `upper`, or, where all three are nothing, missing.
#[derive(Debug, Clone)]
pub struct Bin {
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    pub category: Option<String>,
    pub good: i64,
    pub bad: i64,
    /// Nothing where there are no goods at all, or no bads.
    pub woe: Option<f64>,
    /// Its part of the information value.
    pub iv: Option<f64>,
}

/// The bins of a column, the missing one last.
#[derive(Debug)]
pub struct Woe {
    pub bins: Vec<Bin>,
    pub total_iv: Option<f64>,
    /// Bins with a proportion that was replaced.
    pub smoothed: i32,
}

/// Bins a column against a label and weighs the bins. Rows without a label are left out.
pub fn fit(source: &Source, column: &Field, label: &Field, bins: i32) -> Result<Woe> {
    if !(2..=MOST_BINS).contains(&bins) {
        return Err(Error::Parameter {
            parameter: "bins",
            detail: format!("It is not a whole number from 2 to {MOST_BINS}."),
            hint: "10 bins are usual.",
        });
    }
    if !(label.kind.is_number() || label.kind == Kind::Boolean) {
        return Err(TransformError::Label(label.name.clone()).into());
    }
    let counted = if column.kind.is_category() {
        categories(source, column, label)?
    } else if column.kind.is_number() {
        intervals(source, column, label, bins)?
    } else {
        return Err(TransformError::ColumnType {
            column: column.name.clone(),
            found: column.sql_type.clone(),
            purpose: "binned",
            hint: "Text, boolean, enum and number columns have bins; cast the column in a view.",
        }
        .into());
    };
    Ok(weigh(counted))
}

fn labelled(source: &Source, value: &str, label: &Field) -> String {
    format!(
        "(SELECT {value} AS x, {} AS y FROM {} AS r) AS s WHERE y IS NOT NULL",
        label.number(),
        source.sql
    )
}

const COUNTS: &str = "count(*) FILTER (WHERE y = 0), count(*) FILTER (WHERE y = 1), count(*)";

fn categories(source: &Source, column: &Field, label: &Field) -> Result<Vec<Bin>> {
    let from = labelled(source, &format!("{}::text", column.value()), label);
    let query = format!(
        "SELECT x, NULL, NULL, {COUNTS} FROM {from} GROUP BY x ORDER BY x COLLATE \"C\" NULLS LAST"
    );
    let rows = elevate::rows(&query)?;
    rows.into_iter()
        .map(|row| {
            let (good, bad) = goods_and_bads(&row, label)?;
            Ok(Bin {
                lower: None,
                upper: None,
                category: row.into_iter().next().flatten(),
                good,
                bad,
                woe: None,
                iv: None,
            })
        })
        .collect()
}

fn intervals(source: &Source, column: &Field, label: &Field, bins: i32) -> Result<Vec<Bin>> {
    let from = labelled(source, &column.number(), label);
    let cuts = cuts(&from, bins)?;
    let query = format!(
        "SELECT width_bucket(x, {}), NULL, NULL, {COUNTS} FROM {from} GROUP BY 1 ORDER BY 1 NULLS LAST",
        floats(&cuts)
    );
    let mut found: Vec<Bin> = Vec::new();
    for row in elevate::rows(&query)? {
        let (good, bad) = goods_and_bads(&row, label)?;
        let lower = number_at(&row, 0).map(|bucket| match found.is_empty() {
            // What is below everything seen belongs to the first bin.
            true => f64::NEG_INFINITY,
            false => cuts
                .get(bucket as usize - 1)
                .copied()
                .unwrap_or(f64::NEG_INFINITY),
        });
        if let (Some(lower), Some(previous)) = (lower, found.last_mut()) {
            previous.upper = Some(lower);
        }
        found.push(Bin {
            lower,
            upper: lower.map(|_| f64::INFINITY),
            category: None,
            good,
            bad,
            woe: None,
            iv: None,
        });
    }
    Ok(found)
}

/// Where bins begin, the first one left out: at each value where there are no more values than bins, else at the quantiles,
/// and after a value that fills a bin alone.
fn cuts(from: &str, bins: i32) -> Result<Vec<f64>> {
    let from = format!("{from} AND abs(x) < 'Infinity'");
    let few = format!(
        "SELECT x FROM (SELECT DISTINCT x FROM {from}) AS d ORDER BY x LIMIT {}",
        i64::from(bins) + 1
    );
    let values: Vec<f64> = elevate::rows(&few)?
        .iter()
        .filter_map(|row| number_at(row, 0))
        .collect();
    let Some(&smallest) = values.first() else {
        return Ok(Vec::new());
    };
    if values.len() <= bins as usize {
        return Ok(values.into_iter().skip(1).collect());
    }
    let shares: Vec<f64> = (1..bins).map(|i| f64::from(i) / f64::from(bins)).collect();
    let quantiles = format!(
        "SELECT percentile_cont({}) WITHIN GROUP (ORDER BY x) FROM {from}",
        floats(&shares)
    );
    let quantiles = elevate::rows(&quantiles)?
        .first()
        .map(|row| numbers_at(row, 0))
        .unwrap_or_default();
    let filled: Vec<f64> = std::iter::once(smallest)
        .chain(quantiles.iter().copied())
        .zip(&quantiles)
        .filter_map(|(before, quantile)| (before == *quantile).then_some(before))
        .collect();
    let next: Vec<String> = filled
        .iter()
        .map(|value| format!("min(x) FILTER (WHERE x > {})", float(*value)))
        .collect();
    let mut cuts = quantiles;
    if !next.is_empty() {
        let next = elevate::rows(&format!("SELECT {} FROM {from}", next.join(", ")))?;
        let next = next.first();
        cuts.extend((0..filled.len()).filter_map(|i| number_at(next?, i)));
    }
    cuts.retain(|cut| *cut > smallest);
    cuts.sort_by(f64::total_cmp);
    cuts.dedup();
    Ok(cuts)
}

fn goods_and_bads(row: &elevate::TextRow, label: &Field) -> Result<(i64, i64)> {
    let (good, bad) = (count_at(row, 3), count_at(row, 4));
    if good + bad == count_at(row, 5) {
        Ok((good, bad))
    } else {
        Err(TransformError::Label(label.name.clone()).into())
    }
}

fn weigh(mut bins: Vec<Bin>) -> Woe {
    let goods: i64 = bins.iter().map(|bin| bin.good).sum();
    let bads: i64 = bins.iter().map(|bin| bin.bad).sum();
    if goods == 0 || bads == 0 {
        return Woe {
            bins,
            total_iv: None,
            smoothed: 0,
        };
    }
    let mut smoothed = 0;
    let mut total = 0.0;
    for bin in &mut bins {
        let good = bin.good as f64 / goods as f64;
        let bad = bin.bad as f64 / bads as f64;
        smoothed += i32::from(good < SMALLEST || bad < SMALLEST);
        let (good, bad) = (good.max(SMALLEST), bad.max(SMALLEST));
        let woe = (good / bad).ln();
        let iv = (good - bad) * woe;
        total += iv;
        bin.woe = Some(woe);
        bin.iv = Some(iv);
    }
    Woe {
        bins,
        total_iv: Some(total),
        smoothed,
    }
}
