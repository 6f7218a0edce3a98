//! Which of a guard's triggers fires, and whose it is.

use crate::error::{GuardError, Result};
use crate::trigger::Event;

/// When a trigger fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    AfterStatement,
    BeforeRow,
    /// Only made on partitioned tables.
    BeforeDelete,
    /// Only made for sessions that apply what was replicated.
    AfterRow,
}

impl Moment {
    /// `GuardError::NotATrigger` for a trigger that no guard made.
    pub fn of(event: Event) -> Result<Moment> {
        let is_row = event.is_row();
        match (event.is_before(), event.is_after()) {
            (true, _) if is_row && event.is_delete() => Ok(Moment::BeforeDelete),
            _ if !event.is_insert() && !event.is_update() => Err(GuardError::NotATrigger.into()),
            (true, _) if is_row => Ok(Moment::BeforeRow),
            (_, true) if is_row => Ok(Moment::AfterRow),
            (_, true) if event.has_new_rows() => Ok(Moment::AfterStatement),
            _ => Err(GuardError::NotATrigger.into()),
        }
    }
}

/// The trigger's only argument. `GuardError::NotATrigger` for a trigger that no guard made.
pub fn guard_name(event: Event) -> Result<String> {
    let mut arguments = event.arguments();
    match (arguments.pop(), arguments.as_slice()) {
        (Some(name), []) => Ok(name),
        _ => Err(GuardError::NotATrigger.into()),
    }
}
