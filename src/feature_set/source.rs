//! The relation whose events a set reads, as the catalogue has it.

use pgrx::pg_sys;

use crate::elevate::{Value, rows_now};
use crate::error::{Error, FeatureSetError, Result};
use crate::row::{Column, orders};

/// A column of the source.
pub struct SourceColumn {
    pub name: String,
    pub base_type: pg_sys::Oid,
    pub type_oid: pg_sys::Oid,
    /// Type and modifier as SQL writes them, under a search path of pg_catalog.
    pub sql_type: String,
    pub is_nullable: bool,
    /// Whether equal values have equal bytes, as far as the collation goes.
    pub is_bytewise: bool,
}

/// An index that can be used, by the names of its key columns; expressions have none.
struct Index {
    is_unique: bool,
    columns: Vec<String>,
}

pub struct Source {
    pub oid: pg_sys::Oid,
    /// As SQL writes it, with its schema.
    pub name: String,
    /// Its schema as SQL writes it.
    pub schema: String,
    kind: String,
    is_temporary: bool,
    pub can_select: bool,
    pub columns: Vec<SourceColumn>,
    indexes: Vec<Index>,
}

const RELATION: &str = "SELECT quote_ident(n.nspname), quote_ident(c.relname), c.relkind, c.relpersistence, has_table_privilege($2::oid, c.oid, 'SELECT')
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::oid";
const COLUMNS: &str = "SELECT a.attname, a.atttypid, format_type(a.atttypid, a.atttypmod), a.attnotnull, coalesce(l.collisdeterministic, true)
     FROM pg_attribute a LEFT JOIN pg_collation l ON l.oid = a.attcollation
     WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";
const INDEXES: &str = "SELECT i.indexrelid, i.indisunique, a.attname
     FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam AND m.amname = 'btree'
     CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
     LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum > 0
     WHERE i.indrelid = $1::oid AND i.indisvalid AND i.indpred IS NULL AND k.place <= i.indnkeyatts
     ORDER BY i.indexrelid, k.place";

impl Source {
    /// What the catalogue says now of a relation.
    pub fn load(relation: pg_sys::Oid) -> Result<Source> {
        let oid = u32::from(relation).to_string();
        let user = u32::from(crate::registry::current_user()).to_string();
        let facts = rows_now(RELATION, &[Value::Text(&oid), Value::Text(&user)])?;
        let facts = facts.into_iter().next().unwrap_or_default();
        let [
            Some(schema),
            Some(name),
            Some(kind),
            Some(persistence),
            Some(can_select),
        ] = facts.as_slice()
        else {
            return Err(Error::UnknownRelation(relation.into()));
        };
        let columns = rows_now(COLUMNS, &[Value::Text(&oid)])?;
        Ok(Source {
            oid: relation,
            name: format!("{schema}.{name}"),
            schema: schema.clone(),
            kind: kind.clone(),
            is_temporary: persistence == "t",
            can_select: can_select == "t",
            columns: columns.into_iter().filter_map(column).collect(),
            indexes: indexes(rows_now(INDEXES, &[Value::Text(&oid)])?),
        })
    }

    /// Refuses relations that have no indexes, or are gone tomorrow.
    pub fn check_kind(&self) -> Result<()> {
        let kind = match self.kind.as_str() {
            _ if self.is_temporary => "temporary table",
            "r" | "p" | "m" => return Ok(()),
            "v" => "view",
            "f" => "foreign table",
            "c" => "composite type",
            "S" => "sequence",
            _ => "relation of another kind",
        };
        Err(FeatureSetError::SourceKind {
            relation: self.name.clone(),
            kind,
        }
        .into())
    }

    pub fn check_privilege(&self) -> Result<()> {
        match self.can_select {
            true => Ok(()),
            false => Err(FeatureSetError::Denied(format!("relation {}", self.name)).into()),
        }
    }

