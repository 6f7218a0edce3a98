//! A stored row, as triggers see it: its values taken apart, its way into a batch, its text as JSON.

use std::ffi::CStr;

use finai_engine::{Batch, Signature};
use pgrx::{FromDatum, pg_sys};

use crate::error::Result;

use super::binding::{Bind, Bound, bind, fill};
use super::columns::{Column, of_descriptor, type_name};
use super::record::Record;

/// The relation whose rows are read, open and locked while they are.
#[derive(Clone, Copy)]
pub struct Shape {
    descriptor: pg_sys::TupleDesc,
    row_type: pg_sys::Oid,
}

impl Shape {
    /// # Safety
    /// `relation` stays open while the shape and rows of it are used.
    pub unsafe fn of(relation: pg_sys::Relation) -> Shape {
        // SAFETY: an open relation has a descriptor and a catalogue row.
        unsafe {
            Shape {
                descriptor: (*relation).rd_att,
                row_type: (*(*relation).rd_rel).reltype,
            }
        }
    }

    /// The columns now, dropped ones left out.
    pub fn columns(&self) -> Vec<Column> {
        // SAFETY: `of` was promised that the relation stays open.
        unsafe { of_descriptor(self.descriptor) }
    }

    /// Whether a column, numbered from 0, was declared NOT NULL.
    pub fn is_not_null(&self, position: usize) -> bool {
        // SAFETY: as above; positions are of the descriptor's attributes.
        unsafe { (*(*self.descriptor).attrs.as_ptr().add(position)).attnotnull }
    }

    /// The columns whose values are given, not generated.
    pub fn given_columns(&self) -> Vec<Column> {
        let mut columns = self.columns();
        // SAFETY: as above; positions are of the descriptor's attributes.
        columns.retain(|column| unsafe {
            let attribute = &*(*self.descriptor).attrs.as_ptr().add(column.position);
            attribute.attgenerated == 0
        });
        columns
    }
}

/// One row.
#[derive(Clone, Copy)]
pub struct Tuple<'row> {
    shape: Shape,
    values: &'row [pg_sys::Datum],
    nulls: &'row [bool],
}

impl<'row> Tuple<'row> {
    /// # Safety
    /// The slot holds a row of the shape's relation and is neither cleared nor filled anew while the row is used.
    pub unsafe fn of_slot(slot: *mut pg_sys::TupleTableSlot, shape: Shape) -> Tuple<'row> {
        // SAFETY: all attributes are taken apart first; then the slot has a value and a null flag for each.
        unsafe {
            let count = usize::try_from((*shape.descriptor).natts).unwrap_or(0);
            if usize::try_from((*slot).tts_nvalid).unwrap_or(0) < count {
                pg_sys::slot_getsomeattrs_int(slot, (*shape.descriptor).natts);
            }
            Tuple {
                shape,
                values: std::slice::from_raw_parts((*slot).tts_values, count),
                nulls: std::slice::from_raw_parts((*slot).tts_isnull, count),
            }
        }
    }

    /// The row as a composite value of its type, in memory of its own.
    pub fn to_record(self) -> Option<Record<'static>> {
        let mut values = self.values.to_vec();
        let mut nulls = self.nulls.to_vec();
        // SAFETY: one value and null flag for each attribute of the descriptor; the composite is in PostgreSQL's memory.
        unsafe {
            let tuple = pg_sys::heap_form_tuple(
                self.shape.descriptor,
                values.as_mut_ptr(),
                nulls.as_mut_ptr(),
            );
            let datum = pg_sys::heap_copy_tuple_as_datum(tuple, self.shape.descriptor);
            Record::from_datum(datum, false)
        }
    }

    /// Nothing for NULL.
    fn value(&self, position: usize) -> Option<pg_sys::Datum> {
        let value = self.values.get(position).copied();
        value.filter(|_| !self.is_null(position))
    }

    pub fn is_null(&self, position: usize) -> bool {
        self.nulls.get(position).copied().unwrap_or(true)
    }

    /// Whether two rows of one relation have the same bytes in a column; two NULLs are the same.
    pub fn same(&self, other: &Tuple, position: usize) -> bool {
        match (self.is_null(position), other.is_null(position)) {
            (true, true) => true,
            (false, false) => {
                let (Some(mine), Some(theirs)) =
                    (self.values.get(position), other.values.get(position))
                else {
                    return false;
                };
                // SAFETY: the position is one of the descriptor's, whose attribute says how both values are stored.
                unsafe {
                    let attributes = (*self.shape.descriptor).attrs.as_ptr();
                    let attribute = &*attributes.add(position);
                    match usize::try_from(attribute.attlen) {
                        _ if attribute.attbyval => mine.value() == theirs.value(),
                        Ok(length) => {
                            let bytes = |datum: &pg_sys::Datum| {
                                std::slice::from_raw_parts(datum.cast_mut_ptr::<u8>(), length)
                            };
                            bytes(mine) == bytes(theirs)
                        }
                        Err(_) if attribute.attlen == -1 => {
                            let bytes = |datum: &pg_sys::Datum| {
                                let flat = pg_sys::pg_detoast_datum_packed(datum.cast_mut_ptr());
                                pgrx::varlena_to_byte_slice(flat)
                            };
                            bytes(mine) == bytes(theirs)
                        }
                        Err(_) => {
                            let text = |datum: &pg_sys::Datum| CStr::from_ptr(datum.cast_mut_ptr());
                            text(mine) == text(theirs)
                        }
                    }
                }
            }
            _ => false,
        }
    }
}

