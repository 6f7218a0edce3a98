//! Support vector machines, encoders and text operators whose contents are wrong: each is an error, none a crash or a
//! wrong number.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::onnx::*;
use finai_engine::{Error, Limits, Model};
use prost::Message;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, ModelProto, NodeProto, OperatorSetIdProto};

/// The base attributes with some replaced or added.
fn with(base: &[AttributeProto], changes: Vec<AttributeProto>) -> Vec<AttributeProto> {
    let mut attributes = base.to_vec();
    attributes.retain(|a| changes.iter().all(|c| c.name != a.name));
    attributes.extend(changes);
    attributes
}

/// Loads nodes from `x`, an input of three columns of this type, to `y`.
fn load(nodes: Vec<NodeProto>, input: DataType, width: i64, outputs: &[&str]) -> Result<(), Error> {
    let bytes = model(vec![value("x", input, width)], outputs, nodes, vec![]);
    let mut proto = ModelProto::decode(bytes.as_slice()).unwrap();
    proto.opset_import.push(OperatorSetIdProto {
        domain: "com.microsoft".into(),
        version: 1,
    });
    let declaration = finai_engine::Declaration {
        features: Some((0..width).map(|i| format!("f{i}")).collect()),
        labels: (outputs == ["y"] && width == 1).then(|| (0..4).map(|i| i.to_string()).collect()),
        ..Default::default()
    };
    Model::load_as(&proto.encode_to_vec(), &declaration, &Limits::default()).map(|_| ())
}

#[track_caller]
fn says(found: Result<(), Error>, says: &str) {
    match found {
        Err(error @ (Error::Invalid(_) | Error::Unsupported(_) | Error::TooLarge { .. })) => {
            let message = error.to_string();
            assert!(
                message.contains(says),
                "\"{message}\" does not say \"{says}\""
            );
        }
        other => panic!("{says}: {other:?}"),
    }
}

/// Two classes, one vector of the first and two of the second.
fn machine() -> Vec<AttributeProto> {
    vec![
        string("kernel_type", "RBF"),
        floats("kernel_params", &[0.5, 0.0, 3.0]),
        ints("vectors_per_class", &[1, 2]),
        floats("support_vectors", &[0.5; 9]),
        floats("coefficients", &[1.0, -0.5, -0.5]),
        floats("rho", &[0.1]),
        floats("prob_a", &[-1.0]),
        floats("prob_b", &[0.0]),
        ints("classlabels_ints", &[0, 1]),
    ]
}

fn classifier(changes: Vec<AttributeProto>) -> Result<(), Error> {
    let node = ml(
        "SVMClassifier",
        &["x"],
        &["l", "p"],
        with(&machine(), changes),
    );
    load(vec![node], DataType::Float, 3, &["l", "p"])
}

#[test]
fn support_vector_classifiers() {
    classifier(vec![]).unwrap();
    for changes in [
        ints("vectors_per_class", &[1, -2]),
        ints("vectors_per_class", &[i64::MAX, 2]),
        ints("vectors_per_class", &[3]),
        ints("vectors_per_class", &[1, 1, 1]),
    ] {
        says(classifier(vec![changes]), "vectors_per_class");
    }
    says(
        classifier(vec![ints("vectors_per_class", &[2, 2])]),
        "4 support vectors",
    );
    says(
        classifier(vec![floats("support_vectors", &[0.5; 8])]),
        "support_vectors",
    );
    says(
        classifier(vec![floats("support_vectors", &[0.5; 10])]),
        "support_vectors",
    );
    says(
        classifier(vec![floats("coefficients", &[1.0; 2])]),
        "coefficients",
    );
    says(
        classifier(vec![floats("coefficients", &[1.0; 4])]),
        "coefficients",
    );
    says(classifier(vec![floats("rho", &[])]), "no rho");
    says(classifier(vec![floats("rho", &[0.0; 2])]), "2 rho");
    says(classifier(vec![floats("prob_a", &[-1.0; 2])]), "2 prob_a");
    says(classifier(vec![floats("prob_b", &[])]), "0 prob_b");
    says(
        classifier(vec![floats("kernel_params", &[0.5])]),
        "1 kernel_params",
    );
    says(classifier(vec![string("kernel_type", "COSINE")]), "COSINE");
    says(
        classifier(vec![ints("classlabels_ints", &[1, 1])]),
        "distinct",
    );
    says(
        classifier(vec![ints("classlabels_ints", &[1])]),
        "one class",
    );
    for name in [
        "support_vectors",
        "coefficients",
        "rho",
        "kernel_params",
        "prob_a",
    ] {
        let length = machine()
            .iter()
            .find(|a| a.name == name)
            .map_or(0, |a| a.floats.len());
        let mut cells = vec![0.5; length];
        cells[0] = f32::NAN;
        says(
            classifier(vec![floats(name, &cells)]),
            "not a finite number",
        );
    }
    let many: Vec<i64> = (0..257).collect();
    says(
        classifier(vec![ints("classlabels_ints", &many)]),
        "257 classes",
    );
}

