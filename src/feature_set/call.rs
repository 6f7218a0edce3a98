//! The calls of finai's window aggregates that compute a set: one for all numbers of an entity, one for its texts.

use finai_engine::features::{
    Aggregate, Feature as Planned, MOST_COLUMNS, MOST_NUMBERS, Plan, Role,
};
use pgrx::pg_sys;

use crate::error::{FeatureSetError, Result};
use crate::identifier::quoted;
use crate::row::is_key_type;

use super::aggregates::{Computed, Use, Wants};
use super::definition::Feature;
use super::kernel;
use super::source::{Source, SourceColumn, wrong_type};
use super::span::Span;

/// One aggregate over the events of one entity.
pub struct Call {
    pub by: Vec<String>,
    pub gives_texts: bool,
    pub plan: Plan,
    arguments: Vec<(String, Use)>,
    /// What of the past decides the features.
    pub needs: Vec<Need>,
}

/// Where a feature's value stands.
#[derive(Debug, Clone, Copy)]
pub struct Slot {
    pub call: usize,
    /// From 1.
    pub position: usize,
}

/// The part of an entity's past that decides a feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    All,
    /// So much time before the event.
    Span(Span),
    /// So many events before, among those where these columns are not null.
    Events {
        number: usize,
        known: Vec<String>,
    },
}

const NUMBERS: [pg_sys::Oid; 6] = [
    pg_sys::INT2OID,
    pg_sys::INT4OID,
    pg_sys::INT8OID,
    pg_sys::FLOAT4OID,
    pg_sys::FLOAT8OID,
    pg_sys::NUMERICOID,
];

/// The types whose values a double precision number carries whole.
const EXACT: [pg_sys::Oid; 4] = [
    pg_sys::INT2OID,
    pg_sys::INT4OID,
    pg_sys::FLOAT4OID,
    pg_sys::FLOAT8OID,
];

/// The calls for a set's features, and where each feature finds its value.
pub fn calls(features: &[Feature], source: &Source) -> Result<(Vec<Call>, Vec<Option<Slot>>)> {
    let mut calls: Vec<Call> = Vec::new();
    let mut slots = Vec::with_capacity(features.len());
    for feature in features {
        let Computed::Window(aggregate) = feature.entry.computed else {
            slots.push(None);
            continue;
        };
        for column in &feature.by {
            source.check_entity(column)?;
        }
        let (uses, gives_texts) = uses(feature, source)?;
        let position = calls
            .iter()
            .position(|call| call.by == feature.by && call.gives_texts == gives_texts);
        let position = position.unwrap_or_else(|| {
            calls.push(Call {
                by: feature.by.clone(),
                gives_texts,
                plan: Plan {
                    columns: Vec::new(),
                    features: Vec::new(),
                },
                arguments: Vec::new(),
                needs: Vec::new(),
            });
            calls.len() - 1
        });
        slots.push(Some(Slot {
            call: position,
            position: calls[position].add(feature, aggregate, &uses)?,
        }));
    }
    Ok((calls, slots))
}

/// How a feature's columns are read, after a look at their types; and whether it gives a text.
fn uses(feature: &Feature, source: &Source) -> Result<(Vec<Use>, bool)> {
    let columns: Vec<&SourceColumn> = feature
        .columns
        .iter()
        .map(|name| source.column(name))
        .collect::<Result<_>>()?;
    let wanted = match feature.entry.wants {
        Wants::One(Use::Text)
            if columns
                .iter()
                .all(|column| EXACT.contains(&column.type_oid)) =>
        {
            Use::Number
        }
        Wants::One(wanted) | Wants::Optional(wanted) => wanted,
        _ => Use::Number,
    };
    for column in &columns {
        let what = || format!("\"column\" of feature \"{}\"", feature.name);
        let is_number = NUMBERS.contains(&column.base_type);
        match wanted {
            Use::Number if !is_number => {
                return Err(wrong_type(
                    column,
                    &what(),
                    "The aggregate takes a number. A generated column can be one.",
                ));
            }
            Use::Flag if !is_number && column.base_type != pg_sys::BOOLOID => {
                return Err(wrong_type(
                    column,
                    &what(),
                    "The aggregate takes a boolean, or a number that is 0 where the flag is not set.",
                ));
            }
            Use::Key if !is_key_type(column.base_type) || !column.is_bytewise => {
                return Err(wrong_type(
                    column,
                    &what(),
                    "Values are told apart in booleans, numbers, texts of a deterministic collation, dates, timestamps, enums, uuid and bytea.",
                ));
            }
            _ => {}
        }
    }
    Ok((vec![wanted; columns.len()], wanted == Use::Text))
}

