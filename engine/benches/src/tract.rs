//! tract alone, as a program calls it that knows its batch sizes: a plan for each, optimised and compiled once.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use tract_onnx::prelude::*;

use crate::{Contender, Table, Values, last};

pub struct Tract {
    plans: Vec<(usize, Arc<TypedRunnableModel>)>,
    inputs: TVec<TValue>,
    rows: usize,
    scores: Vec<f32>,
}

impl Tract {
    /// For inputs of these shapes behind the batch's dimension; tract's error where it does not take the model.
    pub fn load(path: &Path, shapes: &[Vec<usize>], sizes: &[usize]) -> TractResult<Tract> {
        let plan = |size: &usize| {
            let mut model = tract_onnx::onnx().model_for_path(path)?;
            for (i, shape) in shapes.iter().enumerate() {
                let dims: TVec<usize> = [&[*size], shape.as_slice()].concat().into();
                model.set_input_fact(i, f32::fact(dims).into())?;
            }
            TractResult::Ok((*size, model.into_optimized()?.into_runnable()?))
        };
        Ok(Tract {
            plans: sizes.iter().map(plan).collect::<TractResult<_>>()?,
            inputs: tvec![],
            rows: 0,
            scores: Vec::new(),
        })
    }
}

impl Contender for Tract {
    fn name(&self) -> &'static str {
        "tract"
    }

    fn fill(&mut self, table: &Table, rows: Range<usize>) {
        self.rows = rows.len();
        let inputs = table.inputs.iter().map(|input| {
            let Values::Floats(cells) = &input.values else {
                panic!("texts for tract");
            };
            let shape = [&[rows.len()], input.shape.as_slice()].concat();
            let tensor = Tensor::from_shape(&shape, &cells[input.cells(&rows)]);
            tensor.expect("a tensor").into_tvalue()
        });
        self.inputs = inputs.collect();
    }

    fn score(&mut self) {
        let found = self.plans.iter().find(|(size, _)| *size == self.rows);
        let (_, plan) = found.expect("a plan for batches of this size");
        let outputs = plan.run(self.inputs.clone()).expect("scores");
        let cells = outputs[outputs.len() - 1]
            .try_as_plain_ram()
            .expect("floats");
        self.scores.clear();
        self.scores
            .extend_from_slice(cells.as_slice().expect("floats"));
    }

    fn scores(&self) -> Vec<f64> {
        last(&self.scores, self.rows)
    }
}
