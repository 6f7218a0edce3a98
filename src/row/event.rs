//! Arguments of finai's window aggregates: an event's time and columns, and the features that come out.

use std::ffi::CStr;
use std::rc::Rc;

use finai_engine::features::{Key, Role, Value};
use pgrx::callconv::{BoxRet, FcInfo};
use pgrx::datum::Datum;
use pgrx::pg_sys;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};

use super::convert::{Conversion, with_text};
use super::flat::Values;

/// How one argument becomes a value.
#[derive(Debug, Clone, Copy)]
enum Reading {
    Number(Conversion),
    Flag(Conversion),
    Key(KeyType),
    /// By the type's output function.
    Text(pg_sys::Oid),
}

/// Types whose values are told apart by what their datum holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyType {
    Bool,
    Int2,
    /// Also enums and dates, whose datums have the same size.
    Int4,
    /// Also timestamps.
    Int8,
    Float4,
    Float8,
    Numeric,
    Text,
    PaddedText,
    Bytes,
    Uuid,
    Name,
}

fn key_type(oid: pg_sys::Oid) -> Option<KeyType> {
    Some(match oid {
        pg_sys::BOOLOID => KeyType::Bool,
        pg_sys::INT2OID => KeyType::Int2,
        pg_sys::INT4OID | pg_sys::DATEOID | pg_sys::OIDOID => KeyType::Int4,
        pg_sys::INT8OID | pg_sys::TIMESTAMPOID | pg_sys::TIMESTAMPTZOID => KeyType::Int8,
        pg_sys::FLOAT4OID => KeyType::Float4,
        pg_sys::FLOAT8OID => KeyType::Float8,
        pg_sys::NUMERICOID => KeyType::Numeric,
        pg_sys::TEXTOID | pg_sys::VARCHAROID => KeyType::Text,
        pg_sys::BPCHAROID => KeyType::PaddedText,
        pg_sys::BYTEAOID => KeyType::Bytes,
        pg_sys::UUIDOID => KeyType::Uuid,
        pg_sys::NAMEOID => KeyType::Name,
        // SAFETY: a catalogue lookup by oid.
        _ if unsafe { pg_sys::type_is_enum(oid) } => KeyType::Int4,
        _ => return None,
    })
}

/// Whether values of a type, domains looked through, can be told apart.
pub fn is_key_type(base_type: pg_sys::Oid) -> bool {
    key_type(base_type).is_some()
}

/// How the arguments of one call site are read: the event's time, then a value for each role.
pub struct Readings {
    readings: Vec<Reading>,
}

impl Readings {
    /// Nothing where there are not as many arguments as roles, or of types that do not fit.
    pub fn new(roles: &[Role], values: &Values<'_>) -> Option<Readings> {
        let is_time = matches!(
            base_type(values, 0),
            pg_sys::TIMESTAMPOID | pg_sys::TIMESTAMPTZOID
        );
        if values.is_array() || !is_time || values.all().len() != roles.len() + 1 {
            return None;
        }
        let readings = roles.iter().enumerate().map(|(i, role)| {
            let oid = base_type(values, i + 1);
            match role {
                Role::Number => Conversion::of_type(oid)
                    .filter(|c| !c.is_text())
                    .map(Reading::Number),
                Role::Flag => Conversion::of_type(oid)
                    .filter(|c| !c.is_text())
                    .map(Reading::Flag),
                Role::Key => key_type(oid).map(Reading::Key),
                Role::Text => output_function(values.type_of(i + 1)).map(Reading::Text),
            }
        });
        Some(Readings {
            readings: readings.collect::<Option<_>>()?,
        })
    }

    /// Microseconds; none where it is null or infinite.
    pub fn time(&self, values: &Values<'_>) -> Option<i64> {
        let first = values.all().first().filter(|value| !value.isnull)?;
        let time = first.value.value() as i64;
        (time != i64::MIN && time != i64::MAX).then_some(time)
    }

    /// The values after the time.
    pub fn values(&self, values: &Values<'_>) -> impl Iterator<Item = Value> {
        let given = values.all().get(1..).unwrap_or(&[]);
        given
            .iter()
            .zip(&self.readings)
            .map(|(value, reading)| match value.isnull {
                true => Value::Null,
                // SAFETY: the reading was found for the type of this argument at this call site, where types do not change.
                false => unsafe { reading.read(value.value) },
            })
    }
}

