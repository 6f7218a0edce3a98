//! Small trees without walks: sixteen trees at a time, every comparison of them, one bit per leaf.
//!
//! A comparison that fails clears the leaves of its upper side; when all are made, the lowest bit left is the leaf
//! that a walk would have reached (QuickScorer: Lucchese et al., SIGIR 2015). Trees and their sums keep their order,
//! so the results are the bits that walks give. AVX-512 only; elsewhere, and for larger trees, there are walks.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use super::build::{Layout, NO_LEAF};
use super::ensemble::any_nan;
use super::node::Packed;
use super::payload::Dense;
use crate::kernels::Rows;

/// Trees in a vector.
const LANES: usize = 16;
/// Leaves of a tree at most, the bits of a mask.
const LEAVES: usize = 32;
/// Features that two registers hold; more are gathered from memory.
const REGISTERS: usize = 32;

/// One comparison in each of sixteen trees.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
struct Step {
    thresholds: [f32; LANES],
    /// Leaves that stay when the comparison fails.
    masks: [u32; LANES],
    features: [u8; LANES],
    /// Lanes in which NaN counts as below the threshold.
    missing: u16,
}

/// An unused lane compares with infinity and clears nothing.
const IDLE: Step = Step {
    thresholds: [f32::INFINITY; LANES],
    masks: [u32::MAX; LANES],
    features: [0; LANES],
    missing: 0,
};

/// Sixteen trees.
#[derive(Debug, Clone, Default)]
struct Group {
    steps: Vec<Step>,
    /// Where the values of its leaves begin, `2^shift` for each tree.
    values: usize,
    shift: u32,
}

/// Trees of at most 32 leaves over at most 256 features.
#[derive(Debug, Clone)]
pub struct Masks {
    groups: Vec<Group>,
    values: Vec<f32>,
    /// Target that each tree adds to.
    targets: Vec<u32>,
    /// The target of all trees, where they share one.
    only: Option<usize>,
    /// How many targets there are.
    count: usize,
    average: bool,
    /// Some lane sends NaN to the upper side.
    missing: bool,
    /// Every feature of a step is below it.
    width: usize,
    /// Steps that walks would take.
    walk: usize,
}

impl Masks {
    /// For a processor with vectors. `None` where a tree does not fit, or walks would be faster.
    pub fn new(
        layout: &Layout<Packed>,
        payload: &Dense<f32>,
        targets: usize,
        average: bool,
        width: usize,
    ) -> Option<Masks> {
        let masks = Masks::lay_out(layout, payload, targets, average, width)?;
        // Cycles, measured: a step of a walk, a vector step from registers, and one that gathers.
        let per_step = if width <= REGISTERS { 5 } else { 24 };
        (masks.steps() * per_step < masks.walk * 5 / 2).then_some(masks)
    }

    pub fn lay_out(
        layout: &Layout<Packed>,
        payload: &Dense<f32>,
        targets: usize,
        average: bool,
        width: usize,
    ) -> Option<Masks> {
        if !super::has_vectors() || payload.width != 1 || width == 0 || width > 256 {
            return None;
        }
        let mut masks = Masks {
            groups: Vec::new(),
            values: Vec::new(),
            targets: payload.first.clone(),
            only: payload.only,
            count: targets,
            average,
            missing: layout.missing,
            width,
            walk: layout.trees.iter().map(|tree| tree.depth as usize).sum(),
        };
        for trees in layout.trees.chunks(LANES) {
            let mut steps = Vec::new();
            let mut slots = Vec::with_capacity(LANES);
            for (lane, tree) in trees.iter().enumerate() {
                let mut branches = Vec::new();
                let mut reached = Vec::new();
                leaves(layout, tree.root as usize, &mut branches, &mut reached)?;
                for (at, branch) in branches.into_iter().enumerate() {
                    if at == steps.len() {
                        steps.push(IDLE);
                    }
                    steps.get_mut(at)?.set(lane, branch, width)?;
                }
                slots.push(reached);
            }
            let most = slots.iter().map(Vec::len).max()?;
            let shift = most.next_power_of_two().ilog2();
            let values = masks.values.len();
            masks.values.resize(values + (LANES << shift), 0.0);
            for (lane, reached) in slots.iter().enumerate() {
                for (leaf, slot) in reached.iter().enumerate() {
                    let cell = masks.values.get_mut(values + (lane << shift) + leaf)?;
                    *cell = *payload.values.get(*slot)?;
                }
            }
            steps.shrink_to_fit();
            masks.groups.push(Group {
                steps,
                values,
                shift,
            });
        }
        masks.values.shrink_to_fit();
        Some(masks)
    }

