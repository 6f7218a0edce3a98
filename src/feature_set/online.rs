//! One row's features, looked up through indexes: the statements, prepared once per backend and set.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use pgrx::pg_sys;

use crate::elevate::{Value, rows_now};
use crate::error::{FeatureSetError, Result};
use crate::identifier::quoted;
use crate::row::{
    AnyValue, Cell, Record, RowDatum, RowMap, SavedPlan, Wanted, WantedRow, row_type_identifier,
};

use super::FeatureSet;
use super::call::{Call, Need, of};
use super::source::{Operators, operators};
use super::span::SECOND;

/// Sets that a backend keeps prepared.
const MOST_KEPT: usize = 64;

thread_local! {
    /// By the oid of the view.
    static KEPT: RefCell<HashMap<pg_sys::Oid, Rc<Prepared>>> = RefCell::default();
}

/// A set that is ready to be asked.
struct Prepared {
    set: FeatureSet,
    /// Of the view's and of the source's row type when they were looked at.
    identifiers: (u64, u64),
    row: SavedPlan,
    wanted: Vec<Wanted>,
    maps: RefCell<Vec<Rc<RowMap>>>,
    moments: RefCell<Vec<Rc<Moment>>>,
}

/// The statements of features_at for arguments of two types.
struct Moment {
    types: [pg_sys::Oid; 2],
    event: SavedPlan,
    no_event: SavedPlan,
}

/// The row of the set's view for an event that is given, with the stored events before it as its past.
pub fn feature_row(view_type: pg_sys::Oid, record: &Record<'_>) -> Result<RowDatum> {
    let prepared = prepared(view_type)?;
    let map = prepared.map(record)?;
    let cells = map.cells(record);
    prepared.featurise(view_type, cells)
}

/// The row of the set's view for the event of an entity at a moment, or what is known of the entity then.
pub fn features_at(
    view_type: pg_sys::Oid,
    entity: AnyValue<'_>,
    moment: AnyValue<'_>,
) -> Result<RowDatum> {
    let prepared = prepared(view_type)?;
    let plans = prepared.moment([entity.type_oid(), moment.type_oid()])?;
    let arguments = vec![entity.cell(), moment.cell()];
    match plans.event.first_row(&arguments, None)? {
        Some(event) => prepared.featurise(view_type, event),
        None => {
            let found = plans.no_event.first_row(&arguments, Some(view_type))?;
            prepared.row_of(view_type, found)
        }
    }
}

impl Prepared {
    fn featurise(&self, view_type: pg_sys::Oid, cells: Vec<Cell>) -> Result<RowDatum> {
        let found = self.row.first_row(&cells, Some(view_type))?;
        self.row_of(view_type, found)
    }

    fn row_of(&self, view_type: pg_sys::Oid, found: Option<Vec<Cell>>) -> Result<RowDatum> {
        let row = found.and_then(|cells| RowDatum::new(view_type, cells));
        Ok(row.ok_or_else(|| self.set.view_changed())?)
    }

    /// How rows of the record's type are read, found once per type.
    fn map(&self, record: &Record<'_>) -> Result<Rc<RowMap>> {
        let known = self
            .maps
            .borrow()
            .iter()
            .find(|map| map.fits(record))
            .cloned();
        if let Some(map) = known {
            return Ok(map);
        }
        let map = RowMap::new(record, &self.wanted).map_err(|wrong| self.set.wrong_row(wrong))?;
        let map = Rc::new(map);
        let mut maps = self.maps.borrow_mut();
        if maps.len() >= MOST_KEPT {
            maps.clear();
        }
        maps.push(map.clone());
        Ok(map)
    }

    fn moment(&self, types: [pg_sys::Oid; 2]) -> Result<Rc<Moment>> {
        let known = self
            .moments
            .borrow()
            .iter()
            .find(|moment| moment.types == types)
            .cloned();
        if let Some(moment) = known {
            return Ok(moment);
        }
        self.set.check_entity_type(types[0])?;
        let moment = Rc::new(Moment {
            types,
            event: SavedPlan::new(&self.set.event_query()?, &types)?,
            no_event: SavedPlan::new(&self.set.moment_query()?, &types)?,
        });
        let mut moments = self.moments.borrow_mut();
        if moments.len() >= MOST_KEPT {
            moments.clear();
        }
        moments.push(moment.clone());
        Ok(moment)
    }
}

/// The set of a view's row type. A set that was dropped and made anew has another view; columns that were renamed or changed
/// give their relation another identifier.
fn prepared(view_type: pg_sys::Oid) -> Result<Rc<Prepared>> {
    let view = WantedRow::relation_of(view_type);
    let kept = KEPT.with_borrow(|kept| kept.get(&view).cloned());
    if let Some(prepared) = kept
        && prepared.identifiers == identifiers(view_type, &prepared.set)
    {
        return Ok(prepared);
    }
    let set = FeatureSet::of_view(view, view_type)?;
    let wanted: Vec<Wanted> = set
        .source
        .columns
        .iter()
        .map(|column| Wanted {
            name: column.name.clone(),
            type_oid: column.type_oid,
            is_needed: set.reads(&column.name),
        })
        .collect();
    let types: Vec<pg_sys::Oid> = wanted.iter().map(|wanted| wanted.type_oid).collect();
    let prepared = Rc::new(Prepared {
        identifiers: identifiers(view_type, &set),
        row: SavedPlan::new(&set.row_query()?, &types)?,
        wanted,
        maps: RefCell::default(),
        moments: RefCell::default(),
        set,
    });
    KEPT.with_borrow_mut(|kept| {
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(view, prepared.clone());
    });
    Ok(prepared)
}

