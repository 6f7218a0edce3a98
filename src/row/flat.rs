//! Values passed one by one with an array of their columns' names, as `columns text[], VARIADIC "any"`.

use std::ffi::CStr;
use std::marker::PhantomData;

use finai_engine::{Batch, Signature};
use pgrx::callconv::{Arg, ArgAbi};
use pgrx::pg_sys;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};

use crate::error::{Error, Result};

use super::binding::{Bind, wanted_columns};
use super::columns::Column;
use super::convert::Conversion;

const COLUMNS: &str = "columns";
const SOURCE: &str = "parameter \"columns\"";

/// The argument `columns text[]`.
#[derive(Clone, Copy)]
pub struct Names<'call> {
    array: *mut pg_sys::ArrayType,
    call: PhantomData<&'call ()>,
}

impl Names<'_> {
    /// The array as PostgreSQL lays it out, without its length word: equal bytes are equal names.
    fn bytes(&self) -> &[u8] {
        // SAFETY: detoasting gave a flat varlena with the length that its header says.
        unsafe { pgrx::varlena_to_byte_slice(self.array.cast()) }
    }

    fn read(&self) -> Result<Vec<String>> {
        let refused = |detail: String| Error::Parameter {
            parameter: COLUMNS,
            detail,
            hint: "Pass an array of column names, one for each value, as in ARRAY['amount', 'age'].",
        };
        // SAFETY: the SQL type is text[], so the elements are texts; both lists hold as many entries as counted.
        let (elements, nulls) = unsafe {
            if (*self.array).ndim > 1 {
                return Err(refused(format!(
                    "It has {} dimensions.",
                    (*self.array).ndim
                )));
            }
            let mut elements = std::ptr::null_mut();
            let mut nulls = std::ptr::null_mut();
            let mut count = 0;
            pg_sys::deconstruct_array(
                self.array,
                (*self.array).elemtype,
                -1,
                false,
                pg_sys::TYPALIGN_INT as std::ffi::c_char,
                &raw mut elements,
                &raw mut nulls,
                &raw mut count,
            );
            match usize::try_from(count) {
                Ok(count) if count > 0 => (
                    std::slice::from_raw_parts(elements, count),
                    std::slice::from_raw_parts(nulls, count),
                ),
                _ => (&[][..], &[][..]),
            }
        };
        let names = elements.iter().zip(nulls).enumerate();
        names
            .map(|(i, (element, null))| {
                if *null {
                    return Err(refused(format!("Element {} is null.", i + 1)));
                }
                // SAFETY: an element that is not null is a text, here turned into a palloc'd C string.
                let name =
                    unsafe { CStr::from_ptr(pg_sys::text_to_cstring(element.cast_mut_ptr())) };
                Ok(name.to_string_lossy().into_owned())
            })
            .collect()
    }
}

// SAFETY: the datum of a `text[]` argument is unboxed here only when it is not null: functions take an Option of it.
unsafe impl<'call> ArgAbi<'call> for Names<'call> {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'call>) -> Self {
        let index = arg.index();
        // SAFETY: detoasting flattens a toasted or expanded array and leaves a flat one where it is.
        unsafe {
            let fcinfo = pg_sys::FunctionCallInfo::unbox_arg_unchecked(arg);
            let datum = (*fcinfo).args.as_slice(index + 1)[index].value;
            Names {
                array: pg_sys::pg_detoast_datum(datum.cast_mut_ptr()).cast(),
                call: PhantomData,
            }
        }
    }
}

// SAFETY: `text[]` is the SQL type whose datums ArgAbi unboxes.
unsafe impl SqlTranslatable for Names<'_> {
    const TYPE_IDENT: &'static str = pgrx::pgrx_resolved_type!(Names<'_>);
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> = Ok(SqlMappingRef::literal("text[]"));
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> = Err(ReturnsError::Datum);
}

/// Every argument from this one on, of any types.
#[derive(Clone, Copy)]
pub struct Values<'call> {
    fcinfo: pg_sys::FunctionCallInfo,
    first: usize,
    call: PhantomData<&'call ()>,
}

impl Values<'_> {
    #[inline]
    pub(super) fn all(&self) -> &[pg_sys::NullableDatum] {
        // SAFETY: fcinfo is valid while the function is called and holds nargs arguments.
        unsafe {
            let count = usize::try_from((*self.fcinfo).nargs).unwrap_or(0);
            let arguments = (*self.fcinfo).args.as_slice(count);
            arguments.get(self.first..).unwrap_or(&[])
        }
    }

    /// Whether the call passes one array as VARIADIC.
    pub(super) fn is_array(&self) -> bool {
        // SAFETY: reads how the call was parsed.
        unsafe { pg_sys::get_fn_expr_variadic((*self.fcinfo).flinfo) }
    }

    /// The type of a value as the call was parsed; InvalidOid where nobody parsed it.
    pub(super) fn type_of(&self, position: usize) -> pg_sys::Oid {
        // SAFETY: as above; a position beyond the arguments has no type.
        unsafe {
            let position = i32::try_from(self.first + position).unwrap_or(-1);
            pg_sys::get_fn_expr_argtype((*self.fcinfo).flinfo, position)
        }
    }
}

