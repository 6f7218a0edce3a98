//! Categories to positions.

mod texts;

use std::collections::HashMap;

use texts::Texts;

/// Category -> position.
#[derive(Debug, Clone)]
pub enum Categories {
    Integers(HashMap<i64, usize>),
    Texts(Texts),
    /// Texts that collide in a hash without a secret.
    Colliding(HashMap<Box<str>, usize>),
}

impl Categories {
    /// Positions in the order given; of equal integers the first counts.
    pub fn integers(values: &[i64]) -> Categories {
        Categories::Integers(
            values
                .iter()
                .enumerate()
                .rev()
                .map(|(i, v)| (*v, i))
                .collect(),
        )
    }

    /// Positions in the order given; of equal texts the first counts.
    pub fn texts(values: &[String]) -> Categories {
        if let Some(texts) = Texts::new(values) {
            return Categories::Texts(texts);
        }
        Categories::Colliding(
            values
                .iter()
                .enumerate()
                .rev()
                .map(|(i, v)| (v.as_str().into(), i))
                .collect(),
        )
    }

    #[inline]
    pub fn integer(&self, value: i64) -> Option<usize> {
        match self {
            Categories::Integers(map) => map.get(&value).copied(),
            _ => None,
        }
    }

    #[inline]
    pub fn text(&self, value: &str) -> Option<usize> {
        match self {
            Categories::Texts(texts) => texts.find(value),
            Categories::Colliding(map) => map.get(value).copied(),
            Categories::Integers(_) => None,
        }
    }

    pub fn memory(&self) -> usize {
        match self {
            Categories::Integers(map) => map.capacity() * 24,
            Categories::Texts(texts) => texts.memory(),
            Categories::Colliding(map) => {
                map.capacity() * 32 + map.keys().map(|k| k.len()).sum::<usize>()
            }
        }
    }
}
