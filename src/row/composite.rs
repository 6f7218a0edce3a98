//! Rows by the names of their columns, and rows of a type that is known only when the function is called.

use std::marker::PhantomData;

use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::Datum;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::{FromDatum, pg_sys};

use super::columns::{Column, of_descriptor, release, type_name};
use super::record::Record;
use super::saved::{Cell, known};

/// A column that is looked for in a row.
pub struct Wanted {
    pub name: String,
    pub type_oid: pg_sys::Oid,
    /// Whether a row without it will not do.
    pub is_needed: bool,
}

/// Why a row will not do.
pub enum WantedRow {
    Missing { column: String, row: String },
    OtherType { column: String, found: String },
}

impl WantedRow {
    /// The relation of a row type; none for others.
    pub fn relation_of(row_type: pg_sys::Oid) -> pg_sys::Oid {
        match row_type {
            pg_sys::InvalidOid => pg_sys::InvalidOid,
            // SAFETY: a catalogue lookup by oid.
            oid => unsafe { pg_sys::get_typ_typrelid(oid) },
        }
    }

    /// What [`row_type_identifier`] says of a relation's rows.
    pub fn identifier_of_relation(relation: pg_sys::Oid) -> u64 {
        // SAFETY: a catalogue lookup by oid.
        match unsafe { pg_sys::get_rel_type_id(relation) } {
            pg_sys::InvalidOid => 0,
            row_type => row_type_identifier(row_type),
        }
    }
}

/// A number that changes in this backend whenever a row type does.
pub fn row_type_identifier(row_type: pg_sys::Oid) -> u64 {
    // SAFETY: a type cache lookup of a relation's row type.
    unsafe { pg_sys::assign_record_type_identifier(row_type, -1) }
}

/// Where wanted columns are in rows of one type.
pub struct RowMap {
    row_type: (pg_sys::Oid, i32),
    identifier: u64,
    positions: Vec<Option<usize>>,
}

impl RowMap {
    pub fn new(record: &Record<'_>, wanted: &[Wanted]) -> Result<RowMap, WantedRow> {
        let row_type = record.row_type();
        // SAFETY: the row's own type has a descriptor, which is pinned while it is read.
        let (columns, types, identifier) = unsafe {
            let descriptor = pg_sys::lookup_rowtype_tupdesc(row_type.0, row_type.1);
            let columns = of_descriptor(descriptor);
            let attributes = pgrx::PgTupleDesc::from_pg_unchecked(descriptor);
            let types: Vec<pg_sys::Oid> = attributes
                .iter()
                .map(|attribute| attribute.atttypid)
                .collect();
            drop(attributes);
            release(descriptor);
            let identifier = pg_sys::assign_record_type_identifier(row_type.0, row_type.1);
            (columns, types, identifier)
        };
        let positions = wanted.iter().map(|wanted| {
            let found = columns.iter().find(|column| column.name == wanted.name);
            let same = |column: &Column| {
                // SAFETY: a catalogue lookup by oid.
                types[column.position] == wanted.type_oid
                    || column.base_type == unsafe { pg_sys::getBaseType(wanted.type_oid) }
            };
            match found {
                Some(column) if same(column) => Ok(Some(column.position)),
                Some(column) => Err(WantedRow::OtherType {
                    column: wanted.name.clone(),
                    found: column.type_name.clone(),
                }),
                None if wanted.is_needed => Err(WantedRow::Missing {
                    column: wanted.name.clone(),
                    row: type_name(row_type.0),
                }),
                None => Ok(None),
            }
        });
        Ok(RowMap {
            row_type,
            identifier,
            positions: positions.collect::<Result<_, _>>()?,
        })
    }

    /// Whether it is of the record's type, as that is now.
    pub fn fits(&self, record: &Record<'_>) -> bool {
        let (oid, modifier) = record.row_type();
        // SAFETY: a type cache lookup of the row's own type.
        self.row_type == (oid, modifier)
            && self.identifier == unsafe { pg_sys::assign_record_type_identifier(oid, modifier) }
    }

    /// The wanted columns of a row that fits.
    pub fn cells(&self, record: &Record<'_>) -> Vec<Cell> {
        let mut tuple = record.as_tuple();
        // SAFETY: the tuple is of its own type, whose descriptor is pinned while it is taken apart; the lists have a place
        // for each attribute.
        let (datums, nulls) = unsafe {
            let descriptor = pg_sys::lookup_rowtype_tupdesc(self.row_type.0, self.row_type.1);
            let count = (*descriptor).natts as usize;
            let mut datums = vec![pg_sys::Datum::null(); count];
            let mut nulls = vec![true; count];
            pg_sys::heap_deform_tuple(
                &raw mut tuple,
                descriptor,
                datums.as_mut_ptr(),
                nulls.as_mut_ptr(),
            );
            release(descriptor);
            (datums, nulls)
        };
        let cell = |position: &Option<usize>| match position {
            Some(position) => Cell {
                datum: datums[*position],
                is_null: nulls[*position],
            },
            None => Cell::null(),
        };
        self.positions.iter().map(cell).collect()
    }
}

