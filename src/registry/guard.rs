//! A guard's configuration, as the statement's snapshot has it.

use std::sync::Arc;
use std::time::Duration;

use pgrx::pg_sys;

use crate::error::{Error, Result};

use super::kept::{self, Kept};
use super::scan::{Key, Row, exists};

/// What happens to a row whose score reaches the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Review,
    Notify,
    Reject,
    Flag,
    Hold,
    /// Nothing is scored.
    Off,
}

/// When an action has to take place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// After the statement, for all its rows at once.
    Statement,
    /// Before each row is stored.
    Row,
}

impl Action {
    pub const ALL: [Action; 6] = [
        Action::Review,
        Action::Notify,
        Action::Reject,
        Action::Flag,
        Action::Hold,
        Action::Off,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Action::Review => "review",
            Action::Notify => "notify",
            Action::Reject => "reject",
            Action::Flag => "flag",
            Action::Hold => "hold",
            Action::Off => "off",
        }
    }

    pub fn parse(text: &str) -> Option<Action> {
        Action::ALL.into_iter().find(|action| action.name() == text)
    }

    /// Nothing for `Off`, which leaves triggers as they are.
    pub const fn timing(self) -> Option<Timing> {
        match self {
            Action::Review | Action::Notify | Action::Reject => Some(Timing::Statement),
            Action::Flag | Action::Hold => Some(Timing::Row),
            Action::Off => None,
        }
    }
}

/// What becomes of rows that cannot be scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// They go in, and an alert says so.
    Open,
    /// The statement fails.
    Closed,
}

impl OnError {
    pub const fn name(self) -> &'static str {
        match self {
            OnError::Open => "open",
            OnError::Closed => "closed",
        }
    }

    pub fn parse(text: &str) -> Option<OnError> {
        [OnError::Open, OnError::Closed]
            .into_iter()
            .find(|setting| setting.name() == text)
    }
}

/// One guard.
#[derive(Debug, Clone)]
pub struct Guard {
    pub name: String,
    /// The table that it was created on; nothing where that is gone.
    pub relation: Option<pg_sys::Oid>,
    pub relation_name: String,
    /// A reference: name, name@alias or name@version.
    pub model: String,
    pub features: Option<String>,
    pub threshold: f64,
    pub action: Action,
    pub score_column: Option<String>,
    pub flag_column: Option<String>,
    pub watch: Vec<String>,
    pub on_error: OnError,
    /// For one statement.
    pub budget: Option<Duration>,
    pub created_by: String,
    /// Microseconds as PostgreSQL counts them; tells a guard from a former one of its name.
    pub created_at: i64,
}

/// Whether the installed version of the extension has guards and alerts.
pub fn has_guards() -> bool {
    exists(c"guard") && exists(c"alert")
}

impl Guard {
    /// Whether action flag has it set a column.
    pub fn sets(&self, column: &str) -> bool {
        let set = [&self.score_column, &self.flag_column];
        set.iter().any(|name| name.as_deref() == Some(column))
    }
}

/// The guard of that name; nothing where there is none.
pub fn guard(name: &str) -> Result<Option<Guard>> {
    let guard = KnownGuard::default().find(name)?;
    Ok(guard.map(Arc::unwrap_or_clone))
}

/// A guard's row for whoever asks for it in every statement.
#[derive(Default)]
pub struct KnownGuard(Option<Kept<Option<Arc<Guard>>>>);

impl KnownGuard {
    /// As [`guard`], always of the same name; the guard of an unchanged row is the one that was given before.
    pub fn find(&mut self, name: &str) -> Result<Option<Arc<Guard>>> {
        let keys = [(c"name", Key::Text(name))];
        let read = |row: &Row| read(name, row).map(Arc::new);
        match kept::first(&mut self.0, c"guard", &keys, read)? {
            None => Ok(None),
            Some(Some(guard)) => Ok(Some(guard.clone())),
            Some(None) => Err(Error::Installation(format!("row of guard \"{name}\""))),
        }
    }
}

fn read(name: &str, row: &Row) -> Option<Guard> {
    let milliseconds = row.integer(c"budget_ms");
    Some(Guard {
        name: name.to_owned(),
        relation: row.oid(c"relation_oid"),
        relation_name: row.text(c"relation")?,
        model: row.text(c"model")?,
        features: row.text(c"features"),
        threshold: row.float(c"threshold")?,
        action: Action::parse(&row.text(c"action")?)?,
        score_column: row.name(c"score_column"),
        flag_column: row.name(c"flag_column"),
        watch: row.texts(c"watch")?,
        on_error: OnError::parse(&row.text(c"on_error")?)?,
        budget: milliseconds.and_then(|ms| u64::try_from(ms).ok().map(Duration::from_millis)),
        created_by: row.name(c"created_by")?,
        created_at: row.bigint(c"created_at").unwrap_or(0),
    })
}
