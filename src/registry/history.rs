//! What happened to a model, from the append-only history.

use pgrx::datum::TimestampWithTimeZone;

use crate::error::Result;

use super::scan::{Key, visit_by};

/// One change of a model.
pub struct Event {
    pub id: i64,
    pub happened_at: Option<TimestampWithTimeZone>,
    pub event: Option<String>,
    pub version: Option<i32>,
    pub detail: Option<serde_json::Value>,
    /// Role that acted, and the session user behind it.
    pub by: Option<String>,
    pub session: Option<String>,
    pub reason: Option<String>,
}

/// What happened to a model, in order, under the names that it had; not to others that had its name before.
pub fn history(model: &str) -> Result<Vec<Event>> {
    let mut history: Vec<Event> = Vec::new();
    let mut name = model.to_owned();
    let mut until = i64::MAX;
    loop {
        let mut recorded = events(&name)?;
        recorded.retain(|event| event.id < until);
        // What ended the former name is the rename that is followed.
        if until < i64::MAX {
            recorded.pop();
        }
        let begins = recorded
            .iter()
            .rposition(Event::ends_a_model)
            .map_or(0, |last| last + 1);
        let mut own = recorded.split_off(begins);
        let former = own
            .first()
            .and_then(|first| Some((first.id, first.renamed("from")?)));
        own.append(&mut history);
        history = own;
        match former {
            Some((id, from)) => (until, name) = (id, from),
            None => return Ok(history),
        }
    }
}

impl Event {
    fn renamed(&self, direction: &str) -> Option<String> {
        let is_rename = self.event.as_deref() == Some("rename");
        let name = self.detail.as_ref()?.get(direction)?.as_str()?;
        is_rename.then(|| name.to_owned())
    }

    /// After which the name was free.
    fn ends_a_model(&self) -> bool {
        self.event.as_deref() == Some("drop") || self.renamed("to").is_some()
    }
}

/// The changes recorded under a model's name, in order.
fn events(model: &str) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    let keys = [(c"model", Key::Text(model))];
    visit_by(c"model_event_model_idx", c"model_event", &keys, |row| {
        events.push(Event {
            id: row.bigint(c"id").unwrap_or(0),
            happened_at: row.timestamp(c"happened_at"),
            event: row.text(c"event"),
            version: row.integer(c"version"),
            detail: row.json(c"detail"),
            by: row.name(c"happened_by"),
            session: row.name(c"happened_session"),
            reason: row.text(c"reason"),
        });
        true
    })?;
    events.sort_by_key(|event| event.id);
    Ok(events)
}

/// The name that the model of this name was given, where nothing happened under the old one since.
pub fn renamed_to(model: &str) -> Result<Option<String>> {
    Ok(events(model)?.pop().and_then(|last| last.renamed("to")))
}