fn identifiers(view_type: pg_sys::Oid, set: &FeatureSet) -> (u64, u64) {
    (
        row_type_identifier(view_type),
        WantedRow::identifier_of_relation(set.source.oid),
    )
}

/// Which of an entity's events are its past.
enum Past<'a> {
    /// Those before the event in e, by time and id.
    Before(&'a Operators),
    /// Those up to the moment in e.
    UpTo,
}

/// Whether a value of a type becomes another when it is cast: a fraction an integer, a truth a number.
const LOSES: &str = "SELECT FROM pg_cast c WHERE c.castsource = $1::oid AND c.casttarget = $2::oid
     AND (c.castcontext = 'e' OR c.castcontext = 'a' AND c.castsource IN ('numeric'::regtype, 'float4'::regtype, 'float8'::regtype)
                                 AND c.casttarget IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype))";

impl FeatureSet {
    /// Refuses entities of a type whose values the entity's column cannot hold as they are.
    fn check_entity_type(&self, given: pg_sys::Oid) -> Result<()> {
        let column = self.source.column(&self.entity)?;
        let [from, to] = [given, column.base_type].map(|oid| u32::from(oid).to_string());
        if rows_now(LOSES, &[Value::Text(&from), Value::Text(&to)])?.is_empty() {
            return Ok(());
        }
        Err(FeatureSetError::EntityType {
            column: self.entity.clone(),
            relation: self.source.name.clone(),
            found: crate::row::type_name(given),
            wanted: column.sql_type.clone(),
        }
        .into())
    }

    fn view_changed(&self) -> FeatureSetError {
        FeatureSetError::ViewChanged {
            name: self.name.clone(),
            view: self.view.clone(),
        }
    }

    fn wrong_row(&self, wrong: WantedRow) -> FeatureSetError {
        match wrong {
            WantedRow::Missing { column, row } => FeatureSetError::RowColumn {
                name: self.name.clone(),
                row,
                column,
            },
            WantedRow::OtherType { column, found } => FeatureSetError::RowType {
                wanted: self
                    .source
                    .columns
                    .iter()
                    .find(|c| c.name == column)
                    .map_or_else(String::new, |c| c.sql_type.clone()),
                column,
                found,
                relation: self.source.name.clone(),
            },
        }
    }

    /// The alias of a source's column in e.
    fn numbered(&self, column: &str) -> String {
        format!(
            "e.c{}",
            self.source
                .position(column)
                .map_or(0, |position| position + 1)
        )
    }

    /// The view's row of an event whose columns are the parameters.
    fn row_query(&self) -> Result<String> {
        let columns = (1..=self.source.columns.len()).map(|i| format!("${i} AS c{i}"));
        let id = operators(self.source.column(&self.event_id)?)?;
        let past = Past::Before(&id);
        let laterals: Vec<String> = self
            .calls
            .iter()
            .enumerate()
            .map(|(i, call)| self.lateral(i, call, &past))
            .collect::<Result<_>>()?;
        self.select(columns.collect(), laterals)
    }

    /// What is known of entity $1 at $2, with no event then.
    fn moment_query(&self) -> Result<String> {
        let columns = self.source.columns.iter().enumerate().map(|(i, column)| {
            let value = match column.name.as_str() {
                name if name == self.entity => "$1",
                name if name == self.event_time => "$2",
                _ => "NULL",
            };
            format!("{value}::{} AS c{}", column.sql_type, i + 1)
        });
        let mine = [self.entity.clone()];
        let laterals = self
            .calls
            .iter()
            .enumerate()
            .map(|(i, call)| match call.by == mine {
                true => self.lateral(i, call, &Past::UpTo),
                false => {
                    let none = if call.gives_texts {
                        "pg_catalog.text[]"
                    } else {
                        "pg_catalog.float8[]"
                    };
                    Ok(format!("(SELECT NULL::{none} AS w{}) AS g{}", i + 1, i + 1))
                }
            });
        self.select(columns.collect(), laterals.collect::<Result<_>>()?)
    }

    /// The last event of entity $1 at $2.
    fn event_query(&self) -> Result<String> {
        let s = of("s");
        let columns: Vec<String> = self
            .source
            .columns
            .iter()
            .map(|column| s(&column.name))
            .collect();
        let (entity, time) = (
            self.source.column(&self.entity)?,
            self.source.column(&self.event_time)?,
        );
        Ok(format!(
            "SELECT {} FROM {} AS s WHERE {} {} $1::{} AND {} OPERATOR(pg_catalog.=) $2::{} AND {id} IS NOT NULL ORDER BY {id} DESC LIMIT 1",
            columns.join(", "),
            self.source.name,
            s(&self.entity),
            operators(entity)?.equal,
            entity.sql_type,
            s(&self.event_time),
            time.sql_type,
            id = s(&self.event_id),
        ))
    }

