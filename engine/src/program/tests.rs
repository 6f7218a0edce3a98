//! Both kinds of program must agree where both can run a model.

use serde_json::Value;

use super::lower::lower;
use super::sink::Scoring;
use super::*;
use crate::admit::admit;
use crate::signature::{Declaration, inputs, missing, outputs, trace};

/// Probabilities of the recorded rows of a fixture through one kind of program.
fn run(name: &str, tabular: bool) -> Vec<f64> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let limits = Limits::default();
    let mut model = admit(
        &std::fs::read(folder.join(format!("{name}.onnx"))).unwrap(),
        &limits,
    )
    .unwrap();
    let lowered = lower(&mut model).unwrap();
    let inputs = inputs::read(&model).unwrap();
    let declaration = Declaration::default();
    let mut features = inputs::features(&model, &inputs, &declaration, &limits).unwrap();
    trace::trace(&mut model, &inputs, &mut features).unwrap();
    missing::apply(&mut features, &declaration).unwrap();
    let program = if tabular {
        Program::Tabular(
            tabular::Tabular::compile(&model, &inputs, &features, &limits)
                .unwrap()
                .unwrap(),
        )
    } else {
        Program::Graph(graph::Graph::compile(&model, &inputs, &features, &limits).unwrap())
    };
    let head = outputs::read(
        &lowered.outputs,
        &program.outputs(),
        lowered.labels.as_ref(),
        &declaration,
    )
    .unwrap();
    let signature = crate::Signature {
        inputs: inputs.into_iter().map(|d| d.input).collect(),
        features,
        task: head.task,
        labels: head.labels.clone(),
        positive: head.positive,
        outputs: lowered.outputs,
    };
    let recorded: Value =
        serde_json::from_slice(&std::fs::read(folder.join(format!("{name}.json"))).unwrap())
            .unwrap();
    let columns: Vec<String> = serde_json::from_value(recorded["columns"].clone()).unwrap();
    let rows = recorded["rows"].as_array().unwrap();
    let mut batch = Batch::new(&signature, rows.len()).unwrap();
    for row in rows {
        batch.push_row().unwrap();
        for (f, feature) in signature.features.iter().enumerate() {
            match &row[columns.iter().position(|c| *c == feature.name).unwrap()] {
                Value::String(text) => batch.set_text(f, text).unwrap(),
                Value::Number(n) => batch.set_float(f, n.as_f64().unwrap()).unwrap(),
                _ => batch.set_null(f).unwrap(),
            }
        }
    }
    batch.finish_row().unwrap();
    let width = head.width;
    let mut state = program.state(rows.len()).unwrap();
    let (mut labels, mut probabilities) = (vec![0; rows.len()], vec![0.0; rows.len() * width]);
    let mut sink = Scoring {
        head: &head,
        labels: &mut labels,
        probabilities: &mut probabilities,
        width,
    };
    program
        .run(&batch, &mut state, &mut sink, &|| false)
        .unwrap();
    labels
        .iter()
        .map(|l| *l as f64)
        .chain(probabilities)
        .collect()
}

#[test]
fn programs_agree() {
    for name in [
        "german_gbr",
        "german_mlp",
        "german_hgb",
        "german_rf",
        "german_multi",
        "fraud_imputed",
        "vectors_svc",
    ] {
        let (tabular, graph) = (run(name, true), run(name, false));
        assert_eq!(tabular.len(), graph.len());
        let differs = |(a, b): (&f64, &f64)| (a - b).abs() > 1e-6 * b.abs().max(1.0);
        assert!(!tabular.iter().zip(&graph).any(differs), "{name}");
    }
}
