//! What rows are read from, and its columns as SQL expressions.

use pgrx::pg_sys;

use crate::error::{Error, Result, TransformError};
use crate::row::{self, Column, Relation};

use super::sql::identifier;

/// What can be done with a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Integer,
    Float,
    Numeric,
    Boolean,
    Text,
    Enum,
    Date,
    Timestamp,
    /// With time zone.
    Instant,
    Other,
}

/// A column of a relation or of a step's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub kind: Kind,
    /// As a cast writes it.
    pub sql_type: String,
}

/// Something that can stand in FROM.
#[derive(Debug, Clone)]
pub struct Source {
    pub sql: String,
    /// How an error names it.
    pub origin: String,
    pub fields: Vec<Field>,
}

impl Kind {
    fn of_type(oid: pg_sys::Oid) -> Kind {
        match oid {
            pg_sys::INT2OID | pg_sys::INT4OID | pg_sys::INT8OID => Kind::Integer,
            pg_sys::FLOAT4OID | pg_sys::FLOAT8OID => Kind::Float,
            pg_sys::NUMERICOID => Kind::Numeric,
            pg_sys::BOOLOID => Kind::Boolean,
            pg_sys::TEXTOID | pg_sys::VARCHAROID | pg_sys::BPCHAROID => Kind::Text,
            pg_sys::DATEOID => Kind::Date,
            pg_sys::TIMESTAMPOID => Kind::Timestamp,
            pg_sys::TIMESTAMPTZOID => Kind::Instant,
            oid if row::is_enum(oid) => Kind::Enum,
            _ => Kind::Other,
        }
    }

    pub fn is_number(self) -> bool {
        matches!(self, Kind::Integer | Kind::Float | Kind::Numeric)
    }

    pub fn is_text(self) -> bool {
        matches!(self, Kind::Text | Kind::Enum)
    }

    /// As an error calls it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Integer => "an integer",
            Kind::Float => "a float",
            Kind::Numeric => "a numeric",
            Kind::Boolean => "a boolean",
            Kind::Text => "a text",
            Kind::Enum => "an enum",
            Kind::Date => "a date",
            Kind::Timestamp => "a timestamp",
            Kind::Instant => "a timestamp with time zone",
            Kind::Other => "of another type",
        }
    }

    /// Whether values are categories by nature.
    pub fn is_category(self) -> bool {
        matches!(self, Kind::Boolean | Kind::Text | Kind::Enum)
    }
}

impl Field {
    pub fn of_column(column: &Column) -> Field {
        Field {
            name: column.name.clone(),
            kind: Kind::of_type(column.base_type),
            sql_type: match column.base_type {
                // Rows of no type of their own can be had as JSON only.
                pg_sys::RECORDOID | pg_sys::RECORDARRAYOID => "jsonb".to_owned(),
                base_type => row::sql_type(base_type),
            },
        }
    }

    /// A column of this name and another type.
    pub fn retyped(&self, kind: Kind, sql_type: &str) -> Field {
        Field {
            name: self.name.clone(),
            kind,
            sql_type: sql_type.to_owned(),
        }
    }

    /// The value of a row, whatever it is.
    pub fn value(&self) -> String {
        format!("r.{}", identifier(&self.name))
    }

    /// The value of a row, NULL where it is missing: NULL, or a number that is not one.
    pub fn present(&self) -> String {
        match self.kind {
            Kind::Float | Kind::Numeric => format!("nullif({}, 'NaN')", self.value()),
            _ => self.value(),
        }
    }

    /// The value of a row in double precision, NULL where it is missing. A numeric that none can hold is infinite, or zero.
    pub fn number(&self) -> String {
        let present = self.present();
        match self.kind {
            Kind::Numeric => format!(
                "CASE WHEN abs({present}) < 1e-307 THEN 0 WHEN abs({present}) <= 1e308 THEN {present}::float8 \
                 WHEN {present} > 0 THEN 'Infinity' WHEN {present} < 0 THEN '-Infinity' END"
            ),
            Kind::Boolean => format!("{present}::int::float8"),
            _ => format!("{present}::float8"),
        }
    }
}

impl Source {
    /// The rows of a table or view.
    pub fn of_relation(relation: Relation) -> Result<Source> {
        let origin = relation
            .name()
            .ok_or_else(|| Error::UnknownRelation(relation.oid().into()))?;
        let columns = row::columns_of_relation(relation.oid())
            .filter(|_| relation.has_rows())
            .ok_or_else(|| TransformError::NotRows(format!("\"{origin}\"")))?;
        let sql = relation
            .qualified_name()
            .ok_or_else(|| Error::UnknownRelation(relation.oid().into()))?;
        Ok(Source {
            sql,
            origin: format!("relation \"{origin}\""),
            fields: columns.iter().map(Field::of_column).collect(),
        })
    }

    /// A column by its name.
    pub fn field(&self, name: &str) -> Result<&Field> {
        let found = self.fields.iter().find(|field| field.name == name);
        found.ok_or_else(|| self.unknown(name))
    }

    pub fn unknown(&self, name: &str) -> Error {
        TransformError::UnknownColumn {
            origin: self.origin.clone(),
            column: name.to_owned(),
        }
        .into()
    }
}