    /// Vector steps of one row.
    pub fn steps(&self) -> usize {
        self.groups.iter().map(|group| group.steps.len()).sum()
    }

    pub fn memory(&self) -> usize {
        self.steps() * size_of::<Step>()
            + size_of_val(self.groups.as_slice())
            + (self.values.len() + self.targets.len()) * 4
    }

    /// Aggregates of all rows into `sums` (rows x targets); `seen` tells the targets that a leaf contributed to.
    pub fn evaluate(&self, rows: &Rows<'_, f32>, sums: &mut [f32], seen: &mut [bool]) {
        sums.fill(0.0);
        seen.fill(false);
        for seen in seen.chunks_exact_mut(self.count) {
            self.targets
                .iter()
                .for_each(|target| seen[*target as usize] = true);
        }
        for (row, sums) in rows.iter().zip(sums.chunks_exact_mut(self.count)) {
            if self.missing && any_nan(row) {
                self.sum::<true>(row, sums);
            } else {
                self.sum::<false>(row, sums);
            }
        }
        if self.average {
            sums.iter_mut()
                .for_each(|sum| *sum /= self.targets.len() as f32);
        }
    }

    fn sum<const MISSING: bool>(&self, row: &[f32], sums: &mut [f32]) {
        if let Some(target) = self.only {
            // A sum in a register takes half as long as one in memory.
            let mut total = 0.0;
            self.leaves::<MISSING>(row, |_, value| total += value);
            sums[target] = total;
        } else {
            let add = |tree: usize, value| sums[self.targets[tree] as usize] += value;
            self.leaves::<MISSING>(row, add);
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn leaves<const MISSING: bool>(&self, _: &[f32], _: impl FnMut(usize, f32)) {}

    /// Gives `add(tree, value)` the value of the leaf that the row reaches in each tree, in their order.
    #[cfg(target_arch = "x86_64")]
    fn leaves<const MISSING: bool>(&self, row: &[f32], add: impl FnMut(usize, f32)) {
        // SAFETY: `lay_out` found AVX-512 F and CD on this processor.
        unsafe {
            match self.width {
                0..=16 => self.all::<MISSING, 1>(row, add),
                17..=REGISTERS => self.all::<MISSING, 2>(row, add),
                _ => self.all::<MISSING, 0>(row, add),
            }
        }
    }

    /// `HELD` is how many registers hold a row's features, none where they are gathered.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512cd")]
    fn all<const MISSING: bool, const HELD: usize>(
        &self,
        row: &[f32],
        mut add: impl FnMut(usize, f32),
    ) {
        let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        let x = &row[..self.width];
        // SAFETY: only lanes below the width are loaded.
        let first = unsafe { _mm512_maskz_loadu_ps(lanes_below(x.len()), x.as_ptr()) };
        let second = match x.get(LANES..) {
            // SAFETY: as above.
            Some(rest) if HELD == 2 => unsafe {
                _mm512_maskz_loadu_ps(lanes_below(rest.len()), rest.as_ptr())
            },
            _ => _mm512_setzero_ps(),
        };
        for (number, group) in self.groups.iter().enumerate() {
            let mut left = _mm512_set1_epi32(-1);
            for step in &group.steps {
                // SAFETY: the arrays of a step have as many bytes as are loaded; gathered features are below the
                // width, which `Step::set` checked.
                let (thresholds, masks, value) = unsafe {
                    let features =
                        _mm512_cvtepu8_epi32(_mm_loadu_si128(step.features.as_ptr().cast()));
                    let value = match HELD {
                        1 => _mm512_permutexvar_ps(features, first),
                        2 => _mm512_permutex2var_ps(first, features, second),
                        _ => _mm512_i32gather_ps::<4>(features, x.as_ptr()),
                    };
                    let thresholds = _mm512_loadu_ps(step.thresholds.as_ptr());
                    let masks = _mm512_loadu_si512(step.masks.as_ptr().cast());
                    (thresholds, masks, value)
                };
                let mut fails = _mm512_cmp_ps_mask::<_CMP_NLE_UQ>(value, thresholds);
                if MISSING {
                    fails &= !(_mm512_cmp_ps_mask::<_CMP_UNORD_Q>(value, value) & step.missing);
                }
                left = _mm512_mask_and_epi32(left, fails, left, masks);
            }
            let lowest = _mm512_and_si512(left, _mm512_sub_epi32(_mm512_setzero_si512(), left));
            let leaf = _mm512_sub_epi32(_mm512_set1_epi32(31), _mm512_lzcnt_epi32(lowest));
            let bases = _mm512_sllv_epi32(lanes, _mm512_set1_epi32(group.shift as i32));
            let first_tree = number * LANES;
            let values = &self.values[group.values..][..LANES << group.shift];
            let mut reached = [0.0f32; LANES];
            // SAFETY: no comparison clears the last of a tree's leaves, of which there are 2^shift at most, so the value is
            // among the group's; `reached` has sixteen cells.
            unsafe {
                let value =
                    _mm512_i32gather_ps::<4>(_mm512_add_epi32(bases, leaf), values.as_ptr());
                _mm512_storeu_ps(reached.as_mut_ptr(), value);
            }
            for (tree, value) in (first_tree..self.targets.len()).zip(reached) {
                add(tree, value);
            }
        }
    }
}

impl Step {
    fn set(&mut self, lane: usize, branch: Comparison, width: usize) -> Option<()> {
        *self.thresholds.get_mut(lane)? = branch.threshold;
        *self.masks.get_mut(lane)? = branch.keeps;
        *self.features.get_mut(lane)? = u8::try_from(branch.feature)
            .ok()
            .filter(|f| usize::from(*f) < width)?;
        self.missing |= u16::from(branch.missing) << lane;
        Some(())
    }
}

#[cfg(target_arch = "x86_64")]
fn lanes_below(count: usize) -> __mmask16 {
    u16::MAX >> (LANES - count.min(LANES))
}

struct Comparison {
    feature: usize,
    threshold: f32,
    missing: bool,
    keeps: u32,
}

/// Comparisons below a slot, and the slots of its leaves from the upper side to the lower; `None` beyond 32 leaves.
fn leaves(
    layout: &Layout<Packed>,
    slot: usize,
    branches: &mut Vec<Comparison>,
    reached: &mut Vec<usize>,
) -> Option<()> {
    if *layout.leaves.get(slot)? != NO_LEAF {
        reached.push(slot);
        return (reached.len() <= LEAVES).then_some(());
    }
    let (threshold, feature, missing, child) = layout.slots.get(slot)?.parts();
    if branches.len() == LEAVES {
        return None;
    }
    let own = branches.len();
    branches.push(Comparison {
        feature,
        threshold,
        missing,
        keeps: 0,
    });
    let first = reached.len();
    leaves(layout, child + 1, branches, reached)?;
    let upper = bits(reached.len()) & !bits(first);
    branches.get_mut(own)?.keeps = !upper;
    leaves(layout, child, branches, reached)
}

/// The lowest `count` bits.
fn bits(count: usize) -> u32 {
    u32::MAX.checked_shr(32 - count.min(32) as u32).unwrap_or(0)
}
