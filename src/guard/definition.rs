//! Guards created, altered and dropped: what is checked, and in which order it is done.

use std::time::Duration;

use finai_engine::{Signature, Task};
use pgrx::pg_sys;

use crate::binding_report::{self, OK};
use crate::cache;
use crate::elevate::{self, Value, rows_now, under_latest_snapshot};
use crate::error::{Error, GuardError, Result};
use crate::registry::{
    self, Action, Guard, OnError, Privilege, Reference, Status, Timing, check_name,
};
use crate::row::{
    Relation, columns_of_relation, is_partition, qualified_name, relation_named, row_type_of,
};

use super::features;
use super::triggers::{self, Lock};

/// What create_guard is told.
pub struct Definition<'a> {
    pub relation: Relation,
    pub model: &'a str,
    pub threshold: f64,
    pub action: Action,
    pub features: Option<&'a str>,
    pub score_column: Option<&'a str>,
    pub flag_column: Option<&'a str>,
    pub watch: Vec<String>,
    pub on_error: OnError,
    pub budget_ms: Option<i32>,
    pub name: Option<&'a str>,
}

/// What alter_guard is told; what is not given stays.
#[derive(Debug, Default)]
pub struct Settings {
    pub threshold: Option<f64>,
    pub action: Option<Action>,
    pub on_error: Option<OnError>,
    /// 0 for none.
    pub budget_ms: Option<i32>,
}

/// A table as the catalogue has it.
struct Table {
    oid: pg_sys::Oid,
    owner: pg_sys::Oid,
    name: String,
    columns: Vec<TableColumn>,
}

struct TableColumn {
    name: String,
    /// Domains are not looked through: what a guard sets is not checked against them.
    type_oid: pg_sys::Oid,
    has_modifier: bool,
    is_generated: bool,
    is_not_null: bool,
    /// Of the table's partition key, or of that of a table above or below it.
    is_key: bool,
}

/// Makes a guard with its triggers, and returns its name. For the table's owner.
pub fn create(definition: Definition) -> Result<String> {
    let oid = definition.relation.oid();
    let default = default_name(definition.relation, definition.model);
    let name = definition.name.unwrap_or(&default);
    check_name("guard name", name)?;
    require_kind(oid)?;
    require_owner(oid)?;
    triggers::lock(oid, Lock::Writers)?;
    let table = table(oid)?;
    let guard = Guard {
        name: name.to_owned(),
        relation: Some(oid),
        relation_name: table.name.clone(),
        model: definition.model.to_owned(),
        features: definition.features.map(str::to_owned),
        threshold: finite(definition.threshold)?,
        action: definition.action,
        score_column: definition.score_column.map(str::to_owned),
        flag_column: definition.flag_column.map(str::to_owned),
        watch: definition.watch,
        on_error: definition.on_error,
        budget: budget(definition.budget_ms)?,
        created_by: String::new(),
        created_at: 0,
    };
    check_columns(&guard, &table)?;
    under_latest_snapshot(|| check_model(&guard, &table))?;
    if under_latest_snapshot(|| registry::guard(name))?.is_some() {
        return Err(GuardError::Exists(guard.name).into());
    }
    elevate::create_guard(&guard)?;
    triggers::renew(&guard, oid)?;
    Ok(guard.name)
}

