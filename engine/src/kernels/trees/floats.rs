//! An ensemble over f32 features: what is fastest on this processor for one row, and for many.

use super::blocks::{Blocks, Deep, LANES};
use super::build::{Source, layout};
use super::ensemble::{Aggregate, Ensemble};
use super::masks::Masks;
use super::node::{Packed, Wide};
use super::payload::Payload;
use crate::kernels::{Register, Rows};

/// Fewer rows are taken one by one.
const FEW: usize = 5;

/// One layout for single rows and, where it pays, another for batches. Both give the same bits.
#[derive(Debug, Clone)]
pub struct Floats {
    single: Single,
    blocks: Option<Blocks>,
    targets: usize,
}

#[derive(Debug, Clone)]
enum Single {
    Masked(Masks),
    Packed(Ensemble<Packed>),
    Wide(Ensemble<Wide<f32>>),
}

impl Floats {
    /// `None` for more than 2^31 slots.
    pub fn new(source: &Source, aggregate: Aggregate, width: usize) -> Option<Floats> {
        let targets = source.targets;
        let Some(layout) = layout::<Packed>(source) else {
            return Some(Floats {
                single: Single::Wide(Ensemble::new(source, aggregate, width)?),
                blocks: None,
                targets,
            });
        };
        let payload = Payload::new(source, &layout, aggregate)?;
        let mut layouts = (None, None);
        if let Payload::Dense(dense) = &payload
            && super::has_vectors()
        {
            let average = aggregate == Aggregate::Average;
            layouts = (
                Masks::new(&layout, dense, targets, average, width),
                Blocks::new(&layout, dense, targets, average),
            );
        }
        let (masks, blocks): (Option<Masks>, Option<Blocks>) = layouts;
        // Masks bring no slots for rows that go on below the exits.
        let masks = masks.filter(|_| !blocks.as_ref().is_some_and(Blocks::is_deep));
        let single = match masks {
            Some(masks) => Single::Masked(masks),
            None => Single::Packed(Ensemble::laid_out(
                layout, payload, targets, aggregate, width,
            )?),
        };
        Some(Floats {
            single,
            blocks,
            targets,
        })
    }

    pub fn targets(&self) -> usize {
        self.targets
    }

    /// Nanoseconds of a row in a batch, roughly.
    pub fn cost(&self) -> usize {
        match (&self.blocks, &self.single) {
            (Some(blocks), _) => blocks.cost(),
            (None, Single::Masked(e)) => 2 * e.steps(),
            (None, Single::Packed(e)) => e.steps(),
            (None, Single::Wide(e)) => e.steps(),
        }
    }

    /// Registers that `evaluate` wants for every sixteen rows begun.
    pub fn registers(&self) -> usize {
        self.blocks.as_ref().map_or(0, Blocks::registers)
    }

    pub fn memory(&self) -> usize {
        let single = match &self.single {
            Single::Masked(e) => e.memory(),
            Single::Packed(e) => e.memory(),
            Single::Wide(e) => e.memory(),
        };
        single + self.blocks.as_ref().map_or(0, Blocks::memory)
    }

    /// Aggregates of all rows into `sums` (rows x targets); `seen` tells the targets that a leaf contributed to.
    pub fn evaluate(
        &self,
        rows: &Rows<'_, f32>,
        sums: &mut [f32],
        seen: &mut [bool],
        registers: &mut [Register],
    ) {
        let few = Some(rows.rows() % LANES).filter(|few| *few < FEW);
        let whole = rows.rows() - few.unwrap_or(0);
        let cells = whole * self.targets;
        let batch = rows.part(0, whole);
        let done = match &self.blocks {
            Some(blocks) if whole > 0 => {
                let (sums, seen) = (&mut sums[..cells], &mut seen[..cells]);
                blocks.evaluate(self.deep(), &batch, sums, seen, registers)
            }
            _ => false,
        };
        let done = if done { whole } else { 0 };
        let (sums, seen) = (
            &mut sums[done * self.targets..],
            &mut seen[done * self.targets..],
        );
        let rows = rows.part(done, rows.rows() - done);
        match &self.single {
            Single::Masked(e) => e.evaluate(&rows, sums, seen),
            Single::Packed(e) => e.evaluate(&rows, sums, seen),
            Single::Wide(e) => e.evaluate(&rows, sums, seen),
        }
    }

    fn deep(&self) -> Option<Deep<'_>> {
        match &self.single {
            Single::Packed(e) => e.deep(),
            _ => None,
        }
    }
}
