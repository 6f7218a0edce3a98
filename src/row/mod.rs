//! A composite row to the batch columns of a model, by column name.

mod binding;
mod columns;
mod convert;
mod record;

pub use binding::Binding;
pub use columns::{Found, columns_of_relation, find_column};
pub use convert::Conversion;
pub use record::{PerCallSite, Record};
