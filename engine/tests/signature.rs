//! What a model asks for and gives, and what a declaration may change.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::onnx::*;
use common::{fixture, load};
use finai_engine::{Declaration, Error, Kind, Limits, Missing, Model, Scorer, Task};
use prost::Message;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{ModelProto, NodeProto, StringStringEntryProto, ValueInfoProto};

fn as_declared(bytes: &[u8], declaration: &Declaration) -> Result<Model, Error> {
    Model::load_as(bytes, declaration, &Limits::default())
}

fn declaration(change: impl FnOnce(&mut Declaration)) -> Declaration {
    let mut declaration = Declaration::default();
    change(&mut declaration);
    declaration
}

/// The message of `Error::Declaration`.
fn declaration_error(bytes: &[u8], declared: &Declaration) -> String {
    match as_declared(bytes, declared) {
        Err(Error::Declaration(message)) => message,
        other => panic!("{other:?}"),
    }
}

/// A linear regression over one input `X` of three columns, with this metadata.
fn wide(metadata: Option<&str>) -> Vec<u8> {
    let regressor = ml(
        "LinearRegressor",
        &["X"],
        &["y"],
        vec![floats("coefficients", &[1.0, 2.0, 3.0])],
    );
    let bytes = model(
        vec![value("X", DataType::Float, 3)],
        &["y"],
        vec![regressor],
        vec![],
    );
    let mut proto = ModelProto::decode(bytes.as_slice()).unwrap();
    if let Some(text) = metadata {
        proto.metadata_props.push(StringStringEntryProto {
            key: "feature_names".into(),
            value: text.into(),
        });
    }
    proto.encode_to_vec()
}

fn names(model: &Model) -> Vec<&str> {
    model
        .signature()
        .features
        .iter()
        .map(|f| f.name.as_str())
        .collect()
}

#[test]
fn names_of_a_wide_input() {
    let load = |metadata| Model::load(&wide(metadata), &Limits::default());
    assert_eq!(
        load(None).unwrap_err(),
        Error::UnnamedFeatures {
            input: "X".into(),
            width: 3
        }
    );
    assert_eq!(
        names(&load(Some("[\"a\", \"b\", \"c, d\"]")).unwrap()),
        ["a", "b", "c, d"]
    );
    assert_eq!(names(&load(Some("a, b ,c")).unwrap()), ["a", "b", "c"]);
    assert!(
        matches!(load(Some("a,b")), Err(Error::Invalid(m)) if m.contains("names 2 features, the model takes 3"))
    );
    assert!(
        matches!(load(Some("a,b,a")), Err(Error::Declaration(m)) if m == "feature \"a\" is named twice")
    );
    let named = |names: &[&str]| {
        declaration(|d| d.features = Some(names.iter().map(|n| n.to_string()).collect()))
    };
    assert_eq!(
        names(&as_declared(&wide(Some("a,b,c")), &named(&["x", "y", "z"])).unwrap()),
        ["x", "y", "z"]
    );
    assert_eq!(
        declaration_error(&wide(None), &named(&["x"])),
        "1 features are named, the model takes 3"
    );
}

#[test]
fn names_of_mixed_inputs() {
    let nodes = vec![
        node("Concat", "", &["X", "age"], &["x"], vec![int("axis", 1)]),
        ml(
            "LinearRegressor",
            &["x"],
            &["y"],
            vec![floats("coefficients", &[1.0, 2.0, 3.0])],
        ),
    ];
    let inputs = vec![
        value("X", DataType::Float, 2),
        value("age", DataType::Float, 1),
    ];
    let mut proto = ModelProto::decode(model(inputs, &["y"], nodes, vec![]).as_slice()).unwrap();
    proto.metadata_props.push(StringStringEntryProto {
        key: "feature_names".into(),
        value: "a,b".into(),
    });
    let model = Model::load(&proto.encode_to_vec(), &Limits::default()).unwrap();
    assert_eq!(names(&model), ["a", "b", "age"]);
    let places: Vec<_> = model
        .signature()
        .features
        .iter()
        .map(|f| (f.input, f.offset))
        .collect();
    assert_eq!(places, [(0, 0), (0, 1), (1, 0)]);
}