// SAFETY: takes no datum out of the call but remembers where the rest of them is; a null first value is one of them.
unsafe impl<'call> ArgAbi<'call> for Values<'call> {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'call>) -> Self {
        let first = arg.index();
        Values {
            // SAFETY: a virtual argument.
            fcinfo: unsafe { pg_sys::FunctionCallInfo::unbox_arg_unchecked(arg) },
            first,
            call: PhantomData,
        }
    }
}

// SAFETY: the declaration of an argument list whose types the functions above ask for.
unsafe impl SqlTranslatable for Values<'_> {
    const TYPE_IDENT: &'static str = pgrx::pgrx_resolved_type!(Values<'_>);
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> =
        Ok(SqlMappingRef::literal("VARIADIC \"any\""));
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> = Err(ReturnsError::Datum);
}

/// A row given as names and values.
#[derive(Clone, Copy)]
pub struct Flat<'call> {
    pub names: Names<'call>,
    pub values: Values<'call>,
}

impl Flat<'_> {
    /// The columns in the order of the values; refused where names and values do not go together.
    fn columns(&self) -> Result<Vec<Column>> {
        if self.values.is_array() {
            return Err(Error::Parameter {
                parameter: "values",
                detail: "VARIADIC passes one array, and columns have types of their own.".into(),
                hint: "Pass the values one by one, as in finai.score_version('model', 1, ARRAY['amount', 'age'], t.amount, t.age).",
            });
        }
        let names = self.names.read()?;
        let values = self.values.all().len();
        if names.len() != values {
            return Err(Error::ValueCount {
                columns: names.len(),
                values,
            });
        }
        let columns = names.into_iter().enumerate();
        Ok(columns
            .map(|(position, name)| Column::of_type(name, position, self.values.type_of(position)))
            .collect())
    }
}

struct Bound {
    feature: usize,
    position: usize,
    /// None for the literal NULL, which has no type.
    conversion: Option<Conversion>,
}

/// Where each feature of a model comes from in the values of one call.
pub struct FlatBinding {
    names: Vec<u8>,
    bound: Vec<Bound>,
}

impl Bind for FlatBinding {
    type Row<'call> = Flat<'call>;

    fn new(row: &Flat<'_>, signature: &Signature, model: &str) -> Result<FlatBinding> {
        let columns = row.columns()?;
        let wanted = wanted_columns(&columns, signature, model, SOURCE)?;
        let features = wanted.iter().zip(&signature.features).enumerate();
        let bound = features
            .map(|(feature, (column, wanted))| {
                let position = column.position;
                let is_literal = column.base_type == pg_sys::UNKNOWNOID;
                let is_null = row.values.all().get(position).is_none_or(|v| v.isnull);
                let conversion = match Conversion::find(column, wanted.kind) {
                    Ok(conversion) => Some(conversion),
                    Err(_) if is_literal && is_null => None,
                    Err(refusal) => {
                        return Err(Error::ColumnType {
                            column: column.name.clone(),
                            found: column.type_name.clone(),
                            feature: wanted.name.clone(),
                            model: model.to_owned(),
                            hint: if is_literal {
                                "Give the literal its column's type, as in 'value'::text.".into()
                            } else {
                                refusal.0
                            },
                        });
                    }
                };
                Ok(Bound {
                    feature,
                    position,
                    conversion,
                })
            })
            .collect::<Result<_>>()?;
        Ok(FlatBinding {
            names: row.names.bytes().to_vec(),
            bound,
        })
    }

    /// The types of a call's values are those it was parsed with, so only the names can differ from row to row.
    #[inline]
    fn fits(&self, row: &Flat<'_>) -> bool {
        self.names == row.names.bytes()
    }

    fn is_current(&self) -> bool {
        true
    }

    #[inline]
    fn push(&mut self, row: &Flat<'_>, batch: &mut Batch) -> Result<(), finai_engine::Error> {
        let values = row.values.all();
        batch.push_row()?;
        for bound in &self.bound {
            match (values.get(bound.position), bound.conversion) {
                (Some(value), Some(conversion)) if !value.isnull => {
                    // SAFETY: the conversion was found for this value's type.
                    unsafe { conversion.put(value.value, bound.feature, batch)? };
                }
                _ => batch.set_null(bound.feature)?,
            }
        }
        Ok(())
    }
}
