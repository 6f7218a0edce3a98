//! Parameters that are fitted on a relation once and applied to later rows by generated SQL; Weight of Evidence.
//!
//! `rules` reads what is asked for, `fit` makes `step`s of it, `pipeline` and `express` make SQL of steps, `apply` puts it
//! over a relation or a row.

mod apply;
mod express;
mod field;
mod fit;
mod naming;
mod number;
mod pipeline;
mod rules;
mod sql;
mod step;
mod table;
mod woe;

use crate::error::{Error, Result};

pub use apply::{of_record, of_relation};
pub use field::Source;
pub use fit::fit;
pub use rules::parse;
pub use step::Step;
pub use table::create_table;
pub use woe::fit as woe_of;

/// Fitted steps as they are stored.
pub fn to_json(steps: &[Step]) -> Result<String> {
    serde_json::to_string(steps).map_err(|error| Error::Installation(format!("steps: {error}")))
}

/// Stored steps, as jsonb prints them.
pub fn of_json(stored: &str) -> Result<Vec<Step>> {
    serde_json::from_str(&number::quote_numbers(stored))
        .map_err(|error| Error::Installation(format!("finai.transform: {error}")))
}
