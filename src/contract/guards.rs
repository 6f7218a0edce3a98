//! Guards, as readers of their table's columns or of the view that computes their features.

use pgrx::prelude::*;

use crate::elevate::rows_now;
use crate::error::{GuardError, Result};
use crate::registry::{self, Reference};
use crate::row::relation_named;

use super::reader::{Name, Reader};

/// Of a table that is gone nothing is missed: its triggers went with it.
const GUARDS: &str = "SELECT g.name, c.oid, c.relowner, g.model, f.view, g.features IS NULL,
       (SELECT string_agg(w.name, chr(31)) FROM (
         SELECT unnest(g.watch || g.score_column::text || g.flag_column::text || f.entity || f.event_time || f.event_id)
         UNION SELECT c #>> '{}' FROM unnest('{$[*].column,$[*].columns[*],$[*].by[*]}'::jsonpath[]) p, jsonb_path_query(f.features, p) c) AS w (name))
     FROM finai.guard g
     JOIN pg_class c ON c.oid = g.relation_oid
     LEFT JOIN finai.feature_set f ON f.name = g.features
     WHERE EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgfoid = 'finai._guard()'::regprocedure)
     ORDER BY g.name";

/// Foreign tables that a command has made partitions of tables whose statements' rows are collected.
const FOREIGN: &str = "SELECT convert_from(rtrim(t.tgargs, '\\x00'), 'UTF8'), format('%I.%I', n.nspname, c.relname)
     FROM pg_trigger t CROSS JOIN pg_partition_tree(t.tgrelid) p
     JOIN pg_class c ON c.oid = p.relid AND c.relkind = 'f' JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE t.tgfoid = 'finai._guard()'::regprocedure AND t.tgnewtable IS NOT NULL
       AND EXISTS (SELECT FROM pg_event_trigger_ddl_commands() d WHERE d.classid = 'pg_class'::regclass
         AND d.objid IN (SELECT a.relid FROM pg_partition_ancestors(c.oid) a))
     LIMIT 1";

/// Refuses a partition through which, as PostgreSQL has it, no row could be written any more.
pub fn refuse_foreign_partitions() -> Result<()> {
    if !registry::has_guards() {
        return Ok(());
    }
    match rows_now(FOREIGN, &[])?.first().map(Vec::as_slice) {
        Some([Some(guard), Some(partition)]) => Err(GuardError::ForeignAttached {
            guard: guard.clone(),
            partition: partition.clone(),
        }
        .into()),
        _ => Ok(()),
    }
}

/// Every guard that has a table. Tables without triggers of guards are not looked for in the catalogue.
pub fn guards() -> Result<Vec<Reader>> {
    if !registry::has_guards() {
        return Ok(Vec::new());
    }
    let rows = rows_now(GUARDS, &[])?;
    Ok(rows.iter().filter_map(|row| reader(row)).collect())
}

fn reader(row: &[Option<String>]) -> Option<Reader> {
    let [
        Some(name),
        Some(table),
        Some(owner),
        Some(model),
        view,
        Some(is_plain),
        columns,
    ] = row
    else {
        return None;
    };
    let oid = |text: &String| text.parse::<u32>().ok().map(pg_sys::Oid::from);
    let (table, owner) = (oid(table)?, oid(owner)?);
    let (relation, label) = match (is_plain.as_str(), view) {
        ("t", _) => (table, None),
        (_, Some(view)) => (
            relation_named(view).unwrap_or(pg_sys::InvalidOid),
            Some(view.clone()),
        ),
        // The set is gone: whoever dropped it was told of the guard.
        (_, None) => return None,
    };
    let columns = columns.as_deref().unwrap_or_default().split('\u{1f}');
    Some(Reader {
        name: Name::Guard(name.clone()),
        owner,
        relation,
        label,
        relation_owner: owner,
        reference: Reference::parse(model).ok()?,
        columns: columns
            .filter(|c| !c.is_empty())
            .map(str::to_owned)
            .collect(),
        table,
    })
}
