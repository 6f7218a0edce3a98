//! Networks as Keras and PyTorch export them, against the outputs that onnxruntime gave for the recorded rows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use common::{bytes, fixture, json};
use finai_engine::{Declaration, Limits, Model, Result, Scorer, Task};
use serde_json::Value;

/// A network with recorded rows: the cells of every input and output.
struct Recorded {
    model: Arc<Model>,
    inputs: Vec<Vec<Vec<f64>>>,
    output: Vec<Vec<f64>>,
}

fn cells(value: &Value) -> Vec<Vec<f64>> {
    let number = |v: &Value| v.as_f64().unwrap_or(f64::NAN);
    let row = |v: &Value| v.as_array().unwrap().iter().map(number).collect();
    value.as_array().unwrap().iter().map(row).collect()
}

/// Loads a network and its rows; outputs of several columns are declared as classes.
fn recorded(path: &Path) -> Result<Recorded> {
    let file = json(&path.with_extension("json"));
    let outputs = file["outputs"].as_object().unwrap();
    let output = cells(outputs.values().next().unwrap());
    let mut declaration = Declaration::default();
    if output[0].len() > 1 {
        declaration.labels = Some((0..output[0].len()).map(|i| format!("c{i}")).collect());
    } else {
        declaration.task = Some(Task::Regression);
    }
    let names: Vec<String> = file["inputs"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    let mut result = Model::load_as(&bytes(path), &declaration, &Limits::default());
    if matches!(result, Err(finai_engine::Error::UnnamedFeatures { .. })) {
        let wide = &cells(&file["inputs"][&names[0]])[0];
        declaration.features = Some((0..wide.len()).map(|i| format!("f{i}")).collect());
        result = Model::load_as(&bytes(path), &declaration, &Limits::default());
    }
    let model = Arc::new(result?);
    let names = model.signature().inputs.iter();
    let inputs = names
        .map(|input| cells(&file["inputs"][&input.name]))
        .collect();
    Ok(Recorded {
        model,
        inputs,
        output,
    })
}

impl Recorded {
    fn push(&self, scorer: &mut Scorer, row: usize) {
        let batch = scorer.batch();
        batch.push_row().unwrap();
        for (f, feature) in self.model.signature().features.iter().enumerate() {
            let cell = self.inputs[feature.input][row][feature.offset];
            batch.set_float(f, cell).unwrap();
        }
    }

    /// All rows in the given order, in batches of `size`.
    fn run(&self, size: usize, order: &[usize]) -> Vec<Vec<f64>> {
        let mut scorer = Scorer::new(self.model.clone(), size).unwrap();
        let mut out = Vec::new();
        for rows in order.chunks(size) {
            scorer.batch().clear();
            for row in rows {
                self.push(&mut scorer, *row);
            }
            let scores = scorer.run(&|| false).unwrap();
            out.extend((0..rows.len()).map(|row| scores.probabilities(row).to_vec()));
        }
        out
    }

    /// The largest difference to onnxruntime, relative above 1.
    fn difference(&self) -> f64 {
        let order: Vec<usize> = (0..self.output.len()).collect();
        let found = self.run(order.len(), &order);
        let pairs = found.iter().flatten().zip(self.output.iter().flatten());
        pairs.fold(0.0, |most: f64, (a, b)| {
            let difference = (a - b).abs() / b.abs().max(1.0);
            if difference.is_nan() {
                f64::INFINITY
            } else {
                most.max(difference)
            }
        })
    }

    /// The size of a batch at which a row's bits differ from those alone.
    fn varies(&self) -> Option<usize> {
        let rows = self.output.len();
        let bits = |rows: Vec<Vec<f64>>| -> Vec<Vec<u64>> {
            let row = |r: Vec<f64>| r.into_iter().map(f64::to_bits).collect();
            rows.into_iter().map(row).collect()
        };
        let order: Vec<usize> = (0..rows).collect();
        let alone = bits(self.run(1, &order));
        for (size, step) in [(2, 1), (7, 3), (70, 11)] {
            let order: Vec<usize> = (0..size.max(rows)).map(|i| i * step % rows).collect();
            let found = bits(self.run(size, &order));
            if order
                .iter()
                .zip(&found)
                .any(|(row, found)| alone[*row] != *found)
            {
                return Some(size);
            }
        }
        None
    }

    /// Microseconds a row in batches of `size`, the best of several runs.
    fn time(&self, size: usize) -> f64 {
        let mut scorer = Scorer::new(self.model.clone(), size).unwrap();
        for row in 0..size {
            self.push(&mut scorer, row % self.output.len());
        }
        let mut best = f64::INFINITY;
        let begun = Instant::now();
        while begun.elapsed().as_millis() < 200 {
            let start = Instant::now();
            scorer.run(&|| false).unwrap();
            best = best.min(start.elapsed().as_secs_f64() * 1e6 / size as f64);
        }
        best
    }
}

fn models(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "onnx"))
        .collect();
    paths.sort();
    paths
}

