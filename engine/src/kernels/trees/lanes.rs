//! AVX-512 kernel of [`Blocks`].

use std::arch::x86_64::*;

use super::blocks::{Blocks, Comparison, Deep, LANES, Portion, Top};
use super::node::Packed;
use crate::kernels::{Register, Rows};

/// Registers of a block at most: that many comparisons are in flight.
const WIDEST: usize = 4;

/// A block of rows: `columns` registers and `targets` registers of sums per sixteen rows.
struct Block<'a, const V: usize> {
    registers: &'a mut [Register],
    /// Cells from its first row on, and where its rows begin in them.
    cells: &'a [f32],
    offsets: [__m512i; V],
}

impl<'a, const V: usize> Block<'a, V> {
    #[target_feature(enable = "avx512f")]
    fn new(rows: &Rows<'a, f32>, start: usize, registers: &'a mut [Register]) -> Block<'a, V> {
        let mut all = [_mm512_setzero_si512(); V];
        for (v, own) in all.iter_mut().enumerate() {
            let skipped = v * LANES * rows.stride();
            *own = _mm512_add_epi32(
                offsets(rows, start + v * LANES),
                _mm512_set1_epi32(skipped as i32),
            );
        }
        Block {
            registers,
            cells: rows.from(start),
            offsets: all,
        }
    }
}

impl Blocks {
    /// Sums of all rows into `sums` (rows x targets); false where they are not rows or slots of this ensemble, or too wide for
    /// 32-bit offsets.
    pub(super) fn sum(
        &self,
        deep: Option<Deep<'_>>,
        rows: &Rows<'_, f32>,
        sums: &mut [f32],
        registers: &mut [Register],
    ) -> bool {
        let width = self
            .columns
            .iter()
            .map(|c| *c as usize + 1)
            .max()
            .unwrap_or(0);
        let reach = (rows.stride() * (WIDEST * LANES)).saturating_add(rows.width());
        let fits = match deep {
            Some(deep) => {
                deep.slots.len() == self.slots
                    && deep.values.len() == self.slots * self.width
                    && deep.width <= rows.width()
            }
            None => !self.is_deep(),
        };
        if !fits || width > rows.width() || reach > i32::MAX as usize || !super::has_vectors() {
            return false;
        }
        // SAFETY: the processor has what was asked for; columns, slots and values were checked above, children and features of
        // slots by `Walks::new`.
        unsafe { self.all(deep, rows, sums, registers) };
        true
    }

    /// # Safety
    /// The processor has AVX-512 F and CD, rows have every feature of the columns and of the slots of `deep`, whose values
    /// are as many as its slots times `width`; there is `deep` where a tree goes on below its exits.
    #[target_feature(enable = "avx512f,avx512cd")]
    unsafe fn all(
        &self,
        deep: Option<Deep<'_>>,
        rows: &Rows<'_, f32>,
        sums: &mut [f32],
        scratch: &mut [Register],
    ) {
        let per_group = self.registers();
        let groups = rows.rows().div_ceil(LANES);
        for first in (0..groups).step_by(WIDEST) {
            let count = WIDEST.min(groups - first);
            let registers = &mut scratch[first * per_group..][..count * per_group];
            self.load(rows, first * LANES, count, registers);
        }
        for portion in &self.portions {
            for first in (0..groups).step_by(WIDEST) {
                let count = WIDEST.min(groups - first);
                let registers = &mut scratch[first * per_group..][..count * per_group];
                let start = first * LANES;
                // SAFETY: the caller's promise.
                unsafe {
                    match count {
                        1 => self.pass::<1>(portion, deep, Block::new(rows, start, registers)),
                        2 => self.pass::<2>(portion, deep, Block::new(rows, start, registers)),
                        3 => self.pass::<3>(portion, deep, Block::new(rows, start, registers)),
                        _ => self.pass::<4>(portion, deep, Block::new(rows, start, registers)),
                    }
                }
            }
        }
        for (row, sums) in sums
            .chunks_exact_mut(self.targets)
            .enumerate()
            .take(rows.rows())
        {
            let first = row / (WIDEST * LANES) * WIDEST;
            let count = WIDEST.min(groups - first);
            let at = row - first * LANES;
            for (target, sum) in sums.iter_mut().enumerate() {
                let register =
                    first * per_group + (self.columns.len() + target) * count + at / LANES;
                *sum = scratch[register].0[at % LANES];
            }
        }
    }

