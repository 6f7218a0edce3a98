//! What PostgreSQL knows of DDL: commands inside commands, names, and functions that event triggers call.

use std::cell::RefCell;
use std::ffi::CStr;

use pgrx::callconv::{BoxRet, FcInfo};
use pgrx::datum::Datum;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::{PgMemoryContexts, pg_sys};

use crate::error::Result;
use crate::registry;

use super::Breach;

/// A command that has started and not ended.
struct Command {
    transaction: pg_sys::TimestampTz,
    subtransaction: pg_sys::SubTransactionId,
    broken: Vec<Breach>,
}

impl Command {
    /// False for a command that failed: its subtransaction, at least, is gone.
    fn is_running(&self) -> bool {
        // SAFETY: both read variables of this backend's transaction state.
        unsafe {
            self.transaction == pg_sys::GetCurrentTransactionStartTimestamp()
                && pg_sys::SubTransactionIsActive(self.subtransaction)
        }
    }
}

thread_local! {
    /// The outermost first.
    static COMMANDS: RefCell<Vec<Command>> = const { RefCell::new(Vec::new()) };
}

/// A command starts, and this is broken already.
pub fn push(broken: Vec<Breach>) {
    // SAFETY: both read variables of this backend's transaction state.
    let (transaction, subtransaction) = unsafe {
        (
            pg_sys::GetCurrentTransactionStartTimestamp(),
            pg_sys::GetCurrentSubTransactionId(),
        )
    };
    COMMANDS.with(|commands| {
        if let Ok(mut commands) = commands.try_borrow_mut() {
            commands.retain(Command::is_running);
            commands.push(Command {
                transaction,
                subtransaction,
                broken,
            });
        }
    });
}

/// The innermost command ends: what was broken when it started. Nothing when its start was not seen.
pub fn pop() -> Option<Vec<Breach>> {
    COMMANDS.with(|commands| {
        let mut commands = commands.try_borrow_mut().ok()?;
        commands.retain(Command::is_running);
        Some(commands.pop()?.broken)
    })
}

/// Whether anything has been made to depend on the extension: without it there is no typed scoring function to look for.
pub fn extension_has_dependents() -> bool {
    // SAFETY: the relation stays open and locked until the scan has ended; the catalogue's columns are oids and a char.
    unsafe {
        let extension = pg_sys::get_extension_oid(c"finai".as_ptr(), true);
        if extension == pg_sys::InvalidOid {
            return false;
        }
        let lock = pg_sys::AccessShareLock as pg_sys::LOCKMODE;
        let schema = pg_sys::Oid::from(pg_sys::PG_CATALOG_NAMESPACE);
        let catalog = |name: &CStr| pg_sys::get_relname_relid(name.as_ptr(), schema);
        let depend = pg_sys::table_open(catalog(c"pg_depend"), lock);
        let descriptor = (*depend).rd_att;
        let number = |column: &CStr| pg_sys::SPI_fnumber(descriptor, column.as_ptr());
        let mut keys = [pg_sys::ScanKeyData::default(); 2];
        let wanted = [
            (c"refclassid", pg_sys::ExtensionRelationId),
            (c"refobjid", extension),
        ];
        for (key, (column, oid)) in keys.iter_mut().zip(wanted) {
            pg_sys::ScanKeyInit(
                key,
                number(column) as pg_sys::AttrNumber,
                pg_sys::BTEqualStrategyNumber as pg_sys::StrategyNumber,
                pg_sys::F_OIDEQ.into(),
                oid.into(),
            );
        }
        let scan = pg_sys::systable_beginscan(
            depend,
            catalog(c"pg_depend_reference_index"),
            true,
            std::ptr::null_mut(),
            keys.len() as i32,
            keys.as_mut_ptr(),
        );
        let kind = number(c"deptype");
        let mut found = false;
        while !found {
            let tuple = pg_sys::systable_getnext(scan);
            if tuple.is_null() {
                break;
            }
            let mut is_null = false;
            let datum = pg_sys::SPI_getbinval(tuple, descriptor, kind, &raw mut is_null);
            found = !is_null && datum.value() as u8 == b'x';
        }
        pg_sys::systable_endscan(scan);
        pg_sys::table_close(depend, lock);
        found
    }
}

/// Keeps a relation's columns as they are until the transaction ends: once DDL that is under way has ended, or, without
/// waiting, only where there is none.
pub fn lock(relation: pg_sys::Oid, waits: bool) {
    let mode = pg_sys::AccessShareLock as pg_sys::LOCKMODE;
    // SAFETY: any oid can be locked, one that is gone by now as well; waiting raises where it is cancelled.
    unsafe {
        if waits {
            pg_sys::LockRelationOid(relation, mode);
        } else {
            pg_sys::ConditionalLockRelationOid(relation, mode);
        }
    }
}

