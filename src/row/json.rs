//! A jsonb argument. PostgreSQL's numbers and nesting go beyond what a parsed value can hold, so parsing is the caller's.

use std::ffi::CStr;

use pgrx::callconv::{Arg, ArgAbi};
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::{FromDatum, direct_function_call, pg_sys};

/// A jsonb value as PostgreSQL writes it.
#[derive(Debug, Clone)]
pub struct JsonText(String);

impl JsonText {
    /// A jsonb value that was read as text.
    pub fn new(text: String) -> JsonText {
        JsonText(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value; an error, which quotes nothing, for a number beyond double precision or nesting beyond 128 levels.
    pub fn parse(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::from_str(&self.0)
    }
}

impl FromDatum for JsonText {
    unsafe fn from_polymorphic_datum(
        datum: pg_sys::Datum,
        is_null: bool,
        _type: pg_sys::Oid,
    ) -> Option<Self> {
        if is_null {
            return None;
        }
        // SAFETY: the SQL type is jsonb, whose output function gives a palloc'd NUL-terminated string.
        let text: &CStr = unsafe { direct_function_call(pg_sys::jsonb_out, &[Some(datum)])? };
        Some(JsonText(text.to_string_lossy().into_owned()))
    }
}

// SAFETY: the datum of a jsonb argument is unboxed by the FromDatum above; null ones only as Option.
unsafe impl<'call> ArgAbi<'call> for JsonText {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'call>) -> Self {
        // SAFETY: as above.
        match unsafe { arg.unbox_arg_using_from_datum() } {
            Some(text) => text,
            None => JsonText("null".to_owned()),
        }
    }
}

// SAFETY: `jsonb` is the SQL type whose datums ArgAbi unboxes.
unsafe impl SqlTranslatable for JsonText {
    const TYPE_IDENT: &'static str = pgrx::pgrx_resolved_type!(JsonText);
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> = Ok(SqlMappingRef::literal("jsonb"));
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> = Err(ReturnsError::Datum);
}
