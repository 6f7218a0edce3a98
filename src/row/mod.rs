//! A row, composite or flat, to the batch columns of a model, by column name.

mod binding;
mod columns;
mod convert;
mod flat;
mod json;
mod query;
mod record;
mod relation;

pub use binding::{Bind, Binding};
pub use columns::{
    Column, Found, columns_of_record, columns_of_relation, find_column, is_enum, sql_type,
};
pub use convert::Conversion;
pub use flat::{Flat, FlatBinding, Names, Values};
pub use json::JsonText;
pub use query::{Jsonb, RowQuery};
pub use record::{PerCallSite, Record};
pub use relation::Relation;
