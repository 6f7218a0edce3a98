//! Feature sets: point-in-time features of events, defined once. The set's view computes them for all rows of a relation;
//! `feature_row` and `features_at` compute the same numbers for one row.

mod aggregates;
mod calendar;
mod call;
mod definition;
mod describe;
mod group;
mod kernel;
mod online;
mod reach;
mod source;
mod span;
mod stored;
mod view;

use pgrx::pg_sys;

use crate::elevate::{self, NewFeatureSet, Value, rows_now};
use crate::error::{Error, FeatureSetError, Result};
use crate::registry;
use crate::row::JsonText;

use call::{Call, Slot};
use definition::Feature;
use source::Source;
use stored::Stored;

pub use calendar::{is_night, is_weekend};
pub use describe::describe;
pub use group::Group;
pub use online::{feature_row, features_at};
pub use reach::{Basis, Reach};

/// A set, checked against the catalogue.
pub struct FeatureSet {
    pub name: String,
    /// The view as SQL writes it, with its schema.
    pub view: String,
    source: Source,
    entity: String,
    event_time: String,
    event_id: String,
    time_zone: String,
    features: Vec<Feature>,
    calls: Vec<Call>,
    /// Where each feature finds its value; none for those that come from elsewhere.
    slots: Vec<Option<Slot>>,
}

/// What create_feature_set is told.
pub struct Declared<'a> {
    pub name: &'a str,
    pub source: pg_sys::Oid,
    pub entity: &'a str,
    pub event_time: &'a str,
    pub event_id: &'a str,
    pub features: &'a JsonText,
    pub time_zone: &'a str,
}

/// An entity that features are by, and how long an event has a say in the features of later ones.
pub struct Entity {
    pub columns: Vec<String>,
    /// Microseconds: the longest window with its delay; None where a feature looks back over all history.
    pub horizon: Option<i64>,
}

const NAME_OF: &str =
    "SELECT c.relname, format('%s.%s', quote_ident(n.nspname), quote_ident(c.relname))
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::oid";
/// Of a table that is gone nothing is guarded.
const GUARDS_OF: &str = "SELECT g.name FROM finai.guard g JOIN pg_class c ON c.oid = g.relation_oid
     WHERE g.features = $1 ORDER BY g.name";
const TIME_ZONE: &str = "SELECT name FROM pg_timezone_names WHERE name = $1";

impl FeatureSet {
    /// A new set, everything in it checked.
    pub fn declare(declared: &Declared) -> Result<FeatureSet> {
        if !definition::is_name(declared.name) {
            return Err(FeatureSetError::Shape {
                problem: format!("\"{}\" is no name for it", declared.name),
                hint: "A name starts with a letter or underscore, continues with letters, digits and underscores, and has at most 63 characters.",
            }
            .into());
        }
        if Stored::find(declared.name)?.is_some() {
            return Err(FeatureSetError::Exists(declared.name.to_owned()).into());
        }
        let source = Source::load(declared.source)?;
        source.check_kind()?;
        source.check_privilege()?;
        source.check_entity(declared.entity)?;
        source.check_time(declared.event_time)?;
        source.check_id(declared.event_id, declared.event_time)?;
        if rows_now(TIME_ZONE, &[Value::Text(declared.time_zone)])?.is_empty() {
            return Err(FeatureSetError::TimeZone(declared.time_zone.to_owned()).into());
        }
        let features = definition::parse(declared.features, declared.entity)?;
        let view = format!("{}.{}", source.schema, quote_ident(declared.name));
        let set = FeatureSet::new(
            declared.name,
            view,
            source,
            features,
            [
                declared.entity,
                declared.event_time,
                declared.event_id,
                declared.time_zone,
            ],
        )?;
        set.view_columns()?;
        Ok(set)
    }