/// An input `[N, 1]` of each kind, all cast to f32 into one sum.
#[test]
fn kinds_and_conversions() {
    let kinds = [
        ("f", DataType::Float, Kind::Float32),
        ("d", DataType::Double, Kind::Float64),
        ("i", DataType::Int64, Kind::Int64),
        ("n", DataType::Int32, Kind::Int64),
        ("b", DataType::Bool, Kind::Bool),
    ];
    let mut nodes: Vec<NodeProto> = Vec::new();
    let casts: Vec<String> = kinds.iter().map(|(name, ..)| format!("{name}1")).collect();
    for ((name, ..), cast) in kinds.iter().zip(&casts) {
        nodes.push(node("Cast", "", &[name], &[cast], vec![int("to", 1)]));
    }
    let casts: Vec<&str> = casts.iter().map(String::as_str).collect();
    nodes.push(node("Concat", "", &casts, &["x"], vec![int("axis", 1)]));
    nodes.push(ml(
        "LinearRegressor",
        &["x"],
        &["y"],
        vec![floats(
            "coefficients",
            &[1.0, 10.0, 100.0, 1000.0, 10_000.0],
        )],
    ));
    let inputs = kinds
        .iter()
        .map(|(name, element, _)| value(name, *element, 1))
        .collect();
    let model =
        Arc::new(Model::load(&model(inputs, &["y"], nodes, vec![]), &Limits::default()).unwrap());
    let found: Vec<Kind> = model.signature().features.iter().map(|f| f.kind).collect();
    assert_eq!(found, kinds.map(|(_, _, kind)| kind));
    assert_eq!(model.signature().task, Task::Regression);

    let mut scorer = Scorer::new(model, 2).unwrap();
    let batch = scorer.batch();
    batch.push_row().unwrap();
    batch.set_float(0, 1.5).unwrap();
    batch.set_float(1, 2.0).unwrap();
    batch.set_integer(2, 3).unwrap();
    batch.set_float(3, 4.0).unwrap();
    batch.set_bool(4, true).unwrap();
    batch.push_row().unwrap();
    batch.set_integer(0, 1).unwrap();
    batch.set_integer(1, 1).unwrap();
    batch.set_bool(2, true).unwrap();
    batch.set_integer(3, 1).unwrap();
    batch.set_integer(4, 0).unwrap();
    assert!(matches!(batch.set_float(2, 1.5), Err(Error::Invalid(m)) if m.contains("\"i\"")));
    assert!(matches!(batch.set_integer(4, 2), Err(Error::Invalid(_))));
    assert!(matches!(batch.set_text(0, "1"), Err(Error::Invalid(_))));
    assert!(matches!(batch.set_float(9, 1.0), Err(Error::Invalid(_))));
    assert!(matches!(batch.push_row(), Err(Error::Invalid(m)) if m.contains("2 rows")));
    let scores = scorer.run(&|| false).unwrap();
    assert_eq!(
        (scores.score(0).unwrap(), scores.score(1).unwrap()),
        (14_321.5, 1_111.0)
    );
    assert_eq!(
        (scores.label(0), scores.probabilities(1)),
        (None, [1111.0].as_slice())
    );
    assert!(scores.score(2).is_err());
}

/// A one-hot encoder that refuses unknown categories behind a Concat of two texts, beside a number.
fn encoded() -> Vec<u8> {
    let nodes = vec![
        node(
            "Concat",
            "",
            &["city", "job"],
            &["texts"],
            vec![int("axis", 1)],
        ),
        ml(
            "OneHotEncoder",
            &["texts"],
            &["hot"],
            vec![strings("cats_strings", &["a", "b"]), int("zeros", 0)],
        ),
        node("Reshape", "", &["hot", "shape"], &["flat"], vec![]),
        node("Concat", "", &["flat", "age"], &["x"], vec![int("axis", 1)]),
        ml(
            "LinearRegressor",
            &["x"],
            &["y"],
            vec![floats("coefficients", &[1.0, 2.0, 10.0, 20.0, 100.0])],
        ),
    ];
    let inputs: Vec<ValueInfoProto> = vec![
        value("city", DataType::String, 1),
        value("job", DataType::String, 1),
        value("age", DataType::Float, 1),
    ];
    model(
        inputs,
        &["y"],
        nodes,
        vec![integers("shape", &[2], &[-1, 4])],
    )
}

