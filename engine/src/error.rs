//! Every way loading or scoring can fail, as a value. Messages name what disagrees and never a data value.

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a model was refused or a row could not be scored.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The bytes are not an ONNX model: empty, truncated, wrong wire types, invalid UTF-8.
    #[error("not an ONNX model: {0}")]
    NotOnnx(String),
    /// Something is larger or more numerous than `Limits` allows.
    #[error("model has {found} {what}, limit is {limit}")]
    TooLarge {
        what: &'static str,
        found: u64,
        limit: u64,
    },
    /// An operator that is not on the allow-list.
    #[error("operator \"{op}\" of domain \"{domain}\" is not supported")]
    UnsupportedOperator { op: String, domain: String },
    /// A feature of ONNX, an attribute value or an element type that is not supported.
    #[error("{0} is not supported")]
    Unsupported(String),
    /// The graph contradicts itself: ids out of range, lengths that differ, cycles, missing names.
    #[error("invalid model: {0}")]
    Invalid(String),
    /// A wide input has no feature names from `features` or from the metadata key `feature_names`.
    #[error("input \"{input}\" takes {width} features but the model does not name them")]
    UnnamedFeatures { input: String, width: usize },
    /// The declaration given at registration contradicts the model.
    #[error("{0}")]
    Declaration(String),
    /// A model of several classes has no declared output, so `score` has no single meaning.
    #[error("model has {} classes and no declared output", labels.len())]
    AmbiguousOutput { labels: Vec<String> },
    /// A model of several values has no single score.
    #[error("model returns {values} values and no single score")]
    NoScore { values: usize },
    /// NULL for a feature whose policy is `error`.
    #[error("feature \"{feature}\" is null")]
    NullFeature { feature: String },
    /// NaN for a feature that the model cannot take as missing.
    #[error("feature \"{feature}\" is not a number (NaN)")]
    NanFeature { feature: String },
    /// A text or number that an encoder of the model has never seen and is told to refuse.
    #[error("feature \"{feature}\" has a category that the model does not know")]
    UnknownCategory { feature: String },
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// A buffer could not be allocated.
    #[error("out of memory")]
    OutOfMemory,
    /// The graph engine failed while evaluating an admitted model.
    #[error("model evaluation failed: {0}")]
    Evaluation(String),
}
