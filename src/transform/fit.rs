//! Parameters of rules, each taken from the output of the rules before it.

use serde_json::Value;

use crate::elevate;
use crate::error::{Result, TransformError};

use super::express::pattern;
use super::field::{Field, Kind, Source};
use super::naming;
use super::number::Number;
use super::pipeline::Pipeline;
use super::rules::{Action, Filling, Outliers, Rule, Scaling, Target};
use super::sql::{count_at, floats, literal, numbers_at};
use super::step::{Fitted, Hot, Step, Weight};
use super::woe;

/// Categories that one column may be encoded by.
const MOST_CATEGORIES: usize = 1000;

/// Numbers that belong to no average.
const FINITE: &str = "abs(x) < 1e150";

/// Fits rules on a relation.
pub fn fit(source: Source, rules: &[Rule]) -> Result<Vec<Step>> {
    let mut pipeline = Pipeline::new(source);
    let mut steps = Vec::new();
    for rule in rules {
        let step = match rule {
            Rule::Duplicates { columns, order } => Step::Duplicates {
                columns: columns.clone(),
                order: order.clone(),
            },
            Rule::Column { column, action } => {
                let mut reads = vec![column.as_str()];
                if let Action::Woe { label, .. } = action {
                    reads.push(label);
                }
                let input = pipeline.output_of(&reads).clone();
                let taken: Vec<String> = pipeline.names().map(str::to_owned).collect();
                let field = input.field(column)?;
                Step::Column {
                    column: column.clone(),
                    kind: field.kind,
                    action: fit_action(&input, field, action, taken)?,
                }
            }
        };
        pipeline.push(&step)?;
        steps.push(step);
    }
    // Whether all of it can be planned: a constant may not be what its column takes.
    let output = pipeline.output();
    elevate::rows(&format!("SELECT FROM {} AS r LIMIT 0", output.sql))?;
    Ok(steps)
}

fn fit_action(
    source: &Source,
    field: &Field,
    action: &Action,
    taken: Vec<String>,
) -> Result<Fitted> {
    let column = Column { source, field };
    Ok(match action {
        Action::Convert {
            to,
            format,
            invalid_is_missing,
        } => {
            if !invalid_is_missing {
                column.require_convertible(*to)?;
            }
            Fitted::Convert {
                to: *to,
                format: format.clone(),
                invalid_is_missing: *invalid_is_missing,
            }
        }
        Action::DropMissing => Fitted::DropMissing,
        Action::Missing { with, indicator } => {
            let indicator = indicator.then(|| naming::indicator(&field.name));
            column.filling(with, indicator)?
        }
        Action::Outliers(Outliers::Winsorise { lower, upper }) => {
            let bounds = column.quantiles("clipped at quantiles", &[*lower, *upper])?;
            Fitted::Clip {
                lower: Number(bounds[0]),
                upper: Number(bounds[1]),
                is: format!("the quantiles {lower} and {upper}"),
            }
        }
        Action::Outliers(Outliers::Iqr { factor }) => {
            let (lower, upper, is) = column.fences(*factor)?;
            Fitted::Clip { lower, upper, is }
        }
        Action::Outliers(Outliers::Drop { factor }) => {
            let (lower, upper, is) = column.fences(*factor)?;
            Fitted::DropOutside { lower, upper, is }
        }
        Action::Scale(how) => column.scaling(*how)?,
        Action::OneHot {
            categories,
            indicator,
        } => {
            let categories = column.categories(categories.as_deref())?;
            let mut taken = taken;
            taken.retain(|name| *name != field.name);
            let indicator = indicator.then(|| naming::indicator(&field.name));
            taken.extend(indicator.clone());
            let columns = categories.into_iter().map(|category| {
                let column = naming::one_hot(&field.name, &category, &taken);
                taken.push(column.clone());
                Hot { category, column }
            });
            Fitted::OneHot {
                columns: columns.collect(),
                indicator,
            }
        }
        Action::Ordinal { categories, unseen } => Fitted::Ordinal {
            categories: column.categories(categories.as_deref())?,
            unseen: unseen.map(Number),
        },
        Action::Woe {
            label,
            bins,
            unseen,
        } => column.woe(label, *bins, unseen.map(Number))?,
    })
}

/// A column whose parameters are asked for.
struct Column<'a> {
    source: &'a Source,
    field: &'a Field,
}