    /// Columns of `count` times sixteen rows from `first` on, the last row again where there are no more; sums of zero.
    #[target_feature(enable = "avx512f")]
    fn load(&self, rows: &Rows<'_, f32>, first: usize, count: usize, registers: &mut [Register]) {
        for group in 0..count {
            let start = first + group * LANES;
            let offsets = offsets(rows, start);
            let cells = rows.from(start);
            for (column, feature) in self.columns.iter().enumerate() {
                let index = _mm512_add_epi32(offsets, _mm512_set1_epi32(*feature as i32));
                let register = &mut registers[column * count + group];
                // SAFETY: the feature is in every row, and `offsets` are those of rows after `start`.
                unsafe {
                    let values = _mm512_i32gather_ps::<4>(index, cells.as_ptr());
                    _mm512_store_ps(register.0.as_mut_ptr(), values);
                }
            }
        }
        registers[self.columns.len() * count..].fill(Register::default());
    }

    /// Adds the leaves of a portion's trees to the sums of `V` times sixteen rows.
    ///
    /// # Safety
    /// As `all`; the block has `V` times `registers()` registers.
    #[target_feature(enable = "avx512f,avx512cd")]
    unsafe fn pass<const V: usize>(
        &self,
        portion: &Portion,
        deep: Option<Deep<'_>>,
        block: Block<'_, V>,
    ) {
        let Block {
            registers,
            cells,
            offsets,
        } = block;
        let (columns, sums) = registers.split_at_mut(self.columns.len() * V);
        let mut comparisons = &self.comparisons[portion.comparison..];
        let mut tables = &self.tables[portion.table..];
        for top in &self.tops[portion.first..portion.end] {
            let (plain, after) = comparisons.split_at(top.plain as usize);
            let (missing, after) = after.split_at(top.missing as usize);
            comparisons = after;
            let mut left = [_mm512_set1_epi32(-1); V];
            // SAFETY: columns of comparisons are below the number of columns.
            unsafe {
                clear::<V, _CMP_NLE_UQ>(&mut left, plain, columns);
                clear::<V, _CMP_GT_OQ>(&mut left, missing, columns);
            }
            let mut exits = left;
            for exit in &mut exits {
                *exit = _mm512_lzcnt_epi32(*exit);
            }
            let sums = &mut sums[top.target as usize * V..][..self.width * V];
            let size = top.cells as usize;
            match deep {
                Some(deep) if top.rest > 0 => {
                    let (table, after) = tables.split_at(size);
                    tables = after;
                    for exit in &mut exits {
                        *exit = _mm512_castps_si512(find(table, *exit));
                    }
                    // SAFETY: the table has slots, and features of slots are in every row.
                    unsafe {
                        match self.missing {
                            true => walk::<V, true>(&mut exits, top, deep, cells, &offsets),
                            false => walk::<V, false>(&mut exits, top, deep, cells, &offsets),
                        }
                    }
                    for (i, sums) in sums.chunks_exact_mut(V).enumerate() {
                        let (width, first) = (self.width as i32, i as i32);
                        for (sum, slot) in sums.iter_mut().zip(&exits) {
                            let index = _mm512_mullo_epi32(*slot, _mm512_set1_epi32(width));
                            let index = _mm512_add_epi32(index, _mm512_set1_epi32(first));
                            // SAFETY: every slot has `width` values.
                            let value =
                                unsafe { _mm512_i32gather_ps::<4>(index, deep.values.as_ptr()) };
                            add(sum, value);
                        }
                    }
                }
                _ => {
                    let (table, after) = tables.split_at(size * self.width);
                    tables = after;
                    for (sums, table) in sums.chunks_exact_mut(V).zip(table.chunks_exact(size)) {
                        for (sum, exit) in sums.iter_mut().zip(&exits) {
                            add(sum, find(table, *exit));
                        }
                    }
                }
            }
        }
    }
}

