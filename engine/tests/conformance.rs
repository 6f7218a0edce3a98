//! The node tests of the onnx package, read from the folder FINAI_NODE_TESTS that `conformance/node_tests.py` fills.
//!
//! A node test is about one tensor, a model about rows: the first dimension of the inputs becomes the rows. Inputs that
//! have no rows become constants; of the ways to share them out, one must give the expected outputs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use common::onnx::node;
use common::tensors::{Cells, read};
use finai_engine::outputs::Values;
use finai_engine::{Declaration, Feature, Kind, Limits, Missing, Model, Scorer, Task};
use prost::Message;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Dim;
use tract_onnx::pb::type_proto::Value as Type;
use tract_onnx::pb::{ModelProto, TensorProto, ValueInfoProto};

const PASSES: &str = "tests/conformance/passes.txt";

/// Tests whose numbers are not the test's, because the maximum of constants that are all minus infinity is computed as the
/// lowest number while compiling.
const DIFFER: [&str; 2] = [
    "test_attention_23_boolmask_fullymasked_row_nan_robustness_expanded",
    "test_attention_23_fullymasked_qk_matmul_output_mode3_zero_expanded",
];

/// Every row has a number beside the test's inputs, so that the model has a score whatever the test's outputs are.
const NUMBER: (&str, &str) = ("row number", "score");

struct Case {
    model: ModelProto,
    inputs: Vec<TensorProto>,
    outputs: Vec<TensorProto>,
    relative: f64,
    absolute: f64,
}

#[derive(Debug)]
enum Outcome {
    Passes,
    /// The engine gives other values.
    Differs(String),
    Refused(String),
    /// No output has the rows of an input.
    NoRows,
    /// The operator mixes the rows of a batch; a model scores each row as if it were alone.
    RowsApart,
}

impl Case {
    fn read(folder: &Path) -> Case {
        let tensors = |kind: &str| {
            (0..)
                .map_while(|i| std::fs::read(folder.join(format!("{kind}_{i}.pb"))).ok())
                .map(|bytes| TensorProto::decode(&*bytes).unwrap())
                .collect()
        };
        let tolerance = common::json(&folder.join("tolerance.json"));
        Case {
            model: ModelProto::decode(&*common::bytes(&folder.join("model.onnx"))).unwrap(),
            inputs: tensors("input"),
            outputs: tensors("output"),
            relative: tolerance["relative"].as_f64().unwrap(),
            absolute: tolerance["absolute"].as_f64().unwrap(),
        }
    }

    /// Ways to choose the inputs that have rows: as many as possible first.
    fn choices(&self) -> BTreeSet<(std::cmp::Reverse<usize>, Vec<usize>, i64)> {
        let mut choices = BTreeSet::new();
        let leading = |i: &usize| self.inputs[*i].dims.first().copied();
        for first in 0..self.inputs.len() {
            let Some(rows @ 1..) = leading(&first) else {
                continue;
            };
            let all = (0..self.inputs.len()).filter(|i| leading(i) == Some(rows));
            for chosen in [all.collect(), vec![first]] {
                choices.insert((std::cmp::Reverse(chosen.len()), chosen, rows));
            }
        }
        choices
    }

    fn outcome(&self) -> Outcome {
        let mut outcome = Outcome::NoRows;
        for (_, chosen, rows) in self.choices() {
            let has_rows = |t: &TensorProto| t.dims.first() == Some(&rows);
            if !self.outputs.iter().all(has_rows) {
                continue;
            }
            outcome = match (self.run(&chosen, rows), outcome) {
                (Ok(Outcome::Passes), _) => return Outcome::Passes,
                (Ok(Outcome::NoRows) | Err(_), differs @ Outcome::Differs(_)) => differs,
                (Ok(Outcome::NoRows), before) => before,
                (Ok(outcome), _) => outcome,
                (Err(error), _) => Outcome::Refused(error.to_string()),
            };
        }
        outcome
    }