fn base_type(values: &Values<'_>, position: usize) -> pg_sys::Oid {
    match values.type_of(position) {
        pg_sys::InvalidOid => pg_sys::InvalidOid,
        // SAFETY: a catalogue lookup by oid.
        oid => unsafe { pg_sys::getBaseType(oid) },
    }
}

fn output_function(oid: pg_sys::Oid) -> Option<pg_sys::Oid> {
    if oid == pg_sys::InvalidOid || oid == pg_sys::UNKNOWNOID {
        return None;
    }
    let mut function = pg_sys::InvalidOid;
    let mut is_varlena = false;
    // SAFETY: a catalogue lookup of a type that the call was parsed with.
    unsafe { pg_sys::getTypeOutputInfo(oid, &raw mut function, &raw mut is_varlena) };
    Some(function)
}

impl Reading {
    /// # Safety
    /// `datum` is a value of the type that this reading was found for.
    unsafe fn read(self, datum: pg_sys::Datum) -> Value {
        // SAFETY: the caller's promise, passed on.
        unsafe {
            match self {
                Reading::Number(conversion) => Value::Number(conversion.number(datum)),
                Reading::Flag(conversion) => Value::flag(conversion.number(datum) != 0.0),
                Reading::Key(key_type) => Value::Key(key_type.key(datum)),
                Reading::Text(function) => {
                    let _settings = Faithful::set();
                    let text = CStr::from_ptr(pg_sys::OidOutputFunctionCall(function, datum));
                    Value::Key(bytes(text.to_bytes()))
                }
            }
        }
    }
}

/// What output functions go by, set so that every session reads back what they write; as it was when this is dropped.
struct Faithful {
    date_style: i32,
    interval_style: i32,
    digits: i32,
    zone: *mut pg_sys::pg_tz,
}

impl Faithful {
    fn set() -> Faithful {
        // SAFETY: settings of this backend, which has one thread; UTC is built in.
        unsafe {
            let before = Faithful {
                date_style: pg_sys::DateStyle,
                interval_style: pg_sys::IntervalStyle,
                digits: pg_sys::extra_float_digits,
                zone: pg_sys::session_timezone,
            };
            let utc = pg_sys::pg_tzset(c"UTC".as_ptr());
            if !utc.is_null() {
                pg_sys::session_timezone = utc;
            }
            pg_sys::DateStyle = pg_sys::USE_ISO_DATES as i32;
            pg_sys::IntervalStyle = pg_sys::INTSTYLE_POSTGRES as i32;
            pg_sys::extra_float_digits = 1;
            before
        }
    }
}

impl Drop for Faithful {
    fn drop(&mut self) {
        // SAFETY: as in `set`; an error in between unwinds through here.
        unsafe {
            pg_sys::DateStyle = self.date_style;
            pg_sys::IntervalStyle = self.interval_style;
            pg_sys::extra_float_digits = self.digits;
            pg_sys::session_timezone = self.zone;
        }
    }
}

fn bytes(bytes: &[u8]) -> Key {
    Key::Bytes(Rc::from(bytes))
}

impl KeyType {
    /// # Safety
    /// `datum` is a value of this type.
    unsafe fn key(self, datum: pg_sys::Datum) -> Key {
        let value = datum.value();
        let float = |x: f64| {
            let one_of_equals = if x.is_nan() { f64::NAN } else { x + 0.0 };
            Key::Integer(one_of_equals.to_bits() as i64)
        };
        // SAFETY: the caller's promise: by-value types hold their value, others point at what their type says.
        unsafe {
            match self {
                KeyType::Bool => Key::Integer(i64::from(value as u8 != 0)),
                KeyType::Int2 => Key::Integer(i64::from(value as i16)),
                KeyType::Int4 => Key::Integer(i64::from(value as i32)),
                KeyType::Int8 => Key::Integer(value as i64),
                KeyType::Float4 => float(f64::from(f32::from_bits(value as u32))),
                KeyType::Float8 => float(f64::from_bits(value as u64)),
                KeyType::Numeric => {
                    let trimmed: Option<pg_sys::Datum> = pgrx::direct_function_call_as_datum(
                        pg_sys::numeric_trim_scale,
                        &[Some(datum)],
                    );
                    let text = pg_sys::OidOutputFunctionCall(
                        pg_sys::F_NUMERIC_OUT.into(),
                        trimmed.unwrap_or(datum),
                    );
                    bytes(CStr::from_ptr(text).to_bytes())
                }
                KeyType::Text => with_text(datum, |text| bytes(text.as_bytes())),
                KeyType::PaddedText => {
                    with_text(datum, |text| bytes(text.trim_end_matches(' ').as_bytes()))
                }
                KeyType::Bytes => {
                    let varlena = pg_sys::pg_detoast_datum_packed(datum.cast_mut_ptr());
                    bytes(pgrx::varlena_to_byte_slice(varlena))
                }
                KeyType::Uuid => bytes(std::slice::from_raw_parts(datum.cast_mut_ptr::<u8>(), 16)),
                KeyType::Name => bytes(CStr::from_ptr(datum.cast_mut_ptr()).to_bytes()),
            }
        }
    }
}

