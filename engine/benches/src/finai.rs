use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use finai_engine::{Declaration, Limits, Model, Scorer};

use crate::{Contender, Table, Values};

/// Rows that a scorer takes at most.
const CAPACITY: usize = 4096;

pub struct Finai {
    scorer: Scorer,
}

impl Finai {
    /// Of a model that needs no declaration and becomes a fused program.
    pub fn load(path: &Path) -> Finai {
        let bytes = std::fs::read(path).expect("a model");
        let model = Model::load(&bytes, &Limits::default()).expect("a model that is supported");
        assert!(model.is_tabular());
        Finai::new(model)
    }

    /// Of a network: `None` where its layers become a fused program.
    pub fn network(path: &Path, declaration: &Declaration) -> finai_engine::Result<Option<Finai>> {
        let bytes = std::fs::read(path).expect("a model");
        let model = Model::load_as(&bytes, declaration, &Limits::default())?;
        Ok((!model.is_tabular()).then(|| Finai::new(model)))
    }

    fn new(model: Model) -> Finai {
        let scorer = Scorer::new(Arc::new(model), CAPACITY).expect("memory");
        Finai { scorer }
    }
}

impl Contender for Finai {
    fn name(&self) -> &'static str {
        "finai"
    }

    fn fill(&mut self, table: &Table, rows: Range<usize>) {
        let batch = self.scorer.batch();
        batch.clear();
        for row in rows {
            batch.push_row().expect("room");
            let mut feature = 0;
            for input in &table.inputs {
                for cell in input.cells(&(row..row + 1)) {
                    match &input.values {
                        Values::Floats(cells) => batch.set_float(feature, f64::from(cells[cell])),
                        Values::Texts(cells) => batch.set_text(feature, &cells[cell]),
                    }
                    .expect("a value of the feature's kind");
                    feature += 1;
                }
            }
        }
    }

    fn score(&mut self) {
        self.scorer.run(&|| false).expect("scores");
    }

    fn scores(&self) -> Vec<f64> {
        let scores = self.scorer.scores();
        (0..scores.rows())
            .map(|row| *scores.probabilities(row).last().expect("a score"))
            .collect()
    }
}
