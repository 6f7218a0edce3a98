//! The triggers of a guard: which there have to be, which there are, made and dropped as the table's owner asks.

use pgrx::prelude::*;

use crate::elevate::{TextRow, Value, rows_now};
use crate::error::{Error, GuardError, Result};
use crate::identifier::{quoted, shortened};
use crate::registry::{Action, Guard, Timing, is_own_role};
use crate::row::{is_below, is_partitioned, qualified_name};

/// Longest name that PostgreSQL keeps, in bytes.
const LONGEST: usize = 63;

/// One trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Trigger {
    relation: pg_sys::Oid,
    name: String,
}

/// A trigger that is there.
struct Found {
    trigger: Trigger,
    /// The owner of its relation.
    owner: Option<pg_sys::Oid>,
    /// In which sessions it and its copies on partitions fire, each way once.
    fires: String,
}

impl Found {
    /// Whether it is on one of these tables, or was left on one that is the current role's, as on a partition that was
    /// detached.
    fn is_ours(&self, members: &[pg_sys::Oid]) -> bool {
        members.contains(&self.trigger.relation) || self.owner.is_some_and(is_own_role)
    }
}

/// What a trigger is for; the end of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// After a statement that inserts.
    Insert,
    /// After a statement that updates.
    Update,
    /// After a row that was replicated.
    Replica,
    /// Before a row, to set columns of it.
    Flag,
    /// Before a row, to keep it.
    Hold,
    /// Before a row of a partitioned table goes, to know it where it turns up again.
    Move,
}

impl Kind {
    const fn suffix(self) -> &'static str {
        match self {
            Kind::Insert => "insert",
            Kind::Update => "update",
            Kind::Replica => "replica",
            Kind::Flag => "flag",
            Kind::Hold => "hold",
            Kind::Move => "move",
        }
    }

    fn name(self, guard: &str) -> String {
        let suffix = self.suffix();
        let name = format!("finai_guard_{guard}_{suffix}");
        if name.len() <= LONGEST {
            return name;
        }
        format!("finai_guard_{}_{suffix}", shortened(guard, 39))
    }

    fn definition(self, guard: &Guard) -> &'static str {
        let updates = !guard.watch.is_empty();
        match self {
            Kind::Insert => {
                "AFTER INSERT ON {} REFERENCING NEW TABLE AS finai_new FOR EACH STATEMENT"
            }
            Kind::Update => {
                "AFTER UPDATE ON {} REFERENCING OLD TABLE AS finai_old NEW TABLE AS finai_new FOR EACH STATEMENT"
            }
            Kind::Replica if updates => "AFTER INSERT OR UPDATE ON {} FOR EACH ROW",
            Kind::Replica => "AFTER INSERT ON {} FOR EACH ROW",
            Kind::Flag if updates => "BEFORE INSERT OR UPDATE ON {} FOR EACH ROW",
            Kind::Flag | Kind::Hold => "BEFORE INSERT ON {} FOR EACH ROW",
            Kind::Move => "BEFORE DELETE ON {} FOR EACH ROW",
        }
    }

    /// In which sessions it fires, as the catalogue has it: those that write themselves, those that apply what was
    /// replicated, or all.
    const fn fires(self) -> &'static str {
        match self {
            Kind::Insert | Kind::Update | Kind::Hold | Kind::Move => "O",
            Kind::Replica => "R",
            Kind::Flag => "A",
        }
    }

    /// Whether PostgreSQL makes one on every partition by itself.
    const fn is_cloned(self) -> bool {
        matches!(self, Kind::Replica | Kind::Flag | Kind::Hold | Kind::Move)
    }
}

/// Makes the triggers that a guard on a table needs and drops those that it does not need any more. The current role owns
/// the table.
pub fn renew(guard: &Guard, table: pg_sys::Oid) -> Result<()> {
    let mut kinds: Vec<Kind> = match (guard.action, guard.action.timing()) {
        (_, None) => return Ok(()),
        (_, Some(Timing::Statement)) if guard.watch.is_empty() => vec![Kind::Insert, Kind::Replica],
        (_, Some(Timing::Statement)) => vec![Kind::Insert, Kind::Update, Kind::Replica],
        (Action::Flag, Some(Timing::Row)) => vec![Kind::Flag],
        (_, Some(Timing::Row)) => vec![Kind::Hold, Kind::Replica],
    };
    let is_row = guard.action.timing() == Some(Timing::Row);
    if is_row && is_partitioned(table) {
        kinds.push(Kind::Move);
    }
    let collects = kinds.contains(&Kind::Insert);
    let members = members(table, collects)?;
    let mut wanted: Vec<(Trigger, Kind)> = Vec::new();
    for kind in kinds {
        let relations = if kind.is_cloned() {
            &members[..1]
        } else {
            &members[..]
        };
        wanted.extend(relations.iter().map(|relation| {
            let trigger = Trigger {
                relation: *relation,
                name: kind.name(&guard.name),
            };
            (trigger, kind)
        }));
    }
    let existing = existing(&guard.name)?;
    for found in &existing {
        let is_wanted = wanted.iter().any(|(wanted, _)| *wanted == found.trigger);
        if found.is_ours(&members) && !is_wanted {
            remove(&found.trigger)?;
        }
    }
    for (trigger, kind) in wanted {
        match existing.iter().find(|found| found.trigger == trigger) {
            None => make(guard, &trigger, kind)?,
            Some(found) if found.fires != kind.fires() => enable(&trigger, kind)?,
            Some(_) => {}
        }
    }
    Ok(())
}