    pub fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == column)
    }

    pub fn column(&self, name: &str) -> Result<&SourceColumn> {
        self.columns
            .iter()
            .find(|column| column.name == name)
            .ok_or_else(|| {
                let names: Vec<&str> = self
                    .columns
                    .iter()
                    .map(|column| column.name.as_str())
                    .collect();
                FeatureSetError::UnknownColumn {
                    column: name.to_owned(),
                    relation: self.name.clone(),
                    columns: names.join(", "),
                }
                .into()
            })
    }

    /// The column by which events are told apart: never null, unique.
    pub fn check_id(&self, id: &str, time: &str) -> Result<()> {
        let column = self.column(id)?;
        require_order(column, "event_id")?;
        // Columns of materialized views have no constraints; events without an id are then none.
        if column.is_nullable && self.kind != "m" {
            return Err(FeatureSetError::NullableId {
                column: id.to_owned(),
                relation: self.name.clone(),
            }
            .into());
        }
        let tells_apart = |index: &Index| {
            index.is_unique
                && index.columns.iter().any(|column| column == id)
                && index
                    .columns
                    .iter()
                    .all(|column| column == id || column == time)
        };
        if self.indexes.iter().any(tells_apart) {
            return Ok(());
        }
        let quoted = [id, time].map(super::quote_ident);
        let columns = match self.kind.as_str() {
            "p" => quoted.join(", "),
            _ => quoted[0].clone(),
        };
        Err(FeatureSetError::NoUniqueIndex {
            column: id.to_owned(),
            relation: self.name.clone(),
            statement: format!("CREATE UNIQUE INDEX ON {} ({columns})", self.name),
        }
        .into())
    }

    pub fn check_time(&self, time: &str) -> Result<()> {
        let column = self.column(time)?;
        match column.base_type {
            pg_sys::TIMESTAMPOID | pg_sys::TIMESTAMPTZOID => Ok(()),
            _ => Err(wrong_type(
                column,
                "event_time",
                "Windows are counted in seconds: the time is a timestamp or timestamp with time zone. A generated column can be one.",
            )),
        }
    }

    pub fn check_entity(&self, column: &str) -> Result<()> {
        require_order(self.column(column)?, "entity")
    }

    /// Whether an index leads to the events of an entity in their order.
    pub fn has_index(&self, by: &[String], time: &str, id: &str) -> bool {
        self.indexes.iter().any(|index| {
            let Some((leading, rest)) = index.columns.split_at_checked(by.len()) else {
                return false;
            };
            by.iter().all(|column| leading.contains(column))
                && matches!(rest, [first, second, ..] if first == time && second == id)
        })
    }
}

/// An operator of a type's default order, as SQL writes it.
pub struct Operators {
    pub equal: String,
    pub less: String,
}

const OPERATORS: &str = "SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname)
     FROM unnest(ARRAY[$1::oid, $2::oid]) WITH ORDINALITY AS w (oid, place)
     JOIN pg_operator o ON o.oid = w.oid JOIN pg_namespace n ON n.oid = o.oprnamespace ORDER BY w.place";

/// How values of a column are compared, whatever the search path is.
pub fn operators(column: &SourceColumn) -> Result<Operators> {
    let Some((equal, less)) = orders(column.type_oid) else {
        return Err(wrong_type(column, "event_id or entity", ORDERED));
    };
    let [equal, less] = [equal, less].map(|operator| u32::from(operator).to_string());
    let rows = rows_now(OPERATORS, &[Value::Text(&equal), Value::Text(&less)])?;
    let mut names = rows
        .into_iter()
        .filter_map(|row| row.into_iter().next().flatten());
    match (names.next(), names.next()) {
        (Some(equal), Some(less)) => Ok(Operators { equal, less }),
        _ => Err(Error::Installation(format!(
            "operators of type {} are missing",
            column.sql_type
        ))),
    }
}

const ORDERED: &str =
    "Values are compared and ordered: the type needs a default btree operator class.";

fn require_order(column: &SourceColumn, what: &str) -> Result<()> {
    match orders(column.type_oid) {
        Some(_) => Ok(()),
        None => Err(wrong_type(column, what, ORDERED)),
    }
}

pub fn wrong_type(column: &SourceColumn, what: &str, hint: &'static str) -> Error {
    FeatureSetError::ColumnType {
        column: column.name.clone(),
        found: column.sql_type.clone(),
        what: what.to_owned(),
        hint,
    }
    .into()
}

fn column(row: Vec<Option<String>>) -> Option<SourceColumn> {
    let [
        Some(name),
        Some(type_oid),
        Some(sql_type),
        Some(not_null),
        Some(deterministic),
    ] = row.as_slice()
    else {
        return None;
    };
    let type_oid = pg_sys::Oid::from(type_oid.parse::<u32>().ok()?);
    Some(SourceColumn {
        name: name.clone(),
        base_type: Column::of_type(String::new(), 0, type_oid).base_type,
        type_oid,
        sql_type: sql_type.clone(),
        is_nullable: not_null != "t",
        is_bytewise: deterministic == "t",
    })
}

fn indexes(rows: Vec<Vec<Option<String>>>) -> Vec<Index> {
    let mut indexes: Vec<(String, Index)> = Vec::new();
    for row in rows {
        let [Some(oid), Some(unique), column] = row.as_slice() else {
            continue;
        };
        // An expression is a column of no name.
        let column = column.clone().unwrap_or_default();
        match indexes.last_mut() {
            Some((last, index)) if last == oid => index.columns.push(column),
            _ => indexes.push((
                oid.clone(),
                Index {
                    is_unique: unique == "t",
                    columns: vec![column],
                },
            )),
        }
    }
    indexes.into_iter().map(|(_, index)| index).collect()
}
