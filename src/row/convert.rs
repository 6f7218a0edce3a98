//! Which column types can supply which feature kinds, and one value's way into a batch.

use std::ffi::CStr;

use finai_engine::{Batch, Error, Kind};
use pgrx::pg_sys;

use super::columns::Column;

const UNIX_EPOCH_DAYS: i64 = 10_957;
const UNIX_EPOCH_SECONDS: f64 = 946_684_800.0;

/// How a column's datum becomes a number or a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conversion {
    Bool,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
    /// Days since 1970-01-01.
    Date,
    /// Seconds since 1970-01-01 00:00, UTC for timestamptz.
    Timestamp,
    Text,
    /// char(n): trailing blanks do not count.
    PaddedText,
    /// The enum value's label.
    Enum,
}

/// Why a column cannot supply a feature, as a hint.
pub struct Refusal(pub String);

impl Conversion {
    /// The conversion of a column into a feature of a kind.
    pub fn find(column: &Column, kind: Kind) -> Result<Conversion, Refusal> {
        let conversion = Conversion::of_type(column.base_type).ok_or_else(|| {
            Refusal("Columns of boolean, number, text, enum, date and timestamp types can supply features; cast or compute it in a view or subquery.".into())
        })?;
        use Conversion::*;
        let fits = match kind {
            Kind::Float32 | Kind::Float64 => !conversion.is_text(),
            Kind::Int64 => matches!(conversion, Bool | Int2 | Int4 | Int8 | Date),
            Kind::Bool => conversion == Bool,
            Kind::Text => conversion.is_text(),
        };
        if fits {
            Ok(conversion)
        } else {
            Err(Refusal(format!(
                "The feature takes {}; cast the column in a view or subquery.",
                match kind {
                    Kind::Float32 | Kind::Float64 => "a number",
                    Kind::Int64 => "an integer",
                    Kind::Bool => "a boolean",
                    Kind::Text => "text",
                }
            )))
        }
    }

    pub(super) fn of_type(oid: pg_sys::Oid) -> Option<Conversion> {
        Some(match oid {
            pg_sys::BOOLOID => Conversion::Bool,
            pg_sys::INT2OID => Conversion::Int2,
            pg_sys::INT4OID => Conversion::Int4,
            pg_sys::INT8OID => Conversion::Int8,
            pg_sys::FLOAT4OID => Conversion::Float4,
            pg_sys::FLOAT8OID => Conversion::Float8,
            pg_sys::NUMERICOID => Conversion::Numeric,
            pg_sys::DATEOID => Conversion::Date,
            pg_sys::TIMESTAMPOID | pg_sys::TIMESTAMPTZOID => Conversion::Timestamp,
            pg_sys::TEXTOID | pg_sys::VARCHAROID => Conversion::Text,
            pg_sys::BPCHAROID => Conversion::PaddedText,
            // SAFETY: a catalogue lookup by oid.
            _ if unsafe { pg_sys::type_is_enum(oid) } => Conversion::Enum,
            _ => return None,
        })
    }

    pub(super) fn is_text(self) -> bool {
        use Conversion::*;
        matches!(self, Text | PaddedText | Enum)
    }

    /// A value that is not null as a number; NaN for texts.
    ///
    /// # Safety
    /// `datum` is a value of the type that this conversion was found for.
    pub(super) unsafe fn number(self, datum: pg_sys::Datum) -> f64 {
        let value = datum.value();
        match self {
            Conversion::Float8 => f64::from_bits(value as u64),
            Conversion::Float4 => f64::from(f32::from_bits(value as u32)),
            Conversion::Int2 => f64::from(value as i16),
            Conversion::Int4 => f64::from(value as i32),
            Conversion::Int8 => value as i64 as f64,
            Conversion::Bool => f64::from(u8::from(value as u8 != 0)),
            Conversion::Date => f64::from(value as i32),
            Conversion::Timestamp => epoch_seconds(value as i64),
            // SAFETY: the datum is a numeric.
            Conversion::Numeric => unsafe { numeric_to_float(datum) },
            Conversion::Text | Conversion::PaddedText | Conversion::Enum => f64::NAN,
        }
    }

