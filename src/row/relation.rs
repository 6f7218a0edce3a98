//! A regclass argument: any oid, of a relation that may be gone.

use std::ffi::CStr;

use pgrx::callconv::{Arg, ArgAbi};
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::{FromDatum, pg_sys};

/// What SQL calls a regclass. No lock is taken.
#[derive(Debug, Clone, Copy)]
pub struct Relation(pg_sys::Oid);

impl Relation {
    pub fn oid(self) -> pg_sys::Oid {
        self.0
    }

    /// Its name; nothing where there is no relation of this oid.
    pub fn name(self) -> Option<String> {
        // SAFETY: a catalogue lookup; a name is null or palloc'd and NUL-terminated.
        unsafe {
            let name = pg_sys::get_rel_name(self.0);
            (!name.is_null()).then(|| CStr::from_ptr(name).to_string_lossy().into_owned())
        }
    }
}

impl Relation {
    /// Its name with its schema's, quoted.
    pub fn qualified_name(self) -> Option<String> {
        // SAFETY: catalogue lookups; names are null or palloc'd and NUL-terminated, as is what quotes them.
        unsafe {
            let schema = pg_sys::get_namespace_name_or_temp(pg_sys::get_rel_namespace(self.0));
            let name = pg_sys::get_rel_name(self.0);
            if schema.is_null() || name.is_null() {
                return None;
            }
            let quoted = pg_sys::quote_qualified_identifier(schema, name);
            Some(CStr::from_ptr(quoted).to_string_lossy().into_owned())
        }
    }

    /// Its schema's name.
    pub fn schema(self) -> Option<String> {
        // SAFETY: catalogue lookups; a name is null or palloc'd and NUL-terminated.
        unsafe {
            let schema = pg_sys::get_namespace_name_or_temp(pg_sys::get_rel_namespace(self.0));
            (!schema.is_null()).then(|| CStr::from_ptr(schema).to_string_lossy().into_owned())
        }
    }

    /// Whether it is a table, a view or something else that can be read like one.
    pub fn has_rows(self) -> bool {
        // SAFETY: a catalogue lookup.
        let kind = unsafe { pg_sys::get_rel_relkind(self.0) } as u8;
        matches!(kind, b'r' | b'v' | b'm' | b'f' | b'p')
    }
}

impl FromDatum for Relation {
    unsafe fn from_polymorphic_datum(
        datum: pg_sys::Datum,
        is_null: bool,
        type_oid: pg_sys::Oid,
    ) -> Option<Self> {
        // SAFETY: a regclass is an oid.
        unsafe { pg_sys::Oid::from_polymorphic_datum(datum, is_null, type_oid) }.map(Relation)
    }
}

// SAFETY: the datum of a regclass argument is unboxed by the FromDatum above; null ones only as Option.
unsafe impl<'call> ArgAbi<'call> for Relation {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'call>) -> Self {
        // SAFETY: as above.
        unsafe { arg.unbox_arg_using_from_datum() }.unwrap_or(Relation(pg_sys::InvalidOid))
    }
}

// SAFETY: `regclass` is the SQL type whose datums ArgAbi unboxes.
unsafe impl SqlTranslatable for Relation {
    const TYPE_IDENT: &'static str = pgrx::pgrx_resolved_type!(Relation);
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> =
        Ok(SqlMappingRef::literal("regclass"));
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> = Err(ReturnsError::Datum);
}
