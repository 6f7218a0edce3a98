//! What a guard says: alerts, a refusal, lines in the log, counts.

use pgrx::pg_sys;

use crate::elevate::{self, Failure, NewAlert, Occasion};
use crate::error::{GuardError, Result};
use crate::registry::{self, Action, Guard, OnError};
use crate::row::{Tuple, json_object};
use crate::statistics;
use crate::trigger::{self, Rows, Scratch};

use super::judge::{Judged, Verdict};
use super::{Watch, catalogue};

/// Refuses the statement where one of its rows scores high; the score goes into the server's log alone.
pub fn reject(watch: &Watch, guard: &Guard, judged: &Judged) -> Result<()> {
    let high = judged.verdicts.iter().filter_map(|(_, v)| match v {
        Verdict::High { score, .. } => Some(*score),
        Verdict::Unscored(_) => None,
    });
    let rows = high.clone().count();
    let (Some(highest), Some((model, version))) = (high.reduce(f64::max), &judged.version) else {
        return Ok(());
    };
    let relation = catalogue::name(watch.event.relation());
    trigger::log(&format!(
        "guard \"{}\" rejects {rows} of {} rows for table {relation}: model \"{model}\" version {version} score {highest}",
        watch.name, judged.rows
    ));
    count(watch, judged, 0);
    Err(GuardError::Rejected {
        guard: watch.name.clone(),
        relation,
        rows,
        all: judged.rows,
        model: model.clone(),
        version: *version,
        threshold: guard.threshold,
    }
    .into())
}

/// Writes the alerts of a statement.
pub fn alert(watch: &Watch, judged: Judged, rows: &mut Rows) -> Result<()> {
    let fields = catalogue::key_fields(watch.event);
    rows.rewind();
    let mut alerts = Vec::with_capacity(judged.verdicts.len());
    elevate::writing_text(|| {
        let scratch = Scratch::enter();
        for (number, verdict) in &judged.verdicts {
            if let Some(row) = rows.skip_to(*number) {
                alerts.push(NewAlert {
                    key: json_object(&row, &fields),
                    ..said(verdict)
                });
            }
            scratch.reset();
        }
    });
    write(watch, &judged, alerts).map(|_| ())
}

/// One row's alert; false where it could not be written and the guard is open.
pub fn alert_on(watch: &Watch, judged: &Judged, row: &Tuple, held: Option<String>) -> Result<bool> {
    let fields = catalogue::key_fields(watch.event);
    let key = elevate::writing_text(|| json_object(row, &fields));
    let alerts = judged.verdicts.iter().map(|(_, verdict)| NewAlert {
        key: key.clone(),
        held: held.clone(),
        ..said(verdict)
    });
    write(watch, judged, alerts.collect())
}

fn said(verdict: &Verdict) -> NewAlert {
    match verdict {
        Verdict::High { score, features } => NewAlert {
            score: Some(*score),
            features: Some(features.clone()),
            ..NewAlert::default()
        },
        Verdict::Unscored(excuse) => NewAlert {
            error: Some(excuse.clone()),
            ..NewAlert::default()
        },
    }
}

/// A guard that is open lets rows in even where its alerts cannot be written: the server's log says so then.
fn write(watch: &Watch, judged: &Judged, alerts: Vec<NewAlert>) -> Result<bool> {
    let guard = watch.guard.as_deref().ok();
    let created_by = registry::current_user_name();
    let relation = guarded(watch);
    let name = catalogue::name(relation);
    let occasion = Occasion {
        created_by: &created_by,
        guard: &watch.name,
        relation: &name,
        relation_oid: relation,
        action: guard.map_or("unknown", |guard| guard.action.name()),
        model: guard.map(|guard| guard.model.as_str()),
        version: judged.version.as_ref().map(|(_, version)| *version),
        threshold: guard.map(|guard| guard.threshold),
        notifies: guard.is_some_and(|guard| guard.action == Action::Notify),
    };
    let count_of = alerts.len();
    if guard.is_some_and(|guard| guard.on_error == OnError::Closed) && !trigger::is_replica() {
        elevate::insert_alerts(&occasion, &alerts)?;
    } else if let Err(failure) = elevate::attempt(|| elevate::insert_alerts(&occasion, &alerts)) {
        let (state, message) = match failure {
            Failure::Error(error) => (error.state(), error.to_string()),
            Failure::Caught(caught) => {
                let error = crate::error::Error::Guard(GuardError::Features {
                    sqlstate: caught.sqlstate,
                });
                (error.state(), caught.message)
            }
        };
        trigger::log(&format!(
            "guard \"{}\" lost {count_of} alerts on table {name}: {state}: {message}",
            watch.name
        ));
        count(watch, judged, 0);
        return Ok(false);
    }
    count(watch, judged, count_of - judged.unscored());
    Ok(true)
}

/// The table that the guard was made for: alerts on rows of partitions are alerts on it.
fn guarded(watch: &Watch) -> pg_sys::Oid {
    let guard = watch.guard.as_ref().ok();
    guard
        .and_then(|guard| guard.relation)
        .unwrap_or(watch.event.relation())
}

/// Adds to the guard's counts.
pub fn count(watch: &Watch, judged: &Judged, alerts: usize) {
    if let Ok(guard) = &watch.guard {
        let (rows, unscored) = (judged.rows as u64, judged.unscored() as u64);
        statistics::count_guard(guard, rows, alerts as u64, unscored, watch.began.elapsed());
    }
}
