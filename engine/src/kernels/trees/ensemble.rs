//! A laid-out ensemble: the sum (or other aggregate) of the leaves that a row reaches.

use super::build::{Layout, NO_LEAF, Source, Tree, Vertex, layout};
use super::node::{Node, Real};
use super::walk::{LANES, one_row, one_tree};
use crate::kernels::Rows;

/// How the leaves of all trees become one number per target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    Sum,
    Average,
    Min,
    Max,
}

/// What leaves hold.
#[derive(Debug, Clone)]
enum Payload<T> {
    /// One value per slot; all leaves of tree `i` add to target `targets[i]`.
    One { values: Vec<T>, targets: Vec<u32> },
    /// A range of `weights` per slot.
    Many { ranges: Vec<(u32, u32)>, weights: Vec<(u32, T)> },
}

/// An ensemble over slots of type `N`.
#[derive(Debug, Clone)]
pub struct Ensemble<N: Node> {
    slots: Vec<N>,
    trees: Vec<Tree>,
    missing: bool,
    payload: Payload<N::Value>,
    targets: usize,
    aggregate: Aggregate,
}

impl<N: Node> Ensemble<N> {
    /// `None` where a slot does not fit the node type.
    pub fn new(source: &Source, aggregate: Aggregate) -> Option<Ensemble<N>> {
        let layout = layout::<N>(source)?;
        let payload = one(source, &layout, aggregate).or_else(|| many(source, &layout))?;
        let Layout { slots, trees, missing, .. } = layout;
        Some(Ensemble { slots, trees, missing, payload, targets: source.targets, aggregate })
    }

    pub fn targets(&self) -> usize {
        self.targets
    }

    /// Steps of one row.
    pub fn steps(&self) -> usize {
        self.trees.iter().map(|t| t.depth as usize + 1).sum()
    }

    pub fn memory(&self) -> usize {
        let payload = match &self.payload {
            Payload::One { values, targets } => size_of_val(values.as_slice()) + targets.len() * 4,
            Payload::Many { ranges, weights } => ranges.len() * 8 + size_of_val(weights.as_slice()),
        };
        size_of_val(self.slots.as_slice()) + size_of_val(self.trees.as_slice()) + payload
    }

    /// Aggregates of all rows into `sums` (rows x targets); `seen` tells the targets that a leaf contributed to.
    pub fn evaluate(&self, rows: &Rows<'_, N::Value>, sums: &mut [N::Value], seen: &mut [bool]) {
        sums.fill(N::Value::default());
        seen.fill(false);
        let grouped = rows.rows() / LANES * LANES;
        let nan = self.missing && rows.iter().any(|row| row.iter().any(|x| x.is_nan()));
        if nan {
            self.groups::<true>(rows, grouped, sums, seen);
            self.singles::<true>(rows, grouped, sums, seen);
        } else {
            self.groups::<false>(rows, grouped, sums, seen);
            self.singles::<false>(rows, grouped, sums, seen);
        }
        if self.aggregate == Aggregate::Average {
            sums.iter_mut().for_each(|s| *s = s.divide(self.trees.len()));
        }
    }

    /// Rows in groups of eight, tree by tree while its slots are in the cache.
    fn groups<const MISSING: bool>(&self, rows: &Rows<'_, N::Value>, end: usize, sums: &mut [N::Value], seen: &mut [bool]) {
        for (t, tree) in self.trees.iter().enumerate() {
            for first in (0..end).step_by(LANES) {
                let group: [&[N::Value]; LANES] = std::array::from_fn(|lane| rows.row(first + lane));
                for (lane, slot) in one_tree::<N, MISSING>(&self.slots, *tree, &group).into_iter().enumerate() {
                    self.add(t, slot, first + lane, sums, seen);
                }
            }
        }
    }

    /// Rows one by one, trees in groups of eight.
    fn singles<const MISSING: bool>(&self, rows: &Rows<'_, N::Value>, start: usize, sums: &mut [N::Value], seen: &mut [bool]) {
        for i in start..rows.rows() {
            let row = rows.row(i);
            for (group, trees) in self.trees.chunks(LANES).enumerate() {
                let slots = one_row::<N, MISSING>(&self.slots, trees, row);
                for (lane, slot) in slots.into_iter().take(trees.len()).enumerate() {
                    self.add(group * LANES + lane, slot, i, sums, seen);
                }
            }
        }
    }

    #[inline]
    fn add(&self, tree: usize, slot: usize, row: usize, sums: &mut [N::Value], seen: &mut [bool]) {
        match &self.payload {
            Payload::One { values, targets } => {
                let cell = row * self.targets + targets[tree] as usize;
                sums[cell] = sums[cell] + values[slot];
                seen[cell] = true;
            }
            Payload::Many { ranges, weights } => {
                let (first, end) = ranges[slot];
                for (target, value) in &weights[first as usize..end as usize] {
                    let cell = row * self.targets + *target as usize;
                    let sum = &mut sums[cell];
                    *sum = match self.aggregate {
                        Aggregate::Min if seen[cell] && *sum <= *value => *sum,
                        Aggregate::Max if seen[cell] && *sum >= *value => *sum,
                        Aggregate::Min | Aggregate::Max => *value,
                        Aggregate::Sum | Aggregate::Average => *sum + *value,
                    };
                    seen[cell] = true;
                }
            }
        }
    }
}

/// The compact payload, for sums where every leaf has one weight and the leaves of a tree share their target.
fn one<N: Node>(source: &Source, layout: &Layout<N>, aggregate: Aggregate) -> Option<Payload<N::Value>> {
    if !matches!(aggregate, Aggregate::Sum | Aggregate::Average) {
        return None;
    }
    let mut values = vec![N::Value::default(); layout.slots.len()];
    let mut targets = Vec::with_capacity(layout.trees.len());
    let ends = layout.trees.iter().skip(1).map(|t| t.root as usize).chain([layout.slots.len()]);
    for (tree, end) in layout.trees.iter().zip(ends) {
        let start = tree.root as usize;
        let mut target = None;
        for (value, leaf) in values.get_mut(start..end)?.iter_mut().zip(layout.leaves.get(start..end)?) {
            if *leaf == NO_LEAF {
                continue;
            }
            let Some(Vertex::Leaf { first, count: 1 }) = source.vertices.get(*leaf as usize) else { return None };
            let weight = source.weights.get(*first)?;
            if *target.get_or_insert(weight.target) != weight.target {
                return None;
            }
            *value = N::Value::from_f32(weight.value);
        }
        targets.push(u32::try_from(target?).ok()?);
    }
    Some(Payload::One { values, targets })
}

fn many<N: Node>(source: &Source, layout: &Layout<N>) -> Option<Payload<N::Value>> {
    let weights = source.weights.iter().map(|w| Some((u32::try_from(w.target).ok()?, N::Value::from_f32(w.value))));
    let range = |leaf: &u32| match source.vertices.get(*leaf as usize) {
        Some(Vertex::Leaf { first, count }) => Some((u32::try_from(*first).ok()?, u32::try_from(first + count).ok()?)),
        _ => Some((0, 0)),
    };
    Some(Payload::Many {
        ranges: layout.leaves.iter().map(range).collect::<Option<_>>()?,
        weights: weights.collect::<Option<_>>()?,
    })
}