#[test]
fn support_vector_regressors() {
    let base = [
        string("kernel_type", "POLY"),
        floats("kernel_params", &[0.5, 0.0, 3.0]),
        int("n_supports", 2),
        floats("support_vectors", &[0.5; 6]),
        floats("coefficients", &[1.0, -0.5]),
        floats("rho", &[0.1]),
    ];
    let regressor = |changes| {
        let node = ml("SVMRegressor", &["x"], &["y"], with(&base, changes));
        load(vec![node], DataType::Float, 3, &["y"])
    };
    regressor(vec![]).unwrap();
    says(regressor(vec![int("n_supports", -1)]), "-1 support vectors");
    says(regressor(vec![int("n_supports", i64::MAX)]), "coefficients");
    says(regressor(vec![int("n_supports", 0)]), "2 coefficients");
    says(regressor(vec![int("n_supports", 3)]), "coefficients");
    says(
        regressor(vec![floats("support_vectors", &[])]),
        "support_vectors",
    );
    says(regressor(vec![string("post_transform", "CUBE")]), "CUBE");
}

#[test]
fn encoders() {
    let encoder = |op: &str, attributes| {
        let nodes = vec![
            ml(op, &["x"], &["e"], attributes),
            node("Cast", "", &["e"], &["c"], vec![int("to", 1)]),
            ml(
                "LinearRegressor",
                &["c"],
                &["y"],
                vec![floats("coefficients", &[1.0; 3])],
            ),
        ];
        load(nodes, DataType::String, 3, &["y"])
    };
    let keys = || strings("keys_strings", &["a", "b"]);
    encoder("LabelEncoder", vec![keys(), ints("values_int64s", &[1, 2])]).unwrap();
    says(encoder("LabelEncoder", vec![keys()]), "no values");
    says(
        encoder("LabelEncoder", vec![keys(), ints("values_int64s", &[1])]),
        "1 values",
    );
    says(
        encoder(
            "LabelEncoder",
            vec![ints("keys_int64s", &[1]), ints("values_int64s", &[1])],
        ),
        "another type",
    );
    says(
        encoder(
            "LabelEncoder",
            vec![
                keys(),
                ints("values_int64s", &[1, 2]),
                floats("values_floats", &[1.0, 2.0]),
            ],
        ),
        "two types",
    );
    says(encoder("CategoryMapper", vec![]), "0 integer");
    says(
        encoder(
            "CategoryMapper",
            vec![
                strings("cats_strings", &["a"]),
                ints("cats_int64s", &[1, 2]),
            ],
        ),
        "2 integer and 1 text",
    );
    let binarizer = ml(
        "Binarizer",
        &["x"],
        &["y"],
        vec![float("threshold", f32::NAN)],
    );
    says(
        load(vec![binarizer], DataType::Float, 3, &["y"]),
        "threshold",
    );
}

fn pool() -> Vec<AttributeProto> {
    vec![
        string("mode", "TF"),
        int("min_gram_length", 1),
        int("max_gram_length", 2),
        int("max_skip_count", 0),
        ints("ngram_counts", &[0, 2]),
        ints("ngram_indexes", &[0, 1, 2, 3]),
        strings("pool_strings", &["a", "b", "a", "b", "b", "a"]),
    ]
}

fn vectorizer(changes: Vec<AttributeProto>) -> Result<(), Error> {
    tokenized(vec![string("tokenexp", "[a-z]+")], changes)
}

fn tokenized(cut: Vec<AttributeProto>, changes: Vec<AttributeProto>) -> Result<(), Error> {
    let mut attributes = vec![
        int("mark", 0),
        int("mincharnum", 1),
        string("pad_value", "#"),
    ];
    attributes.retain(|a| cut.iter().all(|c| c.name != a.name));
    attributes.extend(cut);
    let nodes = vec![
        node("Tokenizer", "com.microsoft", &["x"], &["t"], attributes),
        node("Flatten", "", &["t"], &["f"], vec![]),
        node(
            "TfIdfVectorizer",
            "",
            &["f"],
            &["y"],
            with(&pool(), changes),
        ),
    ];
    load(nodes, DataType::String, 1, &["y"])
}

