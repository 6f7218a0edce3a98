//! The blocks of a tabular program and one kernel call over them.

use std::cell::{Ref, RefCell, RefMut};

use crate::batch::Blocks;
use crate::error::{Error, Result};
use crate::kernels::dense::Dense;
use crate::kernels::{
    Arena, Element, Kernel, Rows, RowsMut, Scratch, ScratchSize, Slab, SlabMut, Span, mismatch,
};

/// Where a value's block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The batch's block of the view's element.
    Input,
    /// A block of the program.
    Block(usize),
}

/// Columns of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    pub place: Place,
    pub element: Element,
    pub offset: usize,
    pub stride: usize,
    pub width: usize,
}

impl View {
    /// Columns `first..first + width` of this view.
    pub fn columns(self, first: usize, width: usize) -> View {
        View {
            offset: self.offset + first,
            width,
            ..self
        }
    }
}

/// A block of the program: cells for one chunk of rows.
#[derive(Debug)]
pub enum Cells {
    F32(Vec<f32>),
    F64(Vec<f64>),
    I64(Vec<i64>),
    /// Cells and the arena of their texts.
    Text(Vec<Span>, Arena),
}

impl Cells {
    /// Drops the texts of the chunk before.
    pub fn clear(&mut self) {
        if let Cells::Text(_, arena) = self {
            arena.clear();
        }
    }

    pub fn allocate(element: Element, len: usize) -> Result<Cells> {
        Ok(match element {
            Element::F32 => Cells::F32(filled(len)?),
            Element::F64 => Cells::F64(filled(len)?),
            Element::I64 | Element::Bool => Cells::I64(filled(len)?),
            Element::Text => Cells::Text(filled(len)?, Arena::default()),
        })
    }
}

/// `len` default cells, or `Error::OutOfMemory`.
pub fn filled<T: Clone + Default>(len: usize) -> Result<Vec<T>> {
    let mut cells = Vec::new();
    cells
        .try_reserve_exact(len)
        .map_err(|_| Error::OutOfMemory)?;
    cells.resize(len, T::default());
    Ok(cells)
}

/// What a step computes. Dense layers are kept apart so that what follows can be folded into them.
#[derive(Debug)]
pub enum Call {
    Dense(Dense),
    Kernel(Box<dyn Kernel>),
}

impl Call {
    pub fn kernel(&self) -> &dyn Kernel {
        match self {
            Call::Dense(dense) => dense,
            Call::Kernel(kernel) => kernel.as_ref(),
        }
    }
}

/// One kernel call: at most three inputs and two outputs, outputs in blocks of their own.
#[derive(Debug)]
pub struct Step {
    pub call: Call,
    pub inputs: Vec<View>,
    pub outputs: Vec<View>,
}

/// What the rows of a chunk are read from.
#[derive(Debug, Clone, Copy)]
pub struct Chunk<'a> {
    pub batch: &'a Blocks,
    pub first: usize,
    pub rows: usize,
}

impl Step {
    /// Copies cells of one element unchanged.
    pub fn is_copy(&self) -> bool {
        match (&self.call, self.inputs.as_slice(), self.outputs.as_slice()) {
            (Call::Kernel(kernel), [from], [to]) => kernel.is_copy() && from.element == to.element,
            _ => false,
        }
    }

    pub fn scratch(&self) -> ScratchSize {
        self.call.kernel().scratch()
    }

