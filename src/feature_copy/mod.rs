//! The stored copy of a feature set: a table that is kept equal to the set's view by computing only what changes can have
//! reached.
//!
//! Triggers on the source note each change. A refresh takes the notes that it sees, then reads the source: what commits in
//! between is read and noted once more, never missed.

mod capture;
mod sql;
mod statements;
mod triggers;

use pgrx::pg_sys;

use crate::elevate::{self, TextRow, Value};
use crate::error::{CopyError, Error, FeatureSetError, Result};
use crate::feature_set::{self, Basis, FeatureSet};
use crate::identifier::{quoted, shortened};
use crate::registry::{self, StoredCopy};

use sql::{execute, rows};
use statements::{Plan, SqlColumn};

pub use capture::capture;

/// So many changes are taken at once.
const BATCH: i64 = 10_000;
/// Where more than one event in so many changed, all are computed: the view takes less for one.
const SHARE: i64 = 20;

const ISOLATION: &str = "SELECT current_setting('transaction_isolation')";
/// A relation by its quoted name: kind, owner, whether other tables inherit from it, whether it is a partition or
/// inherits itself, how many rows it is thought to have, whether a crash takes some of them.
const RELATION: &str = "SELECT c.relkind, c.relowner,
       c.relkind <> 'p' AND EXISTS (SELECT FROM pg_inherits h WHERE h.inhparent = c.oid),
       c.relkind = 'p' OR EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = c.oid),
       (SELECT sum(greatest(l.reltuples, 0))::bigint FROM pg_class l
        WHERE l.oid = c.oid OR l.oid IN (SELECT t.relid FROM pg_partition_tree(c.oid) t WHERE t.isleaf)),
       EXISTS (SELECT FROM pg_class l WHERE l.relpersistence = 'u' AND (l.oid = c.oid OR l.oid IN (SELECT t.relid FROM pg_partition_tree(c.oid) t)))
     FROM pg_class c WHERE c.oid = to_regclass($1)";
/// The copy's name, quoted, made of its view's; and whether there is a relation of that name.
const VIEW: &str = "SELECT w.name, to_regclass(w.name) IS NOT NULL
     FROM (SELECT format('%I.%I', n.nspname, $2 || '_stored') AS name
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass($1)) AS w";
const NAME_OF: &str = "SELECT format('%I.%I', n.nspname, c.relname)
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::oid";
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
     FROM pg_attribute a CROSS JOIN LATERAL (
       WITH RECURSIVE d AS (SELECT a.atttypid AS oid UNION ALL SELECT b.typbasetype FROM d JOIN pg_type b ON b.oid = d.oid WHERE b.typtype = 'd')
       SELECT d.oid FROM d JOIN pg_type b ON b.oid = d.oid WHERE b.typtype <> 'd') AS t
     WHERE a.attrelid = to_regclass($1) AND a.attname = $2 AND NOT a.attisdropped";
/// The files that a table's rows are in: others after TRUNCATE, a rewrite, or with other partitions.
const STATE: &str = "SELECT coalesce(string_agg(l.oid || ':' || pg_relation_filenode(l.oid), ' ' ORDER BY l.oid), '') FROM pg_class l
     WHERE l.relkind = 'r' AND (l.oid = $1::oid OR l.oid IN (SELECT t.relid FROM pg_partition_tree($1::oid::regclass) t WHERE t.isleaf))";

/// The source of a set as it is now.
struct Source {
    in_partitions: bool,
    rows: i64,
    state: String,
}

/// A set whose copy is wanted, and what is known of that.
struct Wanted<'a> {
    name: &'a str,
    owner: pg_sys::Oid,
    basis: Basis,
    copy: StoredCopy,
}

/// Brings the copy of a set up to date, or makes it; computes all of it anew where that is asked for, or needed.
pub fn refresh(name: &str, rebuild: bool) -> Result<()> {
    require_read_committed()?;
    require_owner(name)?;
    if !elevate::lock_set(name)? {
        return Err(FeatureSetError::Unknown(name.to_owned()).into());
    }
    // What somebody else had locked may be another set by now.
    let owner = require_owner(name)?;
    let copy =
        registry::stored_copy(name)?.ok_or_else(|| FeatureSetError::Unknown(name.to_owned()))?;
    elevate::acting_as(owner, || {
        elevate::writing_text(|| {
            let basis = FeatureSet::load(name)?.basis();
            let wanted = Wanted {
                name,
                owner,
                basis,
                copy,
            };
            wanted.refresh(rebuild)
        })
    })
}