/// Where each feature of a model comes from in a relation's rows.
pub struct TupleBinding {
    row_type: pg_sys::Oid,
    identifier: u64,
    bound: Vec<Bound>,
}

impl Bind for TupleBinding {
    type Row<'call> = Tuple<'call>;

    fn new(row: &Tuple<'_>, signature: &Signature, model: &str) -> Result<TupleBinding> {
        let row_type = row.shape.row_type;
        let source = format!("table {}", type_name(row_type));
        Ok(TupleBinding {
            row_type,
            identifier: identifier(row_type),
            bound: bind(&row.shape.columns(), signature, model, &source)?,
        })
    }

    #[inline]
    fn fits(&self, row: &Tuple<'_>) -> bool {
        self.row_type == row.shape.row_type
    }

    fn is_current(&self) -> bool {
        self.identifier == identifier(self.row_type)
    }

    #[inline]
    fn push(&mut self, row: &Tuple<'_>, batch: &mut Batch) -> Result<(), finai_engine::Error> {
        // SAFETY: `fits` holds: the values are of the types that the conversions were found for.
        unsafe { fill(&self.bound, row.values, row.nulls, batch) }
    }
}

/// Changes whenever the row type does.
fn identifier(row_type: pg_sys::Oid) -> u64 {
    // SAFETY: a type cache lookup of a row type that exists: its relation is open.
    unsafe { pg_sys::assign_record_type_identifier(row_type, -1) }
}

/// A column that is written as its type's output function writes it.
#[derive(Debug, Clone, Copy)]
pub struct TextColumn {
    position: usize,
    output: pg_sys::Oid,
}

impl TextColumn {
    pub fn new(column: &Column) -> TextColumn {
        let mut output = pg_sys::InvalidOid;
        let mut is_varlena = false;
        // SAFETY: every column's type has an output function.
        unsafe {
            pg_sys::getTypeOutputInfo(column.base_type, &raw mut output, &raw mut is_varlena);
        }
        TextColumn {
            position: column.position,
            output,
        }
    }

    /// The row is of the relation that the column is of. Nothing for NULL.
    pub fn of(self, row: &Tuple) -> Option<String> {
        row.value(self.position).map(|value| self.write(value))
    }

    fn write(self, value: pg_sys::Datum) -> String {
        // SAFETY: the output function is that of the value's type; it returns a palloc'd NUL-terminated string.
        unsafe {
            let text = pg_sys::OidOutputFunctionCall(self.output, value);
            let owned = CStr::from_ptr(text).to_string_lossy().into_owned();
            pg_sys::pfree(text.cast());
            owned
        }
    }
}

/// How a value is written in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Boolean,
    Number,
    Text,
}

/// A column that is written as JSON.
pub struct Field {
    /// Quoted, with a colon.
    label: String,
    text: TextColumn,
    written: Written,
}

impl Field {
    pub fn new(column: &Column) -> Field {
        Field {
            label: format!("{}:", quoted(&column.name)),
            text: TextColumn::new(column),
            written: match column.base_type {
                pg_sys::BOOLOID => Written::Boolean,
                pg_sys::INT2OID
                | pg_sys::INT4OID
                | pg_sys::INT8OID
                | pg_sys::FLOAT4OID
                | pg_sys::FLOAT8OID
                | pg_sys::NUMERICOID => Written::Number,
                _ => Written::Text,
            },
        }
    }
}

/// A JSON object of some columns of a row. Every value is what its type's output function writes, numbers and booleans
/// without quotes, so that the type's input function reads it back.
pub fn json_object(row: &Tuple, fields: &[Field]) -> String {
    let mut object = String::from("{");
    for (i, field) in fields.iter().enumerate() {
        if i > 0 {
            object.push_str(", ");
        }
        object.push_str(&field.label);
        object.push(' ');
        match row.value(field.text.position) {
            Some(value) => object.push_str(&written(field, value)),
            None => object.push_str("null"),
        }
    }
    object.push('}');
    object
}

fn written(field: &Field, value: pg_sys::Datum) -> String {
    if field.written == Written::Boolean {
        return (value.value() as u8 != 0).to_string();
    }
    let text = field.text.write(value);
    let is_finite = text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        && text.ends_with(|c: char| c.is_ascii_digit());
    if field.written == Written::Number && is_finite {
        text
    } else {
        quoted(&text)
    }
}

/// A text as JSON writes it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
