//! A step's SQL: what a column of a row `r` becomes, and which rows stay.

use crate::error::{Result, TransformError};

use super::field::{Field, Kind};
use super::number::Number;
use super::rules::Target;
use super::sql::{float, floats, literal};
use super::step::{Fitted, Weight};

/// What becomes of one column.
#[derive(Default)]
pub struct Expressed {
    /// What stands in the column's place.
    pub columns: Vec<(Field, String)>,
    /// Which rows stay; all where there is nothing.
    pub filter: Option<String>,
}

/// Texts that are numbers, as PostgreSQL reads them. None that fits is too long for a numeric.
pub const NUMBER: &str =
    r"^(?!.{255})\s*([+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?|[+-]?inf(inity)?|nan)\s*$";
pub const INTEGER: &str = r"^\s*[+-]?\d{1,18}\s*$";
pub const BOOLEAN: &str =
    r"^\s*(t|tr|tru|true|y|ye|yes|on|1|f|fa|fal|fals|false|n|no|of|off|0)\s*$";

/// A fitted step for a column that may be of another type than it was fitted on.
pub fn express(field: &Field, fitted_on: Kind, action: &Fitted) -> Result<Expressed> {
    let needs_same_kind = matches!(action, Fitted::FillValue { .. });
    let fits = match needs_same_kind {
        _ if field.kind == fitted_on => true,
        true => false,
        false => {
            field.kind.is_number() && fitted_on.is_number()
                || field.kind.is_text() && fitted_on.is_text()
        }
    };
    if !fits {
        return Err(TransformError::OtherType {
            column: field.name.clone(),
            found: field.sql_type.clone(),
            fitted: fitted_on.name(),
        }
        .into());
    }
    let value = field.value();
    let present = field.present();
    let number = field.number();
    let one = |kind, sql_type: &str, sql: String| Expressed {
        columns: vec![(field.retyped(kind, sql_type), sql)],
        filter: None,
    };
    let double = |sql: String| one(Kind::Float, "double precision", sql);
    let mark = |indicator: &Option<String>| {
        indicator.as_ref().map(|name| {
            let field = Field {
                name: name.clone(),
                kind: Kind::Integer,
                sql_type: "integer".into(),
            };
            (field, format!("({present} IS NULL)::int"))
        })
    };
    let filtered = |filter: String| Expressed {
        columns: vec![(field.clone(), value.clone())],
        filter: Some(filter),
    };
    Ok(match action {
        Fitted::Convert {
            to,
            format,
            invalid_is_missing,
        } => {
            let sql = convert(field, *to, format.as_deref(), *invalid_is_missing)?;
            let (kind, sql_type) = to.field_type();
            one(kind, sql_type, sql)
        }
        Fitted::FillNumber {
            with, indicator, ..
        } => {
            let mut filled = double(format!("coalesce({number}, {})", float(with.0)));
            filled.columns.extend(mark(indicator));
            filled
        }
        Fitted::FillValue {
            with, indicator, ..
        } => {
            let sql = format!("coalesce({present}, {}::{})", literal(with), field.sql_type);
            let mut filled = one(field.kind, &field.sql_type, sql);
            filled.columns.extend(mark(indicator));
            filled
        }
        Fitted::DropMissing => filtered(format!("{present} IS NOT NULL")),
        Fitted::Clip { lower, upper, .. } => {
            let (lower, upper) = (float(lower.0), float(upper.0));
            double(format!(
                "CASE WHEN {number} < {lower} THEN {lower} WHEN {number} > {upper} THEN {upper} ELSE {number} END"
            ))
        }
        Fitted::DropOutside { lower, upper, .. } => {
            let (lower, upper) = (float(lower.0), float(upper.0));
            filtered(format!(
                "({number} BETWEEN {lower} AND {upper}) IS NOT FALSE"
            ))
        }
        Fitted::Scale { center, scale, .. } => double(match scale.0 == 0.0 {
            true => format!("CASE WHEN {present} IS NOT NULL THEN 0::float8 END"),
            false => format!("({number} - {}) / {}", float(center.0), float(scale.0)),
        }),
        Fitted::OneHot { columns, indicator } => {
            let (subject, category_type) = category(field);
            let mut hot: Vec<(Field, String)> = columns
                .iter()
                .map(|hot| {
                    let field = Field {
                        name: hot.column.clone(),
                        kind: Kind::Integer,
                        sql_type: "integer".into(),
                    };
                    let is = format!("{subject} = {}::{category_type}", literal(&hot.category));
                    (field, format!("coalesce({is}, false)::int"))
                })
                .collect();
            hot.extend(mark(indicator));
            Expressed {
                columns: hot,
                filter: None,
            }
        }
        Fitted::Ordinal { categories, unseen } => {
            let places = categories
                .iter()
                .enumerate()
                .map(|(place, category)| (category.as_str(), format!("{place}::float8")));
            let sql = cases(field, places, "NULL", &optional(unseen));
            double(sql)
        }
        Fitted::WoeOfCategories {
            bins,
            missing,
            unseen,
            ..
        } => {
            let weights = bins
                .iter()
                .map(|Weight { category, woe }| (category.as_str(), float(woe.0)));
            let missing = missing.or(*unseen);
            double(cases(
                field,
                weights,
                &optional(&missing),
                &optional(unseen),
            ))
        }
        Fitted::WoeOfNumbers {
            cuts,
            woe,
            missing,
            unseen,
            ..
        } => {
            let numbers = |list: &[Number]| floats(&list.iter().map(|n| n.0).collect::<Vec<f64>>());
            let missing = optional(&missing.or(*unseen));
            if woe.is_empty() {
                return Ok(double(format!(
                    "CASE WHEN {present} IS NULL THEN {missing} ELSE {} END",
                    optional(unseen)
                )));
            }
            double(format!(
                "CASE WHEN {present} IS NULL THEN {missing} ELSE ({})[width_bucket({number}, {}) + 1] END",
                numbers(woe),
                numbers(cuts)
            ))
        }
    })
}