/// The same behind an operator that only tract has.
fn encoded_for_tract() -> Vec<u8> {
    let mut proto = ModelProto::decode(encoded().as_slice()).unwrap();
    let graph = proto.graph.as_mut().unwrap();
    let concat = graph.node.iter().position(|n| n.output[0] == "x").unwrap();
    graph.node[concat].input[1] = "root".into();
    let relu = node("ThresholdedRelu", "", &["age"], &["root"], vec![]);
    graph.node.insert(concat, relu);
    proto.encode_to_vec()
}

#[test]
fn unknown_categories_name_the_feature_through_tract() {
    let model = Arc::new(Model::load(&encoded_for_tract(), &Limits::default()).unwrap());
    assert!(!model.is_tabular());
    let mut scorer = Scorer::new(model, 2).unwrap();
    let mut score = |city: &str, job: &str| {
        let batch = scorer.batch();
        batch.clear();
        for job in ["a", job] {
            batch.push_row().unwrap();
            batch.set_text(0, city).unwrap();
            batch.set_text(1, job).unwrap();
            batch.set_float(2, 2.0).unwrap();
        }
        scorer.run(&|| false).map(|s| s.score(1).unwrap())
    };
    assert_eq!(score("a", "b"), Ok(221.0));
    assert_eq!(
        score("a", "A"),
        Err(Error::UnknownCategory {
            feature: "job".into()
        })
    );
    assert_eq!(
        score("z", "b"),
        Err(Error::UnknownCategory {
            feature: "city".into()
        })
    );
    assert_eq!(score("b", "a"), Ok(212.0));
}

#[test]
fn unknown_categories_name_the_feature() {
    let model = Arc::new(Model::load(&encoded(), &Limits::default()).unwrap());
    assert!(model.is_tabular());
    let features = &model.signature().features;
    assert_eq!(features[0].categories, ["a", "b"]);
    assert!(features[2].categories.is_empty());
    let mut scorer = Scorer::new(model, 1).unwrap();
    let mut score = |city: &str, job: &str| {
        let batch = scorer.batch();
        batch.clear();
        batch.push_row().unwrap();
        batch.set_text(0, city).unwrap();
        batch.set_text(1, job).unwrap();
        batch.set_float(2, 1.0).unwrap();
        scorer.run(&|| false).map(|s| s.score(0).unwrap())
    };
    assert_eq!(score("a", "b"), Ok(121.0));
    assert_eq!(
        score("z", "b"),
        Err(Error::UnknownCategory {
            feature: "city".into()
        })
    );
    assert_eq!(
        score("a", "A"),
        Err(Error::UnknownCategory {
            feature: "job".into()
        })
    );
    assert_eq!(score("b", "a"), Ok(112.0));
}

#[test]
fn null_follows_the_policy() {
    let model = Arc::new(Model::load(&encoded(), &Limits::default()).unwrap());
    assert!(
        model
            .signature()
            .features
            .iter()
            .all(|f| f.missing == Missing::Error && !f.handles_nan)
    );
    let mut scorer = Scorer::new(model, 1).unwrap();
    scorer.batch().push_row().unwrap();
    assert_eq!(
        scorer.batch().set_null(1),
        Err(Error::NullFeature {
            feature: "job".into()
        })
    );
    assert_eq!(
        scorer.batch().set_float(2, f64::NAN),
        Err(Error::NanFeature {
            feature: "age".into()
        })
    );
    scorer.batch().set_text(0, "a").unwrap();
    assert_eq!(
        scorer.run(&|| false).unwrap_err(),
        Error::NullFeature {
            feature: "job".into()
        }
    );

    let missing = [
        ("city", Missing::Text("b".into())),
        ("job", Missing::Text("a".into())),
        ("age", Missing::Number(2.0)),
    ];
    let missing: BTreeMap<String, Missing> = missing
        .into_iter()
        .map(|(k, v)| (k.to_owned(), v))
        .collect();
    let model = as_declared(&encoded(), &declaration(|d| d.missing = missing)).unwrap();
    let mut scorer = Scorer::new(Arc::new(model), 2).unwrap();
    scorer.batch().push_row().unwrap();
    scorer.batch().push_row().unwrap();
    scorer.batch().set_float(2, f64::NAN).unwrap();
    let scores = scorer.run(&|| false).unwrap();
    assert_eq!((scores.score(0), scores.score(1)), (Ok(212.0), Ok(212.0)));
}

