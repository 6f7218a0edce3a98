//! A composite argument, and memory that lives as long as a call site.

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use pgrx::callconv::{Arg, ArgAbi};
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::{FromDatum, PgMemoryContexts, pg_sys};

/// A row passed as SQL `record`: any composite, a table's whole row included.
#[derive(Clone, Copy)]
pub struct Record<'call> {
    header: pg_sys::HeapTupleHeader,
    call: PhantomData<&'call ()>,
}

impl Record<'_> {
    /// The row type's oid and type modifier; anonymous row types share an oid and differ by modifier.
    pub fn row_type(&self) -> (pg_sys::Oid, i32) {
        // SAFETY: a composite datum's header carries these fields in this variant of the union.
        unsafe {
            let fields = &(*self.header).t_choice.t_datum;
            (fields.datum_typeid, fields.datum_typmod)
        }
    }

    /// The row as a function takes it.
    pub(super) fn datum(&self) -> pg_sys::Datum {
        pg_sys::Datum::from(self.header)
    }

    /// A heap tuple over the row's data, as PostgreSQL's deforming functions take it.
    pub(super) fn as_tuple(&self) -> pg_sys::HeapTupleData {
        // SAFETY: the header starts a varlena of the length it says.
        let length = unsafe { pgrx::varsize(self.header.cast()) };
        pg_sys::HeapTupleData {
            t_len: length as u32,
            t_data: self.header,
            ..Default::default()
        }
    }
}

impl FromDatum for Record<'_> {
    unsafe fn from_polymorphic_datum(
        datum: pg_sys::Datum,
        is_null: bool,
        _type: pg_sys::Oid,
    ) -> Option<Self> {
        if is_null {
            return None;
        }
        // SAFETY: the SQL type is record, so the datum is a composite, possibly toasted or expanded; detoasting flattens it.
        let header = unsafe { pg_sys::pg_detoast_datum(datum.cast_mut_ptr()) };
        Some(Record {
            header: header.cast(),
            call: PhantomData,
        })
    }
}

// SAFETY: the datum of a `record` argument is unboxed by the FromDatum above, and only when it is not null.
unsafe impl<'call> ArgAbi<'call> for Record<'call> {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'call>) -> Self {
        // SAFETY: functions that take a Record are STRICT.
        match unsafe { arg.unbox_arg_using_from_datum() } {
            Some(record) => record,
            None => unreachable!("a strict function was called with a null row"),
        }
    }
}

// SAFETY: `record` is the SQL type whose datums ArgAbi unboxes.
unsafe impl SqlTranslatable for Record<'_> {
    const TYPE_IDENT: &'static str = pgrx::pgrx_resolved_type!(Record<'_>);
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> = Ok(SqlMappingRef::literal("record"));
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> = Err(ReturnsError::Datum);
}

/// A value kept for one call site, from its first call until the query or the PL/pgSQL session that holds it ends.
/// Not an SQL argument.
pub struct PerCallSite<'call, T> {
    value: &'call mut T,
}

impl<T> Deref for PerCallSite<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.value
    }
}

impl<T> DerefMut for PerCallSite<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value
    }
}

// SAFETY: a virtual argument: it consumes no datum. fn_extra belongs to the called function alone and is only ever set
// here, to a T that is dropped with fn_mcxt; a call site is not re-entered while it runs, so the borrow is unique.
unsafe impl<'call, T: Default> ArgAbi<'call> for PerCallSite<'call, T> {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'call>) -> Self {
        // SAFETY: as above; fcinfo and flinfo are valid while the function is called.
        unsafe {
            let fcinfo = pg_sys::FunctionCallInfo::unbox_arg_unchecked(arg);
            let flinfo = (*fcinfo).flinfo;
            if (*flinfo).fn_extra.is_null() {
                let value =
                    PgMemoryContexts::For((*flinfo).fn_mcxt).leak_and_drop_on_delete(T::default());
                (*flinfo).fn_extra = value.cast();
            }
            PerCallSite {
                value: &mut *(*flinfo).fn_extra.cast::<T>(),
            }
        }
    }

    fn is_virtual_arg() -> bool {
        true
    }
}

// SAFETY: a virtual argument has no SQL representation.
unsafe impl<T> SqlTranslatable for PerCallSite<'_, T> {
    const TYPE_IDENT: &'static str = pgrx::pgrx_resolved_type!(PerCallSite<'_, T>);
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> = Ok(SqlMappingRef::Skip);
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> = Err(ReturnsError::Datum);
}