/// Changes settings of a guard, and renews its triggers where partitions lack them. For the table's owner.
pub fn alter(name: &str, settings: Settings) -> Result<()> {
    let found = |name: &str| {
        under_latest_snapshot(|| registry::guard(name))?
            .ok_or_else(|| GuardError::Unknown(name.to_owned()))
            .map_err(Error::from)
    };
    let oid = guarded_table(&found(name)?)?;
    require_owner(oid)?;
    triggers::lock(oid, Lock::Changes)?;
    let mut guard = found(name)?;
    let table = table(oid)?;
    guard.relation = Some(oid);
    guard.relation_name = table.name.clone();
    if let Some(threshold) = settings.threshold {
        guard.threshold = finite(threshold)?;
    }
    if let Some(on_error) = settings.on_error {
        guard.on_error = on_error;
    }
    if let Some(budget_ms) = settings.budget_ms {
        guard.budget = match budget_ms {
            0 => None,
            budget_ms => budget(Some(budget_ms))?,
        };
    }
    if let Some(action) = settings.action {
        if action == Action::Flag && guard.score_column.is_none() && guard.flag_column.is_none() {
            return Err(GuardError::NothingToFlag(guard.name).into());
        }
        if action == Action::Flag {
            check_flagged(&guard, &table)?;
        }
        guard.action = action;
        if action != Action::Off {
            check_action(&guard, &table)?;
            under_latest_snapshot(|| check_model(&guard, &table))?;
        }
    }
    if !elevate::update_guard(&guard)? {
        return Err(GuardError::Unknown(guard.name).into());
    }
    triggers::renew(&guard, oid)
}

/// Removes a guard with its triggers, also where one of them, or the table, is gone. For the owner of the table; without
/// one, for who made it or administers the extension. Others' triggers under its name are their own affair.
pub fn drop(name: &str) -> Result<()> {
    let guard = under_latest_snapshot(|| registry::guard(name))?;
    let table = match &guard {
        Some(guard) => existing_table(guard)?,
        None => None,
    };
    match (table, &guard) {
        (Some(table), _) => {
            require_owner(table)?;
            triggers::remove_all(name, table)?;
        }
        (None, Some(guard)) => require_maker(guard)?,
        (None, None) => {
            let tables = triggers::tables(name)?;
            if tables.is_empty() {
                return Err(GuardError::Unknown(name.to_owned()).into());
            }
            let mut own = tables.iter().filter(|table| require_owner(**table).is_ok());
            let first = own.next().map(|table| triggers::remove_all(name, *table));
            match (first, tables.first()) {
                (None, Some(table)) => require_owner(*table)?,
                (first, _) => first.transpose().map(|_| ())?,
            }
            own.try_for_each(|table| triggers::remove_all(name, *table))?;
        }
    }
    elevate::drop_guard_row(name)
}

fn require_maker(guard: &Guard) -> Result<()> {
    let is_maker = match registry::role_named(&guard.created_by) {
        Ok(Some(role)) => registry::require_member(role).is_ok(),
        _ => false,
    };
    if is_maker || registry::is_administrator()? {
        return Ok(());
    }
    Err(GuardError::NotOwner(guard.relation_name.clone()).into())
}

/// The table of a guard: the one it was created on, else, for who made it, the only one that carries its triggers, as after a
/// restore under another name.
fn existing_table(guard: &Guard) -> Result<Option<pg_sys::Oid>> {
    let known = guard.relation.filter(|oid| row_type_of(*oid).is_some());
    if known.is_some() {
        return Ok(known);
    }
    match triggers::tables(&guard.name)?.as_slice() {
        [table] => {
            require_maker(guard)?;
            Ok(Some(*table))
        }
        _ => Ok(None),
    }
}

fn guarded_table(guard: &Guard) -> Result<pg_sys::Oid> {
    let table = existing_table(guard)?;
    Ok(table.ok_or_else(|| GuardError::TableGone {
        guard: guard.name.clone(),
        relation: guard.relation_name.clone(),
    })?)
}

fn default_name(relation: Relation, model: &str) -> String {
    let table = relation.name().unwrap_or_default();
    let name = format!("{table}_{model}");
    let is_usual = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let name = name.chars().map(|c| if is_usual(c) { c } else { '_' });
    let mut name: String = name.take(63).collect();
    if name.starts_with(|c: char| !c.is_ascii_alphabetic() && c != '_') {
        name.replace_range(..1, "_");
    }
    name
}

