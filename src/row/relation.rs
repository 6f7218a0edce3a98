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

/// A relation's name with its schema, quoted as SQL needs it; its oid where it is gone.
pub fn qualified_name(relation: pg_sys::Oid) -> String {
    let name = Relation(relation).qualified_name();
    name.unwrap_or_else(|| u32::from(relation).to_string())
}

/// The relation of a name with its schema, quoted as SQL needs it; nothing where there is none.
pub fn relation_named(name: &str) -> Option<pg_sys::Oid> {
    let name = std::ffi::CString::new(name).ok()?;
    // SAFETY: a list of the name's parts, of which each is NUL-terminated; catalogue lookups by name.
    unsafe {
        let list = pg_sys::stringToQualifiedNameList(name.as_ptr());
        let parts = pg_sys::makeRangeVarFromNameList(list);
        if (*parts).schemaname.is_null() {
            return None;
        }
        let schema = pg_sys::get_namespace_oid((*parts).schemaname, true);
        match pg_sys::get_relname_relid((*parts).relname, schema) {
            pg_sys::InvalidOid => None,
            oid => Some(oid),
        }
    }
}

/// The row type of a relation; nothing where it has none, or is gone.
pub fn row_type_of(relation: pg_sys::Oid) -> Option<pg_sys::Oid> {
    // SAFETY: a catalogue lookup by oid.
    match unsafe { pg_sys::get_rel_type_id(relation) } {
        pg_sys::InvalidOid => None,
        oid => Some(oid),
    }
}

/// The owner of a relation as of now.
pub fn owner_of(relation: pg_sys::Oid) -> Option<pg_sys::Oid> {
    // SAFETY: a catalogue lookup, whose row is read before it is given back.
    unsafe {
        let cache = pg_sys::SysCacheIdentifier::RELOID as i32;
        let tuple = pg_sys::SearchSysCache1(cache, relation.into());
        if tuple.is_null() {
            return None;
        }
        let row: *const pg_sys::FormData_pg_class = pg_sys::GETSTRUCT(tuple).cast();
        let owner = (*row).relowner;
        pg_sys::ReleaseSysCache(tuple);
        Some(owner)
    }
}

/// Whether a relation is a partitioned table.
pub fn is_partitioned(relation: pg_sys::Oid) -> bool {
    // SAFETY: a catalogue lookup; a relation that is gone is none.
    unsafe { pg_sys::get_rel_relkind(relation) as u8 == pg_sys::RELKIND_PARTITIONED_TABLE }
}

/// Whether a relation is a partition of another.
pub fn is_partition(relation: pg_sys::Oid) -> bool {
    // SAFETY: a catalogue lookup; a relation that is gone is none.
    unsafe { pg_sys::get_rel_relispartition(relation) }
}

/// Whether a relation is this table, or a partition of it.
pub fn is_part_of(relation: pg_sys::Oid, table: pg_sys::Oid) -> bool {
    relation == table || is_partition(relation) && is_below(relation, table)
}

/// Whether a relation is below this table, however far.
pub fn is_below(relation: pg_sys::Oid, table: pg_sys::Oid) -> bool {
    std::iter::successors(parent_of(relation), |parent| parent_of(*parent)).any(|p| p == table)
}