impl Column<'_> {
    /// Aggregates over the column as numbers `x`; nothing where one of them is NULL.
    fn aggregate(&self, purpose: &'static str, aggregates: &str) -> Result<Vec<f64>> {
        if !self.field.kind.is_number() {
            return Err(TransformError::ColumnType {
                column: self.field.name.clone(),
                found: self.field.sql_type.clone(),
                purpose,
                hint: "Only numbers can; a step before with \"type\": \"number\" converts the column.",
            }
            .into());
        }
        let query = format!(
            "SELECT {aggregates} FROM (SELECT {} AS x FROM {} AS r) AS s WHERE {FINITE}",
            self.field.number(),
            self.source.sql
        );
        let rows = elevate::rows(&query)?;
        match rows.first().map(|row| numbers_at(row, 0)) {
            Some(numbers) if !numbers.is_empty() => Ok(numbers),
            _ => Err(self.no_values()),
        }
    }

    fn no_values(&self) -> crate::error::Error {
        TransformError::NoValues(self.field.name.clone()).into()
    }

    fn quantiles(&self, purpose: &'static str, shares: &[f64]) -> Result<Vec<f64>> {
        let aggregate = format!(
            "percentile_cont({}) WITHIN GROUP (ORDER BY x)",
            floats(shares)
        );
        self.aggregate(purpose, &aggregate)
    }

    /// The distance of `factor` interquartile ranges from the quartiles.
    fn fences(&self, factor: f64) -> Result<(Number, Number, String)> {
        let quartiles = self.quantiles("held within fences", &[0.25, 0.75])?;
        let reach = factor * (quartiles[1] - quartiles[0]);
        Ok((
            Number(quartiles[0] - reach),
            Number(quartiles[1] + reach),
            format!("{factor} interquartile ranges from the quartiles"),
        ))
    }

    fn filling(&self, with: &Filling, indicator: Option<String>) -> Result<Fitted> {
        let number = |with: f64, is: &str, indicator| Fitted::FillNumber {
            with: Number(with),
            is: is.to_owned(),
            indicator,
        };
        Ok(match with {
            Filling::Mean => {
                let mean = self.aggregate("averaged", "ARRAY[avg(x)]")?;
                number(mean[0], "the mean", indicator)
            }
            Filling::Median => {
                let median = self.quantiles("sorted for a median", &[0.5])?;
                number(median[0], "the median", indicator)
            }
            Filling::Mode => Fitted::FillValue {
                with: self.mode()?,
                is: "the most frequent value".into(),
                indicator,
            },
            Filling::Constant(value) => Fitted::FillValue {
                with: self.constant(value)?,
                is: "a constant".into(),
                indicator,
            },
        })
    }

    /// The most frequent value, of equally frequent ones the smallest.
    fn mode(&self) -> Result<String> {
        let present = match self.field.kind {
            Kind::Text | Kind::Other => format!("{}::text COLLATE \"C\"", self.field.present()),
            _ => self.field.present(),
        };
        let query = format!(
            "SELECT x::text FROM (SELECT {present} AS x FROM {} AS r) AS s WHERE x IS NOT NULL GROUP BY x ORDER BY count(*) DESC, x LIMIT 1",
            self.source.sql
        );
        let rows = elevate::rows(&query)?;
        let mode = rows
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next());
        mode.flatten().ok_or_else(|| self.no_values())
    }

    fn constant(&self, value: &Value) -> Result<String> {
        let fits = match (self.field.kind, value) {
            (Kind::Integer, Value::Number(number)) => number.is_i64(),
            (Kind::Float | Kind::Numeric, Value::Number(_)) => true,
            (Kind::Boolean, Value::Bool(_)) => true,
            (Kind::Integer | Kind::Float | Kind::Numeric | Kind::Boolean, _) => false,
            (_, value) => value.is_string(),
        };
        match value {
            Value::String(text) if fits => Ok(text.clone()),
            value if fits => Ok(value.to_string()),
            _ => Err(TransformError::Constant {
                column: self.field.name.clone(),
                found: self.field.sql_type.clone(),
            }
            .into()),
        }
    }

    fn scaling(&self, how: Scaling) -> Result<Fitted> {
        let aggregates = match how {
            Scaling::Standard => "ARRAY[avg(x), stddev_pop(x), min(x), max(x)]",
            Scaling::MinMax => "ARRAY[min(x), max(x) - min(x), min(x), max(x)]",
            Scaling::Robust => {
                "percentile_cont('{0.5,0.25,0.75}'::float8[]) WITHIN GROUP (ORDER BY x)"
            }
        };
        let found = self.aggregate("scaled", aggregates)?;
        let (center, scale) = match how {
            Scaling::Robust => (found[0], found[2] - found[1]),
            // The deviation of equal numbers may be a rounding error above 0.
            _ if found[2] == found[3] => (found[0], 0.0),
            _ => (found[0], found[1]),
        };
        Ok(Fitted::Scale {
            how,
            center: Number(center),
            scale: Number(scale),
        })
    }

    /// The categories that were given, or those that are there, in their order.
    fn categories(&self, given: Option<&[String]>) -> Result<Vec<String>> {
        let kind = self.field.kind;
        if !kind.is_category() && !kind.is_number() {
            return Err(TransformError::ColumnType {
                column: self.field.name.clone(),
                found: self.field.sql_type.clone(),
                purpose: "encoded",
                hint: "Text, boolean, enum and number columns can; a step before with \"type\": \"text\" converts the column.",
            }
            .into());
        }
        let categories = match given {
            Some(given) => given.to_vec(),
            None => {
                let order = if kind == Kind::Text {
                    "s.x::text COLLATE \"C\""
                } else {
                    "s.x"
                };
                let query = format!(
                    "SELECT x::text FROM (SELECT DISTINCT {} AS x FROM {} AS r) AS s WHERE x IS NOT NULL ORDER BY {order} LIMIT {}",
                    self.field.present(),
                    self.source.sql,
                    MOST_CATEGORIES + 1
                );
                elevate::rows(&query)?
                    .into_iter()
                    .filter_map(|row| row.into_iter().next().flatten())
                    .collect()
            }
        };
        match categories.len() {
            0 => Err(self.no_values()),
            count if count > MOST_CATEGORIES => Err(TransformError::TooManyCategories {
                column: self.field.name.clone(),
                most: MOST_CATEGORIES,
            }
            .into()),
            _ => Ok(categories),
        }
    }

    fn woe(&self, label: &str, bins: i32, unseen: Option<Number>) -> Result<Fitted> {
        let woe = woe::fit(self.source, self.field, self.source.field(label)?, bins)?;
        if woe.bins.len() > MOST_CATEGORIES {
            return Err(TransformError::TooManyCategories {
                column: self.field.name.clone(),
                most: MOST_CATEGORIES,
            }
            .into());
        }
        if woe.total_iv.is_none() {
            return Err(TransformError::OneClass(label.to_owned()).into());
        }
        let (mut categories, mut cuts, mut weights, mut missing) = (vec![], vec![], vec![], None);
        for bin in woe.bins {
            let Some(weight) = bin.woe.map(Number) else {
                continue;
            };
            match (bin.category, bin.lower) {
                (Some(category), _) => categories.push(Weight {
                    category,
                    woe: weight,
                }),
                (None, Some(lower)) => {
                    if !weights.is_empty() {
                        cuts.push(Number(lower));
                    }
                    weights.push(weight);
                }
                (None, None) => missing = Some(weight),
            }
        }
        let label = label.to_owned();
        Ok(match self.field.kind.is_number() {
            true => Fitted::WoeOfNumbers {
                label,
                cuts,
                woe: weights,
                missing,
                unseen,
            },
            false => Fitted::WoeOfCategories {
                label,
                bins: categories,
                missing,
                unseen,
            },
        })
    }

    fn require_convertible(&self, to: Target) -> Result<()> {
        let Some(pattern) = pattern(self.field.kind, to) else {
            return Ok(());
        };
        let query = format!(
            "SELECT count(*) FROM (SELECT {}::text AS x FROM {} AS r) AS s WHERE x !~* {}",
            self.field.value(),
            self.source.sql,
            literal(pattern)
        );
        let rows = elevate::rows(&query)?;
        match rows.first().map_or(0, |row| count_at(row, 0)) {
            0 => Ok(()),
            rows => Err(TransformError::Unconvertible {
                column: self.field.name.clone(),
                to: to.name(),
                rows,
            }
            .into()),
        }
    }
}