const KIND: &str = "SELECT c.relkind, c.relpersistence, c.oid < 16384 OR n.nspname = 'information_schema', n.nspname = 'finai'
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::oid";
const OWNER: &str = "SELECT c.relowner FROM pg_class c WHERE c.oid = $1::oid";
/// A partition key has its columns depend on their table, whether by name or in an expression.
const COLUMNS: &str =
    "SELECT a.attname, a.atttypid, a.atttypmod >= 0, a.attgenerated <> '', a.attnotnull, EXISTS (
       SELECT FROM (SELECT relid FROM pg_partition_tree(a.attrelid) UNION ALL SELECT relid FROM pg_partition_ancestors(a.attrelid)) t
       JOIN pg_attribute k ON k.attrelid = t.relid AND k.attname = a.attname
       JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = t.relid AND d.objsubid = k.attnum
         AND d.refclassid = 'pg_class'::regclass AND d.refobjid = t.relid AND d.refobjsubid = 0 AND d.deptype = 'i')
     FROM pg_attribute a
     WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped";

fn ask(query: &str, oid: pg_sys::Oid) -> Result<Vec<elevate::TextRow>> {
    let oid = u32::from(oid).to_string();
    rows_now(query, &[Value::Text(&oid)])
}

fn require_kind(oid: pg_sys::Oid) -> Result<()> {
    let rows = ask(KIND, oid)?;
    let row = rows.first().map(Vec::as_slice);
    let Some(
        [
            Some(kind),
            Some(persistence),
            Some(is_system),
            Some(is_finai),
        ],
    ) = row
    else {
        return Err(Error::UnknownRelation(oid.into()));
    };
    let what = match (kind.as_str(), persistence.as_str()) {
        _ if is_system == "t" => "it is a system catalogue",
        _ if is_finai == "t" => "it is finai's own",
        ("r" | "p", "t") => "it is a temporary table",
        ("r" | "p", _) => return Ok(()),
        ("v", _) => "it is a view",
        ("m", _) => "it is a materialized view",
        ("f", _) => "it is a foreign table",
        ("i" | "I", _) => "it is an index",
        ("S", _) => "it is a sequence",
        _ => "it is no table",
    };
    Err(GuardError::Kind {
        relation: qualified_name(oid),
        what,
    }
    .into())
}

fn require_owner(oid: pg_sys::Oid) -> Result<()> {
    let owner = owner(oid)?;
    match registry::is_own_role(owner) {
        true => Ok(()),
        false => Err(GuardError::NotOwner(qualified_name(oid)).into()),
    }
}

fn owner(oid: pg_sys::Oid) -> Result<pg_sys::Oid> {
    let rows = ask(OWNER, oid)?;
    let owner = rows
        .first()
        .and_then(|row| row.first()?.as_deref()?.parse::<u32>().ok());
    owner
        .map(pg_sys::Oid::from)
        .ok_or_else(|| Error::UnknownRelation(oid.into()))
}

fn table(oid: pg_sys::Oid) -> Result<Table> {
    let columns = ask(COLUMNS, oid)?;
    let column = |row: &elevate::TextRow| {
        let [
            Some(name),
            Some(type_oid),
            has_modifier,
            is_generated,
            is_not_null,
            is_key,
        ] = row.as_slice()
        else {
            return None;
        };
        Some(TableColumn {
            name: name.clone(),
            type_oid: type_oid.parse::<u32>().ok()?.into(),
            has_modifier: has_modifier.as_deref() == Some("t"),
            is_generated: is_generated.as_deref() == Some("t"),
            is_not_null: is_not_null.as_deref() == Some("t"),
            is_key: is_key.as_deref() == Some("t"),
        })
    };
    Ok(Table {
        oid,
        owner: owner(oid)?,
        name: qualified_name(oid),
        columns: columns.iter().filter_map(column).collect(),
    })
}

