//! A model's settings, as alter_model keeps them.

use crate::bundled;
use crate::error::{Error, Result};

use super::scan::{Key, first};

/// What happens when DDL takes away a column that a promoted version reads through a typed scoring function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnSchemaChange {
    /// The DDL fails.
    #[default]
    Refuse,
    /// The version is marked as broken.
    Mark,
}

impl OnSchemaChange {
    pub const fn name(self) -> &'static str {
        match self {
            OnSchemaChange::Refuse => "refuse",
            OnSchemaChange::Mark => "mark",
        }
    }

    pub fn parse(text: &str) -> Option<OnSchemaChange> {
        [OnSchemaChange::Refuse, OnSchemaChange::Mark]
            .into_iter()
            .find(|setting| setting.name() == text)
    }
}

/// The settings of one model; a bundled model without a row has the defaults.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    pub use_case: Option<String>,
    /// Tolerance of reference rows for registrations that name none.
    pub tolerance: Option<f64>,
    /// Whether the session user who registered a version may not promote it.
    pub two_person: bool,
    pub on_schema_change: OnSchemaChange,
}

/// The settings of a model. `Error::UnknownModel` where there is none of that name.
pub fn settings(model: &str) -> Result<Settings> {
    let stored = first(c"model", &[(c"name", Key::Text(model))], |row| Settings {
        use_case: row.text(c"use_case"),
        tolerance: row.float(c"tolerance"),
        two_person: row.boolean(c"two_person").unwrap_or(false),
        on_schema_change: row
            .text(c"on_schema_change")
            .and_then(|text| OnSchemaChange::parse(&text))
            .unwrap_or_default(),
    })?;
    match stored {
        Some(settings) => Ok(settings),
        None if bundled::find(model)?.is_some() => Ok(Settings::default()),
        None => Err(Error::UnknownModel(model.to_owned())),
    }
}
