//! Dense layers on top of each other.

use super::Dense;
use crate::error::Result;
use crate::kernels::{Kernel, Rows, RowsMut, Scratch, ScratchSize, Slab, SlabMut, mismatch};

/// Rows that go through all layers together, so that what is between layers stays in the cache.
const ROWS: usize = 48;

/// At least two layers, each as wide as the one before has units.
#[derive(Debug, Clone)]
pub struct Network {
    layers: Vec<Dense>,
    /// Most units of a layer that another one follows.
    widest: usize,
}

impl Network {
    /// `None` where a layer does not take what the one before gives.
    pub fn new(layers: Vec<Dense>) -> Option<Network> {
        let fits = |pair: &[Dense]| pair[0].units() == pair[1].width;
        let inner = layers.len().checked_sub(1).filter(|inner| *inner > 0)?;
        let widest = layers.iter().take(inner).map(Dense::units).max()?;
        layers
            .windows(2)
            .all(fits)
            .then_some(Network { layers, widest })
    }
}

impl Kernel for Network {
    fn run(
        &self,
        inputs: &[Slab<'_>],
        outputs: &mut [SlabMut<'_>],
        scratch: &mut Scratch,
    ) -> Result<()> {
        let ([Slab::F32(x)], [SlabMut::F32(out)]) = (inputs, outputs) else {
            return Err(mismatch("dense layers"));
        };
        let needed = 2 * self.widest * x.rows().min(ROWS);
        let Some(scratch) = scratch.f32.get_mut(..needed) else {
            return Err(mismatch("dense layers"));
        };
        let (mut from, mut to) = scratch.split_at_mut(needed / 2);
        let last = self.layers.len() - 1;
        for first in (0..x.rows()).step_by(ROWS) {
            let rows = ROWS.min(x.rows() - first);
            for (i, layer) in self.layers.iter().enumerate() {
                let (width, units) = (layer.width, layer.units());
                let input = match i {
                    0 => x.part(first, rows),
                    _ => Rows::new(from, 0, width, width, rows)?,
                };
                if i == last {
                    layer.apply(&input, &mut out.part(first, rows))?;
                } else {
                    layer.apply(&input, &mut RowsMut::new(to, 0, units, units, rows)?)?;
                }
                std::mem::swap(&mut from, &mut to);
            }
        }
        Ok(())
    }

    fn scratch(&self) -> ScratchSize {
        ScratchSize {
            f32: 2 * self.widest,
            ..ScratchSize::default()
        }
    }

    fn cost(&self) -> usize {
        self.layers.iter().map(Kernel::cost).sum()
    }

    fn memory(&self) -> usize {
        self.layers.iter().map(Kernel::memory).sum()
    }
}
