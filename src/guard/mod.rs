//! Guards: a table's rows scored as they are written, and what happens to those that score high.

mod catalogue;
mod checks;
mod definition;
mod features;
mod judge;
mod model;
mod moment;
mod moved;
mod pass;
mod ready;
mod review;
mod row;
mod site;
mod speak;
mod table;
mod triggers;

use std::sync::Arc;
use std::time::Instant;

use pgrx::pg_sys;

use crate::elevate;
use crate::error::{Error, GuardError, Result};
use crate::registry::{Action, Guard, OnError};
use crate::row::owner_of;
use crate::trigger::{self, Event, Outcome};

use moment::{Moment, guard_name};
use ready::Deadline;
use site::Site;

pub use checks::problem;
pub use definition::{Definition, Settings, alter, create, drop};
pub use features::of_table as features_of_table;
pub use model::check_trial;
pub use review::{OUTCOMES, release, require_nothing_held, resolve};

/// What a trigger of a guard does.
pub fn fire(event: Event) -> Result<Outcome> {
    match Moment::of(event)? {
        Moment::AfterStatement => after_statement(event).map(|()| Outcome::nothing()),
        Moment::AfterRow => row::after(event).map(|()| Outcome::nothing()),
        Moment::BeforeRow => row::before(event),
        Moment::BeforeDelete => {
            moved::leaves(event, guard_name(event)?);
            Ok(event.unchanged())
        }
    }
}

/// A guard at work: in one statement, or on one row.
struct Watch<'call> {
    event: Event<'call>,
    name: String,
    /// An error where it has no configuration that it can follow.
    guard: Result<Arc<Guard>>,
    began: Instant,
}

impl Watch<'_> {
    /// Nothing for a guard that is off.
    fn of<'call>(
        event: Event<'call>,
        name: String,
        site: &mut Site,
    ) -> Result<Option<Watch<'call>>> {
        let began = Instant::now();
        let guard = match site.find_guard(&name) {
            Ok(Some(guard)) if guard.action == Action::Off => return Ok(None),
            // Another's trigger under this guard's name has nothing of its rights, and nothing to say in its name.
            Ok(Some(guard)) if catalogue::is_of(event, &guard) => Ok(guard),
            // What a partition that was detached still has of its table's guard.
            Ok(Some(guard)) if catalogue::has_table(&guard) => return Ok(None),
            Ok(_) => Err(GuardError::NoConfiguration(name.clone()).into()),
            Err(error) => Err(error),
        };
        Ok(Some(Watch {
            event,
            name,
            guard,
            began,
        }))
    }

    /// Whose guard it is: the owner of its table, also on a partition that belongs to another.
    fn owner(&self) -> pg_sys::Oid {
        let table = self.guard.as_ref().ok().and_then(|guard| guard.relation);
        let table = table.filter(|table| *table != self.event.relation());
        table.and_then(owner_of).unwrap_or(self.event.owner())
    }

    fn deadline(&self) -> Option<Deadline> {
        let budget = self.guard.as_ref().ok()?.budget?;
        Some(Deadline {
            at: self.began.checked_add(budget)?,
            budget,
        })
    }

    /// What is said of rows that could not be scored for this reason; the statement's end where the guard is closed.
    fn excuse(&self, error: Error) -> Result<String> {
        let is_closed = self
            .guard
            .as_ref()
            .is_ok_and(|guard| guard.on_error == OnError::Closed);
        // What was replicated has been accepted elsewhere: an error would stop all of the subscription.
        if is_closed && !trigger::is_replica() {
            return Err(GuardError::Refused {
                guard: self.name.clone(),
                relation: catalogue::name(self.event.relation()),
                cause: Box::new(error),
            }
            .into());
        }
        Ok(format!("{}: {error}", error.state()))
    }
}

fn after_statement(event: Event) -> Result<()> {
    let mut rows = event.rows();
    if rows.count() == 0 {
        return Ok(());
    }
    let name = guard_name(event)?;
    let mut site = site::take(&name, event.relation());
    let Some(watch) = Watch::of(event, name, &mut site)? else {
        return Ok(());
    };
    let owner = watch.owner();
    let judged = elevate::acting_as(owner, || judge::statement(&watch, &mut site, &mut rows))?;
    site::keep(&watch.name, event.relation(), site);
    if judged.verdicts.is_empty() {
        speak::count(&watch, &judged, 0);
        return Ok(());
    }
    let rejects = |guard: &Guard| guard.action == Action::Reject && !trigger::is_replica();
    if let Ok(guard) = &watch.guard
        && rejects(guard)
    {
        speak::reject(&watch, guard, &judged)?;
    }
    speak::alert(&watch, judged, &mut rows)
}
