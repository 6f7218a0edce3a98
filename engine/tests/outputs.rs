//! Which output is the score, and all outputs side by side.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;

use common::onnx::{constant, int, integers, ints, ml, model, node, stump, value};
use finai_engine::outputs::Values;
use finai_engine::{Declaration, Error, Limits, Model, Scorer, Task};
use tract_onnx::pb::tensor_proto::DataType;

/// Twice and three times the inputs a and b, whether a is the larger one, and an index.
fn heads() -> Vec<u8> {
    let nodes = vec![
        node("MatMul", "", &["x", "w"], &["sum"], vec![]),
        node("Mul", "", &["x", "three"], &["tripled"], vec![]),
        node("Greater", "", &["x", "three"], &["large"], vec![]),
        node(
            "ArgMax",
            "",
            &["x"],
            &["largest"],
            vec![int("axis", 1), int("keepdims", 0)],
        ),
    ];
    model(
        vec![value("x", DataType::Float, 2)],
        &["sum", "tripled", "large"],
        nodes,
        vec![
            constant("w", &[2, 1], &[2.0, 2.0]),
            constant("three", &[1], &[3.0]),
        ],
    )
}

fn declared(output: Option<&str>, task: Option<Task>) -> Declaration {
    Declaration {
        features: Some(vec!["a".into(), "b".into()]),
        output: output.map(str::to_owned),
        task,
        ..Declaration::default()
    }
}

fn load(bytes: &[u8], declaration: &Declaration) -> Result<Arc<Model>, Error> {
    Model::load_as(bytes, declaration, &Limits::default()).map(Arc::new)
}

fn score(model: &Arc<Model>) -> Scorer {
    let mut scorer = Scorer::new(model.clone(), 4).unwrap();
    for (a, b) in [(1.0, 4.0), (5.0, 0.5)] {
        scorer.batch().push_row().unwrap();
        scorer.batch().set_float(0, a).unwrap();
        scorer.batch().set_float(1, b).unwrap();
    }
    scorer.run(&|| false).unwrap();
    scorer
}

#[test]
fn several_outputs_of_numbers_need_a_name() {
    let error = load(&heads(), &declared(None, None)).unwrap_err();
    assert_eq!(
        error.to_string(),
        Error::Declaration(
            "outputs \"sum\", \"tripled\" hold numbers; name one of them as output".into()
        )
        .to_string()
    );
    let model = load(&heads(), &declared(Some("sum"), None)).unwrap();
    assert_eq!(model.signature().task, Task::Regression);
    let scorer = score(&model);
    assert_eq!(scorer.scores().score(0), Ok(10.0));
    assert_eq!(scorer.scores().score(1), Ok(11.0));
}

#[test]
fn an_output_without_numbers_is_no_score() {
    let error = load(&heads(), &declared(Some("large"), None)).unwrap_err();
    assert!(error.to_string().contains("\"large\" holds no numbers"));
}

#[test]
fn a_vector_has_values_and_no_score() {
    let unlabelled = load(&heads(), &declared(Some("tripled"), None)).unwrap_err();
    assert!(unlabelled.to_string().contains("task vector"));
    let model = load(&heads(), &declared(Some("tripled"), Some(Task::Vector))).unwrap();
    let scorer = score(&model);
    assert_eq!(scorer.scores().probabilities(1), [15.0, 1.5]);
    assert!(matches!(
        scorer.scores().score(0),
        Err(Error::NoScore { values: 2 })
    ));
    assert_eq!(scorer.scores().label(0), None);
}

#[test]
fn a_regression_has_one_column() {
    let wide = load(&heads(), &declared(Some("tripled"), Some(Task::Regression))).unwrap_err();
    assert!(wide.to_string().contains("2 columns"));
}

#[test]
fn every_output_keeps_its_name_and_type() {
    let model = load(&heads(), &declared(Some("sum"), None)).unwrap();
    let mut scorer = score(&model);
    let outputs = scorer.outputs(&|| false).unwrap();
    assert_eq!(outputs.rows(), 2);
    let found: Vec<_> = outputs
        .columns()
        .iter()
        .map(|c| (c.name.as_str(), c.values.clone().unwrap()))
        .collect();
    let expected = [
        ("sum", Values::Float32(vec![10.0, 11.0])),
        ("tripled", Values::Float32(vec![3.0, 12.0, 15.0, 1.5])),
        ("large", Values::Bool(vec![false, true, true, false])),
    ];
    assert_eq!(found, expected);
    assert_eq!(
        scorer.scores().score(1),
        Ok(11.0),
        "the scores of the last run stay"
    );
}