fn finite(threshold: f64) -> Result<f64> {
    if threshold.is_finite() {
        return Ok(threshold);
    }
    Err(Error::Parameter {
        parameter: "threshold",
        detail: "It is not a finite number.".into(),
        hint: "Pass the score from which on the guard speaks up; finai.try_guard counts alerts at a threshold.",
    })
}

fn budget(milliseconds: Option<i32>) -> Result<Option<Duration>> {
    match milliseconds.map(u64::try_from) {
        None => Ok(None),
        Some(Ok(milliseconds)) if milliseconds > 0 => Ok(Some(Duration::from_millis(milliseconds))),
        Some(_) => Err(Error::Parameter {
            parameter: "budget_ms",
            detail: "It is not above 0.".into(),
            hint: "Pass the milliseconds that scoring one statement's rows may take, or leave it out.",
        }),
    }
}

impl Table {
    fn find(&self, column: &str, parameter: &'static str) -> Result<&TableColumn, GuardError> {
        let found = self.columns.iter().find(|c| c.name == column);
        found.ok_or_else(|| GuardError::UnknownColumn {
            column: column.to_owned(),
            relation: self.name.clone(),
            parameter,
        })
    }
}

fn check_columns(guard: &Guard, table: &Table) -> Result<()> {
    let is_given = guard.score_column.is_some() || guard.flag_column.is_some();
    if is_given != (guard.action == Action::Flag) {
        return Err(Error::Parameter {
            parameter: "action",
            detail: "score_column and flag_column are what action flag sets.".into(),
            hint: "Name one of them, or both, with action flag and with no other.",
        });
    }
    check_flagged(guard, table)?;
    for column in &guard.watch {
        table.find(column, "watch")?;
        if guard.sets(column) {
            return Err(GuardError::FlaggedFeature {
                column: column.clone(),
                relation: table.name.clone(),
            }
            .into());
        }
    }
    check_action(guard, table)
}

/// Whether the columns that the guard sets take what it sets, NULL included, and leave rows in their partitions.
fn check_flagged(guard: &Guard, table: &Table) -> Result<()> {
    let flagged = [
        (
            guard.score_column.as_deref(),
            "score_column",
            "a score",
            "Name a column of type double precision, real or numeric without a precision, not a domain nor generated.",
            &[pg_sys::FLOAT8OID, pg_sys::FLOAT4OID, pg_sys::NUMERICOID][..],
        ),
        (
            guard.flag_column.as_deref(),
            "flag_column",
            "a flag",
            "Name a column of type boolean, not a domain nor generated.",
            &[pg_sys::BOOLOID][..],
        ),
    ];
    for (column, parameter, what, hint, types) in flagged {
        let Some(column) = column else {
            continue;
        };
        let found = table.find(column, parameter)?;
        if found.is_not_null {
            return Err(GuardError::FlaggedNotNull {
                column: column.to_owned(),
                relation: table.name.clone(),
            }
            .into());
        }
        if found.is_key {
            return Err(GuardError::FlaggedKey {
                column: column.to_owned(),
                relation: table.name.clone(),
            }
            .into());
        }
        if found.is_generated || found.has_modifier || !types.contains(&found.type_oid) {
            return Err(GuardError::ColumnType {
                column: column.to_owned(),
                relation: table.name.clone(),
                what,
                hint,
            }
            .into());
        }
    }
    Ok(())
}

/// Whether the action sees all rows of the table, and holds none but new ones.
fn check_action(guard: &Guard, table: &Table) -> Result<()> {
    if guard.action == Action::Hold && !guard.watch.is_empty() {
        return Err(GuardError::HeldUpdate.into());
    }
    if guard.action != Action::Flag && is_partition(table.oid) {
        return Err(GuardError::Partition {
            relation: table.name.clone(),
            action: guard.action.name(),
        }
        .into());
    }
    Ok(())
}

