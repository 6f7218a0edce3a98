//! TreeEnsembleClassifier and TreeEnsembleRegressor: aggregates to labels, probabilities and values as onnxruntime writes them.

use super::build::Source;
use super::ensemble::{Aggregate, Ensemble};
use super::floats::Floats;
use super::node::{Real, Wide};
use crate::error::{Error, Result};
use crate::kernels::post::PostTransform;
use crate::kernels::{Element, Kernel, Rows, Scratch, ScratchSize, Slab, SlabMut, math, mismatch};

/// An ensemble in the layout that fits its features.
#[derive(Debug, Clone)]
pub enum Trees {
    Floats(Floats),
    /// Integer features are compared as f32; the number is their width.
    Integers(Floats, usize),
    Doubles(Ensemble<Wide<f64>>),
}

impl Trees {
    /// Lays out an ensemble over `width` features of the given element.
    pub fn new(
        source: &Source,
        aggregate: Aggregate,
        element: Element,
        width: usize,
    ) -> Result<Trees> {
        match element {
            Element::F32 => Floats::new(source, aggregate, width).map(Trees::Floats),
            Element::I64 => {
                Floats::new(source, aggregate, width).map(|e| Trees::Integers(e, width))
            }
            Element::F64 => Ensemble::new(source, aggregate, width).map(Trees::Doubles),
            _ => {
                return Err(Error::Unsupported(format!(
                    "a tree over {element:?} features"
                )));
            }
        }
        .ok_or_else(|| Error::Unsupported("a tree ensemble of more than 2^31 nodes".into()))
    }

    /// Calls `finish(row, sums, seen)` with f32 aggregates for every row.
    fn each(
        &self,
        x: &Slab<'_>,
        scratch: &mut Scratch,
        mut finish: impl FnMut(usize, &mut [f32], &[bool]),
    ) -> Result<()> {
        let Scratch {
            f32,
            f64,
            flags,
            registers,
        } = scratch;
        let targets = self.targets();
        let n = x.rows() * targets;
        let (sums, rest) = f32
            .split_at_mut_checked(n)
            .ok_or_else(|| mismatch("tree ensemble"))?;
        let seen = flags
            .get_mut(..n)
            .ok_or_else(|| mismatch("tree ensemble"))?;
        match (self, x) {
            (Trees::Floats(e), Slab::F32(x)) => e.evaluate(x, sums, seen, registers),
            (Trees::Integers(e, width), Slab::I64(x)) => {
                let converted = rest
                    .get_mut(..x.rows() * width)
                    .ok_or_else(|| mismatch("tree ensemble"))?;
                for (out, row) in converted.chunks_exact_mut(*width).zip(x.iter()) {
                    out.iter_mut().zip(row).for_each(|(o, x)| *o = *x as f32);
                }
                let rows = Rows::new(converted, 0, *width, *width, x.rows())?;
                e.evaluate(&rows, sums, seen, registers);
            }
            (Trees::Doubles(e), Slab::F64(x)) => {
                let wide = f64.get_mut(..n).ok_or_else(|| mismatch("tree ensemble"))?;
                e.evaluate(x, wide, seen);
                sums.iter_mut()
                    .zip(wide.iter())
                    .for_each(|(r, s)| *r = s.to_f32());
            }
            _ => return Err(mismatch("tree ensemble")),
        }
        let rows = sums
            .chunks_exact_mut(targets)
            .zip(seen.chunks_exact(targets));
        rows.enumerate()
            .for_each(|(i, (sums, seen))| finish(i, sums, seen));
        Ok(())
    }

    fn targets(&self) -> usize {
        match self {
            Trees::Floats(e) | Trees::Integers(e, _) => e.targets(),
            Trees::Doubles(e) => e.targets(),
        }
    }

    fn scratch(&self) -> ScratchSize {
        let targets = self.targets();
        let (converted, f64, registers) = match self {
            Trees::Floats(e) => (0, 0, e.registers()),
            Trees::Integers(e, width) => (*width, 0, e.registers()),
            Trees::Doubles(_) => (0, targets, 0),
        };
        ScratchSize {
            f32: targets + converted,
            f64,
            flags: targets,
            registers,
        }
    }

    fn cost(&self) -> usize {
        match self {
            Trees::Floats(e) | Trees::Integers(e, _) => e.cost(),
            Trees::Doubles(e) => e.steps(),
        }
    }

    fn memory(&self) -> usize {
        match self {
            Trees::Floats(e) | Trees::Integers(e, _) => e.memory(),
            Trees::Doubles(e) => e.memory(),
        }
    }
}