    /// What comes out with the rows of `chosen` inputs as features.
    fn run(&self, chosen: &[usize], rows: i64) -> finai_engine::Result<Outcome> {
        let bytes = self.model_of(chosen, rows);
        let inputs: Vec<(Cells, usize)> = chosen
            .iter()
            .map(|i| &self.inputs[*i])
            .map(|t| (read(t), t.dims[1..].iter().product::<i64>() as usize))
            .collect();
        let names = (0..=inputs.iter().map(|(_, width)| width).sum()).map(|i| format!("f{i}"));
        let mut declaration = Declaration {
            features: Some(names.collect()),
            output: Some(NUMBER.1.into()),
            task: Some(Task::Regression),
            ..Declaration::default()
        };
        let limits = Limits {
            features: 1 << 20,
            ..Limits::default()
        };
        let undeclared = Model::load_as(&bytes, &declaration, &limits)?;
        let float = |f: &&Feature| f.handles_nan && matches!(f.kind, Kind::Float32 | Kind::Float64);
        let floats = undeclared.signature().features.iter().filter(float);
        declaration.missing = floats
            .map(|f| (f.name.clone(), Missing::Native))
            .collect::<BTreeMap<_, _>>();
        let model = Arc::new(Model::load_as(&bytes, &declaration, &limits)?);
        let rows = rows as usize;
        let mut scorer = Scorer::new(model, rows)?;
        for row in 0..rows {
            scorer.batch().push_row()?;
            let mut feature = 0;
            for (cells, width) in &inputs {
                for cell in row * width..(row + 1) * width {
                    match cells {
                        Cells::Floats(all) => scorer.batch().set_float(feature, all[cell])?,
                        Cells::Integers(all) => scorer.batch().set_integer(feature, all[cell])?,
                        Cells::Texts(all) => scorer.batch().set_text(feature, &all[cell])?,
                    }
                    feature += 1;
                }
            }
            scorer.batch().set_float(feature, row as f64)?;
        }
        let outputs = scorer.outputs(&|| false)?;
        let apart = matches!(scorer.model().rows_at_once(), Some(Err(_)));
        let mut outcome = Outcome::Passes;
        for (found, expected) in outputs.columns().iter().zip(&self.outputs) {
            match self.compare(found.values.as_ref().unwrap(), &read(expected)) {
                Outcome::Passes => {}
                Outcome::Differs(_) if apart && rows > 1 => return Ok(Outcome::RowsApart),
                Outcome::Differs(what) => {
                    outcome = Outcome::Differs(format!("{}: {what}", found.name))
                }
                other => return Ok(other),
            }
        }
        Ok(outcome)
    }

    /// The model with the chosen inputs in rows and the others as constants.
    fn model_of(&self, chosen: &[usize], rows: i64) -> Vec<u8> {
        let mut model = self.model.clone();
        let graph = model.graph.as_mut().unwrap();
        graph.value_info.clear();
        let inputs = std::mem::take(&mut graph.input);
        for (i, mut info) in inputs.into_iter().enumerate() {
            if chosen.contains(&i) {
                leave_rows_open(&mut info, rows);
                graph.input.push(info);
            } else {
                let mut tensor = self.inputs[i].clone();
                tensor.name = info.name;
                graph.initializer.push(tensor);
            }
        }
        graph
            .output
            .iter_mut()
            .for_each(|info| leave_rows_open(info, rows));
        graph
            .input
            .push(common::onnx::value(NUMBER.0, DataType::Float, 1));
        graph
            .output
            .push(common::onnx::value(NUMBER.1, DataType::Float, 1));
        graph
            .node
            .push(node("Identity", "", &[NUMBER.0], &[NUMBER.1], vec![]));
        if model.opset_import.iter().all(|o| !o.domain.is_empty()) {
            model.opset_import.push(tract_onnx::pb::OperatorSetIdProto {
                domain: String::new(),
                version: 13,
            });
        }
        model.encode_to_vec()
    }

