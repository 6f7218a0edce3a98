use std::path::Path;
use std::sync::Arc;

use finai_engine::{Limits, Model, Scorer};

use crate::Contender;

/// Rows that a scorer takes at most.
const CAPACITY: usize = 4096;

pub struct Finai {
    scorer: Scorer,
}

impl Finai {
    pub fn load(path: &Path) -> Finai {
        let bytes = std::fs::read(path).expect("a model");
        let model = Model::load(&bytes, &Limits::default()).expect("a model that is supported");
        assert!(model.is_tabular());
        let scorer = Scorer::new(Arc::new(model), CAPACITY).expect("memory");
        Finai { scorer }
    }
}

impl Contender for Finai {
    fn name(&self) -> &'static str {
        "finai"
    }

    fn fill(&mut self, rows: &[f32], features: usize) {
        let batch = self.scorer.batch();
        batch.clear();
        for row in rows.chunks_exact(features) {
            batch.push_row().expect("room");
            for (feature, value) in row.iter().enumerate() {
                batch
                    .set_float(feature, f64::from(*value))
                    .expect("a number");
            }
        }
    }

    fn score(&mut self) {
        self.scorer.run(&|| false).expect("scores");
    }

    fn probabilities(&self) -> Vec<f64> {
        let scores = self.scorer.scores();
        (0..scores.rows())
            .map(|row| scores.score(row).expect("a score"))
            .collect()
    }
}