    /// A set that exists, with its source as it is now.
    pub fn load(name: &str) -> Result<FeatureSet> {
        let stored = Stored::load(name)?;
        let view = stored.existing(name)?;
        let mut source = Source::load(view.source)?;
        let features = definition::parse(&stored.features, &stored.entity)?;
        // The view has the columns that the source had when it was made; those that came since are behind them.
        let own: usize = features
            .iter()
            .map(|feature| if feature.is_sequence() { 2 } else { 1 })
            .sum();
        source
            .columns
            .truncate(view.columns.len().saturating_sub(own));
        let gone = |error| match error {
            Error::FeatureSet(FeatureSetError::UnknownColumn {
                column, relation, ..
            }) => FeatureSetError::ColumnGone {
                name: name.to_owned(),
                relation,
                column,
            }
            .into(),
            error => error,
        };
        let own = [&stored.entity, &stored.event_time, &stored.event_id];
        let read = features.iter().flat_map(|f| f.columns.iter().chain(&f.by));
        for column in own.into_iter().chain(read) {
            source.column(column).map_err(gone)?;
            // The view follows a column that has another name now.
            let place = source.position(column).unwrap_or(usize::MAX);
            if view.columns.get(place) != Some(column) {
                return Err(FeatureSetError::ColumnMoved {
                    name: name.to_owned(),
                    view: stored.view.clone(),
                    relation: source.name.clone(),
                    column: column.clone(),
                }
                .into());
            }
        }
        let columns = [
            &stored.entity,
            &stored.event_time,
            &stored.event_id,
            &stored.time_zone,
        ]
        .map(String::as_str);
        FeatureSet::new(name, stored.view.clone(), source, features, columns).map_err(gone)
    }

    /// The set of a view, whose row type is `view_type`.
    fn of_view(view: pg_sys::Oid, view_type: pg_sys::Oid) -> Result<FeatureSet> {
        if view_type != pg_sys::InvalidOid && !crate::row::type_exists(view_type) {
            return Err(FeatureSetError::TypeGone.into());
        }
        let not_a_set = || FeatureSetError::NotTheView(crate::row::type_name(view_type));
        let oid = u32::from(view).to_string();
        let names = rows_now(NAME_OF, &[Value::Text(&oid)])?.into_iter().next();
        let (name, qualified) = match names.as_deref() {
            Some([Some(name), Some(qualified)]) => (name, qualified),
            _ => return Err(not_a_set().into()),
        };
        match FeatureSet::load(name) {
            Ok(set) if set.view == *qualified => Ok(set),
            Ok(_) | Err(Error::FeatureSet(FeatureSetError::Unknown(_))) => Err(not_a_set().into()),
            Err(error) => Err(error),
        }
    }

    fn new(
        name: &str,
        view: String,
        source: Source,
        features: Vec<Feature>,
        texts: [&str; 4],
    ) -> Result<FeatureSet> {
        let (calls, slots) = call::calls(&features, &source)?;
        let [entity, event_time, event_id, time_zone] = texts.map(str::to_owned);
        Ok(FeatureSet {
            name: name.to_owned(),
            view,
            source,
            entity,
            event_time,
            event_id,
            time_zone,
            features,
            calls,
            slots,
        })
    }

    /// Whether the time of events is a moment, whose hour depends on where one is.
    fn has_time_zone(&self) -> bool {
        let time = self
            .source
            .columns
            .iter()
            .find(|column| column.name == self.event_time);
        time.is_some_and(|column| column.base_type == pg_sys::TIMESTAMPTZOID)
    }

    /// Whether a column of the source decides features.
    fn reads(&self, column: &str) -> bool {
        [&self.entity, &self.event_time, &self.event_id]
            .into_iter()
            .any(|own| own == column)
            || self
                .calls
                .iter()
                .any(|call| call.columns().any(|read| read == column))
    }

    /// The columns of the source that decide features: entity, time, id, and what the features are of and by.
    pub fn columns_read(&self) -> Vec<String> {
        let own = [&self.entity, &self.event_time, &self.event_id];
        let of_features = self
            .features
            .iter()
            .flat_map(|f| f.columns.iter().chain(&f.by));
        own.into_iter().chain(of_features).cloned().collect()
    }

