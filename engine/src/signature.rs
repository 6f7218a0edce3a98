//! What a caller must supply to a model and what comes back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::kernels::Element;

pub(crate) mod inputs;
pub(crate) mod missing;
pub(crate) mod outputs;
pub(crate) mod share;
pub(crate) mod trace;

/// Element kind of a feature, as the model's input declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// 32-bit float: what most exporters write.
    Float32,
    /// 64-bit float.
    Float64,
    /// 64-bit integer; ONNX int32 inputs are widened to it.
    Int64,
    /// Boolean.
    Bool,
    /// UTF-8 text.
    Text,
}

impl Kind {
    pub(crate) fn element(self) -> Element {
        match self {
            Kind::Float32 => Element::F32,
            Kind::Float64 => Element::F64,
            Kind::Int64 => Element::I64,
            Kind::Bool => Element::Bool,
            Kind::Text => Element::Text,
        }
    }
}

/// What happens to NULL in a feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// NaN goes into the model, which handles it (trees, imputers). Float kinds only.
    Native,
    /// The row is refused.
    Error,
    /// This number replaces it (number kinds; 0 or 1 for Bool).
    Number(f64),
    /// This text replaces it (Text).
    Text(String),
}

/// One value a caller supplies per row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// Column name that binds to it.
    pub name: String,
    /// Element kind of the model's input.
    pub kind: Kind,
    /// What NULL means.
    pub missing: Missing,
    /// True where every operator that reads it takes NaN as missing.
    pub handles_nan: bool,
    /// Categories that an encoder knows; empty when the feature is not encoded or unknown ones are accepted.
    pub categories: Vec<String>,
    /// Index of the graph input it belongs to.
    pub input: usize,
    /// Position among that input's cells, row-major.
    pub offset: usize,
}

/// What the model predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Two classes; the score is the probability of the positive one.
    Binary,
    /// More than two classes.
    Multiclass,
    /// One number.
    Regression,
    /// Several numbers without labels, such as an embedding or a reconstruction; there is no single score.
    Vector,
}

/// One graph input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// Name in the graph.
    pub name: String,
    /// Element kind.
    pub kind: Kind,
    /// Features per row: 1 for `[N]` and `[N,1]`, F for `[N,F]`, T times F for `[N,T,F]`.
    pub width: usize,
}

/// A model's contract, complete enough to call it without any other source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signature {
    /// Graph inputs in graph order.
    pub inputs: Vec<Input>,
    /// Features in the order of inputs and of their offsets.
    pub features: Vec<Feature>,
    /// What is predicted.
    pub task: Task,
    /// Class labels in the order of the probabilities; empty for a regression.
    pub labels: Vec<String>,
    /// Index into `labels` of the class whose probability is the score.
    pub positive: Option<usize>,
    /// Names of the graph's outputs in graph order.
    #[serde(default)]
    pub outputs: Vec<String>,
}

/// What a registration says beyond the file. Everything is optional where the file says it already.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Declaration {
    /// Feature names in the order of inputs and columns; replaces names found in the file.
    pub features: Option<Vec<String>>,
    /// Task, where outputs leave it open (a single sigmoid column is `Binary`).
    pub task: Option<Task>,
    /// Class labels in the order of the probabilities; replaces labels found in the file.
    pub labels: Option<Vec<String>>,
    /// Policy per feature name.
    pub missing: BTreeMap<String, Missing>,
    /// The label whose probability is the score; without it the one that says bad, fraud, 1, true or yes. Where several
    /// outputs of the graph hold numbers, the name of the one to use.
    pub output: Option<String>,
}
