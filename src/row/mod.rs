//! A row, composite or flat, to the batch columns of a model, by column name.

mod binding;
mod columns;
mod composite;
mod convert;
mod event;
mod flat;
mod group;
mod insert;
mod json;
mod place;
mod query;
mod record;
mod relation;
mod saved;
mod tuple;

pub use binding::{Bind, Binding};
pub use columns::{
    Column, Found, columns_of_record, columns_of_relation, find_column, is_enum, orders, sql_type,
    type_exists, type_name,
};
pub use composite::{AnyValue, RowDatum, RowMap, TypeOf, Wanted, WantedRow, row_type_identifier};
pub use convert::Conversion;
pub use event::{Numbers, Readings, Texts, is_key_type};
pub use flat::{Flat, FlatBinding, Names, Values};
pub use group::PerGroup;
pub use insert::{Target, Value, insert, target};
pub use json::JsonText;
pub use place::Place;
pub use query::{Jsonb, RowQuery};
pub use record::{PerCallSite, Record};
pub use relation::{
    Relation, is_below, is_part_of, is_partition, is_partitioned, key_positions, owner_of,
    qualified_name, relation_named, row_type_of,
};
pub use saved::{Cell, SavedPlan};
pub use tuple::{Field, Shape, TextColumn, Tuple, TupleBinding, json_object};
