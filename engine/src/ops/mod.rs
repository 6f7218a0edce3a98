//! One file per `ai.onnx.ml` operator: a node of the file, checked, becomes a kernel.
//!
//! The same function serves the tabular program and the operators registered with tract.

pub mod array_feature_extractor;
mod attributes;
mod binarizer;
mod category_mapper;
mod feature_vectorizer;
pub mod imputer;
pub mod label_encoder;
mod linear_classifier;
mod linear_regressor;
mod normalizer;
pub mod one_hot_encoder;
pub mod recurrent;
mod scaler;
pub mod scan;
pub mod string_normalizer;
mod svm;
mod svm_classifier;
mod svm_regressor;
pub mod tensor;
pub mod tf_idf_vectorizer;
pub mod tokenizer;
pub mod tract;
mod tree_chains;
mod tree_ensemble;
mod tree_ensemble_classifier;
mod tree_ensemble_regressor;
mod tree_tables;
pub mod zip_map;

use tract_onnx::pb::NodeProto;

use crate::error::{Error, Result};
use crate::kernels::{Element, Kernel, Shape};
pub use attributes::{Attributes, FEATURES, VERSION};

/// Class labels in the order of the probabilities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Labels {
    Integers(Vec<i64>),
    Texts(Vec<String>),
}

impl Labels {
    pub fn len(&self) -> usize {
        match self {
            Labels::Integers(v) => v.len(),
            Labels::Texts(v) => v.len(),
        }
    }

    /// Labels as a caller sees them.
    pub fn texts(&self) -> Vec<String> {
        match self {
            Labels::Integers(v) => v.iter().map(i64::to_string).collect(),
            Labels::Texts(v) => v.clone(),
        }
    }

    /// Labels without duplicates, at least one.
    fn checked(self, op: &str) -> Result<Labels> {
        let mut sorted = self.texts();
        sorted.sort_unstable();
        sorted.dedup();
        match (self.len(), sorted.len()) {
            (0, _) => Err(Error::Invalid(format!("{op} has no class labels"))),
            (n, distinct) if n != distinct => Err(Error::Invalid(format!(
                "{op} has {n} class labels, {distinct} of them distinct"
            ))),
            _ => Ok(self),
        }
    }
}

/// A kernel made for inputs of known shapes.
#[derive(Debug)]
pub struct Bound {
    pub kernel: Box<dyn Kernel>,
    pub outputs: Vec<Shape>,
    /// Where set, output 0 is an index into these.
    pub labels: Option<Labels>,
}

impl Bound {
    fn new(kernel: impl Kernel + 'static, output: Shape) -> Bound {
        Bound {
            kernel: Box::new(kernel),
            outputs: vec![output],
            labels: None,
        }
    }

    fn classifier(kernel: impl Kernel + 'static, labels: Labels) -> Bound {
        let outputs = vec![Shape::i64(1), Shape::f32(labels.len())];
        Bound {
            kernel: Box::new(kernel),
            outputs,
            labels: Some(labels),
        }
    }
}

/// Checks a node against the shapes of its inputs and makes its kernel.
pub type Bind = fn(&NodeProto, &[Shape]) -> Result<Bound>;

/// The operators of `ai.onnx.ml` whose inputs are all rows.
pub const OPERATORS: [(&str, Bind); 15] = [
    ("Binarizer", binarizer::bind),
    ("CategoryMapper", category_mapper::bind),
    ("FeatureVectorizer", feature_vectorizer::bind),
    ("Imputer", imputer::bind),
    ("LabelEncoder", label_encoder::bind),
    ("LinearClassifier", linear_classifier::bind),
    ("LinearRegressor", linear_regressor::bind),
    ("Normalizer", normalizer::bind),
    ("OneHotEncoder", one_hot_encoder::bind),
    ("SVMClassifier", svm_classifier::bind),
    ("SVMRegressor", svm_regressor::bind),
    ("Scaler", scaler::bind),
    ("TreeEnsemble", tree_ensemble::bind),
    ("TreeEnsembleClassifier", tree_ensemble_classifier::bind),
    ("TreeEnsembleRegressor", tree_ensemble_regressor::bind),
];

/// Operators that compute in single precision whatever numbers they are given.
pub const SINGLE: [&str; 4] = [
    "LinearClassifier",
    "LinearRegressor",
    "SVMClassifier",
    "SVMRegressor",
];

/// The function that binds an operator, if it is one of ours.
pub fn find(op_type: &str) -> Option<Bind> {
    OPERATORS
        .iter()
        .find(|(name, _)| *name == op_type)
        .map(|(_, bind)| *bind)
}

/// The single input of an operator that takes numbers.
fn numeric(op: &str, inputs: &[Shape]) -> Result<Shape> {
    match inputs {
        [
            Shape {
                element: Element::Text | Element::Bool,
                ..
            },
        ] => Err(Error::Invalid(format!(
            "{op} takes numbers, found {:?}",
            inputs[0].element
        ))),
        [shape] => Ok(*shape),
        _ => Err(Error::Invalid(format!(
            "{op} takes 1 input, found {}",
            inputs.len()
        ))),
    }
}

/// One value per column, from an attribute with one value for all or one for each.
fn per_column<T: Copy>(op: &str, name: &str, values: &[T], width: usize) -> Result<Vec<T>> {
    match values {
        [v] => Ok(vec![*v; width]),
        _ if values.len() == width => Ok(values.to_vec()),
        _ => Err(Error::Invalid(format!(
            "{op} has {} {name} for {width} columns",
            values.len()
        ))),
    }
}

/// Refuses NaN and infinities among weights.
fn finite(op: &str, name: &str, values: &[f32]) -> Result<()> {
    match values.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(i) => Err(Error::Invalid(format!(
            "{op} has {name} {i} that is not a finite number"
        ))),
    }
}

/// Class labels that a node brings: a classifier's, an encoder's of class indices; `None` for any other node.
pub fn labels_of(node: &NodeProto) -> Result<Option<Labels>> {
    let attributes = Attributes::new(node)?;
    let (op, texts) = (node.op_type.as_str(), "classlabels_strings");
    match op {
        "TreeEnsembleClassifier" => {
            linear_classifier::labels(op, &attributes, "classlabels_int64s", texts).map(Some)
        }
        "LinearClassifier" | "SVMClassifier" => {
            linear_classifier::labels(op, &attributes, "classlabels_ints", texts).map(Some)
        }
        "LabelEncoder" => label_encoder::relabel(node, attributes.ints("keys_int64s")),
        _ => Ok(None),
    }
}
