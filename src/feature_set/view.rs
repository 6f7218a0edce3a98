//! The statement that makes a set's view.

use crate::error::{FeatureSetError, Result};
use crate::identifier::quoted;

use super::aggregates::Computed;
use super::call::of;
use super::definition::Feature;
use super::{FeatureSet, Slot};

/// PostgreSQL's limit is 1664 entries of a target list; what is computed on the way takes some.
const MOST_COLUMNS: usize = 1500;

/// A column of the view.
pub struct ViewColumn {
    pub name: String,
    /// Over `t`, whose columns are c1, c2, .. for the source's and w1, w2, .. for the calls'.
    pub expression: String,
}

impl FeatureSet {
    /// The view's columns: the source's, then the features.
    pub fn view_columns(&self) -> Result<Vec<ViewColumn>> {
        let source = self
            .source
            .columns
            .iter()
            .enumerate()
            .map(|(i, column)| ViewColumn {
                name: column.name.clone(),
                expression: format!("t.c{}", i + 1),
            });
        let mut columns: Vec<ViewColumn> = source.collect();
        for (feature, slot) in self.features.iter().zip(&self.slots) {
            for column in self.feature_columns(feature, *slot)? {
                if let Some(taken) = columns.iter().position(|other| other.name == column.name) {
                    let what = match taken < self.source.columns.len() {
                        true => format!("a column of {}", self.source.name),
                        false => "another one".to_owned(),
                    };
                    return Err(FeatureSetError::NameTaken {
                        feature: column.name,
                        what,
                    }
                    .into());
                }
                columns.push(column);
            }
        }
        match columns.len() {
            ..=MOST_COLUMNS => Ok(columns),
            given => Err(FeatureSetError::TooMany {
                what: "columns of the view",
                given,
                most: MOST_COLUMNS,
            }
            .into()),
        }
    }

    fn feature_columns(&self, feature: &Feature, slot: Option<Slot>) -> Result<Vec<ViewColumn>> {
        let column = |name: String, expression: String| ViewColumn { name, expression };
        let sql_type = self.feature_type(feature)?;
        let Some(slot) = slot.filter(|_| feature.is_sequence()) else {
            let expression = format!("({})::{sql_type}", self.expression(feature, slot)?);
            return Ok(vec![column(feature.name.clone(), expression)]);
        };
        let values = feature.length * feature.columns.len();
        // The last event of a sequence is the row's own: where there is none, there is no sequence.
        let last = slot.position + values + feature.length - 1;
        let slice = |first: usize, count: usize| {
            let call = slot.call + 1;
            format!(
                "CASE WHEN (t.w{call})[{last}] IS NOT NULL THEN (t.w{call})[{first}:{}] END",
                first + count - 1
            )
        };
        let mask = feature.mask_name();
        if mask.len() > 63 {
            return Err(FeatureSetError::Feature {
                feature: feature.name.clone(),
                problem: "its name is too long for a sequence".into(),
                hint: "The mask beside it has the name with _mask behind: 58 characters at most."
                    .into(),
            }
            .into());
        }
        Ok(vec![
            column(feature.name.clone(), slice(slot.position, values)),
            column(mask, slice(slot.position + values, feature.length)),
        ])
    }

    /// The SQL type of a feature's column.
    pub fn feature_type(&self, feature: &Feature) -> Result<String> {
        match feature.columns.first() {
            Some(column) if feature.entry.name == "last" => {
                Ok(self.source.column(column)?.sql_type.clone())
            }
            _ => Ok(feature.entry.sql_type.to_owned()),
        }
    }

    fn expression(&self, feature: &Feature, slot: Option<Slot>) -> Result<String> {
        if let Some(slot) = slot {
            return Ok(format!("(t.w{})[{}]", slot.call + 1, slot.position));
        }
        let local = || {
            let position = self.source.position(&self.event_time).unwrap_or(0) + 1;
            match self.has_time_zone() {
                true => format!(
                    "pg_catalog.timezone({}, t.c{position})",
                    self.zone_literal()
                ),
                false => format!("t.c{position}"),
            }
        };
        Ok(match feature.entry.computed {
            Computed::Night => format!("finai._is_night({})", local()),
            Computed::Weekend => format!("finai._is_weekend({})", local()),
            _ => {
                let mut operands = Vec::with_capacity(2);
                for name in &feature.references {
                    let position = self.features.iter().position(|other| other.name == *name);
                    let (other, slot) = position
                        .map(|position| (&self.features[position], self.slots[position]))
                        .ok_or_else(|| FeatureSetError::UnknownReference {
                            feature: feature.name.clone(),
                            reference: name.clone(),
                        })?;
                    operands.push(format!(
                        "({})::pg_catalog.float8",
                        self.expression(other, slot)?
                    ));
                }
                format!(
                    "finai._quotient({}, '{}'::pg_catalog.float8)",
                    operands.join(", "),
                    feature.scale
                )
            }
        })
    }

    fn zone_literal(&self) -> String {
        format!("'{}'::pg_catalog.text", self.time_zone.replace('\'', "''"))
    }

    /// `expression AS "name"`, for a target list.
    pub fn target_list(columns: &[ViewColumn]) -> String {
        let items: Vec<String> = columns
            .iter()
            .map(|column| format!("{} AS {}", column.expression, quoted(&column.name)))
            .collect();
        items.join(", ")
    }

    /// CREATE VIEW, for the caller to run under a search path of pg_catalog.
    pub fn create_view(&self) -> Result<String> {
        let event = of("e");
        let columns = self.source.columns.iter().enumerate();
        let mut items: Vec<String> = columns
            .map(|(i, column)| format!("{} AS c{}", event(&column.name), i + 1))
            .collect();
        for (i, call) in self.calls.iter().enumerate() {
            let by: Vec<String> = call.by.iter().map(|column| event(column)).collect();
            items.push(format!(
                "{}({}, true, {}) OVER (PARTITION BY {} ORDER BY {}, {} ROWS UNBOUNDED PRECEDING) AS w{}",
                call.function(),
                call.literal(),
                call.event(&self.event_time, &self.event_id, &event).join(", "),
                by.join(", "),
                event(&self.event_time),
                event(&self.event_id),
                i + 1,
            ));
        }
        Ok(format!(
            "CREATE VIEW {} AS SELECT {} FROM (SELECT {} FROM {} AS e) AS t",
            self.view,
            FeatureSet::target_list(&self.view_columns()?),
            items.join(", "),
            self.source.name,
        ))
    }
}
