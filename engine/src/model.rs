//! A loaded model: signature and program, immutable, shared by scorers.

use crate::admit::admit;
use crate::error::Result;
use crate::limits::Limits;
use crate::program::Program;
use crate::program::lower::lower;
use crate::signature::outputs::Head;
use crate::signature::{Declaration, Signature, inputs, missing, outputs, share, trace};

/// An admitted, compiled model.
#[derive(Debug)]
pub struct Model {
    signature: Signature,
    pub(crate) program: Program,
    pub(crate) head: Head,
    scores_probabilities: bool,
    /// Bytes that the loader counted.
    counted: usize,
}

impl Model {
    /// [`Model::load_as`] with nothing declared.
    pub fn load(bytes: &[u8], limits: &Limits) -> Result<Model> {
        Model::load_as(bytes, &Declaration::default(), limits)
    }

    /// Admits the bytes, reads the signature and compiles the program. Any bytes give a model or an error.
    pub fn load_as(bytes: &[u8], declaration: &Declaration, limits: &Limits) -> Result<Model> {
        let mut graph = admit(bytes, limits)?;
        let lowered = lower(&mut graph)?;
        let inputs = inputs::read(&graph)?;
        let mut features = inputs::features(&graph, &inputs, declaration, limits)?;
        trace::trace(&mut graph, &inputs, &mut features)?;
        missing::apply(&mut features, declaration)?;
        let program = Program::compile(&graph, &inputs, &features, limits)?;
        let head = outputs::read(
            &lowered.outputs,
            &program.outputs(),
            lowered.labels.as_ref(),
            declaration,
        )?;
        let signature = Signature {
            inputs: inputs.into_iter().map(|declared| declared.input).collect(),
            features,
            task: head.task,
            labels: head.labels.clone(),
            positive: head.positive,
            outputs: lowered.outputs,
        };
        Ok(Model {
            scores_probabilities: !head.labels.is_empty() && share::is_share(&graph, head.numbers),
            signature,
            program,
            head,
            counted: 0,
        })
    }

    /// The model that says it holds `bytes`, as an allocator counted them while it was loaded: what tract holds of a network
    /// cannot be asked.
    pub fn counted(mut self, bytes: usize) -> Model {
        self.counted = bytes;
        self
    }

    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Whether scores are shares from 0 to 1, as far as the graph shows; not those of a classifier that returns margins.
    pub fn scores_probabilities(&self) -> bool {
        self.scores_probabilities
    }

    /// Bytes held, those of scorers excluded: as [`Model::counted`], or estimated, without what tract makes of a network beside
    /// its weights.
    pub fn memory(&self) -> usize {
        if self.counted > 0 {
            return self.counted;
        }
        let names: usize = self
            .signature
            .features
            .iter()
            .map(|f| f.name.len() + size_of_val(f))
            .sum();
        let categories: usize = self
            .signature
            .features
            .iter()
            .flat_map(|f| &f.categories)
            .map(|c| c.len() + 24)
            .sum();
        size_of::<Model>() + names + categories + self.program.memory()
    }

    /// Rows that a network scores at once, or why it scores them one by one; `None` for a fused program.
    pub fn rows_at_once(&self) -> Option<std::result::Result<usize, &str>> {
        self.program.rows_at_once()
    }

    /// True for a fused program of kernels, whose scores are the same bits on every processor.
    pub fn is_tabular(&self) -> bool {
        matches!(self.program, Program::Tabular(_))
    }
}
