//! The second gate: the operators that may run, in one table.
//!
//! Listed are operators whose output size and time do not depend on the data and that tract 0.23.9, or a kernel
//! of this crate, evaluates for a row independently of the other rows of its batch. Arity is the standard's,
//! because tract indexes inputs and outputs without looking; a row of the table holds from its operator set on.

use crate::Error;

/// Most inputs or outputs of a variadic operator; nodes are bounded by the number of edges instead.
const MANY: usize = usize::MAX;
/// The newest operator sets whose semantics were compared with what evaluates them.
pub(super) const ONNX_VERSIONS: std::ops::RangeInclusive<i64> = 1..=26;
pub(super) const ML_VERSIONS: std::ops::RangeInclusive<i64> = 1..=5;

/// Default domain, as it is shown; files write it as the empty string.
pub(super) const ONNX: &str = "ai.onnx";
/// Domain of the classical models.
pub(super) const ML: &str = "ai.onnx.ml";
/// Domain of the tokeniser that text pipelines are exported with.
pub(super) const MICROSOFT: &str = "com.microsoft";

/// How large the output of a node can get whose inputs are all constants: tract evaluates it while compiling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Folding {
    /// As many elements as the first input.
    Keep,
    /// As many as all inputs together.
    Join,
    /// Up to the product of the inputs.
    Spread,
    /// Such a node is refused.
    Refuse,
    /// A constant of a few elements, whatever the inputs are.
    Size,
    /// As many elements as it computes, bounded when it is compiled.
    Computed,
}

/// One operator from one operator set on.
#[derive(Debug)]
pub(super) struct Operator {
    pub(super) domain: &'static str,
    pub(super) name: &'static str,
    pub(super) since: i64,
    pub(super) inputs: (usize, usize),
    pub(super) outputs: (usize, usize),
    /// From this input on, inputs decide the output's shape and must be constants.
    pub(super) constant_from: usize,
    pub(super) folding: Folding,
    pub(super) note: &'static str,
}

const fn operator(
    name: &'static str,
    since: i64,
    inputs: (usize, usize),
    folding: Folding,
) -> Operator {
    Operator {
        domain: ONNX,
        name,
        since,
        inputs,
        outputs: (1, 1),
        constant_from: MANY,
        folding,
        note: "",
    }
}

const fn unary(name: &'static str, since: i64) -> Operator {
    operator(name, since, (1, 1), Folding::Keep)
}

const fn binary(name: &'static str, since: i64) -> Operator {
    operator(name, since, (2, 2), Folding::Spread)
}

const fn ml(name: &'static str, inputs: (usize, usize), outputs: usize) -> Operator {
    Operator {
        domain: ML,
        outputs: (outputs, outputs),
        ..operator(name, 1, inputs, Folding::Refuse)
    }
}

/// An operator whose inputs after the first decide the output's shape.
const fn shaped(
    name: &'static str,
    since: i64,
    inputs: (usize, usize),
    note: &'static str,
) -> Operator {
    Operator {
        constant_from: 1,
        note,
        ..operator(name, since, inputs, Folding::Keep)
    }
}

/// An operator that computes the size of its output; from input `from` on, inputs must be constants, or follow from
/// shapes alone.
const fn computed(name: &'static str, since: i64, inputs: (usize, usize), from: usize) -> Operator {
    Operator {
        constant_from: from,
        note: "the size must not depend on the data",
        ..operator(name, since, inputs, Folding::Computed)
    }
}

/// A recurrent cell: weights are constants.
const fn recurrent(
    name: &'static str,
    since: i64,
    inputs: (usize, usize),
    outputs: usize,
) -> Operator {
    Operator {
        outputs: (1, outputs),
        note: "at most 512 steps, 1,024 hidden cells and 8 such nodes; weights are constants, lengths of sequences are whole",
        ..operator(name, since, inputs, Folding::Refuse)
    }
}

const AXES: &str = "axes must be constants";

