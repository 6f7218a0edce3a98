//! The stored copy of a feature set: a table that is kept equal to the set's view by computing only what changes can have
//! reached.
//!
//! Triggers on the source note each change. A refresh takes the notes that it sees, then reads the source: what commits in
//! between is read and noted once more, never missed.

#[allow(unsafe_code)]
mod capture;
mod groups;
mod sql;
mod statements;
mod triggers;

use pgrx::pg_sys;

use crate::elevate::{self, TextRow, Value};
use crate::error::{CopyError, Error, Result};
use crate::registry::{self, CopiedSet};

use groups::groups;
use sql::{execute, quoted, rows};
use statements::{Plan, SqlColumn};

pub use capture::{Nothing, capture};

/// So many changes are taken at once.
const BATCH: i64 = 10_000;
/// Where more than one event in so many changed, all are computed: the view takes less for one.
const SHARE: i64 = 20;

const ISOLATION: &str = "SELECT current_setting('transaction_isolation')";
/// A relation by its quoted name: oid, kind, owner, whether other tables inherit from it, whether it is a partition or
/// inherits itself, how many rows it is thought to have.
const RELATION: &str = "SELECT c.oid, c.relkind, c.relowner,
       c.relkind <> 'p' AND EXISTS (SELECT FROM pg_inherits h WHERE h.inhparent = c.oid),
       c.relkind = 'p' OR EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = c.oid),
       (SELECT sum(greatest(l.reltuples, 0))::bigint FROM pg_class l
        WHERE l.oid = c.oid OR l.oid IN (SELECT t.relid FROM pg_partition_tree(c.oid) t WHERE t.isleaf))
     FROM pg_class c WHERE c.oid = to_regclass($1)";
/// Schema and name of the view, to name the copy after.
const VIEW: &str = "SELECT n.nspname, c.relname, to_regclass(format('%I.%I', n.nspname, left(c.relname, 56) || '_stored')) IS NOT NULL
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass($1)";
const COLUMNS: &str = "SELECT a.attname FROM pg_attribute a
     WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";
/// A column: its type, and its equality as the default btree operator class of that type has it.
const COLUMN: &str = "SELECT format_type(t.oid, -1),
       coalesce((SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname)
                 FROM pg_opclass p JOIN pg_am m ON m.oid = p.opcmethod AND m.amname = 'btree'
                 JOIN pg_amop x ON x.amopfamily = p.opcfamily AND x.amopstrategy = 3
                   AND x.amoplefttype = p.opcintype AND x.amoprighttype = p.opcintype
                 JOIN pg_operator o ON o.oid = x.amopopr JOIN pg_namespace n ON n.oid = o.oprnamespace
                 WHERE p.opcdefault AND p.opcintype = t.oid), 'OPERATOR(pg_catalog.=)'),
       a.attnotnull AND EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indisvalid
                                AND i.indimmediate AND i.indpred IS NULL AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum)
     FROM pg_attribute a JOIN pg_type d ON d.oid = a.atttypid
     JOIN pg_type t ON t.oid = CASE d.typtype WHEN 'd' THEN d.typbasetype ELSE d.oid END
     WHERE a.attrelid = to_regclass($1) AND a.attname = $2 AND NOT a.attisdropped";
/// The files that a table's rows are in: others after TRUNCATE, a rewrite, or with other partitions.
const STATE: &str = "SELECT coalesce(string_agg(l.oid || ':' || pg_relation_filenode(l.oid), ' ' ORDER BY l.oid), '') FROM pg_class l
     WHERE l.relkind = 'r' AND (l.oid = $1::oid OR l.oid IN (SELECT t.relid FROM pg_partition_tree($1::oid::regclass) t WHERE t.isleaf))";

/// The source of a set as it is now.
struct Source {
    oid: pg_sys::Oid,
    in_partitions: bool,
    rows: i64,
    state: String,
}

/// Brings the copy of a set up to date, or makes it; computes all of it anew where that is asked for, or needed.
pub fn refresh(name: &str, rebuild: bool) -> Result<()> {
    require_read_committed()?;
    let set = owned_set(name)?;
    if !elevate::lock_set(name)? {
        return Err(CopyError::UnknownSet(name.to_owned()).into());
    }
    let set = registry::copied_set(name)?.unwrap_or(set);
    let owner = owner(&set)?;
    elevate::acting_as(owner, || {
        elevate::writing_text(|| refresh_as_owner(&set, owner, rebuild))
    })
}

