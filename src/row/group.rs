//! The state of an aggregate, which SQL passes from row to row.

use std::marker::PhantomData;

use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::Datum;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::{PgMemoryContexts, pg_sys};

/// The first argument of an aggregate's functions, `internal`: made at the first row, dropped with the group.
pub struct PerGroup<'call, T> {
    value: *mut T,
    call: PhantomData<&'call mut T>,
}

impl<'call, T> PerGroup<'call, T> {
    /// Nothing in a group without rows.
    pub fn get(&mut self) -> Option<&mut T> {
        // SAFETY: null, or made below and alive until the group's memory goes; an aggregate calls one function at a time.
        unsafe { self.value.as_mut() }
    }

    /// As `get`, for as long as the call.
    pub fn into_group(self) -> Option<&'call mut T> {
        // SAFETY: as above; nobody else has this argument.
        unsafe { self.value.as_mut() }
    }
}

// SAFETY: SQL cannot make an `internal`, so the datum is null or what BoxRet returned for the same aggregate, whose functions
// all name the same T.
unsafe impl<'call, T: Default> ArgAbi<'call> for PerGroup<'call, T> {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'call>) -> Self {
        let index = arg.index();
        // SAFETY: fcinfo is valid while the function is called and holds this argument; the context is an aggregate's, where
        // there is one.
        unsafe {
            let fcinfo = pg_sys::FunctionCallInfo::unbox_arg_unchecked(arg);
            let argument = (*fcinfo).args.as_slice(index + 1)[index];
            let mut memory = std::ptr::null_mut();
            let in_aggregate = pg_sys::AggCheckCallContext(fcinfo, &raw mut memory) != 0;
            let value = if !argument.isnull {
                argument.value.cast_mut_ptr()
            } else if in_aggregate {
                PgMemoryContexts::For(memory).leak_and_drop_on_delete(T::default())
            } else {
                std::ptr::null_mut()
            };
            PerGroup {
                value,
                call: PhantomData,
            }
        }
    }
}

// SAFETY: returns the pointer that it got.
unsafe impl<T> BoxRet for PerGroup<'_, T> {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        match self.value.is_null() {
            true => fcinfo.return_null(),
            // SAFETY: an internal is a pointer.
            false => unsafe { fcinfo.return_raw_datum(pg_sys::Datum::from(self.value)) },
        }
    }
}

// SAFETY: `internal` is the SQL type whose datums are unboxed and made above.
unsafe impl<T> SqlTranslatable for PerGroup<'_, T> {
    const TYPE_IDENT: &'static str = pgrx::pgrx_resolved_type!(PerGroup<'_, T>);
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> =
        Ok(SqlMappingRef::literal("internal"));
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> =
        Ok(ReturnsRef::One(SqlMappingRef::literal("internal")));
}
