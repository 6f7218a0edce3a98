//! The state of finai's window aggregates: one entity's events.

use finai_engine::features::State;

use crate::error::{FeatureSetError, Result};
use crate::row::{Numbers, Readings, Texts, Values};

use super::kernel;

/// What an aggregate keeps of one group: nothing before its first row.
#[derive(Default)]
pub struct Group {
    events: Option<Events>,
}

/// The events of a group, and how its rows are read.
pub struct Events {
    state: State,
    readings: Readings,
}

impl Group {
    /// The next row: an event, or a moment without one.
    pub fn step(&mut self, plan: Option<&str>, is_event: bool, values: &Values<'_>) -> Result<()> {
        let events = match &mut self.events {
            Some(events) => events,
            none => none.insert(Events::new(plan, values)?),
        };
        let time = events.readings.time(values);
        let stepped = match (time, is_event) {
            (Some(time), false) => events.state.moment(time),
            (time, _) => events.state.event(time, events.readings.values(values)),
        };
        stepped.map_err(|_| FeatureSetError::OutOfOrder.into())
    }

    pub fn numbers(&mut self) -> Option<Numbers<'_>> {
        Some(Numbers(self.events.as_mut()?.state.features()?.numbers))
    }

    pub fn texts(&mut self) -> Option<Texts<'_>> {
        Some(Texts(self.events.as_mut()?.state.features()?.texts))
    }
}

impl Events {
    fn new(plan: Option<&str>, values: &Values<'_>) -> Result<Events> {
        let plan = kernel::read(plan.ok_or(FeatureSetError::NotGenerated)?)?;
        let readings = Readings::new(&plan.columns, values).ok_or(FeatureSetError::NotGenerated)?;
        Ok(Events {
            state: State::new(plan),
            readings,
        })
    }
}