    /// Other sizes tell that a constant met the columns of a row, and not the rows as in the test.
    fn compare(&self, found: &Values, expected: &Cells) -> Outcome {
        let near = |f: f64, e: f64| {
            f == e
                || (f.is_nan() && e.is_nan())
                || (f - e).abs() <= self.absolute + self.relative * e.abs()
        };
        let (sizes, same) = match (found, expected) {
            (Values::Float32(f), Cells::Floats(e)) => (
                (f.len(), e.len()),
                f.iter().zip(e).all(|(f, e)| near(f64::from(*f), *e)),
            ),
            (Values::Float64(f), Cells::Floats(e)) => (
                (f.len(), e.len()),
                f.iter().zip(e).all(|(f, e)| near(*f, *e)),
            ),
            (Values::Int64(f), Cells::Integers(e)) => ((f.len(), e.len()), f == e),
            (Values::Bool(f), Cells::Integers(e)) => (
                (f.len(), e.len()),
                f.iter().map(|b| i64::from(*b)).eq(e.iter().copied()),
            ),
            (Values::Text(f), Cells::Texts(e)) => ((f.len(), e.len()), f == e),
            _ => ((0, 0), false),
        };
        match (sizes.0 == sizes.1, same) {
            (false, _) => Outcome::NoRows,
            (true, true) => Outcome::Passes,
            (true, false) => Outcome::Differs(format!("{found:?} is not {expected:?}")),
        }
    }
}

fn leave_rows_open(info: &mut ValueInfoProto, rows: i64) {
    if let Some(Type::TensorType(tensor)) = info.r#type.as_mut().and_then(|t| t.value.as_mut())
        && let Some(dim) = tensor.shape.as_mut().and_then(|s| s.dim.first_mut())
        && dim.value == Some(Dim::DimValue(rows))
    {
        dim.value = Some(Dim::DimParam("N".into()));
    }
}

#[test]
#[ignore = "takes the folder FINAI_NODE_TESTS"]
fn node_tests() {
    let folder = std::env::var("FINAI_NODE_TESTS").unwrap();
    let update = std::env::var("FINAI_UPDATE").is_ok_and(|v| v == "1");
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join(PASSES);
    let listed: BTreeSet<String> = std::fs::read_to_string(&list)
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect();
    let supported: BTreeSet<&str> = finai_engine::admit::supported_operators()
        .into_iter()
        .collect();
    let mut tally: BTreeMap<String, [usize; 4]> = BTreeMap::new();
    let mut passes = BTreeSet::new();
    let mut differing = Vec::new();
    let mut folders: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    folders.sort();
    for path in folders {
        let case = Case::read(&path);
        let nodes = &case.model.graph.as_ref().unwrap().node;
        let ours = nodes.iter().all(|n| supported.contains(n.op_type.as_str()));
        if !ours {
            continue;
        }
        let op = if nodes.len() == 1 {
            nodes[0].op_type.clone()
        } else {
            "(functions)".into()
        };
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let counts = tally.entry(op).or_default();
        match case.outcome() {
            Outcome::Passes => {
                counts[0] += 1;
                passes.insert(name);
            }
            Outcome::Differs(what) => {
                counts[1] += 1;
                if !DIFFER.contains(&name.as_str()) {
                    differing.push(format!("{name}: {what:.300}"));
                }
            }
            Outcome::Refused(why) => {
                counts[2] += 1;
                println!("{name} is refused: {why:.200}");
            }
            Outcome::NoRows | Outcome::RowsApart => counts[3] += 1,
        }
    }
    println!("operator: passes, differs, refused, without rows of its own");
    for (op, [passes, differs, refused, without]) in &tally {
        println!("{op}: {passes}, {differs}, {refused}, {without}");
    }
    differing
        .iter()
        .for_each(|line| println!("differs: {line}"));
    println!("{} pass, {} are listed", passes.len(), listed.len());
    if update {
        let all: Vec<&str> = listed.union(&passes).map(String::as_str).collect();
        std::fs::write(&list, all.join("\n") + "\n").unwrap();
    }
    let lost: Vec<_> = listed.difference(&passes).collect();
    assert!(lost.is_empty(), "no longer passing: {lost:?}");
    assert!(differing.is_empty(), "{} differ", differing.len());
}
