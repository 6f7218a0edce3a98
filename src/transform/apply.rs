//! Fitted steps over the rows of a relation, or over one row.

use crate::error::{Result, TransformError};
use crate::row::{self, Record};

use super::field::{Field, Source};
use super::pipeline::Pipeline;
use super::sql::identifier;
use super::step::Step;

/// The transformed rows of a relation, as a query.
pub fn of_relation(source: Source, steps: &[Step]) -> Result<String> {
    let mut pipeline = Pipeline::new(source);
    for step in steps {
        pipeline.push(step)?;
    }
    let output = pipeline.output();
    let names: Vec<String> = output.fields.iter().map(Field::value).collect();
    Ok(format!(
        "SELECT {} FROM {} AS r",
        names.join(", "),
        output.sql
    ))
}

/// The transformed row of a row $1 of this one's type, as a query of one jsonb; no row where a step leaves it out.
pub fn of_record(record: &Record, steps: &[Step]) -> Result<String> {
    let columns = row::columns_of_record(record);
    let fields: Vec<Field> = columns.iter().map(Field::of_column).collect();
    for (place, field) in fields.iter().enumerate() {
        if fields
            .iter()
            .take(place)
            .any(|other| other.name == field.name)
        {
            return Err(TransformError::AmbiguousColumn(field.name.clone()).into());
        }
    }
    let definitions: Vec<String> = fields
        .iter()
        .map(|field| format!("{} {}", identifier(&field.name), field.sql_type))
        .collect();
    let source = Source {
        sql: format!(
            "(SELECT * FROM jsonb_to_record(to_jsonb($1)) AS j({}))",
            definitions.join(", ")
        ),
        origin: "row".to_owned(),
        fields,
    };
    if source.fields.is_empty()
        && steps
            .iter()
            .all(|step| matches!(step, Step::Duplicates { .. }))
    {
        return Ok("SELECT to_jsonb($1)".to_owned());
    }
    let mut pipeline = Pipeline::of_one_row(source);
    for step in steps {
        pipeline.push(step)?;
    }
    Ok(format!(
        "SELECT to_jsonb(r.*) FROM {} AS r",
        pipeline.output().sql
    ))
}
