//! SQL-callable functions: parse, call, return. One file per noun of the product.

mod bundled;
mod models;
mod scoring;
mod statistics;