/// Features as `float8[]`.
pub struct Numbers<'a>(pub &'a [Option<f64>]);

/// Features as `text[]`.
pub struct Texts<'a>(pub &'a [Option<Rc<[u8]>>]);

/// # Safety
/// The datums that are not null are of the element type.
unsafe fn array(
    datums: &mut [pg_sys::Datum],
    nulls: &mut [bool],
    element: pg_sys::Oid,
    length: i16,
    by_value: bool,
    align: u8,
) -> pg_sys::Datum {
    let (mut count, mut lower) = (datums.len() as i32, 1);
    // SAFETY: both lists have `count` entries; the caller's promise about the datums.
    unsafe {
        let array = pg_sys::construct_md_array(
            datums.as_mut_ptr(),
            nulls.as_mut_ptr(),
            1,
            &raw mut count,
            &raw mut lower,
            element,
            i32::from(length),
            by_value,
            align as std::ffi::c_char,
        );
        pg_sys::Datum::from(array)
    }
}

// SAFETY: returns a float8[] made in the memory of the call.
unsafe impl BoxRet for Numbers<'_> {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        let mut nulls: Vec<bool> = self.0.iter().map(Option::is_none).collect();
        let mut datums: Vec<pg_sys::Datum> = self
            .0
            .iter()
            .map(|x| pg_sys::Datum::from(x.unwrap_or(0.0).to_bits()))
            .collect();
        // SAFETY: the datums are float8, which is passed by value.
        unsafe {
            let array = array(
                &mut datums,
                &mut nulls,
                pg_sys::FLOAT8OID,
                8,
                true,
                pg_sys::TYPALIGN_DOUBLE,
            );
            fcinfo.return_raw_datum(array)
        }
    }
}

// SAFETY: returns a text[] made in the memory of the call.
unsafe impl BoxRet for Texts<'_> {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        let mut nulls: Vec<bool> = self.0.iter().map(Option::is_none).collect();
        let text = |text: &Option<Rc<[u8]>>| {
            let bytes: &[u8] = text.as_deref().unwrap_or(&[]);
            // SAFETY: the bytes came out of an output function, as many as they are.
            unsafe {
                pg_sys::Datum::from(pg_sys::cstring_to_text_with_len(
                    bytes.as_ptr().cast(),
                    bytes.len() as i32,
                ))
            }
        };
        let mut datums: Vec<pg_sys::Datum> = self.0.iter().map(text).collect();
        // SAFETY: the datums are texts.
        unsafe {
            let array = array(
                &mut datums,
                &mut nulls,
                pg_sys::TEXTOID,
                -1,
                false,
                pg_sys::TYPALIGN_INT,
            );
            fcinfo.return_raw_datum(array)
        }
    }
}

macro_rules! returned_as {
    ($($type:ident => $sql:literal),*) => {$(
        // SAFETY: the SQL type whose datums BoxRet makes.
        unsafe impl SqlTranslatable for $type<'_> {
            const TYPE_IDENT: &'static str = pgrx::pgrx_resolved_type!($type<'_>);
            const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
            const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> = Err(ArgumentError::Datum);
            const RETURN_SQL: Result<ReturnsRef, ReturnsError> =
                Ok(ReturnsRef::One(SqlMappingRef::literal($sql)));
        }
    )*};
}
returned_as!(Numbers => "double precision[]", Texts => "text[]");
