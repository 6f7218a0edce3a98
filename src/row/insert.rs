//! A row that was written as text, inserted again.

use std::ffi::CString;

use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;

use crate::error::{Error, Result};
use crate::identifier::quoted;

use super::relation::qualified_name;

/// A column that takes a value.
pub struct Target {
    quoted: String,
    type_oid: pg_sys::Oid,
    type_modifier: i32,
}

/// A value of a column.
pub struct Value {
    datum: Option<pg_sys::Datum>,
    type_oid: pg_sys::Oid,
}

/// Inserts a row as the current role and returns how many rows went in.
pub fn insert(relation: pg_sys::Oid, columns: &[Target], values: &[Value]) -> Result<usize> {
    let names: Vec<&str> = columns
        .iter()
        .map(|column| column.quoted.as_str())
        .collect();
    let places: Vec<String> = (1..=columns.len()).map(|n| format!("${n}")).collect();
    let statement = format!(
        "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})",
        qualified_name(relation),
        names.join(", "),
        places.join(", ")
    );
    // SAFETY: each datum is a value of its type, read by the type's own input function.
    let values: Vec<DatumWithOid> = values
        .iter()
        .map(|value| unsafe { DatumWithOid::new(value.datum, value.type_oid) })
        .collect();
    Spi::connect_mut(|client| {
        let rows = client
            .update(statement.as_str(), None, &values)
            .map_err(|error| Error::Installation(error.to_string()))?;
        Ok(rows.len())
    })
}

/// The column of a relation that has this name and takes values: one that is generated does not.
pub fn target(relation: pg_sys::Oid, name: &str) -> Option<Target> {
    let c_name = CString::new(name).ok()?;
    // SAFETY: catalogue lookups by oid, name and number.
    unsafe {
        let number = pg_sys::get_attnum(relation, c_name.as_ptr());
        if number <= 0 || pg_sys::get_attgenerated(relation, number) != 0 {
            return None;
        }
        let (mut type_oid, mut type_modifier, mut collation) =
            (pg_sys::InvalidOid, -1, pg_sys::InvalidOid);
        pg_sys::get_atttypetypmodcoll(
            relation,
            number,
            &raw mut type_oid,
            &raw mut type_modifier,
            &raw mut collation,
        );
        Some(Target {
            quoted: quoted(name),
            type_oid,
            type_modifier,
        })
    }
}

impl Target {
    /// A value as the type's output function wrote it; raises what its input function does.
    pub fn read(&self, value: Option<&str>) -> Value {
        let text = value.and_then(|text| CString::new(text).ok());
        // SAFETY: the input function of the column's own type; a null text is a null value, which domains look at too.
        unsafe {
            let mut input = pg_sys::InvalidOid;
            let mut parameter = pg_sys::InvalidOid;
            pg_sys::getTypeInputInfo(self.type_oid, &raw mut input, &raw mut parameter);
            let pointer = text
                .as_ref()
                .map_or(std::ptr::null_mut(), |text| text.as_ptr().cast_mut());
            let mut function = pg_sys::FmgrInfo::default();
            pg_sys::fmgr_info(input, &raw mut function);
            let datum = pg_sys::InputFunctionCall(
                &raw mut function,
                pointer,
                parameter,
                self.type_modifier,
            );
            Value {
                datum: text.map(|_| datum),
                type_oid: self.type_oid,
            }
        }
    }
}
