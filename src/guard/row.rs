//! Rows one by one: flagged or held before they are stored, or looked at after they were replicated.

use std::sync::Arc;
use std::time::Instant;

use pgrx::{AnyNumeric, IntoDatum, pg_sys};

use crate::elevate;
use crate::error::{GuardError, Result};
use crate::registry::{Action, Guard, OnError, Statement, current_command};
use crate::row::{self, Field, Tuple, json_object};
use crate::trigger::{self, Event, Outcome};

use super::judge::{self, Judged, Turn, Verdict};
use super::moment::guard_name;
use super::site::{self, Site};
use super::{Watch, catalogue, moved, pass, speak};

/// Before a row is stored: sets its columns, or keeps it out.
pub fn before(event: Event) -> Result<Outcome> {
    let name = guard_name(event)?;
    if !event.is_update() && event.is_partition() && moved::arrives(&name) {
        return Ok(event.unchanged());
    }
    let relation = event.relation();
    let mut site = site::take(&name, relation);
    let known = site.guard();
    let turn = match known {
        Some(_) => Turn::Next,
        None => Turn::First(Statement::current()),
    };
    let Some(watch) = begun(event, name, known, &mut site)? else {
        return Ok(event.unchanged());
    };
    let holds = matches!(&watch.guard, Ok(guard) if guard.action == Action::Hold);
    if holds
        && pass::is_let_through(current_command(), |table| {
            row::is_part_of(event.relation(), table)
        })
    {
        return Ok(event.unchanged());
    }
    let row = event.row();
    if !is_due(&watch, &row)? {
        return Ok(event.unchanged());
    }
    let scored = elevate::acting_as(watch.owner(), || judge::row(&watch, &mut site, &row, turn));
    let (judged, score) = scored?;
    site::keep(&watch.name, relation, site);
    match &watch.guard {
        Ok(guard) if guard.action == Action::Flag => flag(&watch, guard, &judged, score),
        Ok(guard) if guard.action == Action::Hold => hold(&watch, guard, &judged, &row),
        // Triggers that a change of the guard left behind, or a guard without configuration.
        _ => {
            speak::alert_on(&watch, &judged, &row, None)?;
            Ok(event.unchanged())
        }
    }
}

/// After a row was replicated. It has been accepted elsewhere: whatever the action, alerts are all that is left to do.
pub fn after(event: Event) -> Result<()> {
    // ALTER TABLE ENABLE TRIGGER ALL has the trigger fire in every session.
    if !trigger::is_replica() {
        return Ok(());
    }
    let name = guard_name(event)?;
    let mut site = site::take(&name, event.relation());
    let Some(watch) = begun(event, name, None, &mut site)? else {
        return Ok(());
    };
    let row = event.row();
    if !is_due(&watch, &row)? {
        return Ok(());
    }
    let scored = elevate::acting_as(watch.owner(), || {
        judge::row(&watch, &mut site, &row, Turn::Alone)
    });
    let (judged, _) = scored?;
    site::keep(&watch.name, event.relation(), site);
    if judged.verdicts.is_empty() {
        speak::count(&watch, &judged, 0);
        return Ok(());
    }
    speak::alert_on(&watch, &judged, &row, None).map(|_| ())
}

fn begun<'call>(
    event: Event<'call>,
    name: String,
    known: Option<Arc<Guard>>,
    site: &mut Site,
) -> Result<Option<Watch<'call>>> {
    match known {
        Some(guard) => Ok(Some(Watch {
            event,
            name,
            guard: Ok(guard),
            began: Instant::now(),
        })),
        None => Watch::of(event, name, site),
    }
}

/// Whether the row is new, or changed in what the guard watches, and not replicated with what the guard would set.
fn is_due(watch: &Watch, row: &Tuple) -> Result<bool> {
    let Ok(guard) = &watch.guard else {
        return Ok(true);
    };
    if guard.action == Action::Flag && trigger::is_replica() {
        let columns = flagged(watch, guard).unwrap_or_default();
        if columns.iter().any(|(_, at, _)| !row.is_null(*at)) {
            return Ok(false);
        }
    }
    let Some(old) = watch.event.old_row() else {
        return Ok(true);
    };
    // A watched column that is gone is said of the row.
    Ok(match judge::watched(watch, guard) {
        Ok(positions) => judge::has_changed(&positions, row, Some(&old)),
        Err(_) => true,
    })
}