#[test]
fn policies_that_contradict_the_model() {
    let says = |feature: &str, missing: Missing| {
        declaration_error(
            &encoded(),
            &declaration(|d| drop(d.missing.insert(feature.into(), missing))),
        )
    };
    assert!(says("size", Missing::Error).contains("\"size\""));
    assert!(says("age", Missing::Native).contains("\"age\" is native"));
    assert!(says("city", Missing::Native).contains("\"city\" is native"));
    assert!(says("age", Missing::Text("a".into())).contains("\"age\" is a text"));
    assert!(says("age", Missing::Number(f64::NAN)).contains("\"age\" is not a finite number"));
    assert!(says("city", Missing::Number(1.0)).contains("\"city\" is a number"));
    assert!(says("city", Missing::Text("c".into())).contains("\"city\" is a category"));
}

#[test]
fn nan_reaches_trees_and_imputers_only() {
    let handled = |bytes: &[u8]| {
        let model = Model::load(bytes, &Limits::default()).unwrap();
        model
            .signature()
            .features
            .iter()
            .map(|f| f.handles_nan)
            .collect::<Vec<_>>()
    };
    assert_eq!(handled(&trees(stump())), [true, true]);
    let imputed = vec![
        ml(
            "Imputer",
            &["a"],
            &["i"],
            vec![
                floats("imputed_value_floats", &[1.0]),
                float("replaced_value_float", f32::NAN),
            ],
        ),
        node("Concat", "", &["i", "b"], &["x"], vec![int("axis", 1)]),
        ml(
            "LinearRegressor",
            &["x"],
            &["y"],
            vec![floats("coefficients", &[1.0, 2.0])],
        ),
    ];
    let inputs = || {
        vec![
            value("a", DataType::Float, 1),
            value("b", DataType::Float, 1),
        ]
    };
    assert_eq!(
        handled(&model(inputs(), &["y"], imputed, vec![])),
        [true, false]
    );
    let both = vec![
        node("Concat", "", &["a", "b"], &["x"], vec![int("axis", 1)]),
        ml("TreeEnsembleClassifier", &["x"], &["label", "p"], stump()),
        node("Relu", "", &["b"], &["unused"], vec![]),
    ];
    assert_eq!(
        handled(&model(inputs(), &["label", "p"], both, vec![])),
        [true, false]
    );
}

#[test]
fn positive_class() {
    let positive = |labels: &[&str]| {
        let mut attributes = stump_with(vec![strings("classlabels_strings", labels)]);
        attributes.retain(|a| a.name != "classlabels_int64s");
        Model::load(&trees(attributes), &Limits::default())
            .unwrap()
            .signature()
            .positive
    };
    assert_eq!(positive(&["bad", "good"]), Some(0));
    assert_eq!(positive(&["legit", "FRAUD"]), Some(1));
    assert_eq!(positive(&["No", "Yes"]), Some(1));
    assert_eq!(positive(&["left", "right"]), None);

    let mut attributes = stump_with(vec![strings("classlabels_strings", &["left", "right"])]);
    attributes.retain(|a| a.name != "classlabels_int64s");
    let named = as_declared(
        &trees(attributes.clone()),
        &declaration(|d| d.output = Some("left".into())),
    )
    .unwrap();
    assert_eq!(named.signature().positive, Some(0));
    let says = declaration_error(
        &trees(attributes.clone()),
        &declaration(|d| d.output = Some("up".into())),
    );
    assert_eq!(
        says,
        "output \"up\" is no label of the model, which has \"left\", \"right\""
    );

    let mut scorer = Scorer::new(
        Arc::new(Model::load(&trees(attributes), &Limits::default()).unwrap()),
        1,
    )
    .unwrap();
    scorer.batch().push_row().unwrap();
    let scores = scorer.run(&|| false).unwrap();
    assert_eq!(
        scores.score(0),
        Err(Error::AmbiguousOutput {
            labels: vec!["left".into(), "right".into()]
        })
    );
    assert_eq!(scores.probabilities(0).len(), 2);
}