/// Sorted by domain and name; of several rows the one with the highest `since` not above the model's applies.
static OPERATORS: &[Operator] = &[
    unary("Abs", 6),
    unary("Acos", 7),
    unary("Acosh", 9),
    binary("Add", 7),
    binary("And", 7),
    unary("ArgMax", 1),
    unary("ArgMin", 1),
    unary("Asin", 7),
    unary("Asinh", 9),
    unary("Atan", 7),
    unary("Atanh", 9),
    operator("AveragePool", 7, (1, 1), Folding::Refuse),
    Operator {
        note: "not in training mode",
        ..operator("BatchNormalization", 7, (5, 5), Folding::Refuse)
    },
    unary("Cast", 6),
    operator("CastLike", 15, (2, 2), Folding::Keep),
    unary("Ceil", 6),
    unary("Celu", 12),
    unary("Clip", 6),
    operator("Clip", 11, (1, 3), Folding::Spread),
    operator("Concat", 4, (1, MANY), Folding::Join),
    operator("Constant", 1, (0, 0), Folding::Keep),
    computed("ConstantOfShape", 9, (1, 1), 0),
    operator("Conv", 1, (2, 3), Folding::Refuse),
    operator("ConvTranspose", 1, (2, 3), Folding::Refuse),
    unary("Cos", 7),
    unary("Cosh", 9),
    Operator {
        constant_from: 1,
        note: "the axis must be a constant",
        ..operator("CumSum", 11, (2, 2), Folding::Keep)
    },
    operator("DepthToSpace", 1, (1, 1), Folding::Refuse),
    binary("Div", 7),
    unary("Dropout", 7),
    Operator {
        constant_from: 1,
        note: "not in training mode",
        ..operator("Dropout", 12, (1, 3), Folding::Keep)
    },
    operator("Einsum", 12, (1, MANY), Folding::Refuse),
    unary("Elu", 6),
    binary("Equal", 7),
    unary("Erf", 9),
    unary("Exp", 6),
    computed("Expand", 8, (2, 2), 1),
    computed("EyeLike", 9, (1, 1), MANY),
    unary("Flatten", 1),
    unary("Floor", 6),
    recurrent("GRU", 7, (3, 6), 2),
    Operator {
        note: "indices must be in the table",
        ..binary("Gather", 1)
    },
    Operator {
        note: "indices must be places that TopK, ArgMax or ArgMin found along the same axis",
        ..operator("GatherElements", 11, (2, 2), Folding::Refuse)
    },
    unary("Gelu", 20),
    operator("Gemm", 7, (3, 3), Folding::Spread),
    operator("Gemm", 11, (2, 3), Folding::Spread),
    operator("GlobalAveragePool", 1, (1, 1), Folding::Refuse),
    operator("GlobalMaxPool", 1, (1, 1), Folding::Refuse),
    binary("Greater", 7),
    binary("GreaterOrEqual", 12),
    operator("GroupNormalization", 21, (3, 3), Folding::Refuse),
    unary("HardSigmoid", 6),
    unary("HardSwish", 14),
    unary("Hardmax", 1),
    unary("Identity", 1),
    operator("InstanceNormalization", 6, (3, 3), Folding::Refuse),
    unary("IsInf", 10),
    unary("IsNaN", 9),
    operator("LRN", 1, (1, 1), Folding::Refuse),
    recurrent("LSTM", 7, (3, 8), 3),
    Operator {
        outputs: (1, 3),
        ..operator("LayerNormalization", 17, (2, 3), Folding::Refuse)
    },
    unary("LeakyRelu", 6),
    binary("Less", 7),
    binary("LessOrEqual", 12),
    unary("Log", 6),
    unary("LogSoftmax", 1),
    unary("LpNormalization", 1),
    binary("MatMul", 1),
    operator("Max", 6, (1, MANY), Folding::Spread),
    operator("MaxPool", 1, (1, 1), Folding::Refuse),
    operator("Mean", 6, (1, MANY), Folding::Spread),
    operator("MeanVarianceNormalization", 9, (1, 1), Folding::Refuse),
    operator("Min", 6, (1, MANY), Folding::Spread),
    unary("Mish", 18),
    binary("Mod", 10),
    binary("Mul", 7),
    unary("Neg", 6),
    unary("Not", 1),
    computed("OneHot", 9, (3, 3), 1),
    binary("Or", 7),
    binary("PRelu", 7),
    computed("Pad", 11, (2, 4), 1),
    binary("Pow", 7),
    operator("RMSNormalization", 23, (2, 2), Folding::Refuse),
    recurrent("RNN", 7, (3, 6), 2),
    computed("Range", 11, (3, 3), 0),
    unary("Reciprocal", 6),
    unary("ReduceL1", 1),
    shaped("ReduceL1", 18, (1, 2), AXES),
    unary("ReduceL2", 1),
    shaped("ReduceL2", 18, (1, 2), AXES),
    unary("ReduceLogSum", 1),
    shaped("ReduceLogSum", 18, (1, 2), AXES),
    unary("ReduceLogSumExp", 1),
    shaped("ReduceLogSumExp", 18, (1, 2), AXES),
    unary("ReduceMax", 1),
    shaped("ReduceMax", 18, (1, 2), AXES),
    unary("ReduceMean", 1),
    shaped("ReduceMean", 18, (1, 2), AXES),
    unary("ReduceMin", 1),
    shaped("ReduceMin", 18, (1, 2), AXES),
    unary("ReduceProd", 1),
    shaped("ReduceProd", 18, (1, 2), AXES),
    unary("ReduceSum", 1),
    shaped("ReduceSum", 13, (1, 2), AXES),
    unary("ReduceSumSquare", 1),
    shaped("ReduceSumSquare", 18, (1, 2), AXES),
    unary("Relu", 6),
    shaped("Reshape", 5, (2, 2), "the shape must be a constant"),
    computed("Resize", 11, (1, 4), 1),
    unary("Round", 11),
    Operator {
        outputs: (2, 2),
        note: "only distances from the rows to those of a constant, as nearest neighbours and Gaussian processes have them",
        ..operator("Scan", 9, (2, 2), Folding::Refuse)
    },
    unary("Selu", 6),
    Operator {
        folding: Folding::Size,
        ..unary("Shape", 1)
    },
    unary("Shrink", 9),
    unary("Sigmoid", 6),
    unary("Sign", 9),
    unary("Sin", 7),
    unary("Sinh", 9),
    Operator {
        folding: Folding::Size,
        ..unary("Size", 1)
    },
    unary("Slice", 1),
    shaped(
        "Slice",
        10,
        (3, 5),
        "starts, ends, axes and steps must be constants",
    ),
    unary("Softmax", 1),
    unary("Softplus", 1),
    unary("Softsign", 1),
    Operator {
        outputs: (1, MANY),
        ..unary("Split", 2)
    },
    Operator {
        outputs: (1, MANY),
        ..shaped("Split", 13, (1, 2), "sizes must be constants")
    },
    unary("Sqrt", 6),
    unary("Squeeze", 1),
    shaped("Squeeze", 13, (1, 2), AXES),
    operator("StringConcat", 20, (2, 2), Folding::Refuse),
    operator("StringNormalizer", 10, (1, 1), Folding::Refuse),
    binary("Sub", 7),
    operator("Sum", 6, (1, MANY), Folding::Spread),
    unary("Tan", 7),
    unary("Tanh", 6),
    operator("TfIdfVectorizer", 9, (1, 1), Folding::Refuse),
    unary("ThresholdedRelu", 10),
    computed("Tile", 6, (2, 2), 1),
    Operator {
        outputs: (2, 2),
        constant_from: 1,
        note: "along the last axis, sorted, at most 1,024; k must be a constant",
        ..operator("TopK", 10, (2, 2), Folding::Refuse)
    },
    unary("Transpose", 1),
    Operator {
        constant_from: 1,
        note: "the diagonal must be a constant",
        ..operator("Trilu", 14, (1, 2), Folding::Keep)
    },
    unary("Unsqueeze", 1),
    shaped("Unsqueeze", 13, (2, 2), AXES),
    operator("Where", 9, (3, 3), Folding::Spread),
    binary("Xor", 7),
    ml("ArrayFeatureExtractor", (2, 2), 1),
    ml("Binarizer", (1, 1), 1),
    ml("CategoryMapper", (1, 1), 1),
    Operator {
        note: "its map becomes one feature for each key of the vocabulary",
        ..ml("DictVectorizer", (1, 1), 1)
    },
    ml("FeatureVectorizer", (1, MANY), 1),
    ml("Imputer", (1, 1), 1),
    Operator {
        folding: Folding::Keep,
        ..ml("LabelEncoder", (1, 1), 1)
    },
    ml("LinearClassifier", (1, 1), 2),
    ml("LinearRegressor", (1, 1), 1),
    ml("Normalizer", (1, 1), 1),
    ml("OneHotEncoder", (1, 1), 1),
    ml("SVMClassifier", (1, 1), 2),
    ml("SVMRegressor", (1, 1), 1),
    ml("Scaler", (1, 1), 1),
    Operator {
        since: 5,
        ..ml("TreeEnsemble", (1, 1), 1)
    },
    ml("TreeEnsembleClassifier", (1, 1), 2),
    ml("TreeEnsembleRegressor", (1, 1), 1),
    ml("ZipMap", (1, 1), 1),
    Operator {
        domain: MICROSOFT,
        ..operator("Tokenizer", 1, (1, 1), Folding::Refuse)
    },
];

