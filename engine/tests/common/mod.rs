//! Models and recorded onnxruntime outputs, read for the tests.
#![allow(dead_code)]

pub mod onnx;
pub mod tensors;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use finai_engine::{Batch, Declaration, Kind, Limits, Model, Result, Scorer, Signature};
use serde_json::Value;

/// A file of the engine's fixtures.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// A file of the bundled models.
pub fn bundled(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../models")
        .join(name)
}

pub fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

pub fn json(path: &Path) -> Value {
    serde_json::from_slice(&bytes(path)).unwrap()
}

pub fn load(path: &Path) -> Arc<Model> {
    load_as(path, &Declaration::default())
}

pub fn load_as(path: &Path, declaration: &Declaration) -> Arc<Model> {
    let model = Model::load_as(&bytes(path), declaration, &Limits::default());
    Arc::new(model.unwrap_or_else(|e| panic!("{}: {e}", path.display())))
}

/// Rows of recorded inputs by feature name, in the order of the signature.
pub struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

impl Table {
    pub fn new(columns: &Value, rows: &Value) -> Table {
        Table {
            columns: serde_json::from_value(columns.clone()).unwrap(),
            rows: serde_json::from_value(rows.clone()).unwrap(),
        }
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The value of a feature in row `i`.
    pub fn cell(&self, i: usize, feature: &str) -> &Value {
        &self.rows[i][self.columns.iter().position(|c| c == feature).unwrap()]
    }

    /// Pushes row `i` into the batch.
    pub fn push(&self, i: usize, signature: &Signature, batch: &mut Batch) -> Result<()> {
        batch.push_row()?;
        for (f, feature) in signature.features.iter().enumerate() {
            set(batch, f, feature.kind, self.cell(i, &feature.name))?;
        }
        Ok(())
    }
}

/// Sets one feature from a JSON value.
pub fn set(batch: &mut Batch, feature: usize, kind: Kind, value: &Value) -> Result<()> {
    match value {
        Value::Null => batch.set_null(feature),
        Value::String(text) if text == "NaN" && kind != Kind::Text => {
            batch.set_float(feature, f64::NAN)
        }
        Value::String(text) => batch.set_text(feature, text),
        Value::Bool(b) => batch.set_bool(feature, *b),
        Value::Number(n) => match n.as_i64() {
            Some(i) => batch.set_integer(feature, i),
            None => batch.set_float(feature, n.as_f64().unwrap()),
        },
        other => panic!("{other}"),
    }
}

/// Label and probabilities of all rows, in batches of `size`.
pub fn run(model: &Arc<Model>, table: &Table, size: usize) -> Vec<(Option<String>, Vec<f64>)> {
    try_run(model, table, size).unwrap()
}

/// [`run`], with the error of the first row or batch that has one.
pub fn try_run(
    model: &Arc<Model>,
    table: &Table,
    size: usize,
) -> Result<Vec<(Option<String>, Vec<f64>)>> {
    let mut scorer = Scorer::new(model.clone(), size)?;
    let mut out = Vec::new();
    for first in (0..table.len()).step_by(size) {
        scorer.batch().clear();
        let end = (first + size).min(table.len());
        for i in first..end {
            table.push(i, model.signature(), scorer.batch())?;
        }
        let scores = scorer.run(&|| false)?;
        for row in 0..end - first {
            out.push((
                scores.label(row).map(str::to_owned),
                scores.probabilities(row).to_vec(),
            ));
        }
    }
    Ok(out)
}

/// Largest absolute difference that counts as equal.
pub fn close(found: f64, expected: f64, regression: bool) -> bool {
    let tolerance = if regression {
        1e-5 * expected.abs().max(1e-3)
    } else {
        1e-6
    };
    (found - expected).abs() <= tolerance || (found.is_nan() && expected.is_nan())
}