    /// The entities that features are by, each once.
    pub fn entities(&self) -> Vec<Entity> {
        let mut entities: Vec<Entity> = Vec::new();
        for feature in self.features.iter().filter(|feature| feature.is_windowed()) {
            let horizon = feature.window.map(|window| window + feature.delay);
            match entities
                .iter_mut()
                .find(|entity| entity.columns == feature.by)
            {
                Some(entity) => entity.horizon = entity.horizon.zip(horizon).map(|(a, b)| a.max(b)),
                None => entities.push(Entity {
                    columns: feature.by.clone(),
                    horizon,
                }),
            }
        }
        entities
    }

    /// CREATE INDEX for each entity whose events no index leads to in their order.
    pub fn index_statements(&self) -> Vec<String> {
        let missing = self.entities().into_iter().filter(|entity| {
            !self
                .source
                .has_index(&entity.columns, &self.event_time, &self.event_id)
        });
        let statements = missing.map(|entity| {
            let columns = entity.columns.iter().map(String::as_str);
            let columns: Vec<String> = columns
                .chain([self.event_time.as_str(), &self.event_id])
                .map(quote_ident)
                .collect();
            format!(
                "CREATE INDEX ON {} ({})",
                self.source.name,
                columns.join(", ")
            )
        });
        statements.collect()
    }

    /// Makes the view as the caller, and remembers the set.
    pub fn create(&self, features: &JsonText) -> Result<()> {
        // First of all: who creates a set of the same name at the same time waits here.
        elevate::create_feature_set(&NewFeatureSet {
            name: &self.name,
            owner: &registry::current_user_name(),
            view: &self.view,
            source: &self.source.name,
            entity: &self.entity,
            event_time: &self.event_time,
            event_id: &self.event_id,
            time_zone: &self.time_zone,
            features: features.as_str(),
        })?;
        run(&self.create_view()?)?;
        run(&format!(
            "COMMENT ON VIEW {} IS {}",
            self.view,
            literal(&format!(
                "Feature set: rows of {} with their features as of {}. SELECT * FROM finai.describe_feature_set('{}') says what they mean.",
                self.source.name, self.event_time, self.name,
            ))
        ))
    }
}

/// The relation whose rows are a set's events, under whatever name now.
pub fn source(name: &str) -> Result<pg_sys::Oid> {
    Ok(Stored::load(name)?.existing(name)?.source)
}

/// The role that a set belongs to: its view's owner, or who created it where the view is gone.
pub fn owner(name: &str) -> Result<pg_sys::Oid> {
    Ok(Stored::load(name)?.owner())
}

/// Drops a set with its view, which no guard may need. Needs ownership of the view, or of the set where its view is gone.
pub fn drop_set(name: &str) -> Result<()> {
    let stored = Stored::load(name)?;
    if !registry::acts_as(registry::current_user(), stored.owner()) {
        return Err(FeatureSetError::NotOwner(name.to_owned()).into());
    }
    let guards = rows_now(GUARDS_OF, &[Value::Text(name)])?;
    let guards: Vec<String> = guards.into_iter().flatten().flatten().collect();
    if !guards.is_empty() {
        let name = name.to_owned();
        return Err(FeatureSetError::Guarded { name, guards }.into());
    }
    if stored.existing.is_some() {
        run(&format!("DROP VIEW {}", stored.view))?;
    }
    elevate::drop_feature_set(name)
}

/// Runs a statement as the caller.
pub fn run(statement: &str) -> Result<()> {
    pgrx::Spi::run(statement).map_err(|error| Error::Installation(error.to_string()))
}

fn literal(text: &str) -> String {
    pgrx::spi::quote_literal(text)
}

/// A name as SQL writes it, quoted where it must be.
fn quote_ident(name: &str) -> String {
    pgrx::spi::quote_identifier(name)
}
