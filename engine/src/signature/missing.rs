//! What NULL means per feature: the declaration's policy, or what the graph allows.

use super::{Declaration, Feature, Kind, Missing};
use crate::error::{Error, Result};

impl Kind {
    pub(crate) fn is_float(self) -> bool {
        matches!(self, Kind::Float32 | Kind::Float64)
    }
}

/// Native where the graph handles NaN and an error elsewhere, unless declared.
pub fn apply(features: &mut [Feature], declaration: &Declaration) -> Result<()> {
    for feature in features.iter_mut() {
        feature.missing = if feature.handles_nan {
            Missing::Native
        } else {
            Missing::Error
        };
    }
    for (name, missing) in &declaration.missing {
        let Some(feature) = features.iter_mut().find(|f| f.name == *name) else {
            return Err(Error::Declaration(format!(
                "missing names feature \"{name}\", which the model does not have"
            )));
        };
        check(feature, missing)?;
        feature.missing = missing.clone();
    }
    Ok(())
}

fn check(feature: &Feature, missing: &Missing) -> Result<()> {
    let refused = |why: &str| {
        Err(Error::Declaration(format!(
            "missing for feature \"{}\" {why}",
            feature.name
        )))
    };
    match (missing, feature.kind) {
        (Missing::Error, _) => Ok(()),
        (Missing::Native, _) if feature.handles_nan => Ok(()),
        (Missing::Native, _) => refused("is native, but the model does not handle NaN there"),
        (Missing::Number(_), Kind::Text) => refused("is a number, but the feature is text"),
        (Missing::Text(_), Kind::Text) => match &feature.categories {
            known if known.is_empty() => Ok(()),
            known => match missing {
                Missing::Text(text) if !known.contains(text) => {
                    refused("is a category that the model does not know")
                }
                _ => Ok(()),
            },
        },
        (Missing::Text(_), _) => refused("is a text, but the feature is a number"),
        (Missing::Number(n), _) if !n.is_finite() => refused("is not a finite number"),
        (Missing::Number(n), Kind::Int64)
            if n.trunc() != *n || n.abs() > 9_007_199_254_740_992.0 =>
        {
            refused("is not a whole number")
        }
        (Missing::Number(n), Kind::Bool) if *n != 0.0 && *n != 1.0 => refused("is neither 0 nor 1"),
        (Missing::Number(_), _) => Ok(()),
    }
}
