//! How a call names a model: `name`, `name@alias` or `name@version`.

use crate::error::{Error, Result};

use super::CHAMPION;

/// A model's name and what is wanted of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    pub model: String,
    pub target: Target,
}

/// An alias or a version number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    Alias(String),
    Version(i32),
}

impl Reference {
    /// Reads a reference; a bare name means its champion.
    pub fn parse(text: &str) -> Result<Reference> {
        let malformed = || Error::ModelReference(text.to_owned());
        let (model, target) = match text.split_once('@') {
            None => (text, Target::Alias(CHAMPION.to_owned())),
            Some((model, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => {
                let version = version.parse().map_err(|_| malformed())?;
                (model, Target::Version(version))
            }
            Some((model, alias)) if is_name(alias) => (model, Target::Alias(alias.to_owned())),
            Some(_) => return Err(malformed()),
        };
        if model.is_empty() {
            return Err(malformed());
        }
        Ok(Reference {
            model: model.to_owned(),
            target,
        })
    }
}

/// Refuses what cannot be a model's or an alias's name: it must survive inside a reference.
pub fn check_name(what: &'static str, value: &str) -> Result<()> {
    if is_name(value) {
        Ok(())
    } else {
        Err(Error::Name {
            what,
            value: value.to_owned(),
        })
    }
}

fn is_name(value: &str) -> bool {
    value.len() <= 63
        && value.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
}
