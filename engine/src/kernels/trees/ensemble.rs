//! A laid-out ensemble: the sum (or other aggregate) of the leaves that a row reaches.

use super::build::{Layout, NO_LEAF, Source, Vertex, layout};
use super::node::{Node, Real};
use super::walk::{LANES, Walks};
use crate::kernels::Rows;

/// How the leaves of all trees become one number per target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    Sum,
    Average,
    Min,
    Max,
}

/// One value per slot; all leaves of tree `i` add to target `targets[i]`.
#[derive(Debug, Clone)]
pub struct Compact<T> {
    pub values: Vec<T>,
    pub targets: Vec<u32>,
    /// The target of all trees, where they share one: its sum can stay in a register.
    pub only: Option<usize>,
}

/// What leaves hold.
#[derive(Debug, Clone)]
enum Payload<T> {
    One(Compact<T>),
    /// A range of `weights` per slot.
    Many {
        ranges: Vec<(u32, u32)>,
        weights: Vec<(u32, T)>,
    },
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

impl<N: Node> Ensemble<N> {
    /// An ensemble over rows of `width` features; `None` where a slot does not fit the node type.
    pub fn new(source: &Source, aggregate: Aggregate, width: usize) -> Option<Ensemble<N>> {
        let layout = layout::<N>(source)?;
        let payload = compact(source, &layout, aggregate)
            .map(Payload::One)
            .or_else(|| many(source, &layout))?;
        let Layout {
            slots,
            trees,
            missing,
            ..
        } = layout;
        let walks = Walks::new(slots, trees, width)?;
        Some(Ensemble {
            walks,
            missing,
            payload,
            targets: source.targets,
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
        let payload = match &self.payload {
            Payload::One(Compact {
                values, targets, ..
            }) => size_of_val(values.as_slice()) + targets.len() * 4,
            Payload::Many { ranges, weights } => ranges.len() * 8 + size_of_val(weights.as_slice()),
        };
        self.walks.memory() + payload
    }

    /// Aggregates of all rows into `sums` (rows x targets); `seen` tells the targets that a leaf contributed to.
    pub fn evaluate(&self, rows: &Rows<'_, N::Value>, sums: &mut [N::Value], seen: &mut [bool]) {
        sums.fill(N::Value::default());
        seen.fill(false);
        if self.missing && rows.iter().any(|row| row.iter().any(|x| x.is_nan())) {
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
            Payload::One(Compact {
                values,
                targets,
                only,
            }) => {
                for (tree, target) in targets.iter().enumerate() {
                    self.leaves_of_tree::<MISSING>(rows, grouped, tree, |row, slot| {
                        let sum = &mut sums[row * n + *target as usize];
                        *sum = *sum + values[slot];
                    });
                }
                for row in grouped..rows.rows() {
                    let sums = &mut sums[row * n..][..n];
                    if let Some(target) = only {
                        let mut total = N::Value::default();
                        self.leaves_of_row::<MISSING>(rows.row(row), |_, slot| {
                            total = total + values[slot]
                        });
                        sums[*target] = total;
                    } else {
                        self.leaves_of_row::<MISSING>(rows.row(row), |tree, slot| {
                            let sum = &mut sums[targets[tree] as usize];
                            *sum = *sum + values[slot];
                        });
                    }
                }
                for seen in seen.chunks_exact_mut(n) {
                    targets
                        .iter()
                        .for_each(|target| seen[*target as usize] = true);
                }
            }
            Payload::Many { ranges, weights } => {
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
        for first in (0..trees).step_by(LANES) {
            let slots = self.walks.one_row::<MISSING>(first, row);
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

/// The compact payload, for sums where every leaf has one weight and the leaves of a tree share their target.
pub fn compact<N: Node>(
    source: &Source,
    layout: &Layout<N>,
    aggregate: Aggregate,
) -> Option<Compact<N::Value>> {
    if !matches!(aggregate, Aggregate::Sum | Aggregate::Average) {
        return None;
    }
    let mut values = vec![N::Value::default(); layout.slots.len()];
    let mut targets = Vec::with_capacity(layout.trees.len());
    let ends = layout
        .trees
        .iter()
        .skip(1)
        .map(|t| t.root as usize)
        .chain([layout.slots.len()]);
    for (tree, end) in layout.trees.iter().zip(ends) {
        let start = tree.root as usize;
        let mut target = None;
        for (value, leaf) in values
            .get_mut(start..end)?
            .iter_mut()
            .zip(layout.leaves.get(start..end)?)
        {
            if *leaf == NO_LEAF {
                continue;
            }
            let Some(Vertex::Leaf { first, count: 1 }) = source.vertices.get(*leaf as usize) else {
                return None;
            };
            let weight = source.weights.get(*first)?;
            if *target.get_or_insert(weight.target) != weight.target {
                return None;
            }
            *value = N::Value::from_f32(weight.value);
        }
        targets.push(u32::try_from(target?).ok()?);
    }
    let first = *targets.first()?;
    let only = targets
        .iter()
        .all(|target| *target == first)
        .then_some(first as usize);
    Some(Compact {
        values,
        targets,
        only,
    })
}

fn many<N: Node>(source: &Source, layout: &Layout<N>) -> Option<Payload<N::Value>> {
    let weights = source
        .weights
        .iter()
        .map(|w| Some((u32::try_from(w.target).ok()?, N::Value::from_f32(w.value))));
    let range = |leaf: &u32| match source.vertices.get(*leaf as usize) {
        Some(Vertex::Leaf { first, count }) => Some((
            u32::try_from(*first).ok()?,
            u32::try_from(first + count).ok()?,
        )),
        _ => Some((0, 0)),
    };
    Some(Payload::Many {
        ranges: layout.leaves.iter().map(range).collect::<Option<_>>()?,
        weights: weights.collect::<Option<_>>()?,
    })
}