/// Removes a set's copy, the triggers that keep it and what they noted, before the set itself is dropped.
pub fn drop_copy(name: &str) -> Result<()> {
    let owner = require_owner(name)?;
    elevate::lock_set(name)?;
    let Some(copy) = registry::stored_copy(name)? else {
        return Ok(());
    };
    // An owner who has lost rights, or is gone, keeps no superuser from it.
    let user = registry::current_user();
    let actor = if registry::is_superuser(user) {
        user
    } else {
        owner
    };
    elevate::acting_as(actor, || {
        elevate::writing_text(|| {
            if let Some(source) = copy.source.map(oid_text)
                && let Some(Some(source)) = first(NAME_OF, &[Value::Text(&source)])?.pop()
            {
                triggers::drop(name, &source)?;
            }
            let Some(table) = &copy.name else {
                return Ok(());
            };
            match first(RELATION, &[Value::Text(table)])?.get(1) {
                // Another's table of its name is none.
                Some(of)
                    if registry::acts_as(owner, parse_oid(of))
                        || !registry::acts_as(actor, parse_oid(of)) =>
                {
                    execute(&format!("DROP TABLE {table}"), &[]).map(|_| ())
                }
                _ => Ok(()),
            }
        })
    })?;
    elevate::forget_changes(name)
}

impl Wanted<'_> {
    fn refresh(&self, rebuild: bool) -> Result<()> {
        let source = self.source()?;
        let plan = self.plan()?;
        let origin = &self.basis.source_name;
        let is_noted = !triggers::ensure(self.name, origin, source.in_partitions)?;
        let is_there = self.copy.name.is_some() && exists(&plan.copy)?;
        let noted = elevate::noted_changes(self.name)?;
        let knows_changes = is_noted
            && !noted.anything
            && self.copy.source == Some(self.basis.source)
            && self.copy.state.as_deref() == Some(&source.state)
            && noted.count <= source.rows.max(BATCH) / SHARE;
        if is_there {
            self.require_copy(&plan)?;
        }
        if is_there && knows_changes && !rebuild {
            self.update(&plan, noted.last)?;
        } else {
            elevate::forget_changes(self.name)?;
            self.require_ids(&plan.duplicates(), &[])?;
            for statement in if is_there {
                plan.rebuild()
            } else {
                plan.build()
            } {
                execute(&statement, &[])?;
            }
            if !is_there {
                execute(&comment(self.name, &plan.copy), &[])?;
            }
        }
        elevate::store_copy(self.name, &plan.copy, self.basis.source, &source.state)
    }

    /// Computes what the noted changes, up to that number, can have reached.
    fn update(&self, plan: &Plan, last: i64) -> Result<()> {
        loop {
            let taken = elevate::take_changes(self.name, last, BATCH)?;
            if taken.count == 0 {
                return Ok(());
            }
            let ids = std::slice::from_ref(&taken.ids);
            self.require_ids(&plan.duplicates_among(), ids)?;
            execute(&plan.delete(), ids)?;
            execute(&plan.update(), &[taken.ids, taken.times, taken.entities])?;
            pgrx::check_for_interrupts!();
        }
    }

    /// The source, where it is a table that the set's owner owns.
    fn source(&self) -> Result<Source> {
        let (set, origin) = (self.name.to_owned(), self.basis.source_name.clone());
        let found = first(RELATION, &[Value::Text(&origin)])?;
        let [kind, owner, inherited, in_partitions, rows, unlogged] = found.as_slice() else {
            return Err(Error::UnknownRelation(self.basis.source.into()));
        };
        if !matches!(kind.as_deref(), Some("r" | "p")) {
            return Err(CopyError::NotATable { set, origin }.into());
        }
        if inherited.as_deref() == Some("t") {
            return Err(CopyError::Inherited { set, origin }.into());
        }
        if unlogged.as_deref() == Some("t") {
            return Err(CopyError::Unlogged { set, origin }.into());
        }
        if !registry::acts_as(self.owner, parse_oid(owner)) {
            return Err(CopyError::NotOwnerOfSource {
                set,
                owner: registry::role_name(self.owner),
                origin,
            }
            .into());
        }
        let state = first(STATE, &[Value::Text(&oid_text(self.basis.source))])?;
        Ok(Source {
            in_partitions: in_partitions.as_deref() == Some("t"),
            rows: rows.as_deref().and_then(|n| n.parse().ok()).unwrap_or(0),
            state: state.into_iter().next().flatten().unwrap_or_default(),
        })
    }

    fn plan(&self) -> Result<Plan> {
        let view = first(
            VIEW,
            &[
                Value::Text(&self.basis.view),
                Value::Text(&shortened(self.name, 56)),
            ],
        )?;
        let [Some(named), is_taken] = view.as_slice() else {
            return Err(Error::Installation(format!("view {}", self.basis.view)));
        };
        if self.copy.name.is_none() && is_taken.as_deref() == Some("t") {
            return Err(CopyError::NameTaken(named.clone()).into());
        }
        let entities = self.basis.reaches.iter().map(|reach| {
            let columns = reach.entity.iter().map(|name| self.column(name));
            columns.collect::<Result<Vec<SqlColumn>>>()
        });
        Ok(Plan {
            view: self.basis.view.clone(),
            source: self.basis.source_name.clone(),
            copy: self.copy.name.clone().unwrap_or_else(|| named.clone()),
            id: self.column(&self.basis.event_id)?,
            time: self.column(&self.basis.event_time)?,
            entities: entities.collect::<Result<_>>()?,
            reaches: self.basis.reaches.clone(),
            columns: column_names(&self.basis.view)?,
        })
    }

    fn column(&self, name: &str) -> Result<SqlColumn> {
        let source = &self.basis.source_name;
        match first(COLUMN, &[Value::Text(source), Value::Text(name)])?.as_slice() {
            [Some(kind), Some(equal), _] => Ok(SqlColumn {
                name: quoted(name),
                kind: kind.clone(),
                equal: equal.clone(),
            }),
            _ => Err(Error::Installation(format!(
                "column \"{name}\" of {source}"
            ))),
        }
    }

    /// Refuses events that their id does not tell apart, where no constraint does.
    fn require_ids(&self, duplicates: &str, ids: &[Vec<Option<String>>]) -> Result<()> {
        let (origin, column) = (&self.basis.source_name, &self.basis.event_id);
        let facts = first(COLUMN, &[Value::Text(origin), Value::Text(column)])?;
        let is_unique = facts.last().and_then(Option::as_deref) == Some("t");
        if is_unique || execute(duplicates, ids)? == 0 {
            return Ok(());
        }
        let (origin, column) = (origin.clone(), column.clone());
        Err(CopyError::Duplicates { column, origin }.into())
    }

    /// Refuses a copy that lacks columns of the view, or the key by which its rows are found.
    fn require_copy(&self, plan: &Plan) -> Result<()> {
        let columns: Vec<String> = column_names(&plan.copy)?;
        let lacking = plan.columns.iter().find(|column| !columns.contains(column));
        let key = [Value::Text(&plan.copy), Value::Text(&self.basis.event_id)];
        let lacks = match lacking {
            Some(column) => format!("column {column}"),
            None if first(COLUMN, &key)?.last().and_then(Option::as_deref) != Some("t") => {
                format!("its primary key on {}", plan.id.name)
            }
            None => return Ok(()),
        };
        Err(CopyError::Changed {
            set: self.name.to_owned(),
            copy: plan.copy.clone(),
            lacks,
        }
        .into())
    }
}