#[test]
fn n_gram_pools() {
    vectorizer(vec![]).unwrap();
    says(vectorizer(vec![string("mode", "BM25")]), "mode");
    says(
        vectorizer(vec![int("min_gram_length", 0)]),
        "min_gram_length",
    );
    says(vectorizer(vec![int("min_gram_length", 3)]), "3 to 2");
    says(vectorizer(vec![int("max_gram_length", 3)]), "3 expected");
    says(
        vectorizer(vec![int("max_skip_count", -1)]),
        "max_skip_count",
    );
    says(
        vectorizer(vec![int("max_skip_count", 1 << 20)]),
        "steps over an n-gram",
    );
    for counts in [
        &[0, 1][..],
        &[0, 7],
        &[0, -2],
        &[2, 1],
        &[-1, 2],
        &[1 << 31, 2],
    ] {
        says(
            vectorizer(vec![ints("ngram_counts", counts)]),
            "ngram_counts",
        );
    }
    says(
        vectorizer(vec![ints("ngram_indexes", &[0, 1, 2])]),
        "more n-grams",
    );
    says(
        vectorizer(vec![ints("ngram_indexes", &[0, 1, 2, -3])]),
        "below 0",
    );
    says(
        vectorizer(vec![ints("ngram_indexes", &[])]),
        "no ngram_indexes",
    );
    says(
        vectorizer(vec![ints("ngram_indexes", &[0, 1, 2, 1 << 30])]),
        "columns of a text vector",
    );
    says(
        vectorizer(vec![ints("ngram_indexes", &[0, 1, 2, 1 << 31])]),
        "columns of a text vector",
    );
    says(vectorizer(vec![floats("weights", &[1.0])]), "1 weights");
    says(
        vectorizer(vec![floats("weights", &[1.0, f32::INFINITY, 1.0, 1.0])]),
        "weight 1",
    );
    says(
        vectorizer(vec![strings(
            "pool_strings",
            &["a", "a", "a", "b", "b", "a"],
        )]),
        "1-gram twice",
    );
    says(vectorizer(vec![ints("pool_int64s", &[1])]), "1 integers");
    says(
        vectorizer(vec![
            floats("weights", &[1.0, 2.0, 3.0, 4.0]),
            ints("ngram_indexes", &[0, 0, 1, 2]),
        ]),
        "different weights",
    );
}

#[test]
fn tokenizers() {
    for pattern in ["(", "[a", "*", "a{1000}{1000}{1000}", "\\C", "a\\"] {
        assert!(
            tokenized(vec![string("tokenexp", pattern)], vec![]).is_err(),
            "{pattern}"
        );
    }
    says(
        tokenized(vec![string("tokenexp", &"a".repeat(2_000))], vec![]),
        "bytes of a pattern",
    );
    says(tokenized(vec![], vec![]), "neither");
    says(
        tokenized(vec![string("tokenexp", "a"), int("mincharnum", 0)], vec![]),
        "mincharnum",
    );
    says(
        tokenized(vec![string("tokenexp", "."), int("mincharnum", 2)], vec![]),
        "mincharnum",
    );
    says(
        tokenized(vec![strings("separators", &["a*"])], vec![]),
        "empty text",
    );
    let many = vec!["a"; 65];
    says(
        tokenized(vec![strings("separators", &many)], vec![]),
        "65 separators",
    );
    let cut = node(
        "Tokenizer",
        "com.microsoft",
        &["x"],
        &["y"],
        vec![string("tokenexp", "a")],
    );
    says(
        load(vec![cut.clone()], DataType::String, 3, &["y"]),
        "several columns",
    );
    says(load(vec![cut], DataType::String, 1, &["y"]), "Tokenizer");
}

#[test]
fn normal_forms() {
    let normalizer = |attributes| {
        let nodes = vec![
            node("StringNormalizer", "", &["x"], &["n"], attributes),
            node("TfIdfVectorizer", "", &["n"], &["y"], pool()),
        ];
        load(nodes, DataType::String, 1, &["y"])
    };
    normalizer(vec![string("case_change_action", "LOWER")]).unwrap();
    says(
        normalizer(vec![string("case_change_action", "TITLE")]),
        "TITLE",
    );
    says(
        normalizer(vec![strings("stopwords", &["the"])]),
        "stopwords",
    );
}

