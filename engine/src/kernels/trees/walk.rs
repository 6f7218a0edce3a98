//! Walks from roots to leaves, eight at a time so that their memory latencies overlap.

use super::build::Tree;
use super::node::{Node, Real};

/// Rows that walk one tree together.
pub const LANES: usize = 8;
/// Trees that one row walks together.
pub const TREES: usize = 16;

/// Trees that one row walks at a time; the last repeats where there are no more.
#[derive(Debug, Clone, Copy)]
struct Group {
    roots: [u32; TREES],
    depth: u32,
}

impl Group {
    fn new(trees: &[Tree]) -> Group {
        let mut roots = [0; TREES];
        for (lane, root) in roots.iter_mut().enumerate() {
            *root = trees.get(lane).or(trees.last()).map_or(0, |tree| tree.root);
        }
        let depth = trees.iter().map(|tree| tree.depth).max().unwrap_or(0);
        Group { roots, depth }
    }
}

/// Trees that were checked once, so that a walk need not check every step.
#[derive(Debug, Clone)]
pub struct Walks<N> {
    /// Wherever a slot sends a walk is one of these; every feature is below `width`.
    slots: Vec<N>,
    /// Every root is a slot.
    trees: Vec<Tree>,
    /// The same trees, in groups.
    groups: Vec<Group>,
    width: usize,
}

impl<N: Node> Walks<N> {
    /// `None` where a root or a child is no slot, or a feature is not in a row of `width`.
    pub fn new(slots: Vec<N>, trees: Vec<Tree>, width: usize) -> Option<Walks<N>> {
        let inside = |slot: &N| {
            let lower = slot.next::<false>(N::Value::NAN);
            let upper = [
                slot.next::<false>(N::Value::LOWEST),
                slot.next::<true>(N::Value::NAN),
            ];
            slot.feature() < width && lower.max(upper[0]).max(upper[1]) < slots.len()
        };
        let rooted = trees.iter().all(|tree| (tree.root as usize) < slots.len());
        (rooted && slots.iter().all(inside)).then(|| Walks {
            groups: trees.chunks(TREES).map(Group::new).collect(),
            slots,
            trees,
            width,
        })
    }

    pub fn slots(&self) -> &[N] {
        &self.slots
    }

    /// Every feature is below it.
    pub fn width(&self) -> usize {
        self.width
    }

    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// The leaf slots that one row of `width` features reaches in the trees from `group * TREES` on. Lanes without a tree repeat
    /// the last.
    #[inline(always)]
    pub fn one_row<const MISSING: bool>(&self, group: usize, row: &[N::Value]) -> [usize; TREES] {
        let Group { roots, depth } = self.groups[group];
        let mut at = roots.map(|root| root as usize);
        let row = &row[..self.width];
        for _ in 0..depth {
            for at in &mut at {
                // SAFETY: `at` is a root or what this function returned, and the row has `width` features.
                *at = unsafe { self.step::<MISSING>(*at, row) };
            }
        }
        at
    }

    /// The leaf slots that eight rows of `width` features reach in one tree.
    #[inline]
    pub fn one_tree<const MISSING: bool>(
        &self,
        tree: usize,
        rows: &[&[N::Value]; LANES],
    ) -> [usize; LANES] {
        let Tree { root, depth } = self.trees[tree];
        let mut at = [root as usize; LANES];
        let rows = rows.map(|row| &row[..self.width]);
        for _ in 0..depth {
            for (at, row) in at.iter_mut().zip(rows) {
                // SAFETY: `at` is a root or what this function returned, and the row has `width` features.
                *at = unsafe { self.step::<MISSING>(*at, row) };
            }
        }
        at
    }

    pub fn memory(&self) -> usize {
        size_of_val(self.slots.as_slice())
            + size_of_val(self.trees.as_slice())
            + size_of_val(self.groups.as_slice())
    }

    /// # Safety
    /// `at` must be a slot, `row` must have `width` features.
    #[inline(always)]
    unsafe fn step<const MISSING: bool>(&self, at: usize, row: &[N::Value]) -> usize {
        // SAFETY: the caller gives a slot.
        let slot = unsafe { *self.slots.get_unchecked(at) };
        // SAFETY: `new` checked that the feature is below `width`.
        let x = unsafe { *row.get_unchecked(slot.feature()) };
        slot.next::<MISSING>(x)
    }
}
