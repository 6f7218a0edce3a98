//! TreeEnsembleClassifier and TreeEnsembleRegressor: aggregates to labels, probabilities and values as onnxruntime writes them.

use super::build::Source;
use super::ensemble::{Aggregate, Ensemble};
use super::floats::Floats;
use super::node::{Real, Wide};
use crate::error::{Error, Result};
use crate::kernels::post::PostTransform;
use crate::kernels::{
    Element, Kernel, Rows, RowsMut, Scratch, ScratchSize, Slab, SlabMut, mismatch,
};

/// Rows that share what is read of large trees.
const ROWS: usize = 1024;

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

    /// Gives `finish` the aggregates of every row.
    fn each(&self, x: &Slab<'_>, scratch: &mut Scratch, finish: &mut impl Finish) -> Result<()> {
        let wrong = || mismatch("tree ensemble");
        let Scratch {
            f32,
            f64,
            flags,
            registers,
        } = scratch;
        let targets = self.targets();
        let n = x.rows() * targets;
        let seen = flags.get_mut(..n).ok_or_else(wrong)?;
        match (self, x) {
            (Trees::Floats(e), Slab::F32(x)) => {
                let sums = f32.get_mut(..n).ok_or_else(wrong)?;
                e.evaluate(x, sums, seen, registers);
                finish.rows(sums, seen, targets);
            }
            (Trees::Integers(e, width), Slab::I64(x)) => {
                let (sums, rest) = f32.split_at_mut_checked(n).ok_or_else(wrong)?;
                let converted = rest.get_mut(..x.rows() * width).ok_or_else(wrong)?;
                for (out, row) in converted.chunks_exact_mut(*width).zip(x.iter()) {
                    out.iter_mut().zip(row).for_each(|(o, x)| *o = *x as f32);
                }
                let rows = Rows::new(converted, 0, *width, *width, x.rows())?;
                e.evaluate(&rows, sums, seen, registers);
                finish.rows(sums, seen, targets);
            }
            (Trees::Doubles(e), Slab::F64(x)) => {
                let sums = f64.get_mut(..n).ok_or_else(wrong)?;
                e.evaluate(x, sums, seen);
                finish.rows(sums, seen, targets);
            }
            _ => return Err(wrong()),
        }
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
        let (f32, f64, registers) = match self {
            Trees::Floats(e) => (targets, 0, e.registers()),
            Trees::Integers(e, width) => (targets + width, 0, e.registers()),
            Trees::Doubles(_) => (0, targets, 0),
        };
        ScratchSize {
            f32,
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

/// What becomes of the aggregates of one row: of all trees, `seen` tells the targets that a leaf contributed to.
trait Finish {
    fn row<T: Real>(&mut self, row: usize, sums: &mut [T], seen: &[bool]);

    fn rows<T: Real>(&mut self, sums: &mut [T], seen: &[bool], targets: usize) {
        let rows = sums
            .chunks_exact_mut(targets)
            .zip(seen.chunks_exact(targets));
        rows.enumerate()
            .for_each(|(row, (sums, seen))| self.row(row, sums, seen));
    }
}

/// TreeEnsembleRegressor and TreeEnsemble: one number per target.
#[derive(Debug, Clone)]
pub struct TreeRegressor {
    pub trees: Trees,
    /// One per target, or empty.
    pub base: Vec<f64>,
    /// With a single target onnxruntime applies PROBIT alone.
    pub post: PostTransform,
}

struct Values<'a, 'b> {
    kernel: &'a TreeRegressor,
    out: &'a mut SlabMut<'b>,
}

impl Finish for Values<'_, '_> {
    #[inline]
    fn row<T: Real>(&mut self, row: usize, sums: &mut [T], seen: &[bool]) {
        let TreeRegressor { base, post, .. } = self.kernel;
        // onnxruntime leaves a target without leaves at zero, unless it is the only one.
        let alone = sums.len() == 1;
        for ((sum, base), seen) in sums.iter_mut().zip(base).zip(seen) {
            if *seen || alone {
                *sum = *sum + T::from_f64(*base);
            }
        }
        if sums.len() > 1 || *post == PostTransform::Probit {
            post.apply(sums);
        }
        match self.out {
            SlabMut::F32(out) => {
                let cells = out.row(row).iter_mut().zip(sums);
                cells.for_each(|(cell, sum)| *cell = sum.to_f32());
            }
            SlabMut::F64(out) => {
                let cells = out.row(row).iter_mut().zip(sums);
                cells.for_each(|(cell, sum)| *cell = sum.to_f64());
            }
            _ => {}
        }
    }
}

fn add_base<T: Real>(sums: &mut [T], base: &[f64]) {
    sums.iter_mut()
        .zip(base)
        .for_each(|(s, b)| *s = *s + T::from_f64(*b));
}

impl Kernel for TreeRegressor {
    fn run(
        &self,
        inputs: &[Slab<'_>],
        outputs: &mut [SlabMut<'_>],
        scratch: &mut Scratch,
    ) -> Result<()> {
        let ([x], [out @ (SlabMut::F32(_) | SlabMut::F64(_))]) = (inputs, outputs) else {
            return Err(mismatch("tree ensemble"));
        };
        self.trees
            .each(x, scratch, &mut Values { kernel: self, out })
    }

    fn scratch(&self) -> ScratchSize {
        self.trees.scratch()
    }

    fn cost(&self) -> usize {
        self.trees.cost()
    }

    fn rows(&self) -> usize {
        ROWS
    }

    fn memory(&self) -> usize {
        self.trees.memory() + size_of_val(self.base.as_slice())
    }
}

/// How aggregates name the winning class. `probability`: no weight is negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Labelling {
    /// Two classes, all weights for the first: their sum belongs to the second class. It wins above 0.5 for probabilities,
    /// above 0 otherwise.
    First { probability: bool },
    /// Two classes, all weights for the second; the first has the sum 0. A row without weights is treated as `First`.
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
    pub base: Vec<f64>,
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
        self.trees.each(
            x,
            scratch,
            &mut Classes {
                kernel: self,
                label,
                out,
            },
        )
    }

    fn scratch(&self) -> ScratchSize {
        self.trees.scratch()
    }

    fn cost(&self) -> usize {
        self.trees.cost()
    }

    fn rows(&self) -> usize {
        ROWS
    }

    fn memory(&self) -> usize {
        self.trees.memory() + size_of_val(self.base.as_slice())
    }
}

struct Classes<'a, 'b> {
    kernel: &'a TreeClassifier,
    label: &'a mut RowsMut<'b, i64>,
    out: &'a mut RowsMut<'b, f32>,
}

impl Finish for Classes<'_, '_> {
    #[inline]
    fn row<T: Real>(&mut self, row: usize, sums: &mut [T], seen: &[bool]) {
        let class = self.kernel.classify(sums, seen);
        self.label.row(row)[0] = class as i64;
        let cells = self.out.row(row).iter_mut().zip(sums);
        cells.for_each(|(cell, sum)| *cell = sum.to_f32());
    }
}

impl TreeClassifier {
    /// The winning class; `sums` become what the classes' scores are.
    fn classify<T: Real>(&self, sums: &mut [T], seen: &[bool]) -> usize {
        let half = |probability| T::from(if probability { 0.5 } else { 0.0 });
        match self.labelling {
            Labelling::First { probability } => {
                add_base(&mut sums[..1], &self.base);
                let sum = sums[0];
                sums.copy_from_slice(&self.pair(sum, probability));
                usize::from(sum > half(probability))
            }
            Labelling::Second { .. } | Labelling::Both if !seen[1] => {
                let probability = self.labelling == Labelling::Second { probability: true };
                let sum = sums[0];
                sums.copy_from_slice(&self.pair(sum, probability));
                usize::from(sum > half(probability))
            }
            Labelling::Second { .. } | Labelling::Both => {
                let probability = self.labelling == Labelling::Second { probability: true };
                let second = usize::from(sums[1] > half(probability));
                self.post.apply(sums);
                second
            }
            Labelling::Largest => {
                add_base(sums, &self.base);
                let mut best = None;
                for (i, s) in sums.iter().enumerate() {
                    let eligible = seen[i] || i < self.base.len();
                    if eligible && best.is_none_or(|b: usize| *s > sums[b]) {
                        best = Some(i);
                    }
                }
                self.post.apply(sums);
                best.unwrap_or(0)
            }
        }
    }

    /// Both classes' values from the sum of one. Softmax is not applied.
    fn pair<T: Real>(&self, sum: T, probability: bool) -> [T; 2] {
        match self.post {
            PostTransform::Logistic => [(-sum).logistic(), sum.logistic()],
            _ if probability => [T::from(1.0) - sum, sum],
            _ => [-sum, sum],
        }
    }
}