/// What a category is compared as, and its type.
fn category(field: &Field) -> (String, &str) {
    match field.kind {
        kind if kind.is_category() => (format!("{}::text", field.value()), "text"),
        // A fraction is no integer, but can be compared with one.
        Kind::Integer => (field.present(), "numeric"),
        _ => (field.present(), &field.sql_type),
    }
}

fn cases<'a>(
    field: &Field,
    results: impl Iterator<Item = (&'a str, String)>,
    missing: &str,
    others: &str,
) -> String {
    let (subject, category_type) = category(field);
    let cases: String = results
        .map(|(category, result)| {
            format!(" WHEN {}::{category_type} THEN {result}", literal(category))
        })
        .collect();
    match cases.is_empty() {
        true => format!("CASE WHEN {subject} IS NULL THEN {missing} ELSE {others} END"),
        false => format!(
            "CASE WHEN {subject} IS NULL THEN {missing} ELSE CASE {subject}{cases} ELSE {others} END END"
        ),
    }
}

fn optional(number: &Option<Number>) -> String {
    number.map_or_else(|| "NULL::float8".to_owned(), |number| float(number.0))
}

/// What a text must look like to be converted; other kinds of columns cannot fail this way.
pub fn pattern(kind: Kind, to: Target) -> Option<&'static str> {
    if !kind.is_text() {
        return None;
    }
    match to {
        Target::Number | Target::Numeric => Some(NUMBER),
        Target::Integer => Some(INTEGER),
        Target::Boolean => Some(BOOLEAN),
        Target::Text | Target::Date | Target::Timestamp => None,
    }
}