    /// Runs the kernel over the chunk.
    pub fn run(
        &self,
        chunk: Chunk<'_>,
        blocks: &[RefCell<Cells>],
        scratch: &mut Scratch,
    ) -> Result<()> {
        let kernel = self.call.kernel();
        let source = |view: &View| source(view, blocks);
        match (self.inputs.as_slice(), self.outputs.as_slice()) {
            ([], [out]) => {
                let mut to = target(out, blocks)?;
                kernel.run(&[], &mut [write(out, chunk.rows, &mut to)?], scratch)
            }
            ([x], [out]) => {
                let (from, mut to) = (source(x)?, target(out, blocks)?);
                let inputs = [read(x, chunk, from.as_deref())?];
                kernel.run(&inputs, &mut [write(out, chunk.rows, &mut to)?], scratch)
            }
            ([x, y], [out]) => {
                let (first, second, mut to) = (source(x)?, source(y)?, target(out, blocks)?);
                let inputs = [
                    read(x, chunk, first.as_deref())?,
                    read(y, chunk, second.as_deref())?,
                ];
                kernel.run(&inputs, &mut [write(out, chunk.rows, &mut to)?], scratch)
            }
            ([x, y, z], [out]) => {
                let (first, second, third) = (source(x)?, source(y)?, source(z)?);
                let mut to = target(out, blocks)?;
                let inputs = [
                    read(x, chunk, first.as_deref())?,
                    read(y, chunk, second.as_deref())?,
                    read(z, chunk, third.as_deref())?,
                ];
                kernel.run(&inputs, &mut [write(out, chunk.rows, &mut to)?], scratch)
            }
            ([x], [out, also]) => {
                let from = source(x)?;
                let (mut to, mut other) = (target(out, blocks)?, target(also, blocks)?);
                let mut outputs = [
                    write(out, chunk.rows, &mut to)?,
                    write(also, chunk.rows, &mut other)?,
                ];
                let inputs = [read(x, chunk, from.as_deref())?];
                kernel.run(&inputs, &mut outputs, scratch)
            }
            _ => Err(mismatch("step")),
        }
    }
}

/// The program's block that a view reads; `None` for the batch's.
#[inline]
pub fn source<'a>(view: &View, blocks: &'a [RefCell<Cells>]) -> Result<Option<Ref<'a, Cells>>> {
    match view.place {
        Place::Input => Ok(None),
        Place::Block(b) => {
            let block = blocks.get(b).and_then(|block| block.try_borrow().ok());
            block.map(Some).ok_or_else(|| mismatch("step"))
        }
    }
}

#[inline]
fn target<'a>(view: &View, blocks: &'a [RefCell<Cells>]) -> Result<RefMut<'a, Cells>> {
    let block = match view.place {
        Place::Input => None,
        Place::Block(b) => blocks.get(b).and_then(|block| block.try_borrow_mut().ok()),
    };
    block.ok_or_else(|| mismatch("step"))
}

/// The view's rows of the chunk, in `block` or the batch.
#[inline]
pub fn read<'a>(view: &View, chunk: Chunk<'a>, block: Option<&'a Cells>) -> Result<Slab<'a>> {
    let View {
        offset,
        stride,
        width,
        ..
    } = *view;
    let Some(block) = block else {
        let offset = offset + chunk.first * stride;
        let Chunk { batch, rows, .. } = chunk;
        return Ok(match view.element {
            Element::F32 => Slab::F32(Rows::new(&batch.f32.cells, offset, stride, width, rows)?),
            Element::F64 => Slab::F64(Rows::new(&batch.f64.cells, offset, stride, width, rows)?),
            Element::I64 | Element::Bool => {
                Slab::I64(Rows::new(&batch.i64.cells, offset, stride, width, rows)?)
            }
            Element::Text => Slab::Text(
                Rows::new(&batch.text.cells, offset, stride, width, rows)?,
                &batch.arena,
            ),
        });
    };
    Ok(match block {
        Cells::F32(cells) => Slab::F32(Rows::new(cells, offset, stride, width, chunk.rows)?),
        Cells::F64(cells) => Slab::F64(Rows::new(cells, offset, stride, width, chunk.rows)?),
        Cells::I64(cells) => Slab::I64(Rows::new(cells, offset, stride, width, chunk.rows)?),
        Cells::Text(cells, arena) => Slab::Text(
            Rows::new(cells, offset, stride, width, chunk.rows)?,
            arena.as_str(),
        ),
    })
}

#[inline]
fn write<'a>(view: &View, rows: usize, cells: &'a mut Cells) -> Result<SlabMut<'a>> {
    let View {
        offset,
        stride,
        width,
        ..
    } = *view;
    Ok(match cells {
        Cells::F32(cells) => SlabMut::F32(RowsMut::new(cells, offset, stride, width, rows)?),
        Cells::F64(cells) => SlabMut::F64(RowsMut::new(cells, offset, stride, width, rows)?),
        Cells::I64(cells) => SlabMut::I64(RowsMut::new(cells, offset, stride, width, rows)?),
        Cells::Text(cells, arena) => {
            SlabMut::Text(RowsMut::new(cells, offset, stride, width, rows)?, arena)
        }
    })
}
