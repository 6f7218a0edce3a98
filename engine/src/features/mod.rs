//! Features of an event from the events of the same entity before it.
//!
//! A [`State`] is fed one entity's events in order and answers, at any of them, with the values of all features of a
//! [`Plan`]. What it answers depends on the events inside the windows alone, never on how it got there: sums are exact, so
//! a long run over a whole table and a short one over the last events give the same numbers to the last bit.

mod exact;
mod extreme;
mod geo;
mod integer;
mod plan;
mod range;
mod read;
mod state;
mod sums;
mod value;

#[cfg(test)]
mod tests;

pub use plan::{
    Aggregate, Feature, MOST_COLUMNS, MOST_EVENTS, MOST_FEATURES, MOST_NUMBERS,
    MOST_SEQUENCE_COLUMNS, Plan, Role,
};
pub use state::{Answer, OutOfOrder, State};
pub use value::{Key, Value};
