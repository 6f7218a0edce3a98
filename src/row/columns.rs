//! The columns of a row type, read from its tuple descriptor.

use std::ffi::CStr;

use pgrx::{PgTupleDesc, pg_sys};

use super::record::Record;

/// A live column of a row type.
#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    /// Position counted from 0, dropped columns included.
    pub position: usize,
    /// Type, domains looked through.
    pub base_type: pg_sys::Oid,
    /// Type as SQL writes it.
    pub type_name: String,
}

impl Column {
    /// A column of a type, domains looked through.
    pub fn of_type(name: String, position: usize, type_oid: pg_sys::Oid) -> Column {
        // SAFETY: type lookups take any type's oid; no type at all has a name, and is its own base type here.
        unsafe {
            Column {
                name,
                position,
                base_type: match type_oid {
                    pg_sys::InvalidOid => pg_sys::InvalidOid,
                    oid => pg_sys::getBaseType(oid),
                },
                type_name: c_string(pg_sys::format_type_be(type_oid)),
            }
        }
    }
}

/// The columns that a tuple descriptor has now; dropped ones are left out.
///
/// # Safety
/// `descriptor` is a valid tuple descriptor.
pub(super) unsafe fn of_descriptor(descriptor: pg_sys::TupleDesc) -> Vec<Column> {
    // SAFETY: a descriptor holds natts attributes; names are NUL-terminated; type lookups take any type's oid.
    unsafe {
        let descriptor = PgTupleDesc::from_pg_unchecked(descriptor);
        descriptor
            .iter()
            .enumerate()
            .filter(|(_, attribute)| !attribute.attisdropped)
            .map(|(position, attribute)| {
                let name = c_string(attribute.attname.data.as_ptr());
                Column::of_type(name, position, attribute.atttypid)
            })
            .collect()
    }
}

/// The columns of a table, view or other relation that has a row type, as they are committed, or changed by this transaction,
/// now; without a lock on it, so that a table which somebody holds locked keeps nobody else waiting.
pub fn columns_of_relation(relation: pg_sys::Oid) -> Option<Vec<Column>> {
    // SAFETY: a catalogue lookup by oid.
    if unsafe { pg_sys::get_rel_type_id(relation) } == pg_sys::InvalidOid {
        return None;
    }
    let named = |position: i32| {
        let number = (position + 1) as pg_sys::AttrNumber;
        // SAFETY: catalogue lookups by oid and number; a name is null or palloc'd and NUL-terminated.
        unsafe {
            let name = pg_sys::get_attname(relation, number, true);
            let type_oid = pg_sys::get_atttype(relation, number);
            (!name.is_null()).then(|| (c_string(name), position as usize, type_oid))
        }
    };
    // A dropped column keeps its number, and has no type.
    let columns = (0..pg_sys::MaxTupleAttributeNumber as i32)
        .map_while(named)
        .filter(|(_, _, type_oid)| *type_oid != pg_sys::InvalidOid)
        .map(|(name, position, type_oid)| Column::of_type(name, position, type_oid));
    Some(columns.collect())
}

/// The columns of a row's own type.
pub fn columns_of_record(record: &Record) -> Vec<Column> {
    let (oid, modifier) = record.row_type();
    // SAFETY: the row's own type has a descriptor, which is pinned while it is read.
    unsafe {
        let descriptor = pg_sys::lookup_rowtype_tupdesc(oid, modifier);
        let columns = of_descriptor(descriptor);
        release(descriptor);
        columns
    }
}

/// A type as a cast writes it; without a length, which `character` would take for one.
pub fn sql_type(type_oid: pg_sys::Oid) -> String {
    // SAFETY: answers any oid with a palloc'd NUL-terminated string.
    unsafe {
        let flags = pg_sys::FORMAT_TYPE_TYPEMOD_GIVEN as pg_sys::bits16;
        c_string(pg_sys::format_type_extended(type_oid, -1, flags))
    }
}

/// Whether a type is an enum.
pub fn is_enum(type_oid: pg_sys::Oid) -> bool {
    // SAFETY: a catalogue lookup by oid.
    unsafe { pg_sys::type_is_enum(type_oid) }
}

/// What a feature's name means in a row type.
pub enum Found<'a> {
    Column(&'a Column),
    Nothing,
    /// A subquery can give several columns one name.
    Several,
}

/// The column that a feature name means: that name, or as SQL folds it when it is not quoted.
pub fn find_column<'a>(columns: &'a [Column], feature: &str) -> Found<'a> {
    let named = |name: &str| {
        let mut matching = columns.iter().filter(|column| column.name == name);
        match (matching.next(), matching.next()) {
            (Some(column), None) => Found::Column(column),
            (Some(_), Some(_)) => Found::Several,
            (None, _) => Found::Nothing,
        }
    };
    match named(feature) {
        Found::Nothing => named(&feature.to_ascii_lowercase()),
        found => found,
    }
}

/// A type as SQL writes it.
pub fn type_name(row_type: pg_sys::Oid) -> String {
    // SAFETY: format_type_be answers any oid with a palloc'd NUL-terminated string.
    unsafe { c_string(pg_sys::format_type_be(row_type)) }
}

/// Whether there is such a type: a plan can outlive those that it names.
pub fn type_exists(oid: pg_sys::Oid) -> bool {
    // SAFETY: a catalogue lookup by oid, which answers 0 for none.
    unsafe { pg_sys::get_typtype(oid) != 0 }
}

/// The operators `=` and `<` of a type's default order; nothing where it has none.
pub fn orders(type_oid: pg_sys::Oid) -> Option<(pg_sys::Oid, pg_sys::Oid)> {
    // SAFETY: a type cache lookup of a column's type; the entry lives as long as the backend.
    let (equal, less) = unsafe {
        let flags = (pg_sys::TYPECACHE_EQ_OPR | pg_sys::TYPECACHE_LT_OPR) as i32;
        let entry = pg_sys::lookup_type_cache(type_oid, flags);
        ((*entry).eq_opr, (*entry).lt_opr)
    };
    (equal != pg_sys::InvalidOid && less != pg_sys::InvalidOid).then_some((equal, less))
}

/// # Safety
/// `descriptor` was returned by a `lookup_rowtype_tupdesc` function and is not used afterwards.
pub(super) unsafe fn release(descriptor: pg_sys::TupleDesc) {
    // SAFETY: only counted descriptors are unpinned, as the ReleaseTupleDesc macro does.
    unsafe {
        if (*descriptor).tdrefcount >= 0 {
            pg_sys::DecrTupleDescRefCount(descriptor);
        }
    }
}

unsafe fn c_string(text: *const std::ffi::c_char) -> String {
    // SAFETY: callers pass NUL-terminated strings.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}
