//! What the leaves of a laid-out ensemble add to its targets.

use super::build::{Layout, NO_LEAF, Source, Vertex};
use super::ensemble::Aggregate;
use super::node::{Node, Real};

/// Values of leaves, found by their slots.
#[derive(Debug, Clone)]
pub enum Payload<T> {
    Dense(Dense<T>),
    /// A range of `weights` per slot.
    Sparse {
        ranges: Vec<(u32, u32)>,
        weights: Vec<(u32, T)>,
    },
}

/// Every leaf of tree `i` adds `width` values to the targets from `first[i]` on.
#[derive(Debug, Clone)]
pub struct Dense<T> {
    /// `width` per slot; zeros where the slot is no leaf.
    pub values: Vec<T>,
    pub width: usize,
    pub first: Vec<u32>,
    /// The target of all trees, where they share a single one: its sum can stay in a register.
    pub only: Option<usize>,
}

impl<T: Real> Payload<T> {
    /// `None` where targets or weights are too many to number.
    pub fn new<N: Node<Value = T>>(
        source: &Source,
        layout: &Layout<N>,
        aggregate: Aggregate,
    ) -> Option<Payload<T>> {
        dense(source, layout, aggregate)
            .map(Payload::Dense)
            .or_else(|| sparse(source, layout))
    }

    pub fn memory(&self) -> usize {
        match self {
            Payload::Dense(Dense { values, first, .. }) => {
                size_of_val(values.as_slice()) + size_of_val(first.as_slice())
            }
            Payload::Sparse { ranges, weights } => {
                size_of_val(ranges.as_slice()) + size_of_val(weights.as_slice())
            }
        }
    }
}

/// For sums where the leaves of a tree have the same targets, without gaps, and all leaves equally many.
fn dense<T: Real, N: Node<Value = T>>(
    source: &Source,
    layout: &Layout<N>,
    aggregate: Aggregate,
) -> Option<Dense<T>> {
    if !matches!(aggregate, Aggregate::Sum | Aggregate::Average) {
        return None;
    }
    let any = layout.leaves.iter().find(|leaf| **leaf != NO_LEAF)?;
    let width = weights(source, *any)?.len();
    if width == 0 {
        return None;
    }
    let cells = layout.slots.len().checked_mul(width)?;
    let mut values = Vec::new();
    values.try_reserve_exact(cells).ok()?;
    values.resize(cells, T::default());
    let mut first = Vec::with_capacity(layout.trees.len());
    for tree in 0..layout.trees.len() {
        let mut target = None;
        for slot in layout.range(tree) {
            let leaf = *layout.leaves.get(slot)?;
            if leaf == NO_LEAF {
                continue;
            }
            let weights = weights(source, leaf)?;
            if weights.len() != width {
                return None;
            }
            let start = *target.get_or_insert(weights.first()?.target);
            let cells = values.get_mut(slot * width..(slot + 1) * width)?;
            for (i, (cell, weight)) in cells.iter_mut().zip(weights).enumerate() {
                if weight.target != start + i {
                    return None;
                }
                *cell = T::from_f64(weight.value);
            }
        }
        first.push(u32::try_from(target?).ok()?);
    }
    let one = *first.first()?;
    let only = (width == 1 && first.iter().all(|t| *t == one)).then_some(one as usize);
    Some(Dense {
        values,
        width,
        first,
        only,
    })
}

fn weights(source: &Source, leaf: u32) -> Option<&[super::build::Weight]> {
    match source.vertices.get(leaf as usize) {
        Some(Vertex::Leaf { first, count }) => source.weights.get(*first..first + count),
        _ => None,
    }
}

fn sparse<T: Real, N: Node<Value = T>>(source: &Source, layout: &Layout<N>) -> Option<Payload<T>> {
    let weights = source
        .weights
        .iter()
        .map(|w| Some((u32::try_from(w.target).ok()?, T::from_f64(w.value))));
    let range = |leaf: &u32| match source.vertices.get(*leaf as usize) {
        Some(Vertex::Leaf { first, count }) => Some((
            u32::try_from(*first).ok()?,
            u32::try_from(first + count).ok()?,
        )),
        _ => Some((0, 0)),
    };
    Some(Payload::Sparse {
        ranges: layout.leaves.iter().map(range).collect::<Option<_>>()?,
        weights: weights.collect::<Option<_>>()?,
    })
}
