//! Plain loops over slices. A kernel is validated when it is made; it knows nothing of graphs.

pub mod aligned;
pub mod along;
pub mod arithmetic;
pub mod binarize;
pub mod cast;
pub mod categories;
pub mod dense;
pub mod distance;
pub mod elementwise;
pub mod encode;
pub mod impute;
pub mod label;
#[allow(unsafe_code)]
pub mod linear;
pub mod math;
#[allow(unsafe_code)]
pub mod matrix;
pub mod normalise;
pub mod post;
pub mod product;
#[cfg(test)]
mod properties;
pub mod recurrent;
pub mod reduce;
pub mod scale;
pub mod select;
pub mod slab;
pub mod svm;
pub mod text;
pub mod top;
pub mod trees;
pub mod window;

use crate::error::{Error, Result};
pub use slab::{Arena, Rows, RowsMut, Slab, SlabMut, Span};

/// Element type of a block's cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    F32,
    F64,
    I64,
    /// Integers 0 and 1.
    Bool,
    Text,
}

/// Cells of one row of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub element: Element,
    pub width: usize,
}

impl Shape {
    pub fn f32(width: usize) -> Shape {
        Shape {
            element: Element::F32,
            width,
        }
    }

    pub fn i64(width: usize) -> Shape {
        Shape {
            element: Element::I64,
            width,
        }
    }
}

/// Sixteen floats in a cache line.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C, align(64))]
pub struct Register(pub [f32; 16]);

/// Memory that a kernel borrows while it runs.
#[derive(Debug, Default)]
pub struct Scratch {
    pub f32: Vec<f32>,
    pub f64: Vec<f64>,
    pub flags: Vec<bool>,
    pub registers: Vec<Register>,
}

/// Cells of scratch memory per row of a batch.
#[derive(Debug, Clone, Copy, Default)]
pub struct ScratchSize {
    pub f32: usize,
    pub f64: usize,
    pub flags: usize,
    /// Registers per sixteen rows begun.
    pub registers: usize,
}

/// A function of rows. Row `i` of every output depends on row `i` of the inputs alone.
pub trait Kernel: std::fmt::Debug + Send + Sync {
    /// Computes all rows of `outputs` from as many rows of `inputs`.
    fn run(
        &self,
        inputs: &[Slab<'_>],
        outputs: &mut [SlabMut<'_>],
        scratch: &mut Scratch,
    ) -> Result<()>;

    /// Scratch memory wanted per row.
    fn scratch(&self) -> ScratchSize {
        ScratchSize::default()
    }

    /// Work of one row in steps of about a nanosecond.
    fn cost(&self) -> usize {
        1
    }

    /// With more rows at a time it is not faster.
    fn rows(&self) -> usize {
        256
    }

    /// Writes its input unchanged where both have the same element.
    fn is_copy(&self) -> bool {
        false
    }

    /// Bytes held.
    fn memory(&self) -> usize {
        0
    }
}

/// The error of a kernel that is called with slabs it was not bound to.
pub fn mismatch(kernel: &str) -> Error {
    Error::Evaluation(format!(
        "{kernel} was called with other elements than it was compiled for"
    ))
}
