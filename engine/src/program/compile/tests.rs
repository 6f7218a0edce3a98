//! Every operator against what onnxruntime made of the same rows: `tests/operators`, written by `make.py` there.

use serde_json::Value as Json;

use super::*;
use crate::admit::admit;
use crate::batch::Batch;
use crate::kernels::{Slab, slab};
use crate::limits::Limits;
use crate::program::lower::lower;
use crate::signature::{Declaration, Kind, Missing, Signature, Task, inputs, trace};

/// A view for each output of a graph, with the labels that its cells are indices into.
type Outputs = Vec<(View, Option<Labels>)>;

/// [`compile`] for outputs of any kind: their views, and the labels of those that are an index into some.
fn compile_values(
    model: &ModelProto,
    inputs: &[Declared],
    features: &[Feature],
) -> Result<Option<(Tabular, Outputs)>> {
    let Some(graph) = &model.graph else {
        return Ok(None);
    };
    let opset = model
        .opset_import
        .iter()
        .find(|o| o.domain.is_empty())
        .map_or(0, |o| o.version);
    let mut compiler = Compiler::new(graph, opset)?;
    compiler.inputs(inputs, features);
    for node in &graph.node {
        if compiler.node(node)?.is_none() {
            return Ok(None);
        }
    }
    let mut views = Vec::new();
    for output in &graph.output {
        match compiler.values.get(output.name.as_str()) {
            Some(Value::Rows(t)) => views.push((t.view, None)),
            Some(Value::Label(t, labels)) => views.push((t.view, Some(labels.as_ref().clone()))),
            _ => return Ok(None),
        }
    }
    let mut program = compiler.program;
    let kept = views.iter().map(|(view, _)| (*view, Output::Label(None)));
    program.outputs = kept.collect();
    place_concats(&mut program);
    Ok(Some((program, views)))
}

/// One cell, comparable.
#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Float(f64, f64),
    Integer(i64),
    Text(String),
}

impl Cell {
    fn of(json: &Json, kind: &str, tolerance: Option<f64>) -> Cell {
        let usual = if kind == "float64" { 1e-9 } else { 2e-6 };
        let tolerance = tolerance.unwrap_or(usual);
        match (json, kind) {
            (Json::String(s), "float32" | "float64") => Cell::Float(s.parse().unwrap(), tolerance),
            (Json::Number(n), "float32" | "float64") => Cell::Float(n.as_f64().unwrap(), tolerance),
            (Json::Number(n), _) => Cell::Integer(n.as_i64().unwrap()),
            (Json::Bool(b), _) => Cell::Integer(i64::from(*b)),
            (Json::String(s), _) => Cell::Text(s.clone()),
            other => panic!("{other:?}"),
        }
    }

    fn equals(&self, found: &Cell) -> bool {
        match (self, found) {
            (Cell::Float(a, tolerance), Cell::Float(b, _)) => {
                a == b
                    || (a.is_nan() && b.is_nan())
                    || (a - b).abs() <= tolerance * a.abs().max(1.0)
            }
            (a, b) => a == b,
        }
    }
}

fn cells(json: &Json, tolerance: Option<f64>) -> (Vec<Cell>, usize) {
    let kind = json["type"].as_str().unwrap();
    let cells = json["cells"].as_array().unwrap();
    let rows = json["shape"][0].as_u64().unwrap() as usize;
    (
        cells.iter().map(|c| Cell::of(c, kind, tolerance)).collect(),
        rows,
    )
}

fn read_slab(slab: Slab<'_>, labels: Option<&Labels>) -> Vec<Cell> {
    match slab {
        Slab::F32(rows) => rows
            .iter()
            .flatten()
            .map(|x| Cell::Float(f64::from(*x), 0.0))
            .collect(),
        Slab::F64(rows) => rows
            .iter()
            .flatten()
            .map(|x| Cell::Float(*x, 0.0))
            .collect(),
        Slab::I64(rows) => rows
            .iter()
            .flatten()
            .map(|i| match labels {
                None => Cell::Integer(*i),
                Some(Labels::Integers(labels)) => Cell::Integer(labels[*i as usize]),
                Some(Labels::Texts(labels)) => Cell::Text(labels[*i as usize].clone()),
            })
            .collect(),
        Slab::Text(rows, arena) => rows
            .iter()
            .flatten()
            .map(|span| Cell::Text(slab::text(arena, *span).to_owned()))
            .collect(),
    }
}

