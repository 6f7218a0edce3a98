//! Walks from roots to leaves, eight at a time so that their memory latencies overlap.

use super::build::Tree;
use super::node::Node;

/// Walks in flight.
pub const LANES: usize = 8;

/// The leaf slots that one row reaches in up to eight trees.
#[inline]
pub fn one_row<N: Node, const MISSING: bool>(slots: &[N], trees: &[Tree], row: &[N::Value]) -> [usize; LANES] {
    let mut at = [0; LANES];
    let mut depth = 0;
    for (at, tree) in at.iter_mut().zip(trees) {
        *at = tree.root as usize;
        depth = depth.max(tree.depth);
    }
    for at in at.iter_mut().skip(trees.len()) {
        *at = trees[0].root as usize;
    }
    for _ in 0..depth {
        for at in &mut at {
            let slot = slots[*at];
            *at = slot.next::<MISSING>(row[slot.feature()]);
        }
    }
    at
}

/// The leaf slots that eight rows reach in one tree.
#[inline]
pub fn one_tree<N: Node, const MISSING: bool>(slots: &[N], tree: Tree, rows: &[&[N::Value]; LANES]) -> [usize; LANES] {
    let mut at = [tree.root as usize; LANES];
    for _ in 0..tree.depth {
        for (at, row) in at.iter_mut().zip(rows) {
            let slot = slots[*at];
            *at = slot.next::<MISSING>(row[slot.feature()]);
        }
    }
    at
}