#[test]
fn several_classes_need_an_output() {
    let model = load(&fixture("german_multi.onnx"));
    assert_eq!(
        (model.signature().task, model.signature().positive),
        (Task::Multiclass, None)
    );
    let declared = declaration(|d| d.output = Some("rent".into()));
    assert_eq!(
        common::load_as(&fixture("german_multi.onnx"), &declared)
            .signature()
            .positive,
        Some(2)
    );
}

/// A dense layer `[1, 2] -> units` and an activation over inputs `a` and `b`.
fn dense(units: i64, activation: &str) -> Vec<u8> {
    let nodes = vec![
        node("Concat", "", &["a", "b"], &["x"], vec![int("axis", 1)]),
        node("MatMul", "", &["x", "w"], &["m"], vec![]),
        node("Add", "", &["m", "c"], &["s"], vec![]),
        node(activation, "", &["s"], &["y"], vec![]),
    ];
    let cells: Vec<f32> = (0..units * 2).map(|i| i as f32).collect();
    let constants = vec![
        constant("w", &[2, units], &cells),
        constant("c", &[units], &vec![0.5; units as usize]),
    ];
    model(
        vec![
            value("a", DataType::Float, 1),
            value("b", DataType::Float, 1),
        ],
        &["y"],
        nodes,
        constants,
    )
}

fn one_row(model: Model) -> (Vec<f64>, Option<String>) {
    let mut scorer = Scorer::new(Arc::new(model), 1).unwrap();
    scorer.batch().push_row().unwrap();
    scorer.batch().set_float(0, 1.0).unwrap();
    scorer.batch().set_float(1, 2.0).unwrap();
    let scores = scorer.run(&|| false).unwrap();
    (
        scores.probabilities(0).to_vec(),
        scores.label(0).map(str::to_owned),
    )
}

#[test]
fn outputs_of_networks() {
    let load = |bytes: &[u8]| Model::load(bytes, &Limits::default());
    let regression = load(&dense(1, "Sigmoid")).unwrap();
    assert!(regression.is_tabular());
    assert_eq!(regression.signature().task, Task::Regression);
    let p = 1.0 / (1.0 + f64::exp(-2.5));
    assert!((one_row(regression).0[0] - p).abs() < 1e-6);

    let binary = as_declared(
        &dense(1, "Sigmoid"),
        &declaration(|d| d.task = Some(Task::Binary)),
    )
    .unwrap();
    assert_eq!(
        (
            binary.signature().labels.as_slice(),
            binary.signature().positive
        ),
        (["0", "1"].map(String::from).as_slice(), Some(1))
    );
    let (probabilities, label) = one_row(binary);
    assert!(
        (probabilities[1] - p).abs() < 1e-6
            && (probabilities[0] + probabilities[1] - 1.0).abs() < 1e-12
    );
    assert_eq!(label.as_deref(), Some("1"));

    let softmax = load(&dense(3, "Softmax")).unwrap();
    assert_eq!(softmax.signature().task, Task::Multiclass);
    let (probabilities, label) = one_row(softmax);
    assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-6);
    assert_eq!(label.as_deref(), Some("2"));

    assert!(declaration_error(&dense(2, "Relu"), &Declaration::default()).contains("2 columns"));
    let labels = Some(vec!["no".to_owned(), "yes".to_owned()]);
    let declared = as_declared(&dense(2, "Relu"), &declaration(|d| d.labels = labels)).unwrap();
    assert_eq!(
        (declared.signature().task, declared.signature().positive),
        (Task::Binary, Some(1))
    );
    let wrong = declaration(|d| d.labels = Some(vec!["a".into()]));
    assert_eq!(
        declaration_error(&dense(3, "Softmax"), &wrong),
        "1 labels are declared, the model has 3 classes"
    );
    let wrong = declaration(|d| d.task = Some(Task::Binary));
    assert!(declaration_error(&dense(3, "Softmax"), &wrong).contains("3 classes"));
    let wrong = declaration(|d| d.task = Some(Task::Regression));
    assert!(declaration_error(&trees(stump()), &wrong).contains("classifier"));
    let wrong = declaration(|d| d.output = Some("1".into()));
    assert!(declaration_error(&dense(1, "Sigmoid"), &wrong).contains("regression"));
}