/// Why a case does not come out as recorded.
fn difference(case: &Json) -> std::result::Result<(), String> {
    let hex = case["model"].as_str().unwrap();
    let bytes: Vec<u8> = (0..hex.len() / 2)
        .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
        .collect();
    let limits = Limits::default();
    let text = |e: Error| e.to_string();
    let mut model = admit(&bytes, &limits).map_err(text)?;
    lower(&mut model).map_err(text)?;
    let declared = inputs::read(&model).map_err(text)?;
    let width: usize = declared.iter().map(|d| d.input.width).sum();
    let declaration = Declaration {
        features: Some((0..width).map(|i| format!("f{i}")).collect()),
        ..Declaration::default()
    };
    let mut features = inputs::features(&model, &declared, &declaration, &limits).map_err(text)?;
    trace::trace(&mut model, &declared, &mut features).map_err(text)?;
    for feature in &mut features {
        if feature.kind.is_float() {
            feature.missing = Missing::Native;
        }
    }
    let compiled = compile_values(&model, &declared, &features).map_err(text)?;
    let (mut program, views) = compiled.ok_or("no kernel")?;
    let recorded: Vec<(Vec<Cell>, usize)> = declared
        .iter()
        .map(|d| cells(&case["inputs"][&d.input.name], None))
        .collect();
    let rows = recorded[0].1;
    program.chunk = rows;
    let signature = Signature {
        inputs: declared.iter().map(|d| d.input.clone()).collect(),
        features,
        task: Task::Regression,
        labels: Vec::new(),
        positive: None,
        outputs: Vec::new(),
    };
    let mut batch = Batch::new(&signature, rows).map_err(text)?;
    for row in 0..rows {
        batch.push_row().map_err(text)?;
        for (f, feature) in signature.features.iter().enumerate() {
            let (cells, _) = &recorded[feature.input];
            let width = cells.len() / rows;
            match (&cells[row * width + feature.offset], feature.kind) {
                (Cell::Float(x, _), _) => batch.set_float(f, *x),
                (Cell::Integer(x), Kind::Bool) => batch.set_bool(f, *x != 0),
                (Cell::Integer(x), _) => batch.set_integer(f, *x),
                (Cell::Text(x), _) => batch.set_text(f, x),
            }
            .map_err(text)?;
        }
    }
    batch.finish_row().map_err(text)?;
    let graph = model.graph.as_ref().unwrap();
    let mut state = program.state(rows).map_err(text)?;
    for (output, (view, labels)) in graph.output.iter().zip(&views) {
        let (expected, _) = cells(&case["outputs"][&output.name], case["tolerance"].as_f64());
        let mut run = |first: usize, rows: usize| {
            program
                .values(batch.blocks(), first, rows, view, &mut state, |slab| {
                    read_slab(slab, labels.as_ref())
                })
                .map_err(text)
        };
        let found = run(0, rows)?;
        if found.len() != expected.len() {
            return Err(format!(
                "{} cells, {} expected",
                found.len(),
                expected.len()
            ));
        }
        if let Some(i) = (0..found.len()).find(|i| !expected[*i].equals(&found[*i])) {
            return Err(format!(
                "cell {i} of {} is {:?}, {:?} expected",
                output.name, found[i], expected[i]
            ));
        }
        let mut alone = Vec::new();
        for row in 0..rows {
            alone.extend(run(row, 1)?);
        }
        if format!("{found:?}") != format!("{alone:?}") {
            return Err("rows alone differ from rows together".into());
        }
    }
    Ok(())
}

/// Runs a file of cases.
fn check(name: &str) {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/operators")
        .join(format!("{name}.json"));
    let cases: Json = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let cases = cases.as_array().unwrap();
    assert!(cases.len() >= 10, "{name} has {} cases", cases.len());
    let wrong: Vec<String> = cases
        .iter()
        .enumerate()
        .filter_map(|(i, case)| difference(case).err().map(|e| format!("case {i}: {e}")))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} cases of {name} differ:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

#[test]
fn support_vector_machines() {
    check("svm");
}

#[test]
fn linear_models() {
    check("linear");
}

#[test]
fn encoders() {
    check("encoders");
}

#[test]
fn scaling_and_selection() {
    check("scaling");
}

#[test]
fn texts() {
    check("texts");
}

#[test]
fn functions_of_cells() {
    check("elementwise");
}

#[test]
fn shapes_and_reductions() {
    check("shapes");
}

#[test]
fn stacks_and_constants() {
    check("stacks");
}

#[test]
fn neighbours() {
    check("neighbours");
}

#[test]
fn tree_ensembles() {
    check("ensembles");
}
