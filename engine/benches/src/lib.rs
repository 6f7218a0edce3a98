//! What the benches share: models with rows to score, and the engines that score them side by side in one process.
//!
//! `engine/benches/run` sets the environment: FINAI_BENCH_MODELS is the folder that make_models.py filled, ORT_DYLIB_PATH
//! onnxruntime's library, XGBOOST_DYLIB_PATH XGBoost's.

mod finai;
mod onnxruntime;
mod xgboost;

use std::path::{Path, PathBuf};

pub use finai::Finai;
pub use onnxruntime::Onnxruntime;
pub use xgboost::Xgboost;

/// A model and rows that it has not seen, all different: repeated rows would train the branch predictor.
pub struct Case {
    pub name: String,
    pub path: PathBuf,
    pub features: usize,
    rows: Vec<f32>,
}

impl Case {
    /// Every `<name>_<features>.onnx` of the models' folder whose name contains `filter`.
    pub fn all(filter: &str) -> Vec<Case> {
        let folder = variable("FINAI_BENCH_MODELS");
        let entries = std::fs::read_dir(&folder).expect("a folder of models");
        let mut paths: Vec<PathBuf> = entries.map(|e| e.expect("a file").path()).collect();
        paths.retain(|p| p.extension().is_some_and(|e| e == "onnx"));
        paths.sort();
        let cases = paths.into_iter().filter_map(|path| {
            let name = path.file_stem()?.to_str()?.to_owned();
            let (_, features) = name.rsplit_once('_')?;
            let rows = Path::new(&folder).join(format!("rows_{features}.f32"));
            let bytes = std::fs::read(rows).ok()?;
            Some(Case {
                features: features.parse().ok()?,
                rows: bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|b| f32::from_le_bytes(*b))
                    .collect(),
                name,
                path,
            })
        });
        cases.filter(|case| case.name.contains(filter)).collect()
    }

    pub fn rows(&self) -> usize {
        self.rows.len() / self.features
    }

    /// Batches of `size` rows, whole ones only.
    pub fn batches(&self, size: usize) -> impl Iterator<Item = &[f32]> + Clone {
        self.rows.chunks_exact(size * self.features)
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
    /// Takes row-major rows over; not measured.
    fn fill(&mut self, rows: &[f32], features: usize);
    /// Scores the rows taken over last.
    fn score(&mut self);
    /// Probability of the second class for every row scored last.
    fn probabilities(&self) -> Vec<f64>;
}

/// Largest difference between two engines' probabilities.
pub fn difference(a: &dyn Contender, b: &dyn Contender) -> f64 {
    let pairs = a.probabilities().into_iter().zip(b.probabilities());
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run engine/benches/run"))
}