/// Whether the owner may score with the model, and the rows supply its features.
fn check_model(guard: &Guard, table: &Table) -> Result<()> {
    let reference = Reference::parse(&guard.model)?;
    if !registry::has(table.owner, &reference.model, Privilege::Use)? {
        return Err(GuardError::OwnerDenied {
            owner: registry::role_name(table.owner),
            relation: table.name.clone(),
            model: reference.model,
        }
        .into());
    }
    let version = registry::meant(&reference)?;
    if registry::status(&version.model, version.version)? == Status::Retired {
        return Err(Error::Retired {
            model: version.model,
            version: version.version,
        });
    }
    let model = cache::model(&version)?;
    let signature = model.signature();
    if !has_score(signature) {
        return Err(GuardError::NoScore {
            model: version.reference(),
        }
        .into());
    }
    check_features(guard, table, signature)
}

fn has_score(signature: &Signature) -> bool {
    match signature.task {
        Task::Regression => true,
        Task::Vector => false,
        Task::Binary | Task::Multiclass => signature.positive.is_some(),
    }
}

fn check_features(guard: &Guard, table: &Table, signature: &Signature) -> Result<()> {
    let (source, origin) = match &guard.features {
        None => (table.oid, format!("table {}", table.name)),
        Some(name) => feature_view(guard, table, name)?,
    };
    let columns = columns_of_relation(source).unwrap_or_default();
    for row in binding_report::rows_of(signature, &columns) {
        let (feature, model) = (row.feature, guard.model.clone());
        let Some(column) = row.column else {
            let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            return Err(Error::MissingColumn {
                origin,
                feature,
                model,
                columns: names.join(", "),
            });
        };
        if row.status != OK {
            return Err(Error::ColumnType {
                column,
                found: row.found.unwrap_or_default(),
                feature,
                model,
                hint: row.hint.unwrap_or_default(),
            });
        }
        if guard.sets(&column) {
            return Err(GuardError::FlaggedFeature {
                column,
                relation: table.name.clone(),
            }
            .into());
        }
        if is_before(guard) && table.is_generated(&column) {
            return Err(GuardError::Generated {
                feature,
                model,
                column,
            }
            .into());
        }
    }
    Ok(())
}

/// The view of a feature set that the guard's rows may be scored through.
fn feature_view(guard: &Guard, table: &Table, name: &str) -> Result<(pg_sys::Oid, String)> {
    let set = features::of_table(name, table.oid)?;
    let is_trusted = |owner| owner == table.owner || registry::is_superuser(owner);
    if !set.owner.is_some_and(is_trusted) {
        return Err(GuardError::FeaturesOwner {
            features: set.name,
            owner: set.owner.map(registry::role_name).unwrap_or_default(),
        }
        .into());
    }
    let mut set_columns = table.columns.iter().filter(|c| guard.sets(&c.name));
    if let Some(column) = set_columns.find(|c| features::mentions(&set, &c.name)) {
        return Err(GuardError::FlaggedFeature {
            column: column.name.clone(),
            relation: table.name.clone(),
        }
        .into());
    }
    let generated = table.columns.iter().filter(|column| column.is_generated);
    let mut used = generated.filter(|column| features::mentions(&set, &column.name));
    if let Some(column) = used.next().filter(|_| is_before(guard)) {
        return Err(GuardError::Generated {
            feature: column.name.clone(),
            model: guard.model.clone(),
            column: column.name.clone(),
        }
        .into());
    }
    let view =
        relation_named(&set.view).ok_or_else(|| GuardError::UnknownFeatures(name.to_owned()))?;
    Ok((view, format!("view {}", set.view)))
}

/// Whether the guard looks at rows before they are stored, when generated columns are NULL.
fn is_before(guard: &Guard) -> bool {
    guard.action.timing() == Some(Timing::Row)
}

impl Table {
    fn is_generated(&self, column: &str) -> bool {
        let mut columns = self.columns.iter();
        columns.any(|known| known.name == column && known.is_generated)
    }
}
