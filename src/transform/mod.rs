//! Parameters that are fitted on a relation by generated SQL: its columns, Weight of Evidence.

mod field;
mod sql;
mod woe;

pub use field::Source;
pub use woe::fit as woe_of;