fn convert(field: &Field, to: Target, format: Option<&str>, lenient: bool) -> Result<String> {
    let value = field.value();
    let (_, sql_type) = to.field_type();
    let sql = match (field.kind, to) {
        (Kind::Text | Kind::Enum, to) => {
            let text = format!("{value}::text");
            match (to, format, pattern(field.kind, to)) {
                (Target::Text, ..) => text,
                (Target::Date, Some(format), _) => format!("to_date({text}, {})", literal(format)),
                (_, _, Some(pattern)) if lenient => {
                    let converted = cast(&text, to);
                    format!(
                        "CASE WHEN {text} ~* {} THEN {converted} END",
                        literal(pattern)
                    )
                }
                (_, _, Some(pattern)) => format!(
                    "CASE WHEN {text} ~* {} THEN {} WHEN {text} IS NOT NULL THEN finai._refuse_text({}, {})::{sql_type} END",
                    literal(pattern),
                    cast(&text, to),
                    literal(&field.name),
                    literal(to.name())
                ),
                _ => format!("{text}::{sql_type}"),
            }
        }
        (Kind::Instant, Target::Text | Target::Date | Target::Timestamp) => {
            format!("({value} AT TIME ZONE 'UTC')::{sql_type}")
        }
        (_, Target::Text) => format!("{value}::text"),
        (Kind::Date | Kind::Timestamp, Target::Date | Target::Timestamp) => {
            format!("{value}::{sql_type}")
        }
        (Kind::Boolean, Target::Boolean) => value,
        (kind, Target::Boolean) if kind.is_number() => format!("{} <> 0", field.present()),
        (Kind::Integer | Kind::Float | Kind::Numeric | Kind::Boolean, Target::Number) => {
            field.number()
        }
        (Kind::Boolean, Target::Integer | Target::Numeric) => format!("{value}::int::{sql_type}"),
        (kind, Target::Integer | Target::Numeric) if kind.is_number() => {
            format!("{}::{sql_type}", field.present())
        }
        // As models take them: days, or seconds, since 1970.
        (Kind::Date, Target::Number | Target::Integer | Target::Numeric) => {
            format!("(date_part('epoch', {value}::timestamp) / 86400)::{sql_type}")
        }
        (Kind::Timestamp | Kind::Instant, Target::Number | Target::Numeric) => {
            format!("date_part('epoch', {value})::{sql_type}")
        }
        (Kind::Timestamp | Kind::Instant, Target::Integer) => {
            format!("floor(date_part('epoch', {value}))::{sql_type}")
        }
        _ => {
            return Err(TransformError::ColumnType {
                column: field.name.clone(),
                found: field.sql_type.clone(),
                purpose: "converted so",
                hint: "Text becomes anything; numbers become numbers, boolean and text; dates and timestamps become each other, numbers and text.",
            }
            .into());
        }
    };
    Ok(sql)
}

/// A text that fits the pattern, converted. A number that double precision cannot hold is infinite, or zero.
fn cast(text: &str, to: Target) -> String {
    let (_, sql_type) = to.field_type();
    match to {
        Target::Number => format!(
            "CASE WHEN {text} !~* 'e' THEN {text}::float8 WHEN {text}::numeric > 1.797693134862315708e308 THEN 'Infinity' \
             WHEN {text}::numeric < -1.797693134862315708e308 THEN '-Infinity' WHEN abs({text}::numeric) < 2.5e-324 THEN 0 ELSE {text}::float8 END"
        ),
        _ => format!("{text}::{sql_type}"),
    }
}

impl Target {
    pub fn field_type(self) -> (Kind, &'static str) {
        match self {
            Target::Number => (Kind::Float, "double precision"),
            Target::Integer => (Kind::Integer, "bigint"),
            Target::Numeric => (Kind::Numeric, "numeric"),
            Target::Text => (Kind::Text, "text"),
            Target::Boolean => (Kind::Boolean, "boolean"),
            Target::Date => (Kind::Date, "date"),
            Target::Timestamp => (Kind::Timestamp, "timestamp without time zone"),
        }
    }
}