fn refresh_as_owner(set: &CopiedSet, owner: pg_sys::Oid, rebuild: bool) -> Result<()> {
    let source = source(set, owner)?;
    let plan = plan(set)?;
    let is_noted = !triggers::ensure(&set.name, &set.source, source.in_partitions)?;
    let is_there = set.stored.is_some() && exists(&plan.copy)?;
    let (count, last, anything) = elevate::noted_changes(&set.name)?;
    let knows_changes = is_noted
        && !anything
        && set.stored_source == Some(source.oid)
        && set.stored_state.as_deref() == Some(&source.state)
        && count <= source.rows.max(BATCH) / SHARE;
    if is_there && knows_changes && !rebuild {
        update(set, &plan, last)?;
    } else {
        elevate::forget_changes(&set.name)?;
        if !is_there {
            require_ids(set, &plan)?;
        }
        let statements = if is_there {
            plan.rebuild()
        } else {
            plan.build()
        };
        for statement in statements {
            execute(&statement, &[])?;
        }
        if !is_there {
            comment(set, &plan)?;
        }
    }
    elevate::store_copy(&set.name, &plan.copy, source.oid, &source.state)
}

/// Computes what the noted changes, up to that number, can have reached.
fn update(set: &CopiedSet, plan: &Plan, last: i64) -> Result<()> {
    loop {
        let taken = elevate::take_changes(&set.name, last, BATCH)?;
        if taken.count == 0 {
            return Ok(());
        }
        execute(&plan.delete(), std::slice::from_ref(&taken.ids))?;
        execute(&plan.update(), &[taken.ids, taken.times, taken.entities])?;
        pgrx::check_for_interrupts!();
    }
}

/// Removes a set's copy, the triggers that keep it and what they noted, before the set itself is dropped. Where the caller
/// owns the set.
#[expect(dead_code, reason = "for whoever drops a set")]
pub fn drop_copy(name: &str) -> Result<()> {
    let set = owned_set(name)?;
    elevate::lock_set(name)?;
    let owner = owner(&set)?;
    elevate::acting_as(owner, || {
        elevate::writing_text(|| {
            if exists(&set.source)? {
                triggers::drop(&set.name, &set.source)?;
            }
            match &set.stored {
                Some(copy) if exists(copy)? => {
                    execute(&format!("DROP TABLE {copy}"), &[]).map(|_| ())
                }
                _ => Ok(()),
            }
        })
    })?;
    elevate::forget_changes(name)
}

/// A feature set of a role that the current one is a member of.
fn owned_set(name: &str) -> Result<CopiedSet> {
    let set = registry::copied_set(name)?;
    let set = set.ok_or_else(|| CopyError::UnknownSet(name.to_owned()))?;
    registry::require_member(owner(&set)?).map_err(|_| CopyError::NotOwner(name.to_owned()))?;
    Ok(set)
}

fn owner(set: &CopiedSet) -> Result<pg_sys::Oid> {
    set.owner_oid
        .ok_or_else(|| Error::UnknownRole(set.owner.clone()))
}

fn require_read_committed() -> Result<()> {
    let level = match first(ISOLATION, &[])?.pop().flatten().as_deref() {
        Some("repeatable read") => "repeatable read",
        Some("serializable") => "serializable",
        _ => return Ok(()),
    };
    Err(CopyError::Isolation(level).into())
}

/// The source, where it is a table that the set's owner owns.
fn source(set: &CopiedSet, owner: pg_sys::Oid) -> Result<Source> {
    let (name, origin) = (set.name.clone(), set.source.clone());
    let found = rows(RELATION, &[Value::Text(&set.source)])?;
    let Some([oid, kind, of, inherited, in_partitions, count]) = found.first().map(Vec::as_slice)
    else {
        let relation = origin;
        return Err(CopyError::Gone {
            set: name,
            relation,
        }
        .into());
    };
    let oid_text = oid.clone().unwrap_or_default();
    if !matches!(kind.as_deref(), Some("r" | "p")) {
        return Err(CopyError::NotATable { set: name, origin }.into());
    }
    if inherited.as_deref() == Some("t") {
        return Err(CopyError::Inherited { set: name, origin }.into());
    }
    if !registry::acts_as(owner, parse_oid(of)) {
        let owner = set.owner.clone();
        return Err(CopyError::NotOwnerOfSource {
            set: name,
            owner,
            origin,
        }
        .into());
    }
    let state = first(STATE, &[Value::Text(&oid_text)])?;
    Ok(Source {
        oid: parse_oid(oid),
        in_partitions: in_partitions.as_deref() == Some("t"),
        rows: count.as_deref().and_then(|n| n.parse().ok()).unwrap_or(0),
        state: state.into_iter().next().flatten().unwrap_or_default(),
    })
}