    fn select(&self, columns: Vec<String>, laterals: Vec<String>) -> Result<String> {
        let joins: String = laterals
            .iter()
            .map(|lateral| format!(" CROSS JOIN LATERAL {lateral}"))
            .collect();
        Ok(format!(
            "SELECT {} FROM (SELECT * FROM (SELECT {}) AS e{joins}) AS t",
            FeatureSet::target_list(&self.view_columns()?),
            columns.join(", "),
        ))
    }

    /// One call over an entity's past and then the event in e, which is no event where the past reaches up to it.
    fn lateral(&self, i: usize, call: &Call, past: &Past<'_>) -> Result<String> {
        let s = of("s");
        let event = |name: &str| self.numbered(name);
        let named = |values: Vec<String>| -> String {
            values
                .iter()
                .enumerate()
                .map(|(i, value)| format!(", {value} AS a{i}"))
                .collect()
        };
        let history = call.event(&self.event_time, &self.event_id, &s);
        let now = match past {
            Past::Before(_) => call.event(&self.event_time, &self.event_id, event),
            // A moment has no event_id; where entity and time are known, so is what was known.
            Past::UpTo => call.event(&self.event_time, &self.event_time, event),
        };
        let arguments: String = (0..now.len()).map(|i| format!(", h.a{i}")).collect();
        let conditions = self.past("s", call, past)?;
        let bound = self.bound(call, past)?;
        Ok(format!(
            "(SELECT {function}({plan}, h.is_event{arguments}) AS w{n} FROM (SELECT true AS is_event, {s_time} AS at, {s_id} AS id{history} FROM {source} AS s WHERE {conditions}{bound} UNION ALL SELECT {is_event}, {e_time}, {e_id}{now} ORDER BY 2, 3, 1 DESC) AS h) AS g{n}",
            function = call.function(),
            plan = call.literal(),
            n = i + 1,
            s_time = s(&self.event_time),
            s_id = s(&self.event_id),
            history = named(history),
            source = self.source.name,
            is_event = matches!(past, Past::Before(_)),
            e_time = event(&self.event_time),
            e_id = event(&self.event_id),
            now = named(now),
        ))
    }

    /// The conditions under which rows of an alias are the past of what is in e.
    fn past(&self, alias: &'static str, call: &Call, past: &Past<'_>) -> Result<String> {
        let row = of(alias);
        let mut conditions = Vec::new();
        for column in &call.by {
            let equal = operators(self.source.column(column)?)?.equal;
            conditions.push(format!("{} {equal} {}", row(column), self.numbered(column)));
        }
        let (time, now) = (row(&self.event_time), self.numbered(&self.event_time));
        conditions.push(format!("{time} OPERATOR(pg_catalog.<=) {now}"));
        if let Past::Before(id) = past {
            let (own, other) = (row(&self.event_id), self.numbered(&self.event_id));
            conditions.push(format!(
                "({time} OPERATOR(pg_catalog.<) {now} OR {own} {} {other})",
                id.less
            ));
        }
        Ok(conditions.join(" AND "))
    }

    /// How far back the past is read: at least as far as the features look.
    fn bound(&self, call: &Call, past: &Past<'_>) -> Result<String> {
        if call.needs.contains(&Need::All) {
            return Ok(String::new());
        }
        let now = self.numbered(&self.event_time);
        let longest = call.needs.iter().filter_map(|need| match need {
            Need::Span(span) => Some(*span),
            _ => None,
        });
        let mut starts: Vec<String> = Vec::new();
        if let Some(span) = longest.max() {
            // No window with its delay reaches from there to before the first time that there is.
            starts.push(format!(
                "CASE WHEN {now} OPERATOR(pg_catalog.>) '4500-01-01 BC' THEN {now} OPERATOR(pg_catalog.-) '{} seconds'::pg_catalog.interval ELSE '-infinity' END",
                span / SECOND
            ));
        }
        let p = of("p");
        for need in &call.needs {
            let Need::Events {
                number: number @ 1..,
                known,
            } = need
            else {
                continue;
            };
            let known: String = known
                .iter()
                .map(|column| format!(" AND {} IS NOT NULL", p(column)))
                .collect();
            starts.push(format!(
                "(SELECT pg_catalog.min(q.at) FROM (SELECT {time} AS at FROM {} AS p WHERE {}{known} ORDER BY {time} DESC, {} DESC LIMIT {number}) AS q)",
                self.source.name,
                self.past("p", call, past)?,
                p(&self.event_id),
                time = p(&self.event_time),
            ));
        }
        Ok(match starts.as_slice() {
            [] => " AND false".to_owned(),
            starts => format!(
                " AND s.{} OPERATOR(pg_catalog.>=) LEAST({})",
                quoted(&self.event_time),
                starts.join(", ")
            ),
        })
    }
}