/// Why operators that exporters do write are not in the table.
static REFUSED: &[(&str, &[&str])] = &[
    (
        "a row is no map: export the model with an input for each column",
        &["CastMap"],
    ),
    (
        "output size depends on the data",
        &["Compress", "NonMaxSuppression", "NonZero", "Unique"],
    ),
    (
        "an index out of range reads or writes values of another row",
        &["GatherND", "Scatter", "ScatterElements", "ScatterND"],
    ),
    ("carries a graph as attribute", &["If", "SequenceMap"]),
    (
        "its number of steps depends on the data; Keras writes GRU and SimpleRNN layers so: build them with unroll=True, or export from PyTorch",
        &["Loop"],
    ),
    (
        "scores would not be reproducible",
        &[
            "Bernoulli",
            "Multinomial",
            "RandomNormal",
            "RandomNormalLike",
            "RandomUniform",
            "RandomUniformLike",
        ],
    ),
];

/// Operators of the default domain whose output can be larger than their inputs.
pub(crate) fn growing() -> impl Iterator<Item = &'static str> {
    let grows = |row: &&Operator| {
        row.domain == ONNX && matches!(row.folding, Folding::Spread | Folding::Computed)
    };
    OPERATORS.iter().filter(grows).map(|row| row.name)
}

/// The domain as the table writes it.
pub(super) fn canonical(domain: &str) -> &str {
    if domain.is_empty() { ONNX } else { domain }
}

