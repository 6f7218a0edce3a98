//! Numbers that start at a cache line: a vector of 64 bytes read across two lines takes twice as long.

use std::ops::Deref;

const LINE: usize = 64;

/// A slice whose first cell is at a multiple of 64 bytes.
#[derive(Debug)]
pub struct Aligned {
    cells: Vec<f32>,
    start: usize,
}

impl Aligned {
    pub fn new(values: &[f32]) -> Aligned {
        let mut cells: Vec<f32> = Vec::with_capacity(values.len() + LINE / size_of::<f32>());
        let start = cells
            .as_ptr()
            .align_offset(LINE)
            .min(LINE / size_of::<f32>());
        cells.resize(start, 0.0);
        cells.extend_from_slice(values);
        Aligned { cells, start }
    }
}

impl Clone for Aligned {
    fn clone(&self) -> Aligned {
        Aligned::new(self)
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.cells[self.start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_start_at_a_line_too() {
        for len in [0, 1, 15, 16, 1000] {
            let values: Vec<f32> = (0..len).map(|i| i as f32).collect();
            let aligned = Aligned::new(&values);
            for copy in [aligned.clone(), aligned] {
                assert_eq!(*copy, *values);
                assert_eq!(copy.as_ptr() as usize % LINE, 0);
            }
        }
    }
}