/// Whether a role may SELECT from a relation.
pub fn can_read(role: pg_sys::Oid, relation: pg_sys::Oid) -> bool {
    // SAFETY: reads catalogue caches; a relation that is gone is nobody's.
    unsafe {
        let exists = pg_sys::get_rel_type_id(relation) != pg_sys::InvalidOid;
        let select = pg_sys::ACL_SELECT as pg_sys::AclMode;
        exists
            && pg_sys::pg_class_aclcheck(relation, role, select) == pg_sys::AclResult::ACLCHECK_OK
    }
}

/// A function with its argument, as SQL writes it.
pub fn function_name(function: pg_sys::Oid) -> String {
    // SAFETY: answers any oid with a palloc'd NUL-terminated string.
    unsafe { text(pg_sys::format_procedure_qualified(function)) }
}

/// A relation as SQL writes it: its row type has its name.
pub fn relation_name(relation: pg_sys::Oid) -> String {
    // SAFETY: answers any oid with a palloc'd NUL-terminated string.
    unsafe {
        let row_type = pg_sys::get_rel_type_id(relation);
        text(pg_sys::format_type_be_qualified(row_type))
    }
}

unsafe fn text(name: *const std::ffi::c_char) -> String {
    // SAFETY: callers pass NUL-terminated strings.
    unsafe { CStr::from_ptr(name) }
        .to_string_lossy()
        .into_owned()
}

/// Tells whoever runs the DDL. A warning can leave by a long jump, which frees nothing of Rust's: the text is PostgreSQL's.
pub fn warn(text: String) {
    // SAFETY: a NUL-terminated copy in the memory of the command that is running.
    let kept = unsafe { CStr::from_ptr(PgMemoryContexts::CurrentMemoryContext.pstrdup(&text)) };
    drop(text);
    pgrx::warning!("{}", kept.to_string_lossy());
}

/// Whether a function was called by an event trigger.
pub fn is_event(fcinfo: pg_sys::FunctionCallInfo) -> bool {
    // SAFETY: fcinfo is valid while the function is called; its context is null or a node.
    unsafe {
        let context = (*fcinfo).context;
        !context.is_null() && (*context).type_ == pg_sys::NodeTag::T_EventTriggerData
    }
}

/// Whether the command that an event trigger fires for drops the extension, by its name or as what a role owns, and nothing
/// that depends on it.
pub fn drops_extension(fcinfo: pg_sys::FunctionCallInfo) -> Result<bool> {
    if !is_event(fcinfo) {
        return Ok(false);
    }
    // SAFETY: the event has the command's tree, whose nodes are of the type that they say: extensions are a list of names,
    // roles one of specifications, as long as it says.
    unsafe {
        let statement = (*(*fcinfo).context.cast::<pg_sys::EventTriggerData>()).parsetree;
        if statement.is_null() {
            return Ok(false);
        }
        let restrict = pg_sys::DropBehavior::DROP_RESTRICT;
        Ok(match (*statement).type_ {
            pg_sys::NodeTag::T_DropStmt => {
                let drop = &*statement.cast::<pg_sys::DropStmt>();
                if drop.removeType != pg_sys::ObjectType::OBJECT_EXTENSION {
                    return Ok(false);
                }
                let names = text(pg_sys::NameListToString(drop.objects));
                drop.behavior == restrict && names.split('.').any(|name| name == "finai")
            }
            pg_sys::NodeTag::T_DropOwnedStmt => {
                let drop = &*statement.cast::<pg_sys::DropOwnedStmt>();
                let count = usize::try_from((*drop.roles).length).unwrap_or(0);
                let owner = registry::extension_owner()?;
                let roles = std::slice::from_raw_parts((*drop.roles).elements, count);
                let is_owner = |role: &pg_sys::ListCell| {
                    pg_sys::get_rolespec_oid(role.ptr_value.cast(), true) == owner
                };
                drop.behavior == restrict && roles.iter().any(is_owner)
            }
            _ => false,
        })
    }
}

/// What a function returns that only event triggers call.
pub struct EventTrigger;

// SAFETY: PostgreSQL ignores what such a function returns.
unsafe impl BoxRet for EventTrigger {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        fcinfo.return_null()
    }
}

// SAFETY: a return type alone, whose value nobody reads.
unsafe impl SqlTranslatable for EventTrigger {
    const TYPE_IDENT: &'static str = pgrx::pgrx_resolved_type!(EventTrigger);
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> = Err(ArgumentError::Datum);
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> =
        Ok(ReturnsRef::One(SqlMappingRef::literal("event_trigger")));
}
