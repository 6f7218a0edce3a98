use std::ops::Range;
use std::path::Path;
use std::sync::OnceLock;

use ort::environment::Environment;
use ort::session::{Session, SessionInputValue};
use ort::value::{Outlet, Tensor, TensorElementType};

use crate::{Contender, Table, Values, last, variable};

pub struct Onnxruntime {
    session: Session,
    inputs: Vec<SessionInputValue<'static>>,
    rows: usize,
    /// Of the last output, which every model here leaves last.
    scores: Vec<f32>,
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
            inputs: Vec::new(),
            rows: 0,
            scores: Vec::new(),
        }
    }

    /// Dimensions of every input behind that of the batch; `None` where an input is not of floats, the batch is fixed or
    /// another dimension is not.
    pub fn shapes(&self) -> Option<Vec<Vec<usize>>> {
        let shape = |input: &Outlet| {
            let floats = input.dtype().tensor_type()? == TensorElementType::Float32;
            let (batch, dims) = input.dtype().tensor_shape()?.split_first()?;
            let dims: Option<Vec<usize>> = dims.iter().map(|d| usize::try_from(*d).ok()).collect();
            dims.filter(|_| floats && *batch < 0)
        };
        self.session.inputs().iter().map(shape).collect()
    }
}

impl Contender for Onnxruntime {
    fn name(&self) -> &'static str {
        "onnxruntime"
    }

    fn fill(&mut self, table: &Table, rows: Range<usize>) {
        self.rows = rows.len();
        self.inputs.clear();
        for input in &table.inputs {
            let cells = input.cells(&rows);
            let shape: Vec<usize> = [&[rows.len()], input.shape.as_slice()].concat();
            let value = match &input.values {
                Values::Floats(all) => Tensor::from_array((shape, all[cells].to_vec()))
                    .expect("a tensor")
                    .into(),
                Values::Texts(all) => Tensor::from_string_array((shape, &all[cells]))
                    .expect("a tensor of texts")
                    .into(),
            };
            self.inputs.push(value);
        }
    }

    fn score(&mut self) {
        let outputs = self.session.run(self.inputs.as_slice()).expect("scores");
        let (_, cells) = outputs[outputs.len() - 1]
            .try_extract_tensor::<f32>()
            .expect("floats");
        self.scores.clear();
        self.scores.extend_from_slice(cells);
    }

    fn scores(&self) -> Vec<f64> {
        last(&self.scores, self.rows)
    }
}