/// TreeEnsembleRegressor: one f32 per target.
#[derive(Debug, Clone)]
pub struct TreeRegressor {
    pub trees: Trees,
    /// One per target, or empty.
    pub base: Vec<f32>,
    /// With a single target onnxruntime applies PROBIT alone.
    pub post: PostTransform,
}

impl Kernel for TreeRegressor {
    fn run(
        &self,
        inputs: &[Slab<'_>],
        outputs: &mut [SlabMut<'_>],
        scratch: &mut Scratch,
    ) -> Result<()> {
        let ([x], [SlabMut::F32(out)]) = (inputs, outputs) else {
            return Err(mismatch("TreeEnsembleRegressor"));
        };
        self.trees.each(x, scratch, |row, sums, _| {
            sums.iter_mut().zip(&self.base).for_each(|(s, b)| *s += b);
            if sums.len() > 1 || self.post == PostTransform::Probit {
                self.post.apply(sums);
            }
            out.row(row).copy_from_slice(sums);
        })
    }

    fn scratch(&self) -> ScratchSize {
        self.trees.scratch()
    }

    fn cost(&self) -> usize {
        self.trees.cost()
    }

    fn memory(&self) -> usize {
        self.trees.memory() + self.base.len() * 4
    }
}

/// How aggregates name the winning class. `probability`: no weight is negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Labelling {
    /// Two classes, all weights for the first: their sum belongs to the second class. It wins above 0.5 for probabilities,
    /// above 0 otherwise.
    First { probability: bool },
    /// Two classes, all weights for the second; the first has the sum 0.
    Second { probability: bool },
    /// Two classes with weights of both: the second wins where its sum is above 0. A row without weights of the second
    /// is treated as `First`.
    Both,
    /// The largest sum among classes that a leaf contributed to.
    Largest,
}

/// TreeEnsembleClassifier: label index and one f32 per class.
#[derive(Debug, Clone)]
pub struct TreeClassifier {
    pub trees: Trees,
    /// One per class, one with `First`, or empty.
    pub base: Vec<f32>,
    pub labelling: Labelling,
    pub post: PostTransform,
}

impl Kernel for TreeClassifier {
    fn run(
        &self,
        inputs: &[Slab<'_>],
        outputs: &mut [SlabMut<'_>],
        scratch: &mut Scratch,
    ) -> Result<()> {
        let ([x], [SlabMut::I64(label), SlabMut::F32(out)]) = (inputs, outputs) else {
            return Err(mismatch("TreeEnsembleClassifier"));
        };
        self.trees.each(x, scratch, |row, sums, seen| {
            label.row(row)[0] = self.classify(sums, seen, out.row(row)) as i64;
        })
    }

    fn scratch(&self) -> ScratchSize {
        self.trees.scratch()
    }

    fn cost(&self) -> usize {
        self.trees.cost()
    }

    fn memory(&self) -> usize {
        self.trees.memory() + self.base.len() * 4
    }
}

impl TreeClassifier {
    fn classify(&self, sums: &mut [f32], seen: &[bool], out: &mut [f32]) -> usize {
        match self.labelling {
            Labelling::First { probability } => {
                let sum = sums[0] + self.base.first().copied().unwrap_or(0.0);
                out.copy_from_slice(&self.pair(sum, probability));
                usize::from(sum > threshold(probability))
            }
            Labelling::Both if !seen[1] => {
                out.copy_from_slice(&self.pair(sums[0], false));
                usize::from(sums[0] > 0.0)
            }
            Labelling::Second { .. } | Labelling::Both => {
                out.copy_from_slice(sums);
                self.post.apply(out);
                let probability = self.labelling == Labelling::Second { probability: true };
                usize::from(sums[1] > threshold(probability))
            }
            Labelling::Largest => {
                sums.iter_mut().zip(&self.base).for_each(|(s, b)| *s += b);
                let mut best = None;
                for (i, s) in sums.iter().enumerate() {
                    let eligible = seen[i] || i < self.base.len();
                    if eligible && best.is_none_or(|b: usize| *s > sums[b]) {
                        best = Some(i);
                    }
                }
                out.copy_from_slice(sums);
                self.post.apply(out);
                best.unwrap_or(0)
            }
        }
    }

    /// Both classes' values from the sum of one. Softmax is not applied.
    fn pair(&self, sum: f32, probability: bool) -> [f32; 2] {
        match self.post {
            PostTransform::Logistic => [math::logistic(-sum), math::logistic(sum)],
            _ if probability => [1.0 - sum, sum],
            _ => [-sum, sum],
        }
    }
}

fn threshold(probability: bool) -> f32 {
    if probability { 0.5 } else { 0.0 }
}
