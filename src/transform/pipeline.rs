//! Steps as nested subqueries: a level holds the steps that do not read what another of them writes.

use std::collections::HashSet;

use crate::error::{Result, TransformError};

use super::express::{Expressed, express};
use super::field::{Field, Kind, Source};
use super::rules::Order;
use super::sql::identifier;
use super::step::Step;

pub struct Pipeline {
    /// What the open level reads.
    input: Source,
    /// The open level: each column of its output, and what it is of the input's row `r`.
    columns: Vec<(Field, String)>,
    filters: Vec<String>,
    touched: HashSet<String>,
    is_one_row: bool,
}

impl Pipeline {
    pub fn new(source: Source) -> Pipeline {
        Pipeline {
            columns: unchanged(&source.fields),
            input: source,
            filters: Vec::new(),
            touched: HashSet::new(),
            is_one_row: false,
        }
    }

    /// Of one row, which is nothing's duplicate.
    pub fn of_one_row(source: Source) -> Pipeline {
        Pipeline {
            is_one_row: true,
            ..Pipeline::new(source)
        }
    }

    /// What a step reads that is fitted now: the output of all steps before it, as far as these columns go.
    pub fn output_of(&mut self, columns: &[&str]) -> &Source {
        if !self.filters.is_empty() || columns.iter().any(|name| self.touched.contains(*name)) {
            self.close();
        }
        &self.input
    }

    /// What all steps so far give.
    pub fn output(&mut self) -> &Source {
        self.close();
        &self.input
    }

    /// The names of the columns as they are after all steps so far.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(field, _)| field.name.as_str())
    }

    pub fn push(&mut self, step: &Step) -> Result<()> {
        match step {
            Step::Duplicates { columns, order } => {
                if self.is_one_row {
                    return Ok(());
                }
                self.close();
                self.deduplicate(columns.as_deref(), order)
            }
            Step::Column {
                column,
                kind,
                action,
            } => {
                let field = self.output_of(&[column]).field(column)?.clone();
                let expressed = express(&field, *kind, action)?;
                self.replace(column, expressed)
            }
        }
    }

    fn replace(&mut self, column: &str, expressed: Expressed) -> Result<()> {
        let place = self
            .columns
            .iter()
            .position(|(field, _)| field.name == column);
        let place = place.ok_or_else(|| self.input.unknown(column))?;
        for (field, _) in &expressed.columns {
            let is_taken = field.name != column && self.names().any(|name| name == field.name);
            if is_taken {
                return Err(TransformError::DuplicateColumn {
                    column: column.to_owned(),
                    added: field.name.clone(),
                }
                .into());
            }
        }
        self.touched.insert(column.to_owned());
        let added = expressed
            .columns
            .iter()
            .map(|(field, _)| field.name.clone());
        self.touched.extend(added);
        self.columns.splice(place..=place, expressed.columns);
        self.filters.extend(expressed.filter);
        Ok(())
    }

    /// Ends the level. OFFSET keeps the planner from copying a column's expression into every place that reads it.
    fn close(&mut self) {
        if self.touched.is_empty() && self.filters.is_empty() {
            return;
        }
        let filter = match self.filters.is_empty() {
            true => String::new(),
            false => format!(" WHERE {}", self.filters.join(" AND ")),
        };
        let sql = format!(
            "(SELECT {} FROM {} AS r{filter} OFFSET 0)",
            self.selected(),
            self.input.sql
        );
        self.reopen(sql);
    }

    fn selected(&self) -> String {
        let columns = self.columns.iter();
        let columns: Vec<String> = columns
            .map(|(field, sql)| format!("{sql} AS {}", identifier(&field.name)))
            .collect();
        columns.join(", ")
    }

    fn reopen(&mut self, sql: String) {
        self.input.sql = sql;
        self.input.origin = "output of the steps before".to_owned();
        self.input.fields = self
            .columns
            .iter()
            .map(|(field, _)| field.clone())
            .collect();
        self.columns = unchanged(&self.input.fields);
        self.filters.clear();
        self.touched.clear();
    }

    fn deduplicate(&mut self, columns: Option<&[String]>, order: &[Order]) -> Result<()> {
        let fields = &self.input.fields;
        let keys: Vec<String> = match columns {
            None => fields.iter().map(comparable).collect(),
            Some(names) => names
                .iter()
                .map(|name| self.input.field(name).map(comparable))
                .collect::<Result<_>>()?,
        };
        let mut by = Vec::new();
        for Order { column, descending } in order {
            let direction = if *descending { " DESC" } else { "" };
            by.push(comparable(self.input.field(column)?) + direction);
        }
        // Rows that the order leaves equal: always the same one stays.
        by.extend(fields.iter().map(comparable));
        let mut place = "place".to_owned();
        while fields.iter().any(|field| field.name == place) {
            place.push('_');
        }
        let partition = match keys.is_empty() {
            true => String::new(),
            false => format!("PARTITION BY {}", keys.join(", ")),
        };
        let by = match by.is_empty() {
            true => String::new(),
            false => format!(" ORDER BY {}", by.join(", ")),
        };
        let sql = format!(
            "(SELECT {} FROM (SELECT r.*, row_number() OVER ({partition}{by}) AS {place} FROM {} AS r) AS r WHERE r.{place} = 1 OFFSET 0)",
            self.selected(),
            self.input.sql
        );
        self.reopen(sql);
        Ok(())
    }
}

fn unchanged(fields: &[Field]) -> Vec<(Field, String)> {
    fields
        .iter()
        .map(|field| (field.clone(), field.value()))
        .collect()
}

/// A column as something that can be compared and sorted the same way everywhere.
fn comparable(field: &Field) -> String {
    match field.kind {
        Kind::Text => format!("{}::text COLLATE \"C\"", field.value()),
        Kind::Other => format!("{}::text COLLATE \"C\"", field.value()),
        _ => field.value(),
    }
}
