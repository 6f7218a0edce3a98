//! A row, composite or flat, to the batch columns of a model, by column name.

mod binding;
mod columns;
mod convert;
mod flat;
mod json;
mod record;
mod relation;
mod tuple;

pub use binding::{Bind, Binding};
pub use columns::{Column, Found, columns_of_relation, find_column};
pub use convert::Conversion;
pub use flat::{Flat, FlatBinding, Names, Values};
pub use json::JsonText;
pub use record::{PerCallSite, Record};
pub use relation::{Relation, key_positions, parent_of, qualified_name};
pub use tuple::{Field, Shape, Tuple, TupleBinding, json_object};
