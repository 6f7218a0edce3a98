//! Which later events a change of one event can reach.

use pgrx::pg_sys;

use super::FeatureSet;

/// The features of a set that are by one entity.
#[derive(Debug, Clone)]
pub struct Reach {
    pub entity: Vec<String>,
    /// For how many microseconds after an event others of its entity can see it; nothing: for ever.
    pub horizon: Option<i64>,
    /// Columns whose values other events of the entity read, besides entity, time and id.
    pub reads: Vec<String>,
}

/// What a set reads, and from where.
#[derive(Debug, Clone)]
pub struct Basis {
    pub source: pg_sys::Oid,
    /// As SQL writes it, with its schema; so is the view.
    pub source_name: String,
    pub view: String,
    pub event_time: String,
    pub event_id: String,
    /// In the order of their first features.
    pub reaches: Vec<Reach>,
}

impl FeatureSet {
    pub fn basis(&self) -> Basis {
        let mut reaches: Vec<Reach> = Vec::new();
        for entity in self.entities() {
            let features = self.features.iter().filter(|feature| feature.is_windowed());
            let mut reads: Vec<String> = features
                .filter(|feature| feature.by == entity.columns)
                .flat_map(|feature| feature.columns.iter().cloned())
                .collect();
            reads.sort_unstable();
            reads.dedup();
            reaches.push(Reach {
                entity: entity.columns,
                horizon: entity.horizon,
                reads,
            });
        }
        Basis {
            source: self.source.oid,
            source_name: self.source.name.clone(),
            view: self.view.clone(),
            event_time: self.event_time.clone(),
            event_id: self.event_id.clone(),
            reaches,
        }
    }
}
