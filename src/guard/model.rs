//! Whether a guard can score with a model: its score, the threshold, and the columns that its features come from.

use finai_engine::{Model, Signature, Task};
use pgrx::pg_sys;

use crate::binding_report::{self, OK};
use crate::cache;
use crate::error::{Error, GuardError, Result};
use crate::registry::{self, Guard, Reference, Version};
use crate::row::{columns_of_relation, qualified_name};

/// Whether the guard's model, where it can be found, ever scores as high as the threshold.
pub fn check_reach(guard: &Guard) -> Result<()> {
    let version = Reference::parse(&guard.model).and_then(|model| registry::meant(&model));
    match version.and_then(|version| cache::model(&version)) {
        Ok(model) => check_threshold(&model, guard.threshold),
        Err(_) => Ok(()),
    }
}

/// Whether the current role may score rows of a relation with a model as a guard does, and a threshold can be reached.
pub fn check_trial(relation: pg_sys::Oid, reference: &str, threshold: f64) -> Result<()> {
    let version = registry::resolve(&Reference::parse(reference)?)?;
    let model = cache::model(&version)?;
    check_score(&model, &version)?;
    check_threshold(&model, threshold)?;
    let origin = qualified_name(relation);
    bound(model.signature(), relation, origin, reference).map(|_| ())
}

/// Whether a version has a score that a threshold can be compared with.
pub fn check_score(model: &Model, version: &Version) -> Result<()> {
    let signature = model.signature();
    let has_score = match signature.task {
        Task::Regression => true,
        Task::Vector => false,
        Task::Binary | Task::Multiclass => signature.positive.is_some(),
    };
    match has_score {
        true => Ok(()),
        false => Err(GuardError::NoScore {
            model: version.reference(),
        }
        .into()),
    }
}

/// Each feature with the column that it comes from; `origin` is what the relation is called.
pub fn bound(
    signature: &Signature,
    relation: pg_sys::Oid,
    origin: String,
    model: &str,
) -> Result<Vec<(String, String)>> {
    let columns = columns_of_relation(relation).unwrap_or_default();
    let rows = binding_report::rows_of(signature, &columns).into_iter();
    rows.map(|row| match (row.column, row.status) {
        (Some(column), status) if status == OK => Ok((row.feature, column)),
        (Some(column), _) => Err(Error::ColumnType {
            column,
            found: row.found.unwrap_or_default(),
            feature: row.feature,
            model: model.to_owned(),
            hint: row.hint.unwrap_or_default(),
        }),
        (None, _) => {
            let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
            Err(Error::MissingColumn {
                origin: origin.clone(),
                feature: row.feature,
                model: model.to_owned(),
                columns: names.join(", "),
            })
        }
    })
    .collect::<Result<_>>()
    .map_err(|error| GuardError::Unbound(Box::new(error)).into())
}

fn check_threshold(model: &Model, threshold: f64) -> Result<()> {
    if !model.scores_probabilities() || (0.0..=1.0).contains(&threshold) {
        return Ok(());
    }
    Err(Error::Parameter {
        parameter: "threshold",
        detail: match threshold > 1.0 {
            true => "The model's scores are probabilities, none of which is above 1.".into(),
            false => "The model's scores are probabilities, none of which is below 0.".into(),
        },
        hint: "Pass a probability from 0 (every row that can be scored) to 1; finai.try_guard counts alerts at a threshold.",
    })
}