enum Flagged {
    Score,
    Flag,
}

/// The columns that the guard sets: their positions and types.
fn flagged(watch: &Watch, guard: &Guard) -> Result<Vec<(Flagged, usize, pg_sys::Oid)>> {
    let columns = watch.event.shape().columns();
    let wanted = [
        (
            guard.score_column.as_deref(),
            Flagged::Score,
            "score_column",
        ),
        (guard.flag_column.as_deref(), Flagged::Flag, "flag_column"),
    ];
    let mut found = Vec::with_capacity(wanted.len());
    for (name, flagged, parameter) in wanted {
        let Some(name) = name else {
            continue;
        };
        let column = columns.iter().find(|column| column.name == name);
        let column = column.ok_or_else(|| GuardError::UnknownColumn {
            column: name.to_owned(),
            relation: catalogue::name(watch.event.relation()),
            parameter,
        })?;
        found.push((flagged, column.position, column.base_type));
    }
    Ok(found)
}

/// Sets the columns; to NULL where the row could not be scored, whatever was written there, unless the column has become NOT
/// NULL since the guard was made: the row goes in.
fn flag(watch: &Watch, guard: &Guard, judged: &Judged, score: Option<f64>) -> Result<Outcome> {
    let columns = match flagged(watch, guard) {
        Ok(columns) => columns,
        Err(error) => {
            let excuse = watch.excuse(error)?;
            let judged = Judged {
                rows: judged.rows,
                version: judged.version.clone(),
                verdicts: vec![(0, Verdict::Unscored(excuse))],
            };
            speak::alert_on(watch, &judged, &watch.event.row(), None)?;
            return Ok(watch.event.unchanged());
        }
    };
    let values: Vec<(usize, Option<pg_sys::Datum>)> = columns
        .into_iter()
        .map(|(flagged, at, kind)| {
            let value = score.and_then(|score| match (flagged, kind) {
                (Flagged::Flag, pg_sys::BOOLOID) => (score >= guard.threshold).into_datum(),
                (Flagged::Score, pg_sys::FLOAT8OID) => score.into_datum(),
                (Flagged::Score, pg_sys::FLOAT4OID) => (score as f32).into_datum(),
                (Flagged::Score, pg_sys::NUMERICOID) => AnyNumeric::try_from(score)
                    .ok()
                    .and_then(IntoDatum::into_datum),
                _ => None,
            });
            (at, value)
        })
        .filter(|(at, value)| value.is_some() || !watch.event.shape().is_not_null(*at))
        .collect();
    if judged.unscored() > 0 {
        speak::alert_on(watch, judged, &watch.event.row(), None)?;
    } else {
        speak::count(watch, judged, 0);
    }
    Ok(watch.event.changed(&values))
}

/// Keeps the row out where it scores high, and saves it whole. A guard that is open lets it in where it cannot be saved; one
/// whose table has become a partition always does: the row may be another partition's that an update moves.
fn hold(watch: &Watch, guard: &Guard, judged: &Judged, row: &Tuple) -> Result<Outcome> {
    let is_high = matches!(judged.verdicts.first(), Some((_, Verdict::High { .. })));
    if !is_high {
        match judged.verdicts.is_empty() {
            true => speak::count(watch, judged, 0),
            false => {
                speak::alert_on(watch, judged, row, None)?;
            }
        }
        return Ok(watch.event.unchanged());
    }
    if guard.relation.is_some_and(row::is_partition) {
        speak::alert_on(watch, judged, row, None)?;
        return Ok(watch.event.unchanged());
    }
    let columns = watch.event.shape().given_columns();
    let fields: Vec<Field> = columns.iter().map(Field::new).collect();
    let held = elevate::writing_text(|| json_object(row, &fields));
    let is_saved = speak::alert_on(watch, judged, row, Some(held))?;
    if is_saved || guard.on_error == OnError::Closed {
        return Ok(Outcome::nothing());
    }
    Ok(watch.event.unchanged())
}