#[test]
#[ignore = "takes a folder of networks with recorded outputs"]
fn folder() {
    let folder = std::env::var("FINAI_NETWORKS").unwrap();
    let timed = std::env::var("FINAI_TIMED").is_ok();
    for path in models(Path::new(&folder)) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let start = Instant::now();
        let network = match recorded(&path) {
            Ok(network) => network,
            Err(error) => {
                println!("{name:28} refused: {error}");
                continue;
            }
        };
        let load = start.elapsed().as_millis();
        println!(
            "{name:28} differs by {:.1e}, varies {:?}, {:?}, loaded in {load} ms",
            network.difference(),
            network.varies(),
            network.model.rows_at_once(),
        );
        if timed {
            println!(
                "{name:28} {:.2} us a row alone, {:.2} in batches of 256",
                network.time(1),
                network.time(256)
            );
        }
    }
}

/// Microseconds a row of tract alone in batches of `size`.
fn time_tract(path: &Path, network: &Recorded, size: usize) -> Option<f64> {
    use tract_onnx::onnx;
    use tract_onnx::prelude::*;
    use tract_onnx::tract_hir::infer::Factoid;
    let mut model = onnx().model_for_path(path).ok()?;
    let shapes: Vec<Vec<usize>> = (0..network.inputs.len())
        .map(|i| {
            let dims = model.input_fact(i).unwrap().shape.dims();
            let fixed = dims
                .skip(1)
                .map(|d| d.concretize().unwrap().to_i64().unwrap() as usize);
            std::iter::once(size).chain(fixed).collect()
        })
        .collect();
    let mut inputs = tvec!();
    for (i, shape) in shapes.iter().enumerate() {
        let cells: Vec<f64> = (0..size)
            .flat_map(|row| network.inputs[i][row % network.output.len()].clone())
            .collect();
        let datum = model.input_fact(i).ok()?.datum_type.concretize()?;
        model
            .set_input_fact(i, InferenceFact::dt_shape(datum, shape.as_slice()))
            .ok()?;
        let tensor = tensor1(&cells).into_shape(shape).ok()?;
        inputs.push(tensor.cast_to_dt(datum).ok()?.into_owned().into_tvalue());
    }
    let plan = model.into_optimized().ok()?.into_runnable().ok()?;
    let mut best = f64::INFINITY;
    let begun = Instant::now();
    while begun.elapsed().as_millis() < 200 {
        let start = Instant::now();
        plan.run(inputs.clone()).ok()?;
        best = best.min(start.elapsed().as_secs_f64() * 1e6 / size as f64);
    }
    Some(best)
}

#[test]
#[ignore = "measures a folder of networks"]
fn speed() {
    let folder = std::env::var("FINAI_NETWORKS").unwrap();
    for path in models(Path::new(&folder)) {
        let Ok(network) = recorded(&path) else {
            continue;
        };
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let tract = |size| time_tract(&path, &network, size).unwrap_or(f64::NAN);
        println!(
            "{name:28} {:8.2} alone (tract {:8.2}) {:8.2} in batches of 256 (tract {:8.2}) us a row",
            network.time(1),
            tract(1),
            network.time(256),
            tract(256),
        );
    }
}

#[test]
fn committed_networks_agree_with_onnxruntime_in_any_batch() {
    let paths = models(&fixture("networks"));
    assert!(paths.len() >= 10, "{} networks", paths.len());
    for path in paths {
        let network = recorded(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let difference = network.difference();
        assert!(difference <= 1e-5, "{}: {difference}", path.display());
        assert_eq!(network.varies(), None, "{}", path.display());
    }
}