impl Call {
    /// Adds a feature and returns where its value stands.
    fn add(&mut self, feature: &Feature, aggregate: Aggregate, uses: &[Use]) -> Result<usize> {
        let position = 1 + match self.gives_texts {
            true => self.plan.features.len(),
            false => self.plan.width(),
        };
        let columns = feature.columns.iter().zip(uses);
        let columns = columns
            .map(|(column, used)| self.argument(column, *used))
            .collect::<Result<_>>()?;
        let aggregate = match aggregate {
            Aggregate::Sequence { .. } => Aggregate::Sequence {
                length: feature.length,
            },
            aggregate => aggregate,
        };
        let need = need(feature, aggregate);
        if !self.needs.contains(&need) {
            self.needs.push(need);
        }
        self.plan.features.push(Planned {
            aggregate,
            columns,
            window: feature.window,
            delay: feature.delay,
            current: feature.current,
        });
        match self.plan.width() {
            ..=MOST_NUMBERS => Ok(position),
            given => Err(FeatureSetError::TooMany {
                what: "numbers that the features of one entity give",
                given,
                most: MOST_NUMBERS,
            }
            .into()),
        }
    }

    fn argument(&mut self, column: &str, used: Use) -> Result<usize> {
        if let Some(position) = self
            .arguments
            .iter()
            .position(|(c, u)| c == column && *u == used)
        {
            return Ok(position);
        }
        if self.arguments.len() == MOST_COLUMNS {
            return Err(FeatureSetError::TooMany {
                what: "columns that the features of one entity read",
                given: MOST_COLUMNS + 1,
                most: MOST_COLUMNS,
            }
            .into());
        }
        self.arguments.push((column.to_owned(), used));
        self.plan.columns.push(match used {
            Use::Number | Use::Presence => Role::Number,
            Use::Flag => Role::Flag,
            Use::Key => Role::Key,
            Use::Text => Role::Text,
        });
        Ok(self.arguments.len() - 1)
    }

    /// The aggregate's name.
    pub fn function(&self) -> &'static str {
        match self.gives_texts {
            true => "finai._window_texts",
            false => "finai._window_features",
        }
    }

    /// The plan as a literal.
    pub fn literal(&self) -> String {
        format!(
            "'{}'::pg_catalog.text",
            kernel::write(&self.plan).replace('\'', "''")
        )
    }

    /// The arguments that come from an event: its time, null where it is none, and its columns. `column` writes a name.
    pub fn event(&self, time: &str, id: &str, column: impl Fn(&str) -> String) -> Vec<String> {
        let known = std::iter::once(id).chain(self.by.iter().map(String::as_str));
        let known: Vec<String> = known
            .map(|name| format!("{} IS NOT NULL", column(name)))
            .collect();
        let time = format!(
            "CASE WHEN {} THEN {} END",
            known.join(" AND "),
            column(time)
        );
        let columns = self.arguments.iter().map(|(name, used)| match used {
            Use::Presence => format!("CASE WHEN {} IS NOT NULL THEN 1 END", column(name)),
            _ => column(name),
        });
        std::iter::once(time).chain(columns).collect()
    }

    /// The columns that its features read.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let arguments = self.arguments.iter().map(|(column, _)| column.as_str());
        self.by.iter().map(String::as_str).chain(arguments)
    }
}

fn need(feature: &Feature, aggregate: Aggregate) -> Need {
    if let Some(window) = feature.window {
        return Need::Span(window + feature.delay);
    }
    let known = match aggregate {
        Aggregate::Last | Aggregate::Distance | Aggregate::Speed => feature.columns.clone(),
        _ => Vec::new(),
    };
    match aggregate {
        Aggregate::Last | Aggregate::Distance | Aggregate::Speed => {
            Need::Events { number: 1, known }
        }
        Aggregate::TimeSinceLast | Aggregate::FirstSeen if feature.columns.is_empty() => {
            Need::Events { number: 1, known }
        }
        Aggregate::Sequence { length } => Need::Events {
            number: length - 1,
            known,
        },
        _ => Need::All,
    }
}

/// A parameter, quoted like a column, of a relation's alias.
pub fn of(alias: &'static str) -> impl Fn(&str) -> String {
    move |name| format!("{alias}.{}", quoted(name))
}
