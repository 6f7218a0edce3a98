//! The models that the library carries. They are not rows, so a dump neither collides with nor loses them.

use std::sync::LazyLock;

use finai_engine::Declaration;
use serde::Deserialize;

use crate::error::{Error, Result};

/// A model inside the library. Its versions are never removed from later releases.
#[derive(Debug)]
pub struct Bundled {
    pub name: &'static str,
    pub onnx: &'static [u8],
    card: &'static str,
}

/// What `models/<name>.json` says of a model and the database needs.
#[derive(Debug, Deserialize)]
pub struct Card {
    pub version: i32,
    pub sha256: String,
    pub description: String,
    pub task: String,
    #[serde(default)]
    pub declaration: Declaration,
}

/// The rest of a card that is read now and then.
#[derive(Debug, Deserialize)]
pub struct Details {
    pub columns: Vec<Column>,
    pub reference: Reference,
}

/// What a feature of a bundled model means.
#[derive(Debug, Deserialize)]
pub struct Column {
    pub name: String,
    pub description: String,
    pub unit: String,
}

/// Rows that the model was scored on by onnxruntime when it was made.
#[derive(Debug, Deserialize)]
pub struct Reference {
    pub rows: serde_json::Value,
}

/// A bundled model with its card read.
#[derive(Debug)]
pub struct Entry {
    pub model: &'static Bundled,
    pub card: Card,
}

impl Entry {
    /// The features' meanings and the reference rows.
    pub fn details(&self) -> Result<Details> {
        serde_json::from_str(self.model.card).map_err(|error| {
            Error::Installation(format!(
                "card of bundled model \"{}\": {error}",
                self.model.name
            ))
        })
    }
}

static BUNDLED: [Bundled; 2] = [
    Bundled {
        name: "credit_score",
        onnx: include_bytes!("../models/credit_score.onnx"),
        card: include_str!("../models/credit_score.json"),
    },
    Bundled {
        name: "fraud_prob",
        onnx: include_bytes!("../models/fraud_prob.onnx"),
        card: include_str!("../models/fraud_prob.json"),
    },
];

static ENTRIES: LazyLock<Vec<Result<Entry, String>>> = LazyLock::new(|| {
    BUNDLED
        .iter()
        .map(|model| {
            serde_json::from_str(model.card)
                .map(|card| Entry { model, card })
                .map_err(|error| format!("card of bundled model \"{}\": {error}", model.name))
        })
        .collect()
});

/// Every bundled model.
pub fn all() -> Result<Vec<&'static Entry>> {
    ENTRIES
        .iter()
        .map(|entry| entry.as_ref().map_err(|e| Error::Installation(e.clone())))
        .collect()
}

/// The bundled model of that name.
pub fn find(name: &str) -> Result<Option<&'static Entry>> {
    Ok(all()?.into_iter().find(|entry| entry.model.name == name))
}