#[test]
fn only_the_tokenizer_is_known_of_its_domain() {
    let node = node("MurmurHash3", "com.microsoft", &["x"], &["y"], vec![]);
    let found = load(vec![node], DataType::String, 1, &["y"]);
    assert!(
        matches!(found, Err(Error::UnsupportedOperator { .. })),
        "{found:?}"
    );
}

/// A field of bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    assert!(bytes.len() < 128);
    [&[number << 3 | 2, bytes.len() as u8], bytes].concat()
}

/// A model whose input "m" is a map of these element types (`None`: no type at all) before a vectorizer.
fn map(types: Option<(u8, u8)>, vocabulary: Vec<AttributeProto>) -> Vec<u8> {
    let nodes = vec![
        ml("DictVectorizer", &["m"], &["x"], vocabulary),
        ml(
            "LinearRegressor",
            &["x"],
            &["y"],
            vec![floats("coefficients", &[1.0, 2.0])],
        ),
    ];
    let bytes = model(vec![], &["y"], nodes, vec![]);
    let mut proto = ModelProto::decode(bytes.as_slice()).unwrap();
    let mut graph = proto.graph.take().unwrap().encode_to_vec();
    let mut input = field(1, b"m");
    if let Some((key, value)) = types {
        let value = field(1, &[8, value]);
        let map = [vec![8, key], field(2, &value)].concat();
        input.extend(field(2, &field(5, &map)));
    }
    graph.extend(field(11, &input));
    let mut bytes = proto.encode_to_vec();
    prost::encoding::encode_key(7, prost::encoding::WireType::LengthDelimited, &mut bytes);
    prost::encoding::encode_varint(graph.len() as u64, &mut bytes);
    bytes.extend(graph);
    bytes
}

#[test]
fn maps() {
    let load = |bytes: Vec<u8>| Model::load(&bytes, &Limits::default());
    let texts = || vec![strings("string_vocabulary", &["a", "b"])];
    let integers = || vec![ints("int64_vocabulary", &[7, -1])];
    let names = |model: Model| {
        let features = model.signature().features.iter();
        features.map(|f| f.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(load(map(Some((8, 1)), texts())).unwrap()), ["a", "b"]);
    assert_eq!(
        names(load(map(Some((7, 11)), integers())).unwrap()),
        ["7", "-1"]
    );
    let refused = |bytes, text| says(load(bytes).map(|_| ()), text);
    refused(map(None, texts()), "is no map");
    refused(map(Some((7, 1)), texts()), "2 texts and 0 integers");
    refused(map(Some((1, 1)), texts()), "2 texts and 0 integers");
    refused(map(Some((8, 1)), vec![]), "0 texts and 0 integers");
    refused(
        map(
            Some((8, 1)),
            vec![strings("string_vocabulary", &["a", "a"])],
        ),
        "distinct",
    );
    refused(map(Some((8, 14)), texts()), "COMPLEX64");
    let many: Vec<i64> = (0..1_601).collect();
    refused(
        map(Some((7, 1)), vec![ints("int64_vocabulary", &many)]),
        "1601 features",
    );
}

#[test]
fn broadcasts_of_many_cells() {
    // Each sum of a column and a row of 1,024 has a million cells; a thousand of them are too many to compile.
    let shape = |name: &str, to: [i64; 3]| integers(name, &[3], &to);
    let mut nodes = vec![
        node("Reshape", "", &["x", "column"], &["c"], vec![]),
        node("Reshape", "", &["x", "row"], &["r"], vec![]),
    ];
    for i in 0..1_000 {
        let out = format!("s{i}");
        nodes.push(node("Add", "", &["c", "r"], &[&out], vec![]));
    }
    nodes.push(node(
        "ReduceSum",
        "",
        &["s0", "axes"],
        &["y"],
        vec![int("keepdims", 0)],
    ));
    let bytes = model(
        vec![value("x", DataType::Float, 1_024)],
        &["y"],
        nodes,
        vec![
            shape("column", [-1, 1_024, 1]),
            shape("row", [-1, 1, 1_024]),
            integers("axes", &[2], &[1, 2]),
        ],
    );
    let declaration = finai_engine::Declaration {
        features: Some((0..1_024).map(|i| format!("f{i}")).collect()),
        ..Default::default()
    };
    let started = std::time::Instant::now();
    let found = Model::load_as(&bytes, &declaration, &Limits::default());
    assert!(matches!(found, Err(Error::TooLarge { .. })), "{found:?}");
    assert!(started.elapsed().as_secs() < 20);
}