#[test]
fn zip_maps_are_removed() {
    let nodes = vec![
        node("Concat", "", &["a", "b"], &["x"], vec![int("axis", 1)]),
        ml("TreeEnsembleClassifier", &["x"], &["l", "p"], stump()),
        node("Cast", "", &["l"], &["label"], vec![int("to", 7)]),
        ml(
            "ZipMap",
            &["p"],
            &["map"],
            vec![ints("classlabels_int64s", &[0, 1])],
        ),
    ];
    let bytes = model(
        vec![
            value("a", DataType::Float, 1),
            value("b", DataType::Float, 1),
        ],
        &["label", "map"],
        nodes,
        vec![],
    );
    let model = Model::load(&bytes, &Limits::default()).unwrap();
    assert!(model.is_tabular());
    assert_eq!(model.signature().labels, ["0", "1"]);
    assert_eq!(one_row(model), (vec![1.0, -1.0], Some("0".into())));
}

#[test]
fn a_map_beside_its_probabilities_is_one_output() {
    let nodes = vec![
        node("Concat", "", &["a", "b"], &["x"], vec![int("axis", 1)]),
        ml("TreeEnsembleClassifier", &["x"], &["label", "p"], stump()),
        ml(
            "ZipMap",
            &["p"],
            &["map"],
            vec![ints("classlabels_int64s", &[0, 1])],
        ),
    ];
    let inputs = vec![
        value("a", DataType::Float, 1),
        value("b", DataType::Float, 1),
    ];
    let bytes = model(inputs, &["label", "p", "map"], nodes, vec![]);
    let model = Model::load(&bytes, &Limits::default()).unwrap();
    assert_eq!(one_row(model), (vec![1.0, -1.0], Some("0".into())));
}

#[test]
fn an_operator_without_a_kernel_goes_through_tract() {
    let nodes = vec![
        node("Concat", "", &["a", "b"], &["x"], vec![int("axis", 1)]),
        node("Cos", "", &["x"], &["e"], vec![]),
        ml(
            "Scaler",
            &["e"],
            &["s"],
            vec![floats("offset", &[1.0, 0.0]), floats("scale", &[2.0])],
        ),
        ml(
            "LinearRegressor",
            &["s"],
            &["y"],
            vec![floats("coefficients", &[1.0, 1.0])],
        ),
    ];
    let bytes = model(
        vec![
            value("a", DataType::Float, 1),
            value("b", DataType::Float, 1),
        ],
        &["y"],
        nodes,
        vec![],
    );
    let model = Model::load(&bytes, &Limits::default()).unwrap();
    assert!(!model.is_tabular());
    let expected = 2.0 * (1f64.cos() - 1.0) + 2.0 * 2f64.cos();
    assert!((one_row(model).0[0] - expected).abs() < 1e-4);
}

#[test]
fn interrupts_end_a_run() {
    let mut scorer = Scorer::new(load(&fixture("german_gbr.onnx")), 5000).unwrap();
    let asked = std::cell::Cell::new(0);
    for _ in 0..5000 {
        scorer.batch().push_row().unwrap();
    }
    scorer
        .run(&|| {
            asked.set(asked.get() + 1);
            false
        })
        .unwrap();
    assert!(asked.get() >= 5, "{} looks at the interrupt", asked.get());
    assert_eq!(scorer.run(&|| true).unwrap_err(), Error::Interrupted);
    assert_eq!(scorer.run(&|| false).unwrap().rows(), 5000);
}

#[test]
fn a_signature_survives_json() {
    let model = load(&fixture("german_hgb.onnx"));
    let text = serde_json::to_string(model.signature()).unwrap();
    assert_eq!(
        serde_json::from_str::<finai_engine::Signature>(&text).unwrap(),
        *model.signature()
    );
}
