//! The plan from one row type to one model's features: made once per row type, run per row.

use finai_engine::{Batch, Signature};
use pgrx::{PgMemoryContexts, pg_sys};

use crate::error::{Error, Result};

use super::columns::{Column, Found, find_column, of_descriptor, release, type_name};
use super::convert::Conversion;
use super::record::Record;

pub(super) struct Bound {
    feature: usize,
    position: usize,
    conversion: Conversion,
}

/// How rows of one shape supply a model's features.
pub trait Bind: Sized {
    type Row<'call>;

    /// Plans for rows like this one; a missing column or a type that does not fit is an error that names it.
    fn new(row: &Self::Row<'_>, signature: &Signature, model: &str) -> Result<Self>;

    /// Whether rows like this one are what the plan was made for.
    fn fits(&self, row: &Self::Row<'_>) -> bool;

    /// Whether the row type is still as it was when the plan was made; asked once per statement.
    fn is_current(&self) -> bool;

    /// Appends the row to the batch. The plan fits it.
    fn push(&mut self, row: &Self::Row<'_>, batch: &mut Batch) -> Result<(), finai_engine::Error>;
}

/// Where each feature of a model comes from in rows of one type.
pub struct Binding {
    row_type: (pg_sys::Oid, i32),
    identifier: u64,
    bound: Vec<Bound>,
    /// A whole copy: security releases of PostgreSQL keep what they check rows with behind the last attribute.
    descriptor: pg_sys::TupleDesc,
    values: Vec<pg_sys::Datum>,
    nulls: Vec<bool>,
}

impl Bind for Binding {
    type Row<'call> = Record<'call>;

    fn new(record: &Record<'_>, signature: &Signature, model: &str) -> Result<Binding> {
        let row_type = record.row_type();
        // SAFETY: the row's own type has a descriptor, which is pinned while it is read and copied; the copy lives in
        // TopMemoryContext until Drop frees it.
        unsafe {
            let shared = pg_sys::lookup_rowtype_tupdesc(row_type.0, row_type.1);
            let columns = of_descriptor(shared);
            let source = format!("row of type {}", type_name(row_type.0));
            let bound = bind(&columns, signature, model, &source);
            let descriptor = PgMemoryContexts::TopMemoryContext
                .switch_to(|_| pg_sys::CreateTupleDescCopyConstr(shared));
            release(shared);
            let attributes = (*descriptor).natts as usize;
            let mut binding = Binding {
                row_type,
                identifier: pg_sys::assign_record_type_identifier(row_type.0, row_type.1),
                bound: Vec::new(),
                descriptor,
                values: vec![pg_sys::Datum::null(); attributes],
                nulls: vec![true; attributes],
            };
            binding.bound = bound?;
            Ok(binding)
        }
    }

    #[inline]
    fn fits(&self, record: &Record<'_>) -> bool {
        self.row_type == record.row_type()
    }

    fn is_current(&self) -> bool {
        // SAFETY: a type cache lookup of a row type that was bound before.
        let now =
            unsafe { pg_sys::assign_record_type_identifier(self.row_type.0, self.row_type.1) };
        now == self.identifier
    }

    #[inline]
    fn push(&mut self, record: &Record<'_>, batch: &mut Batch) -> Result<(), finai_engine::Error> {
        let mut tuple = record.as_tuple();
        // SAFETY: `fits` holds: the tuple is of the type whose descriptor this is; values and nulls have one place per
        // attribute of the descriptor.
        unsafe {
            pg_sys::heap_deform_tuple(
                &raw mut tuple,
                self.descriptor,
                self.values.as_mut_ptr(),
                self.nulls.as_mut_ptr(),
            );
        }
        // SAFETY: as above.
        unsafe { fill(&self.bound, &self.values, &self.nulls, batch) }
    }
}

/// Appends a row that was taken apart to the batch.
///
/// # Safety
/// The values are of the types whose columns were bound.
#[inline]
pub(super) unsafe fn fill(
    bound: &[Bound],
    values: &[pg_sys::Datum],
    nulls: &[bool],
    batch: &mut Batch,
) -> Result<(), finai_engine::Error> {
    batch.push_row()?;
    for bound in bound {
        if nulls[bound.position] {
            batch.set_null(bound.feature)?;
        } else {
            let datum = values[bound.position];
            // SAFETY: the conversion was found for this column's type.
            unsafe { bound.conversion.put(datum, bound.feature, batch)? };
        }
    }
    Ok(())
}

impl Drop for Binding {
    fn drop(&mut self) {
        // SAFETY: the copy belongs to this binding and is freed once.
        unsafe { pg_sys::FreeTupleDesc(self.descriptor) };
    }
}

pub(super) fn bind(
    columns: &[Column],
    signature: &Signature,
    model: &str,
    source: &str,
) -> Result<Vec<Bound>> {
    let wanted = wanted_columns(columns, signature, model, source)?;
    let features = wanted.iter().zip(&signature.features).enumerate();
    features
        .map(|(feature, (column, wanted))| {
            let conversion =
                Conversion::find(column, wanted.kind).map_err(|refusal| Error::ColumnType {
                    column: column.name.clone(),
                    found: column.type_name.clone(),
                    feature: wanted.name.clone(),
                    model: model.to_owned(),
                    hint: refusal.0,
                })?;
            Ok(Bound {
                feature,
                position: column.position,
                conversion,
            })
        })
        .collect()
}

/// The column of each feature, in the order of the features; none or several is an error.
pub(super) fn wanted_columns<'a>(
    columns: &'a [Column],
    signature: &Signature,
    model: &str,
    source: &str,
) -> Result<Vec<&'a Column>> {
    let features = signature.features.iter();
    features
        .map(|wanted| match find_column(columns, &wanted.name) {
            Found::Column(column) => Ok(column),
            Found::Several => Err(Error::AmbiguousColumn {
                origin: source.to_owned(),
                feature: wanted.name.clone(),
                model: model.to_owned(),
            }),
            Found::Nothing => Err(Error::MissingColumn {
                origin: source.to_owned(),
                feature: wanted.name.clone(),
                model: model.to_owned(),
                columns: names(columns),
            }),
        })
        .collect()
}

fn names(columns: &[Column]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    names.join(", ")
}
