//! What reviewers do with alerts.

use pgrx::prelude::*;

use crate::elevate;
use crate::error::{Error, GuardError, Result};
use crate::registry::{self, next_command};
use crate::row::{self, Target, columns_of_relation};

use super::pass::Pass;

/// What to say of an outcome that there is not.
pub const OUTCOMES: &str =
    "Outcomes are confirmed (the guard was right), dismissed (it was not) and unclear.";
const HELD: &str = "SELECT 1 FROM finai.alert WHERE status OPERATOR(pg_catalog.=) 'held' LIMIT 1";
const VISIBLE: &str = "SELECT 1 FROM finai.alert WHERE id OPERATOR(pg_catalog.=) $1";

/// Records the outcome of an alert.
pub fn resolve(id: i64, outcome: &str, note: Option<&str>) -> Result<()> {
    if !["confirmed", "dismissed", "unclear"].contains(&outcome) {
        return Err(Error::Parameter {
            parameter: "outcome",
            detail: format!("There is no outcome \"{outcome}\"."),
            hint: OUTCOMES,
        });
    }
    require_visible(id)?;
    elevate::resolve_alert(id, outcome, note)
}

/// Refuses while rows are held, which are in no table. For whoever may drop the extension: nobody writes alerts from now on
/// until the transaction ends.
pub fn require_nothing_held() -> Result<()> {
    if !registry::has_guards() || !registry::is_administrator()? {
        return Ok(());
    }
    Spi::run("LOCK TABLE finai.alert IN ACCESS EXCLUSIVE MODE")
        .map_err(|error| Error::Installation(error.to_string()))?;
    if !elevate::rows_now(HELD, &[])?.is_empty() {
        return Err(GuardError::RowsHeld.into());
    }
    Ok(())
}

/// Inserts a held row as the current role. Guards that would hold it let it through: a reviewer has looked at it.
pub fn release(id: i64) -> Result<()> {
    require_visible(id)?;
    let held = elevate::release_alert(id)?;
    let table = held
        .relation_oid
        .filter(|oid| columns_of_relation(*oid).is_some());
    let relation = held.relation;
    let Some(oid) = table else {
        return Err(GuardError::NoTable { id, relation }.into());
    };
    let fields = fields(&held.row)?;
    let mut targets: Vec<Target> = Vec::with_capacity(fields.len());
    for (column, _) in &fields {
        let target = row::target(oid, column).ok_or_else(|| GuardError::DoesNotFit {
            id,
            relation: relation.clone(),
            column: column.clone(),
        })?;
        targets.push(target);
    }
    let values: Vec<row::Value> = elevate::reading_text(|| {
        let texts = fields.iter().map(|(_, text)| text.as_deref());
        targets
            .iter()
            .zip(texts)
            .map(|(target, text)| target.read(text))
            .collect()
    });
    let pass = Pass::into_table(oid, next_command());
    let inserted = row::insert(oid, &targets, &values)?;
    drop(pass);
    if inserted == 0 {
        return Err(GuardError::NotInserted(id).into());
    }
    Ok(())
}

/// Rows of finai.alert are seen by whom the policy lets see them.
fn require_visible(id: i64) -> Result<()> {
    let is_visible = Spi::connect(|client| {
        let rows = client.select(VISIBLE, Some(1), &[id.into()]);
        rows.map(|rows| !rows.is_empty())
    });
    match is_visible {
        Ok(true) => Ok(()),
        Ok(false) => Err(GuardError::UnknownAlert(id).into()),
        Err(error) => Err(Error::Installation(error.to_string())),
    }
}

/// The columns of a held row with their values as text. Numbers keep every digit that was written.
fn fields(row: &str) -> Result<Vec<(String, Option<String>)>> {
    let damaged = |error: serde_json::Error| Error::Installation(format!("held row: {error}"));
    let fields: std::collections::BTreeMap<String, Box<serde_json::value::RawValue>> =
        serde_json::from_str(row).map_err(damaged)?;
    fields
        .into_iter()
        .map(|(column, value)| {
            let text = match value.get() {
                "null" => None,
                quoted if quoted.starts_with('"') => {
                    Some(serde_json::from_str(quoted).map_err(damaged)?)
                }
                bare => Some(bare.to_owned()),
            };
            Ok((column, text))
        })
        .collect()
}
