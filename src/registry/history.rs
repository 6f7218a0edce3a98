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

/// The changes recorded under a model's name, in order.
pub fn events(model: &str) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    let keys = [(c"model", Key::Text(model))];
    visit_by(
        Some(c"model_event_model_idx"),
        c"model_event",
        &keys,
        |row| {
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
        },
    )?;
    events.sort_by_key(|event| event.id);
    Ok(events)
}