/// The table that a relation is directly below.
fn parent_of(partition: pg_sys::Oid) -> Option<pg_sys::Oid> {
    // SAFETY: the catalogue stays open and locked until the scan has ended; its columns read here are oids.
    unsafe {
        let lock = pg_sys::AccessShareLock as pg_sys::LOCKMODE;
        let schema = pg_sys::Oid::from(pg_sys::PG_CATALOG_NAMESPACE);
        let catalog = |name: &CStr| pg_sys::get_relname_relid(name.as_ptr(), schema);
        let inherits = pg_sys::table_open(catalog(c"pg_inherits"), lock);
        let descriptor = (*inherits).rd_att;
        let number = |column: &CStr| pg_sys::SPI_fnumber(descriptor, column.as_ptr());
        let mut key = pg_sys::ScanKeyData::default();
        pg_sys::ScanKeyInit(
            &raw mut key,
            number(c"inhrelid") as pg_sys::AttrNumber,
            pg_sys::BTEqualStrategyNumber as pg_sys::StrategyNumber,
            pg_sys::F_OIDEQ.into(),
            partition.into(),
        );
        let scan = pg_sys::systable_beginscan(
            inherits,
            catalog(c"pg_inherits_relid_seqno_index"),
            true,
            std::ptr::null_mut(),
            1,
            &raw mut key,
        );
        let tuple = pg_sys::systable_getnext(scan);
        let parent = if tuple.is_null() {
            None
        } else {
            let mut is_null = false;
            let parent = number(c"inhparent");
            let datum = pg_sys::SPI_getbinval(tuple, descriptor, parent, &raw mut is_null);
            pg_sys::Oid::from_datum(datum, is_null)
        };
        pg_sys::systable_endscan(scan);
        pg_sys::table_close(inherits, lock);
        parent
    }
}

/// Positions of the columns that tell the rows of a relation apart: the primary key's, else those of a unique index without
/// NULLs; nothing where there is neither.
///
/// # Safety
/// The relation is open.
pub unsafe fn key_positions(relation: pg_sys::Relation) -> Option<Vec<usize>> {
    // SAFETY: the relation's own indexes; a list of oids; catalogue rows stay as they are until they are released.
    unsafe {
        let list = pg_sys::RelationGetIndexList(relation);
        let indexes = pgrx::PgList::<std::ffi::c_void>::from_pg(list);
        let mut candidates = Vec::new();
        for at in 0..indexes.len() {
            let Some(index) = indexes.get_oid(at) else {
                continue;
            };
            let cache = pg_sys::SysCacheIdentifier::INDEXRELID as i32;
            let tuple = pg_sys::SearchSysCache1(cache, index.into());
            if tuple.is_null() {
                continue;
            }
            if let Some(positions) = unique_positions(tuple, (*relation).rd_att) {
                let form: pg_sys::Form_pg_index = pg_sys::GETSTRUCT(tuple).cast();
                candidates.push((!(*form).indisprimary, index, positions));
            }
            pg_sys::ReleaseSysCache(tuple);
        }
        candidates.sort_by_key(|(is_secondary, index, _)| (*is_secondary, u32::from(*index)));
        candidates
            .into_iter()
            .next()
            .map(|(_, _, positions)| positions)
    }
}

/// # Safety
/// `tuple` is a row of pg_index about an index of the relation whose descriptor this is.
unsafe fn unique_positions(
    tuple: pg_sys::HeapTuple,
    descriptor: pg_sys::TupleDesc,
) -> Option<Vec<usize>> {
    // SAFETY: the caller's promise; an index names as many columns as it says.
    unsafe {
        let form: pg_sys::Form_pg_index = pg_sys::GETSTRUCT(tuple).cast();
        let mut is_whole = false;
        let cache = pg_sys::SysCacheIdentifier::INDEXRELID as i32;
        let predicate = pg_sys::Anum_pg_index_indpred as pg_sys::AttrNumber;
        pg_sys::SysCacheGetAttr(cache, tuple, predicate, &raw mut is_whole);
        if !(*form).indisunique || !(*form).indisvalid || !is_whole {
            return None;
        }
        let count = usize::try_from((*form).indnkeyatts).ok()?;
        let keys = (*form).indkey.values.as_slice(count);
        keys.iter()
            .map(|number| {
                let position = usize::try_from(*number).ok()?.checked_sub(1)?;
                let attribute = &*(*descriptor).attrs.as_ptr().add(position);
                attribute.attnotnull.then_some(position)
            })
            .collect()
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
