//! What onnxruntime answered for a model, as `models/suite.py` stores it.

use std::collections::HashSet;
use std::path::Path;

use finai_engine::Declaration;
use serde_json::Value;

use super::files::{Reader, json};

/// Recorded cells of one output, row-major.
pub enum Cells {
    Labels { texts: Vec<String>, codes: Vec<u8> },
    Numbers(Vec<f64>),
}

pub struct Output {
    pub name: String,
    pub width: usize,
    pub cells: Cells,
}

/// How numbers are compared.
#[derive(Clone, Copy, PartialEq)]
pub enum Tolerance {
    /// 1e-6, absolute.
    Probability,
    /// 1e-5 of the value, absolute below 1.
    Value,
}

impl Tolerance {
    /// Difference as a share of what is allowed; at most 1 where the numbers count as equal.
    pub fn share(self, found: f64, expected: f64) -> f64 {
        if found == expected || (found.is_nan() && expected.is_nan()) {
            return 0.0;
        }
        let allowed = match self {
            Tolerance::Probability => 1e-6,
            Tolerance::Value => 1e-5 * expected.abs().max(1.0),
        };
        let share = (found - expected).abs() / allowed;
        if share.is_nan() { f64::INFINITY } else { share }
    }
}

pub struct Recorded {
    pub table: String,
    pub exporter: String,
    /// What the registration says; a field that the engine does not know is an error of the model.
    pub declaration: Result<Declaration, String>,
    pub tolerance: Tolerance,
    pub outputs: Vec<Output>,
    /// Rows whose best two probabilities are as close as the tolerance: their label is free.
    pub ties: HashSet<usize>,
    /// Rows within one ulp of a threshold behind float32 arithmetic.
    pub jumps: HashSet<usize>,
    /// Rows on which onnxruntime's own answers, alone and in a batch, differ by half the tolerance.
    pub unsteady: HashSet<usize>,
    /// Rows on which onnxruntime rounds further than half the tolerance from the exact result.
    pub inexact: HashSet<usize>,
}

impl Recorded {
    pub fn read(folder: &Path, name: &str, rows: usize, header: &Value) -> Recorded {
        let mut reader = Reader::open(&folder.join(format!("{name}.bin")));
        let described = header["outputs"].as_array().unwrap();
        let outputs = described
            .iter()
            .map(|output| read(output, rows, &mut reader))
            .collect();
        assert!(
            reader.rest().is_empty(),
            "{name} has more cells than outputs"
        );
        let text = |key: &str| header[key].as_str().unwrap().to_owned();
        let set = |key: &str| serde_json::from_value(header[key].clone()).unwrap();
        Recorded {
            table: text("table"),
            exporter: text("exporter"),
            declaration: serde_json::from_value(header["declaration"].clone())
                .map_err(|e| e.to_string()),
            tolerance: match header["tolerance"].as_str() {
                Some("probability") => Tolerance::Probability,
                _ => Tolerance::Value,
            },
            outputs,
            ties: set("ties"),
            jumps: set("jumps"),
            unsteady: set("unsteady"),
            inexact: set("inexact"),
        }
    }

    pub fn header(folder: &Path, name: &str) -> Value {
        json(&folder.join(format!("{name}.json")))
    }
}

fn read(output: &Value, rows: usize, reader: &mut Reader) -> Output {
    let width = output["width"].as_u64().unwrap() as usize;
    let complement = output["complement"] == true;
    let count = if complement { rows } else { rows * width };
    let cells = match output["type"].as_str().unwrap() {
        "label" => Cells::Labels {
            texts: serde_json::from_value(output["texts"].clone()).unwrap(),
            codes: reader.take::<1>(count).map(|[code]| code).collect(),
        },
        "f32" => Cells::Numbers(
            reader
                .take::<4>(count)
                .map(|b| f64::from(f32::from_le_bytes(b)))
                .collect(),
        ),
        "f64" => Cells::Numbers(reader.take::<8>(count).map(f64::from_le_bytes).collect()),
        "i64" => Cells::Numbers(
            reader
                .take::<8>(count)
                .map(|b| i64::from_le_bytes(b) as f64)
                .collect(),
        ),
        "i32" => Cells::Numbers(
            reader
                .take::<4>(count)
                .map(|b| f64::from(i32::from_le_bytes(b)))
                .collect(),
        ),
        "u8" => Cells::Numbers(reader.take::<1>(count).map(|[b]| f64::from(b)).collect()),
        other => panic!("output of type {other}"),
    };
    let cells = match cells {
        Cells::Numbers(second) if complement => {
            let both = |p: f64| [f64::from(1.0 - p as f32), p];
            Cells::Numbers(second.into_iter().flat_map(both).collect())
        }
        cells => cells,
    };
    Output {
        name: output["name"].as_str().unwrap().to_owned(),
        width,
        cells,
    }
}
