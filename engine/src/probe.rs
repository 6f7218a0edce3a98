//! The last gate before a model is stored: it scores rows of edge values, alone and side by side.

use std::sync::Arc;

use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::scorer::Scorer;
use crate::signature::{Feature, Kind, Missing};

const NUMBERS: [f64; 9] = [
    0.0,
    1.0,
    -0.0,
    -1.0,
    1e-40,
    3.5e4,
    -3e38,
    f64::INFINITY,
    f64::NEG_INFINITY,
];
const BATCHES: [usize; 3] = [1, 7, 64];

/// Scores rows of zeros, ones, denormals, infinities, missing values and known categories in batches of 1, 7 and 64.
///
/// # Errors
/// Whatever the model fails with on a row that its signature allows. A category that it refuses, or a number that is
/// none after the model's own arithmetic, is no failure.
pub fn probe(model: &Arc<Model>, interrupted: &dyn Fn() -> bool) -> Result<()> {
    let mut scorer = Scorer::new(model.clone(), BATCHES[2])?;
    for rows in BATCHES {
        scorer.batch().clear();
        for row in 0..rows {
            scorer.batch().push_row()?;
            for (index, feature) in model.signature().features.iter().enumerate() {
                set(scorer.batch(), index, feature, row)?;
            }
        }
        match scorer.run(interrupted) {
            Ok(_) | Err(Error::UnknownCategory { .. } | Error::NanFeature { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Row by row another edge value, shifted by the feature so that they meet in every combination of neighbours.
fn set(batch: &mut Batch, index: usize, feature: &Feature, row: usize) -> Result<()> {
    if feature.missing != Missing::Error && row % 5 == 3 {
        return batch.set_null(index);
    }
    let step = row + index * (row / NUMBERS.len() + 1);
    let number = NUMBERS[step % NUMBERS.len()];
    match feature.kind {
        Kind::Float32 | Kind::Float64 => batch.set_float(index, number),
        Kind::Int64 => batch.set_integer(index, number as i64),
        Kind::Bool => batch.set_bool(index, step % 2 == 1),
        Kind::Text => {
            let categories = &feature.categories;
            let category = categories.get(step % categories.len().max(1));
            batch.set_text(index, category.map_or("", String::as_str))
        }
    }
}
