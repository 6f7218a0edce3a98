//! A laid-out ensemble: the sum (or other aggregate) of the leaves that a row reaches.

use super::blocks::Deep;
use super::build::{Layout, Source, layout};
use super::node::{Node, Packed, Real};
use super::payload::{Dense, Payload};
use super::walk::{LANES, TREES, Walks};
use crate::kernels::Rows;

/// How the leaves of all trees become one number per target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    Sum,
    Average,
    Min,
    Max,
}

/// An ensemble over slots of type `N`.
#[derive(Debug, Clone)]
pub struct Ensemble<N: Node> {
    walks: Walks<N>,
    missing: bool,
    payload: Payload<N::Value>,
    targets: usize,
    aggregate: Aggregate,
}

impl Ensemble<Packed> {
    /// Where rows go on below the exits of [`super::blocks::Blocks`]; `None` where slots have no values of their own.
    pub fn deep(&self) -> Option<Deep<'_>> {
        match &self.payload {
            Payload::Dense(dense) => Some(Deep {
                slots: self.walks.slots(),
                values: &dense.values,
                width: self.walks.width(),
            }),
            Payload::Sparse { .. } => None,
        }
    }
}

impl<N: Node> Ensemble<N> {
    /// An ensemble over rows of `width` features; `None` where a slot does not fit the node type.
    pub fn new(source: &Source, aggregate: Aggregate, width: usize) -> Option<Ensemble<N>> {
        let layout = layout::<N>(source)?;
        let payload = Payload::new(source, &layout, aggregate)?;
        Ensemble::laid_out(layout, payload, source.targets, aggregate, width)
    }

    /// As `new`, with a layout and its payload.
    pub fn laid_out(
        layout: Layout<N>,
        payload: Payload<N::Value>,
        targets: usize,
        aggregate: Aggregate,
        width: usize,
    ) -> Option<Ensemble<N>> {
        Some(Ensemble {
            missing: layout.missing,
            walks: Walks::new(layout.slots, layout.trees, width)?,
            payload,
            targets,
            aggregate,
        })
    }

    pub fn targets(&self) -> usize {
        self.targets
    }

    /// Steps of one row.
    pub fn steps(&self) -> usize {
        self.walks
            .trees()
            .iter()
            .map(|t| t.depth as usize + 1)
            .sum()
    }

    pub fn memory(&self) -> usize {
        self.walks.memory() + self.payload.memory()
    }

    /// Aggregates of all rows into `sums` (rows x targets); `seen` tells the targets that a leaf contributed to.
    pub fn evaluate(&self, rows: &Rows<'_, N::Value>, sums: &mut [N::Value], seen: &mut [bool]) {
        sums.fill(N::Value::default());
        seen.fill(false);
        if self.missing && rows.iter().any(any_nan) {
            self.sum::<true>(rows, sums, seen);
        } else {
            self.sum::<false>(rows, sums, seen);
        }
        if self.aggregate == Aggregate::Average {
            sums.iter_mut()
                .for_each(|s| *s = s.divide(self.walks.trees().len()));
        }
    }

    /// Rows in groups of eight, tree by tree while its slots are in the cache; what is left row by row. Every sum is
    /// taken in the order of the trees.
    fn sum<const MISSING: bool>(
        &self,
        rows: &Rows<'_, N::Value>,
        sums: &mut [N::Value],
        seen: &mut [bool],
    ) {
        let n = self.targets;
        let grouped = rows.rows() / LANES * LANES;
        match &self.payload {
            Payload::Dense(Dense {
                values,
                width,
                first,
                only,
            }) => {
                let leaf = |slot: usize| &values[slot * width..][..*width];
                for (tree, first) in first.iter().enumerate() {
                    self.leaves_of_tree::<MISSING>(rows, grouped, tree, |row, slot| {
                        add(&mut sums[row * n + *first as usize..], leaf(slot));
                    });
                }
                for row in grouped..rows.rows() {
                    if let Some(target) = only {
                        let mut total = N::Value::default();
                        self.leaves_of_row::<MISSING>(rows.row(row), |_, slot| {
                            total = total + values[slot]
                        });
                        sums[row * n + target] = total;
                    } else {
                        self.leaves_of_row::<MISSING>(rows.row(row), |tree, slot| {
                            add(&mut sums[row * n + first[tree] as usize..], leaf(slot));
                        });
                    }
                }
                for seen in seen.chunks_exact_mut(n) {
                    first
                        .iter()
                        .for_each(|first| seen[*first as usize..][..*width].fill(true));
                }
            }
            Payload::Sparse { ranges, weights } => {
                let mut add = |row: usize, slot: usize| {
                    let (first, end) = ranges[slot];
                    let weights = &weights[first as usize..end as usize];
                    self.add_all(
                        weights,
                        &mut sums[row * n..][..n],
                        &mut seen[row * n..][..n],
                    );
                };
                for tree in 0..self.walks.trees().len() {
                    self.leaves_of_tree::<MISSING>(rows, grouped, tree, &mut add);
                }
                for row in grouped..rows.rows() {
                    self.leaves_of_row::<MISSING>(rows.row(row), |_, slot| add(row, slot));
                }
            }
        }
    }

    #[inline]
    fn leaves_of_tree<const MISSING: bool>(
        &self,
        rows: &Rows<'_, N::Value>,
        end: usize,
        tree: usize,
        mut leaf: impl FnMut(usize, usize),
    ) {
        for first in (0..end).step_by(LANES) {
            let group = std::array::from_fn(|lane| rows.row(first + lane));
            for (lane, slot) in self
                .walks
                .one_tree::<MISSING>(tree, &group)
                .into_iter()
                .enumerate()
            {
                leaf(first + lane, slot);
            }
        }
    }

    #[inline]
    fn leaves_of_row<const MISSING: bool>(
        &self,
        row: &[N::Value],
        mut leaf: impl FnMut(usize, usize),
    ) {
        let trees = self.walks.trees().len();
        for (group, first) in (0..trees).step_by(TREES).enumerate() {
            let slots = self.walks.one_row::<MISSING>(group, row);
            for (tree, slot) in (first..trees).zip(slots) {
                leaf(tree, slot);
            }
        }
    }

    fn add_all(&self, weights: &[(u32, N::Value)], sums: &mut [N::Value], seen: &mut [bool]) {
        for (target, value) in weights {
            let (sum, seen) = (&mut sums[*target as usize], &mut seen[*target as usize]);
            *sum = match self.aggregate {
                Aggregate::Min if *seen && *sum <= *value => *sum,
                Aggregate::Max if *seen && *sum >= *value => *sum,
                Aggregate::Min | Aggregate::Max => *value,
                Aggregate::Sum | Aggregate::Average => *sum + *value,
            };
            *seen = true;
        }
    }
}

/// Looks at every cell, which is faster than to look for the first.
pub fn any_nan<T: Real>(row: &[T]) -> bool {
    row.iter().fold(false, |found, x| found | x.is_nan())
}

#[inline]
fn add<T: Real>(sums: &mut [T], values: &[T]) {
    sums.iter_mut().zip(values).for_each(|(s, v)| *s = *s + *v);
}
