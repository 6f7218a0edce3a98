//! Values of events, as far as features look at them.

use std::rc::Rc;

/// What is compared by equality.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    Integer(i64),
    Bytes(Rc<[u8]>),
}

/// One column's value of one event.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Value {
    #[default]
    Null,
    Number(f64),
    Key(Key),
}

impl Value {
    /// A flag as a number: set unless it is zero.
    pub fn flag(is_set: bool) -> Value {
        Value::Number(f64::from(u8::from(is_set)))
    }

    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Number(x) => Some(*x),
            _ => None,
        }
    }

    pub fn key(&self) -> Option<&Key> {
        match self {
            Value::Key(key) => Some(key),
            _ => None,
        }
    }
}
