//! Batches without branches: sixteen rows to a register, feature by feature, through the top of every tree by bits.
//!
//! The top of a tree is its upper part down to at most 32 exits. Every comparison of a top is made for all rows; one that
//! fails clears the exits of its upper side, and the first bit left is the exit that a walk would have taken (QuickScorer:
//! Lucchese et al., SIGIR 2015; rows in lanes: RapidScorer, Ye et al., KDD 2018). An exit is a leaf or the slot from which
//! rows walk on, in lockstep. Every row adds its leaves in the order of the trees, as walks do.

use super::build::{Layout, NO_LEAF};
use super::node::Packed;
use super::payload::Dense;
use crate::kernels::{Register, Rows};

/// Rows of a register.
pub const LANES: usize = 16;
/// Exits of a top at most: bits of a lane.
const EXITS: usize = 32;
/// Bytes of trees that all rows pass before the next trees are looked at: they stay in the nearest cache.
const PORTION: usize = 32 << 10;

/// Where rows go on below the exits: an ensemble's slots, checked by `Walks::new`, and the values of each.
#[derive(Debug, Clone, Copy)]
pub struct Deep<'a> {
    pub slots: &'a [Packed],
    pub values: &'a [f32],
    /// Every feature of a slot is below it.
    pub width: usize,
}

/// One comparison of a top: where `x[column] <= threshold` does not hold, only the exits in `keeps` stay.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Comparison {
    pub threshold: f32,
    pub keeps: u32,
    pub column: u32,
}

/// The top of a tree. Its comparisons and its table follow those of the tree before.
#[derive(Debug, Clone, Copy)]
pub struct Top {
    /// Comparisons that NaN fails, and after them those that NaN passes.
    pub plain: u32,
    pub missing: u32,
    /// Steps from the exits to the farthest leaf. With 0 the table holds a value for each exit and added target, else the
    /// slot of each exit.
    pub rest: u32,
    /// Cells of the table (per target): one for each exit.
    pub cells: u32,
    /// First target that the tree adds to.
    pub target: u32,
}

/// Trees one after another that a batch passes together.
#[derive(Debug, Clone, Copy, Default)]
pub struct Portion {
    pub first: usize,
    pub end: usize,
    pub comparison: usize,
    pub table: usize,
}

/// Tops of all trees, over slots and values that an ensemble holds.
#[derive(Debug, Clone)]
pub struct Blocks {
    /// Feature of each column that comparisons read.
    pub columns: Vec<u32>,
    pub comparisons: Vec<Comparison>,
    /// Bits of f32 values, or slots.
    pub tables: Vec<u32>,
    pub tops: Vec<Top>,
    pub portions: Vec<Portion>,
    /// Slots of the ensemble, which tables point to.
    pub slots: usize,
    /// Values of a leaf.
    pub width: usize,
    pub targets: usize,
    /// Targets that some leaf adds to.
    seen: Vec<bool>,
    /// Sums are divided by the number of trees.
    average: bool,
    /// Some slot sends NaN to its upper child.
    pub missing: bool,
}

impl Blocks {
    /// `None` where the ensemble is too large for 32-bit offsets.
    pub fn new(
        layout: &Layout<Packed>,
        payload: &Dense<f32>,
        targets: usize,
        average: bool,
    ) -> Option<Blocks> {
        let mut seen = vec![false; targets];
        for first in &payload.first {
            let first = *first as usize;
            seen.get_mut(first..first + payload.width)?.fill(true);
        }
        let mut blocks = Blocks {
            columns: Vec::new(),
            comparisons: Vec::new(),
            tables: Vec::new(),
            tops: Vec::new(),
            portions: Vec::new(),
            slots: layout.slots.len(),
            width: payload.width,
            targets,
            seen,
            average,
            missing: layout.missing,
        };
        i32::try_from(payload.values.len()).ok()?;
        let mut columns = Vec::new();
        let mut portion = Portion::default();
        let mut bytes = 0;
        for tree in 0..layout.trees.len() {
            let deep = blocks.add_tree(layout, payload, tree, &mut columns)?;
            let top = blocks.tops.last()?;
            bytes += (top.plain + top.missing) as usize * size_of::<Comparison>();
            bytes += if deep {
                layout.range(tree).len() * 8
            } else {
                top.cells as usize * 4
            };
            portion.end = tree + 1;
            if bytes >= PORTION {
                blocks.portions.push(portion);
                portion = Portion {
                    first: tree + 1,
                    end: tree + 1,
                    comparison: blocks.comparisons.len(),
                    table: blocks.tables.len(),
                };
                bytes = 0;
            }
        }
        if portion.end > portion.first {
            blocks.portions.push(portion);
        }
        blocks.comparisons.shrink_to_fit();
        blocks.tables.shrink_to_fit();
        Some(blocks)
    }

    /// Registers per sixteen rows: columns and sums.
    pub fn registers(&self) -> usize {
        self.columns.len() + self.targets
    }

    /// Some tree goes on below its exits.
    pub fn is_deep(&self) -> bool {
        self.tops.iter().any(|top| top.rest > 0)
    }

    /// Nanoseconds a row, roughly: four comparisons in lanes, or half a step of a walk, take one.
    pub fn cost(&self) -> usize {
        let steps: u32 = self.tops.iter().map(|top| top.rest).sum();
        (self.comparisons.len() + self.tops.len() * 4 + self.columns.len() * 8) / 24
            + steps as usize
            + 1
    }

    pub fn memory(&self) -> usize {
        size_of_val(self.comparisons.as_slice())
            + (self.columns.len() + self.tables.len()) * 4
            + size_of_val(self.tops.as_slice())
            + size_of_val(self.portions.as_slice())
    }

