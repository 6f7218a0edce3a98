//! What the benches share: models with rows to score, the engines that score them side by side in one process, and a clock.
//!
//! `engine/benches/run` sets the environment: FINAI_BENCH_MODELS is the folder that make_models.py filled, ORT_DYLIB_PATH
//! onnxruntime's library, XGBOOST_DYLIB_PATH XGBoost's.

mod finai;
mod measure;
mod onnxruntime;
mod table;
mod tract;
mod xgboost;

use std::ops::Range;
use std::path::{Path, PathBuf};

pub use finai::Finai;
pub use measure::{median, rounds};
pub use onnxruntime::Onnxruntime;
pub use table::{Input, Table, Values};
pub use tract::Tract;
pub use xgboost::Xgboost;

/// A model and rows that it has not seen.
pub struct Case {
    pub name: String,
    pub path: PathBuf,
    pub table: Table,
}

impl Case {
    /// Every `<name>_<features>.onnx` of the models' folder, with `rows_<features>.f32`, and `<name>_columns.onnx`, with
    /// `rows_columns.json`, whose name contains `filter`.
    pub fn all(filter: &str) -> Vec<Case> {
        let folder = variable("FINAI_BENCH_MODELS");
        let folder = Path::new(&folder);
        let cases = models(folder).into_iter().filter_map(|path| {
            let name = path.file_stem()?.to_str()?.to_owned();
            let (_, rows) = name.rsplit_once('_')?;
            if !name.contains(filter) {
                return None;
            }
            let table = match rows {
                "columns" => Table::columns(&folder.join("rows_columns.json")),
                features => Table::matrix(
                    &folder.join(format!("rows_{features}.f32")),
                    features.parse().ok()?,
                ),
            };
            Some(Case { name, path, table })
        });
        cases.collect()
    }

    /// finai, onnxruntime and, where the file is there, native XGBoost.
    pub fn contenders(&self) -> Vec<Box<dyn Contender>> {
        let mut all: Vec<Box<dyn Contender>> = vec![
            Box::new(Finai::load(&self.path)),
            Box::new(Onnxruntime::load(&self.path)),
        ];
        let native = self.path.with_extension("ubj");
        if native.exists() {
            all.push(Box::new(Xgboost::load(&native)));
        }
        all
    }
}

/// An engine with a model, on one thread.
pub trait Contender {
    fn name(&self) -> &'static str;
    /// Takes rows over; not measured.
    fn fill(&mut self, table: &Table, rows: Range<usize>);
    /// Scores the rows taken over last.
    fn score(&mut self);
    /// The last number that the model gives for every row scored last: of two classes, the probability of the second.
    fn scores(&self) -> Vec<f64>;
}

/// Every `.onnx` file of a folder, by name.
pub fn models(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder of models");
    let mut paths: Vec<PathBuf> = entries.map(|e| e.expect("a file").path()).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "onnx"));
    paths.sort();
    paths
}

/// Largest difference between the scores of two engines, relative above 1, NaN where they have not as many.
pub fn difference(a: &dyn Contender, b: &dyn Contender) -> f64 {
    let (a, b) = (a.scores(), b.scores());
    if a.len() != b.len() {
        return f64::NAN;
    }
    a.iter()
        .zip(&b)
        .map(|(a, b)| (a - b).abs() / b.abs().max(1.0))
        .fold(0.0, |m, d| if d > m || d.is_nan() { d } else { m })
}

/// The first argument that is not an option: part of a model's name.
pub fn filter() -> String {
    let mut arguments = std::env::args().skip(1);
    arguments.find(|a| !a.starts_with('-')).unwrap_or_default()
}

pub fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run engine/benches/run"))
}

/// The last of every row's columns.
fn last(cells: &[f32], rows: usize) -> Vec<f64> {
    let columns = cells.len() / rows.max(1);
    let cells = cells.iter().skip(columns - 1).step_by(columns);
    cells.map(|cell| f64::from(*cell)).collect()
}