    /// Puts one value that is not null into the batch's current row.
    ///
    /// # Safety
    /// `datum` is a value of the type that this conversion was found for.
    #[inline]
    pub(super) unsafe fn put(
        self,
        datum: pg_sys::Datum,
        feature: usize,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        let value = datum.value();
        match self {
            Conversion::Float8 => batch.set_float(feature, f64::from_bits(value as u64)),
            Conversion::Float4 => batch.set_float(feature, f64::from(f32::from_bits(value as u32))),
            Conversion::Int2 => batch.set_integer(feature, i64::from(value as i16)),
            Conversion::Int4 => batch.set_integer(feature, i64::from(value as i32)),
            Conversion::Int8 => batch.set_integer(feature, value as i64),
            Conversion::Bool => batch.set_bool(feature, value as u8 != 0),
            Conversion::Date => put_date(value as i32, feature, batch),
            Conversion::Timestamp => batch.set_float(feature, epoch_seconds(value as i64)),
            Conversion::Numeric => {
                // SAFETY: the datum is a numeric.
                let number = unsafe { numeric_to_float(datum) };
                batch.set_float(feature, number)
            }
            // SAFETY: the datum is a varlena text.
            Conversion::Text => unsafe { with_text(datum, |text| batch.set_text(feature, text)) },
            // SAFETY: the datum is a varlena text.
            Conversion::PaddedText => unsafe {
                with_text(datum, |text| {
                    batch.set_text(feature, text.trim_end_matches(' '))
                })
            },
            // SAFETY: the datum is an enum value; its label is palloc'd and NUL-terminated in the server's encoding.
            Conversion::Enum => unsafe {
                let label = pg_sys::OidOutputFunctionCall(pg_sys::F_ENUM_OUT.into(), datum);
                let label = CStr::from_ptr(label).to_bytes();
                batch.set_text(feature, utf8(label))
            },
        }
    }
}

fn put_date(days: i32, feature: usize, batch: &mut Batch) -> Result<(), Error> {
    match days {
        i32::MIN => batch.set_float(feature, f64::NEG_INFINITY),
        i32::MAX => batch.set_float(feature, f64::INFINITY),
        days => batch.set_integer(feature, i64::from(days) + UNIX_EPOCH_DAYS),
    }
}

fn epoch_seconds(microseconds: i64) -> f64 {
    match microseconds {
        i64::MIN => f64::NEG_INFINITY,
        i64::MAX => f64::INFINITY,
        microseconds => microseconds as f64 / 1e6 + UNIX_EPOCH_SECONDS,
    }
}

/// # Safety
/// `datum` is a numeric.
unsafe fn numeric_to_float(datum: pg_sys::Datum) -> f64 {
    // SAFETY: the function takes one numeric and returns a float8, infinite where a float8 cannot hold the number.
    let float = unsafe {
        pgrx::direct_function_call::<f64>(pg_sys::numeric_float8_no_overflow, &[Some(datum)])
    };
    float.unwrap_or(f64::NAN)
}

/// # Safety
/// `datum` is a varlena text.
pub(super) unsafe fn with_text<R>(datum: pg_sys::Datum, read: impl FnOnce(&str) -> R) -> R {
    // SAFETY: detoasting gives a flat varlena whose data has the length that its header says.
    unsafe {
        let varlena = pg_sys::pg_detoast_datum_packed(datum.cast_mut_ptr());
        let bytes = pgrx::varlena_to_byte_slice(varlena);
        read(utf8(bytes))
    }
}

/// Text of the database, which CREATE EXTENSION found to be encoded in UTF-8.
///
/// # Safety
/// `bytes` are a text value of the database.
unsafe fn utf8(bytes: &[u8]) -> &str {
    // SAFETY: PostgreSQL verifies the encoding of every text value that enters the database.
    unsafe { std::str::from_utf8_unchecked(bytes) }
}