    /// Aggregates of all rows into `sums` (rows x targets); `seen` tells the targets that a leaf contributed to.
    /// `registers` has `registers()` for every sixteen rows begun. False where nothing was done, because the processor has
    /// no such registers or `deep` is missing.
    pub fn evaluate(
        &self,
        deep: Option<Deep<'_>>,
        rows: &Rows<'_, f32>,
        sums: &mut [f32],
        seen: &mut [bool],
        registers: &mut [Register],
    ) -> bool {
        #[cfg(target_arch = "x86_64")]
        let done = self.sum(deep, rows, sums, registers);
        #[cfg(not(target_arch = "x86_64"))]
        let done = false;
        if done && self.average {
            sums.iter_mut()
                .for_each(|sum| *sum /= self.tops.len() as f32);
        }
        seen.chunks_exact_mut(self.targets)
            .for_each(|seen| seen.copy_from_slice(&self.seen));
        done
    }

    /// True where the tree goes on below its exits.
    fn add_tree(
        &mut self,
        layout: &Layout<Packed>,
        payload: &Dense<f32>,
        tree: usize,
        columns: &mut Vec<Option<u32>>,
    ) -> Option<bool> {
        let placed = layout.trees.get(tree)?;
        let top = Crown::new(layout, placed.root as usize)?;
        let mut comparisons = Vec::with_capacity(EXITS);
        let mut exits = Vec::with_capacity(EXITS);
        top.collect(layout, 0, &mut comparisons, &mut exits)?;
        comparisons.sort_by_key(|(_, missing)| *missing);
        let missing = comparisons.iter().filter(|(_, missing)| *missing).count();
        for (comparison, _) in &comparisons {
            let feature = comparison.column as usize;
            if feature >= columns.len() {
                columns.resize(feature + 1, None);
            }
            let column = columns.get_mut(feature)?.get_or_insert_with(|| {
                self.columns.push(comparison.column);
                self.columns.len() as u32 - 1
            });
            self.comparisons.push(Comparison {
                column: *column,
                ..*comparison
            });
        }
        let leaf = |slot: usize| layout.leaves.get(slot).is_some_and(|leaf| *leaf != NO_LEAF);
        let level = exits
            .iter()
            .filter(|(slot, _)| !leaf(*slot))
            .map(|(_, level)| *level)
            .min();
        let rest = level.map_or(0, |level| placed.depth - level);
        let mut table = |values: &mut dyn Iterator<Item = Option<u32>>| {
            for value in values {
                self.tables.push(value?);
            }
            Some(())
        };
        if rest > 0 {
            table(&mut exits.iter().map(|(slot, _)| u32::try_from(*slot).ok()))?;
        } else {
            for i in 0..payload.width {
                let value = |slot: usize| payload.values.get(slot * payload.width + i);
                table(&mut exits.iter().map(|(slot, _)| Some(value(*slot)?.to_bits())))?;
            }
        }
        self.tops.push(Top {
            plain: (comparisons.len() - missing) as u32,
            missing: missing as u32,
            rest,
            cells: exits.len() as u32,
            target: *payload.first.get(tree)?,
        });
        Some(rest > 0)
    }
}

/// The part of a tree above its exits, breadth first.
struct Crown {
    vertices: Vec<Vertex>,
}

struct Vertex {
    slot: usize,
    level: u32,
    /// The upper child's vertex, the lower's is the next; `None` for an exit.
    upper: Option<usize>,
}

impl Crown {
    /// Splits the highest exit that is no leaf until there are 32 exits.
    fn new(layout: &Layout<Packed>, root: usize) -> Option<Crown> {
        let exit = |slot, level| Vertex {
            slot,
            level,
            upper: None,
        };
        let mut vertices = vec![exit(root, 0)];
        let (mut exits, mut next) = (1, 0);
        while exits < EXITS && next < vertices.len() {
            let at = next;
            next += 1;
            let Vertex { slot, level, .. } = *vertices.get(at)?;
            let (threshold, _, missing, child) = layout.slots.get(slot)?.parts();
            // Where NaN alone passes, no ordered comparison can say so: rows walk on from here.
            if *layout.leaves.get(slot)? == NO_LEAF && !(missing && threshold.is_nan()) {
                vertices.get_mut(at)?.upper = Some(vertices.len());
                vertices.extend([exit(child + 1, level + 1), exit(child, level + 1)]);
                exits += 1;
            }
        }
        Some(Crown { vertices })
    }

    /// Comparisons (features in place of columns, and whether NaN passes) and exits (slot and level), the upper sides first.
    fn collect(
        &self,
        layout: &Layout<Packed>,
        vertex: usize,
        comparisons: &mut Vec<(Comparison, bool)>,
        exits: &mut Vec<(usize, u32)>,
    ) -> Option<()> {
        let Vertex { slot, level, upper } = *self.vertices.get(vertex)?;
        let Some(upper) = upper else {
            exits.push((slot, level));
            return Some(());
        };
        let (threshold, feature, missing, _) = layout.slots.get(slot)?.parts();
        let first = exits.len();
        self.collect(layout, upper, comparisons, exits)?;
        let comparison = Comparison {
            threshold,
            keeps: !(bits(exits.len()) & !bits(first)),
            column: feature as u32,
        };
        comparisons.push((comparison, missing));
        self.collect(layout, upper + 1, comparisons, exits)
    }
}

/// The highest `count` bits, the first exits.
fn bits(count: usize) -> u32 {
    u32::MAX.checked_shl(32 - count.min(32) as u32).unwrap_or(0)
}
