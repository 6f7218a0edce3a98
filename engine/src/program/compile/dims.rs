//! Dimensions of one row of a value, and how two of them broadcast.

/// Most dimensions of a row.
const RANK: usize = 6;
/// Most cells of a row.
const CELLS: usize = 1 << 20;

/// Dimensions after the first, which counts the rows: `[N]` has none, `[N, F]` has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dims {
    sizes: [usize; RANK],
    rank: usize,
}

impl Dims {
    /// `None` for too many dimensions or cells.
    pub fn new(sizes: &[usize]) -> Option<Dims> {
        let mut dims = Dims {
            sizes: [1; RANK],
            rank: sizes.len(),
        };
        dims.sizes.get_mut(..sizes.len())?.copy_from_slice(sizes);
        let cells = sizes.iter().try_fold(1usize, |n, d| n.checked_mul(*d))?;
        (cells <= CELLS && cells > 0).then_some(dims)
    }

    /// Those of `[N]`.
    pub fn scalar() -> Dims {
        Dims {
            sizes: [1; RANK],
            rank: 0,
        }
    }

    /// Those of `[N, width]`.
    pub fn columns(width: usize) -> Dims {
        let mut dims = Dims::scalar();
        dims.sizes[0] = width;
        dims.rank = 1;
        dims
    }

    pub fn sizes(&self) -> &[usize] {
        &self.sizes[..self.rank]
    }

    pub fn cells(&self) -> usize {
        self.sizes().iter().product()
    }

    /// True for `[N, F]`.
    pub fn is_matrix(&self) -> bool {
        self.rank == 1
    }

    /// An axis of the whole value as one of the row's dimensions; `None` for the rows' own and for none of them.
    pub fn axis(&self, axis: i64) -> Option<usize> {
        let rank = i64::try_from(self.rank).ok()? + 1;
        let axis = if axis < 0 { axis + rank } else { axis };
        let axis = usize::try_from(axis).ok()?.checked_sub(1)?;
        (axis < self.rank).then_some(axis)
    }

    /// Cells before, along and after a dimension.
    pub fn around(&self, axis: usize) -> (usize, usize, usize) {
        let sizes = self.sizes();
        (
            sizes[..axis].iter().product(),
            sizes[axis],
            sizes[axis + 1..].iter().product(),
        )
    }

    pub fn with(&self, axis: usize, size: usize) -> Option<Dims> {
        let mut sizes = self.sizes().to_vec();
        *sizes.get_mut(axis)? = size;
        Dims::new(&sizes)
    }

    pub fn without(&self, axis: usize) -> Option<Dims> {
        let mut sizes = self.sizes().to_vec();
        if axis >= sizes.len() {
            return None;
        }
        sizes.remove(axis);
        Dims::new(&sizes)
    }

    /// The dimensions that two rows of the same rank broadcast to.
    pub fn broadcast(&self, other: &Dims) -> Option<Dims> {
        if self.rank != other.rank {
            return None;
        }
        let sizes: Option<Vec<usize>> = self
            .sizes()
            .iter()
            .zip(other.sizes())
            .map(|(a, b)| match (a, b) {
                (a, b) if a == b => Some(*a),
                (1, b) => Some(*b),
                (a, 1) => Some(*a),
                _ => None,
            })
            .collect();
        Dims::new(&sizes?)
    }

    /// A constant's dimensions as those of a row of this rank; `None` where the constant would change the rank or the rows.
    pub fn of_constant(&self, dims: &[usize]) -> Option<Dims> {
        let inner = match dims {
            [1, inner @ ..] if inner.len() == self.rank => inner,
            dims if dims.len() <= self.rank => dims,
            _ => return None,
        };
        let mut sizes = vec![1; self.rank - inner.len()];
        sizes.extend_from_slice(inner);
        Dims::new(&sizes)
    }

    /// For every cell of `to`, the cell of this value that stands there.
    pub fn stretch(&self, to: &Dims) -> Vec<usize> {
        (0..to.cells())
            .map(|cell| {
                let (mut rest, mut index, mut stride) = (cell, 0, 1);
                for (from, to) in self.sizes().iter().zip(to.sizes()).rev() {
                    let place = rest % to;
                    rest /= to;
                    index += if *from == 1 { 0 } else { place } * stride;
                    stride *= from;
                }
                index
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_count_the_rows_first() {
        let dims = Dims::new(&[3, 4]).unwrap();
        assert_eq!(
            [1, 2, -1, -2].map(|a| dims.axis(a)),
            [Some(0), Some(1), Some(1), Some(0)]
        );
        assert_eq!([0, 3, -3, -4].map(|a| dims.axis(a)), [None; 4]);
        assert_eq!(dims.around(0), (1, 3, 4));
    }

    #[test]
    fn constants_never_change_rows() {
        let row = Dims::columns(3);
        assert_eq!(row.of_constant(&[]), Some(Dims::columns(1)));
        assert_eq!(row.of_constant(&[1, 3]), Some(row));
        assert_eq!(row.of_constant(&[3]), Some(row));
        assert_eq!(row.of_constant(&[2, 3]), None);
        assert_eq!(row.of_constant(&[1, 1, 3]), None);
        assert_eq!(Dims::scalar().of_constant(&[1]), Some(Dims::scalar()));
        assert_eq!(Dims::scalar().of_constant(&[]), Some(Dims::scalar()));
        assert_eq!(Dims::scalar().of_constant(&[3]), None);
        assert_eq!(Dims::scalar().of_constant(&[1, 1]), None);
    }

    #[test]
    fn stretching_repeats_single_cells() {
        let (from, to) = (Dims::new(&[2, 1]).unwrap(), Dims::new(&[2, 3]).unwrap());
        assert_eq!(from.stretch(&to), [0, 0, 0, 1, 1, 1]);
        assert_eq!(Dims::new(&[1, 3]).unwrap().stretch(&to), [0, 1, 2, 0, 1, 2]);
    }
}