/// A classifier's probabilities and its trees' label, and the same through a ZipMap.
#[test]
fn labels_are_shown_as_labels() {
    let trees = ml(
        "TreeEnsembleClassifier",
        &["x"],
        &["label", "scores"],
        stump(),
    );
    let zip = ml(
        "ZipMap",
        &["scores"],
        &["output_probability"],
        vec![ints("classlabels_int64s", &[0, 1])],
    );
    let bytes = model(
        vec![value("x", DataType::Float, 2)],
        &["label", "output_probability"],
        vec![trees, zip],
        vec![],
    );
    let model = load(&bytes, &declared(None, None)).unwrap();
    assert!(model.is_tabular());
    let outputs = score(&model).outputs(&|| false).unwrap();
    let [label, probabilities] = outputs.columns() else {
        panic!("{outputs:?}")
    };
    assert_eq!(label.values, Some(Values::Int64(vec![0, 0])));
    assert_eq!(probabilities.name, "output_probability");
    assert!(matches!(&probabilities.values, Some(Values::Float32(cells)) if cells.len() == 4));
}

/// An anomaly score beside its label, as isolation forests are exported.
#[test]
fn a_value_beside_a_label_is_declared() {
    let nodes = vec![
        node("MatMul", "", &["x", "w"], &["score"], vec![]),
        node(
            "ArgMax",
            "",
            &["x"],
            &["label"],
            vec![int("axis", 1), int("keepdims", 0)],
        ),
    ];
    let bytes = model(
        vec![value("x", DataType::Float, 2)],
        &["label", "score"],
        nodes,
        vec![
            constant("w", &[2, 1], &[1.0, -1.0]),
            integers("unused", &[1], &[0]),
        ],
    );
    let undeclared = load(&bytes, &declared(None, None)).unwrap_err();
    assert!(undeclared.to_string().contains("task regression"));
    let model = load(&bytes, &declared(None, Some(Task::Regression))).unwrap();
    let scorer = score(&model);
    assert_eq!(scorer.scores().score(0), Ok(-3.0));
}

/// A decision value: one column of a classifier's, as linear machines are exported.
#[test]
fn a_decision_value_may_be_a_regression() {
    let nodes = vec![
        ml(
            "TreeEnsembleClassifier",
            &["x"],
            &["label", "both"],
            stump(),
        ),
        ml(
            "ArrayFeatureExtractor",
            &["both", "one"],
            &["value"],
            vec![],
        ),
    ];
    let bytes = |outputs: &[&str]| {
        let constants = vec![integers("one", &[1], &[1])];
        let inputs = vec![value("x", DataType::Float, 2)];
        model(inputs, outputs, nodes.clone(), constants)
    };
    let one = bytes(&["label", "value"]);
    let undeclared = load(&one, &declared(None, None)).unwrap_err();
    assert!(undeclared.to_string().contains("task regression"));
    let regression = declared(None, Some(Task::Regression));
    let model = load(&one, &regression).unwrap();
    assert_eq!(model.signature().task, Task::Regression);
    let scorer = score(&model);
    assert_eq!(scorer.scores().score(0), Ok(-1.0));
    assert_eq!(scorer.scores().label(0), None);
    let both = load(&bytes(&["label", "both"]), &regression).unwrap_err();
    assert!(both.to_string().contains("is a classifier"));
    let labels = Declaration {
        labels: Some(vec!["no".into(), "yes".into()]),
        ..regression
    };
    let labelled = load(&one, &labels).unwrap_err();
    assert!(labelled.to_string().contains("is a classifier"));
}

/// The leaf that a row is in, beside the class.
#[test]
fn integers_beside_a_label_are_no_label() {
    let nodes = vec![
        ml("TreeEnsembleClassifier", &["x"], &["label", "p"], stump()),
        node(
            "ArgMax",
            "",
            &["x"],
            &["leaf"],
            vec![int("axis", 1), int("keepdims", 0)],
        ),
    ];
    let inputs = vec![value("x", DataType::Float, 2)];
    let bytes = model(inputs, &["leaf", "label", "p"], nodes, vec![]);
    let model = load(&bytes, &declared(None, None)).unwrap();
    assert_eq!(model.signature().labels, ["0", "1"]);
    let scorer = score(&model);
    // The first row is a = 1: leaf 1, but class 0.
    assert_eq!(scorer.scores().label(0), Some("0"));
}