/// The row for an operator in the given operator set; `None` also where the operator is newer.
pub(super) fn find(domain: &str, name: &str, version: i64) -> Option<&'static Operator> {
    let domain = canonical(domain);
    OPERATORS
        .iter()
        .rfind(|row| row.name == name && row.domain == domain && row.since <= version)
}

/// True where some operator set has the operator in the table.
pub(super) fn is_listed(domain: &str, name: &str) -> bool {
    find(domain, name, i64::MAX).is_some()
}

/// The error for an operator that is not in the table.
pub(super) fn unsupported(domain: &str, name: &str) -> Error {
    Error::UnsupportedOperator {
        op: name.into(),
        domain: canonical(domain).into(),
    }
}

/// What restricts a listed operator, or why an operator is not listed.
pub fn note(domain: &str, name: &str) -> &'static str {
    let domain = canonical(domain);
    let known = matches!(domain, ONNX | ML | MICROSOFT);
    match find(domain, name, i64::MAX) {
        Some(operator) => operator.note,
        None if !known => "domains other than ai.onnx and ai.onnx.ml are not supported",
        None if domain == MICROSOFT => "of domain com.microsoft only Tokenizer is supported",
        None => REFUSED
            .iter()
            .find(|(_, names)| names.contains(&name))
            .map_or("not on the list of supported operators", |(reason, _)| {
                reason
            }),
    }
}

/// Names of the operators that a model may use, sorted, each once.
pub fn supported_operators() -> Vec<&'static str> {
    let mut names: Vec<_> = OPERATORS.iter().map(|operator| operator.name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        let keys: Vec<_> = OPERATORS
            .iter()
            .map(|row| (row.domain, row.name, row.since))
            .collect();
        assert!(keys.is_sorted());
    }

    #[test]
    fn tract_has_every_operator_of_the_default_domain_except_those_of_texts() {
        let register = tract_onnx::onnx().op_register.0;
        let texts = ["StringConcat", "StringNormalizer", "TfIdfVectorizer"];
        for row in OPERATORS.iter().filter(|row| row.domain == ONNX) {
            let known = register.contains_key(row.name) || texts.contains(&row.name);
            assert!(known, "{}", row.name);
        }
    }

    #[test]
    fn no_refused_operator_is_listed() {
        for name in REFUSED.iter().flat_map(|(_, names)| names.iter()) {
            assert!(!is_listed(ONNX, name) && !is_listed(ML, name), "{name}");
        }
    }

    #[test]
    fn the_newest_row_not_above_the_operator_set_applies() {
        assert_eq!(find("", "Clip", 10).map(|row| row.inputs), Some((1, 1)));
        assert_eq!(
            find("ai.onnx", "Clip", 11).map(|row| row.inputs),
            Some((1, 3))
        );
        assert!(find("", "Gelu", 19).is_none());
        assert!(find("", "Scaler", 9).is_none());
        assert!(find("ai.onnx.ml", "Relu", 3).is_none());
    }
}