/// Drops the triggers of a guard on a table and its partitions. The current role owns the table.
pub fn remove_all(guard: &str, table: pg_sys::Oid) -> Result<()> {
    let members = members(table, false)?;
    let existing = existing(guard)?;
    let mut own = existing.iter().filter(|found| found.is_ours(&members));
    own.try_for_each(|found| remove(&found.trigger))
}

/// The tables that a guard's triggers are on, partitions left out whose tables are among them.
pub fn tables(guard: &str) -> Result<Vec<pg_sys::Oid>> {
    let mut tables: Vec<pg_sys::Oid> = {
        let existing = existing(guard)?;
        existing
            .iter()
            .map(|found| found.trigger.relation)
            .collect()
    };
    tables.sort_by_key(|table| u32::from(*table));
    tables.dedup();
    let all = tables.clone();
    tables.retain(|table| !all.iter().any(|above| is_below(*table, *above)));
    Ok(tables)
}

fn make(guard: &Guard, trigger: &Trigger, kind: Kind) -> Result<()> {
    let (table, name) = (qualified_name(trigger.relation), quoted(&trigger.name));
    let definition = kind.definition(guard).replace("{}", &table);
    // Names of guards have no quotes.
    run(&format!(
        "CREATE TRIGGER {name} {definition} EXECUTE FUNCTION finai._guard('{}')",
        guard.name
    ))?;
    if kind.fires() != "O" {
        enable(trigger, kind)?;
    }
    run(&format!(
        "ALTER TRIGGER {name} ON {table} DEPENDS ON EXTENSION finai"
    ))
}

/// Has it fire when it should, on partitions as well.
fn enable(trigger: &Trigger, kind: Kind) -> Result<()> {
    let (table, name) = (qualified_name(trigger.relation), quoted(&trigger.name));
    let when = match kind.fires() {
        "R" => "REPLICA ",
        "A" => "ALWAYS ",
        _ => "",
    };
    run(&format!("ALTER TABLE {table} ENABLE {when}TRIGGER {name}"))
}

fn remove(trigger: &Trigger) -> Result<()> {
    let (table, name) = (qualified_name(trigger.relation), quoted(&trigger.name));
    run(&format!("DROP TRIGGER {name} ON {table}"))
}

/// What a change of a guard keeps out until the transaction ends.
#[derive(Debug, Clone, Copy)]
pub enum Lock {
    /// Writers and other DDL, as making triggers does.
    Writers,
    /// Other changes and DDL.
    Changes,
}

pub fn lock(table: pg_sys::Oid, lock: Lock) -> Result<()> {
    let table = qualified_name(table);
    let mode = match lock {
        Lock::Writers => "SHARE ROW EXCLUSIVE",
        Lock::Changes => "SHARE UPDATE EXCLUSIVE",
    };
    run(&format!("LOCK TABLE ONLY {table} IN {mode} MODE"))
}

fn run(statement: &str) -> Result<()> {
    Spi::run(statement).map_err(|error| Error::Installation(error.to_string()))
}

const MEMBERS: &str = "SELECT c.oid, c.relkind
     FROM pg_partition_tree($1::oid) t JOIN pg_class c ON c.oid = t.relid
     ORDER BY t.level, c.oid";
const EXISTING: &str = "SELECT t.tgrelid, t.tgname, c.relowner, (
       SELECT string_agg(DISTINCT s.tgenabled::text, '') FROM pg_trigger s
       WHERE s.oid = t.oid OR (s.tgfoid = t.tgfoid AND s.tgname = t.tgname AND s.tgargs = t.tgargs AND s.tgparentid <> 0
         AND t.tgrelid IN (SELECT a.relid FROM pg_partition_ancestors(s.tgrelid) a)))
     FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
     WHERE t.tgfoid = 'finai._guard()'::regprocedure AND t.tgparentid = 0
       AND t.tgargs = convert_to($1, 'UTF8') || '\\x00'::bytea
     ORDER BY t.tgrelid, t.tgname";

/// The table, then its partitions; a foreign one is an error where triggers are to be made.
fn members(table: pg_sys::Oid, refuses_foreign: bool) -> Result<Vec<pg_sys::Oid>> {
    let text = u32::from(table).to_string();
    let rows = rows_now(MEMBERS, &[Value::Text(&text)])?;
    let mut members = vec![table];
    for row in &rows {
        let [Some(oid), Some(kind)] = row.as_slice() else {
            continue;
        };
        let Some(oid) = parse(oid).filter(|oid| *oid != table) else {
            continue;
        };
        if kind == "f" && refuses_foreign {
            return Err(GuardError::ForeignPartition(qualified_name(oid)).into());
        }
        members.push(oid);
    }
    Ok(members)
}

fn existing(guard: &str) -> Result<Vec<Found>> {
    let rows = rows_now(EXISTING, &[Value::Text(guard)])?;
    let trigger = |row: &TextRow| {
        let [Some(relation), Some(name), Some(owner), Some(fires)] = row.as_slice() else {
            return None;
        };
        let relation = parse(relation)?;
        Some(Found {
            trigger: Trigger {
                relation,
                name: name.clone(),
            },
            owner: parse(owner),
            fires: fires.clone(),
        })
    };
    Ok(rows.iter().filter_map(trigger).collect())
}

fn parse(oid: &str) -> Option<pg_sys::Oid> {
    oid.parse::<u32>().ok().map(pg_sys::Oid::from)
}