/// The role that a set belongs to, where the current one is a member of it.
fn require_owner(name: &str) -> Result<pg_sys::Oid> {
    let owner = feature_set::owner(name)?;
    match registry::acts_as(registry::current_user(), owner) {
        true => Ok(owner),
        false => Err(FeatureSetError::NotOwner(name.to_owned()).into()),
    }
}

fn require_read_committed() -> Result<()> {
    let level = match first(ISOLATION, &[])?.pop().flatten().as_deref() {
        Some("repeatable read") => "repeatable read",
        Some("serializable") => "serializable",
        _ => return Ok(()),
    };
    Err(CopyError::Isolation(level).into())
}

fn comment(set: &str, copy: &str) -> String {
    let text = format!(
        "Copy of feature set {set}: CALL finai.refresh_feature_set('{set}') brings it up to date"
    );
    format!("COMMENT ON TABLE {copy} IS '{}'", text.replace('\'', "''"))
}

/// Quoted, in their order.
fn column_names(relation: &str) -> Result<Vec<String>> {
    let found = rows(COLUMNS, &[Value::Text(relation)])?;
    let names = found.into_iter().filter_map(|mut row| row.pop().flatten());
    Ok(names.map(|name| quoted(&name)).collect())
}

fn exists(relation: &str) -> Result<bool> {
    Ok(!first(RELATION, &[Value::Text(relation)])?.is_empty())
}

/// The first row of a query; empty where there is none.
fn first(query: &str, parameters: &[Value]) -> Result<TextRow> {
    Ok(rows(query, parameters)?
        .into_iter()
        .next()
        .unwrap_or_default())
}

fn oid_text(oid: pg_sys::Oid) -> String {
    u32::from(oid).to_string()
}

fn parse_oid(text: &Option<String>) -> pg_sys::Oid {
    let number = text.as_deref().and_then(|text| text.parse::<u32>().ok());
    pg_sys::Oid::from(number.unwrap_or_default())
}
