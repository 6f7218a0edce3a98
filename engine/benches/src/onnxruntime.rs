use std::path::Path;
use std::sync::OnceLock;

use ort::environment::Environment;
use ort::session::Session;
use ort::value::Tensor;

use crate::{Contender, variable};

pub struct Onnxruntime {
    session: Session,
    input: Tensor<f32>,
    rows: usize,
    /// Of the last output, which every model here leaves last.
    probabilities: Vec<f32>,
}

fn environment() -> &'static Environment {
    static LOADED: OnceLock<Environment> = OnceLock::new();
    LOADED.get_or_init(|| {
        let builder = ort::init_from(variable("ORT_DYLIB_PATH")).expect("onnxruntime");
        builder.build().expect("an environment")
    })
}

impl Onnxruntime {
    pub fn load(path: &Path) -> Onnxruntime {
        let builder = Session::builder(environment()).expect("a session");
        let builder = builder.with_intra_threads(1).expect("an option");
        let session = builder
            .with_inter_threads(1)
            .expect("an option")
            .commit_from_file(path);
        Onnxruntime {
            session: session.expect("a model that onnxruntime takes"),
            input: Tensor::from_array(([1, 1], vec![0.0])).expect("a tensor"),
            rows: 0,
            probabilities: Vec::new(),
        }
    }
}

impl Contender for Onnxruntime {
    fn name(&self) -> &'static str {
        "onnxruntime"
    }

    fn fill(&mut self, rows: &[f32], features: usize) {
        self.rows = rows.len() / features;
        let shape = [self.rows, features];
        self.input = Tensor::from_array((shape, rows.to_vec())).expect("a tensor");
    }

    fn score(&mut self) {
        let outputs = self.session.run(ort::inputs![&self.input]).expect("scores");
        let (_, cells) = outputs[outputs.len() - 1]
            .try_extract_tensor::<f32>()
            .expect("floats");
        self.probabilities.clear();
        self.probabilities.extend_from_slice(cells);
    }

    fn probabilities(&self) -> Vec<f64> {
        let columns = self.probabilities.len() / self.rows.max(1);
        self.probabilities
            .iter()
            .skip(columns - 1)
            .step_by(columns)
            .map(|p| f64::from(*p))
            .collect()
    }
}