/// Clears the exits that comparisons rule out, where `FAILS` holds between column and threshold.
///
/// # Safety
/// `columns` has `V` registers for each column of the comparisons.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn clear<const V: usize, const FAILS: i32>(
    left: &mut [__m512i; V],
    comparisons: &[Comparison],
    columns: &[Register],
) {
    for comparison in comparisons {
        let threshold = _mm512_set1_ps(comparison.threshold);
        let keeps = _mm512_set1_epi32(comparison.keeps as i32);
        for (v, left) in left.iter_mut().enumerate() {
            // SAFETY: the caller's promise; registers are aligned to their size.
            let x = unsafe {
                let register = columns.get_unchecked(comparison.column as usize * V + v);
                _mm512_load_ps(register.0.as_ptr())
            };
            let fails = _mm512_cmp_ps_mask::<FAILS>(x, threshold);
            *left = _mm512_mask_and_epi32(*left, fails, *left, keeps);
        }
    }
}

/// Cells of a table of at most 32.
#[inline]
#[target_feature(enable = "avx512f")]
fn find(table: &[u32], index: __m512i) -> __m512 {
    let (low, high) = table.split_at(table.len().min(LANES));
    let load = |cells: &[u32]| {
        let there = u16::MAX >> (LANES - cells.len().min(LANES));
        // SAFETY: only cells that are there are loaded.
        unsafe { _mm512_maskz_loadu_ps(there, cells.as_ptr().cast()) }
    };
    match high {
        [] => _mm512_permutexvar_ps(index, load(low)),
        _ => _mm512_permutex2var_ps(load(low), index, load(high)),
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn add(sum: &mut Register, value: __m512) {
    // SAFETY: a register holds sixteen floats, aligned.
    unsafe {
        let total = _mm512_add_ps(_mm512_load_ps(sum.0.as_ptr()), value);
        _mm512_store_ps(sum.0.as_mut_ptr(), total);
    }
}

/// Offsets of sixteen rows from row `start` on; the last row again where there are no more.
#[inline]
#[target_feature(enable = "avx512f")]
fn offsets(rows: &Rows<'_, f32>, start: usize) -> __m512i {
    let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    let last = (rows.rows() - 1 - start).min(LANES - 1);
    let lanes = _mm512_min_epi32(lanes, _mm512_set1_epi32(last as i32));
    _mm512_mullo_epi32(lanes, _mm512_set1_epi32(rows.stride() as i32))
}

/// Walks from the slots on to leaves.
///
/// # Safety
/// All are slots of `deep`, whose features are in every row.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn walk<const V: usize, const MISSING: bool>(
    slots: &mut [__m512i; V],
    top: &Top,
    deep: Deep<'_>,
    cells: &[f32],
    offsets: &[__m512i; V],
) {
    let base = deep.slots.as_ptr();
    let cells = cells.as_ptr();
    for _ in 0..top.rest {
        let mut moved = 0;
        for (slot, offsets) in slots.iter_mut().zip(offsets) {
            // SAFETY: a slot has eight bytes, threshold and word; its children are slots, its feature is in every row.
            let (threshold, word, x) = unsafe {
                let threshold = _mm512_i32gather_ps::<8>(*slot, base.cast());
                let word = _mm512_i32gather_epi32::<8>(*slot, base.cast::<i32>().add(1));
                let feature = _mm512_and_si512(word, _mm512_set1_epi32(Packed::FEATURE as i32));
                let index = _mm512_add_epi32(feature, *offsets);
                (threshold, word, _mm512_i32gather_ps::<4>(index, cells))
            };
            let mut upper = _mm512_cmp_ps_mask::<_CMP_LE_OQ>(x, threshold);
            if MISSING {
                let nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(x, x);
                let passes = _mm512_set1_epi32(Packed::MISSING as i32);
                upper |= _mm512_mask_test_epi32_mask(nan, word, passes);
            }
            let child = _mm512_srli_epi32::<{ Packed::CHILD }>(word);
            let next = _mm512_mask_add_epi32(child, upper, child, _mm512_set1_epi32(1));
            moved |= _mm512_cmpneq_epi32_mask(next, *slot);
            *slot = next;
        }
        if moved == 0 {
            break;
        }
    }
}