fn plan(set: &CopiedSet) -> Result<Plan> {
    let view = rows(VIEW, &[Value::Text(&set.view)])?;
    let Some([Some(schema), Some(view), is_taken]) = view.first().map(Vec::as_slice) else {
        let (set, relation) = (set.name.clone(), set.view.clone());
        return Err(CopyError::Gone { set, relation }.into());
    };
    let start: String = view.chars().take(56).collect();
    let named = format!("{}.{}", quoted(schema), quoted(&format!("{start}_stored")));
    if set.stored.is_none() && is_taken.as_deref() == Some("t") {
        return Err(CopyError::NameTaken(named).into());
    }
    let groups = groups(set)?;
    let entities = groups.iter().map(|group| {
        let columns = group.entity.iter().map(|name| column(&set.source, name));
        columns.collect::<Result<Vec<SqlColumn>>>()
    });
    let columns = rows(COLUMNS, &[Value::Text(&set.view)])?;
    Ok(Plan {
        view: set.view.clone(),
        source: set.source.clone(),
        copy: set.stored.clone().unwrap_or(named),
        id: column(&set.source, &set.event_id)?,
        time: column(&set.source, &set.event_time)?,
        entities: entities.collect::<Result<_>>()?,
        columns: columns
            .into_iter()
            .filter_map(|mut row| row.pop().flatten())
            .map(|name| quoted(&name))
            .collect(),
        groups,
    })
}

fn column(relation: &str, name: &str) -> Result<SqlColumn> {
    match first(COLUMN, &[Value::Text(relation), Value::Text(name)])?.as_slice() {
        [Some(kind), Some(equal), _] => Ok(SqlColumn {
            name: quoted(name),
            kind: kind.clone(),
            equal: equal.clone(),
        }),
        _ => Err(CopyError::ColumnGone {
            column: name.to_owned(),
            relation: relation.to_owned(),
        }
        .into()),
    }
}

/// Refuses events that their id does not tell apart, where no constraint does.
fn require_ids(set: &CopiedSet, plan: &Plan) -> Result<()> {
    let of = first(
        COLUMN,
        &[Value::Text(&set.source), Value::Text(&set.event_id)],
    )?;
    if of.last().and_then(Option::as_deref) == Some("t") {
        return Ok(());
    }
    let (column, origin) = (set.event_id.clone(), set.source.clone());
    match first(&plan.faults(), &[])?.as_slice() {
        [Some(nulls), _] if nulls == "t" => Err(CopyError::NullIds { column, origin }.into()),
        [_, Some(same)] if same == "t" => Err(CopyError::Duplicates { column, origin }.into()),
        _ => Ok(()),
    }
}

fn comment(set: &CopiedSet, plan: &Plan) -> Result<()> {
    let text = format!(
        "Copy of feature set {}: CALL finai.refresh_feature_set('{}') brings it up to date",
        set.name, set.name
    );
    let statement = format!(
        "COMMENT ON TABLE {} IS '{}'",
        plan.copy,
        text.replace('\'', "''")
    );
    execute(&statement, &[]).map(|_| ())
}

fn exists(relation: &str) -> Result<bool> {
    Ok(!rows(RELATION, &[Value::Text(relation)])?.is_empty())
}

/// The first row of a query; empty where there is none.
fn first(query: &str, parameters: &[Value]) -> Result<TextRow> {
    Ok(rows(query, parameters)?
        .into_iter()
        .next()
        .unwrap_or_default())
}

fn parse_oid(text: &Option<String>) -> pg_sys::Oid {
    let number = text.as_deref().and_then(|text| text.parse::<u32>().ok());
    pg_sys::Oid::from(number.unwrap_or_default())
}