/// A row of the type of an `anyelement` argument.
pub struct RowDatum(pg_sys::Datum);

impl RowDatum {
    /// Nothing where the row type does not have as many columns. The cells are of their types.
    pub fn new(row_type: pg_sys::Oid, cells: Vec<Cell>) -> Option<RowDatum> {
        // SAFETY: the descriptor is pinned while the tuple is made; one datum and one flag per attribute.
        unsafe {
            let descriptor = pg_sys::lookup_rowtype_tupdesc(row_type, -1);
            let fits = (*descriptor).natts as usize == cells.len();
            let row = fits.then(|| {
                let mut datums: Vec<pg_sys::Datum> = cells.iter().map(|cell| cell.datum).collect();
                let mut nulls: Vec<bool> = cells.iter().map(|cell| cell.is_null).collect();
                let tuple =
                    pg_sys::heap_form_tuple(descriptor, datums.as_mut_ptr(), nulls.as_mut_ptr());
                RowDatum(pg_sys::heap_copy_tuple_as_datum(tuple, descriptor))
            });
            release(descriptor);
            row
        }
    }
}

impl RowDatum {
    /// The row, to be read.
    pub fn record(&self) -> Option<Record<'_>> {
        // SAFETY: a composite in PostgreSQL's memory.
        unsafe { Record::from_datum(self.0, false) }
    }
}

// SAFETY: a composite made in the memory of the call.
unsafe impl BoxRet for RowDatum {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        // SAFETY: of the type that the call was parsed with.
        unsafe { fcinfo.return_raw_datum(self.0) }
    }
}

// SAFETY: a return type alone: PostgreSQL resolves anyelement to the type of the argument, which the row has.
unsafe impl SqlTranslatable for RowDatum {
    const TYPE_IDENT: &'static str = pgrx::pgrx_resolved_type!(RowDatum);
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> = Err(ArgumentError::Datum);
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> =
        Ok(ReturnsRef::One(SqlMappingRef::literal("anyelement")));
}

/// One argument: its type as the call was parsed, and its value.
#[derive(Clone, Copy)]
pub struct AnyValue<'call> {
    type_oid: pg_sys::Oid,
    cell: Cell,
    call: PhantomData<&'call ()>,
}

impl AnyValue<'_> {
    pub fn type_oid(&self) -> pg_sys::Oid {
        known(self.type_oid)
    }

    pub fn is_null(&self) -> bool {
        self.cell.is_null
    }

    /// The value; a literal of no type as a text.
    pub fn cell(&self) -> Cell {
        if self.type_oid != pg_sys::UNKNOWNOID || self.cell.is_null {
            return self.cell;
        }
        // SAFETY: a literal of no type is a C string.
        let text = unsafe { pg_sys::cstring_to_text(self.cell.datum.cast_mut_ptr()) };
        Cell {
            datum: pg_sys::Datum::from(text),
            is_null: false,
        }
    }
}

unsafe fn any_value<'call>(arg: Arg<'_, 'call>) -> AnyValue<'call> {
    let index = arg.index();
    // SAFETY: fcinfo is valid while the function is called and holds this argument.
    unsafe {
        let fcinfo = pg_sys::FunctionCallInfo::unbox_arg_unchecked(arg);
        let argument = (*fcinfo).args.as_slice(index + 1)[index];
        AnyValue {
            type_oid: pg_sys::get_fn_expr_argtype((*fcinfo).flinfo, index as i32),
            cell: Cell {
                datum: argument.value,
                is_null: argument.isnull,
            },
            call: PhantomData,
        }
    }
}

// SAFETY: takes the datum as it is, null or not, with the type that it was passed as.
unsafe impl<'call> ArgAbi<'call> for AnyValue<'call> {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'call>) -> Self {
        // SAFETY: passed on.
        unsafe { any_value(arg) }
    }
}

// SAFETY: any type can be passed as `"any"`.
unsafe impl SqlTranslatable for AnyValue<'_> {
    const TYPE_IDENT: &'static str = pgrx::pgrx_resolved_type!(AnyValue<'_>);
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> =
        Ok(SqlMappingRef::literal("\"any\""));
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> = Err(ReturnsError::Datum);
}

/// An argument of which the type alone matters, as in NULL::my_view.
#[derive(Clone, Copy)]
pub struct TypeOf(pub pg_sys::Oid);

// SAFETY: looks at no datum.
unsafe impl<'call> ArgAbi<'call> for TypeOf {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'call>) -> Self {
        // SAFETY: passed on.
        TypeOf(unsafe { any_value(arg) }.type_oid)
    }
}

// SAFETY: any type can be passed as `anyelement`.
unsafe impl SqlTranslatable for TypeOf {
    const TYPE_IDENT: &'static str = pgrx::pgrx_resolved_type!(TypeOf);
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> =
        Ok(SqlMappingRef::literal("anyelement"));
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> = Err(ReturnsError::Datum);
}
