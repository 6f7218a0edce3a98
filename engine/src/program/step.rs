//! The blocks of a tabular program and one kernel call over them.

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

impl Default for Cells {
    fn default() -> Self {
        Cells::F32(Vec::new())
    }
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
    pub fn run(&self, chunk: Chunk<'_>, blocks: &mut [Cells], scratch: &mut Scratch) -> Result<()> {
        let mut taken: [Cells; 2] = [
            take(blocks, self.outputs.first()),
            take(blocks, self.outputs.get(1)),
        ];
        let result = self.call_kernel(chunk, blocks, &mut taken, scratch);
        for (view, cells) in self.outputs.iter().zip(taken) {
            if let Place::Block(b) = view.place
                && let Some(block) = blocks.get_mut(b)
            {
                *block = cells;
            }
        }
        result
    }

    fn call_kernel(
        &self,
        chunk: Chunk<'_>,
        blocks: &[Cells],
        taken: &mut [Cells; 2],
        scratch: &mut Scratch,
    ) -> Result<()> {
        let kernel = self.call.kernel();
        let [first, second] = taken;
        match (self.inputs.as_slice(), self.outputs.as_slice()) {
            ([], [out]) => kernel.run(&[], &mut [write(out, chunk.rows, first)?], scratch),
            ([x], [out]) => kernel.run(
                &[read(x, chunk, blocks)?],
                &mut [write(out, chunk.rows, first)?],
                scratch,
            ),
            ([x, y], [out]) => {
                let inputs = [read(x, chunk, blocks)?, read(y, chunk, blocks)?];
                kernel.run(&inputs, &mut [write(out, chunk.rows, first)?], scratch)
            }
            ([x, y, z], [out]) => {
                let inputs = [
                    read(x, chunk, blocks)?,
                    read(y, chunk, blocks)?,
                    read(z, chunk, blocks)?,
                ];
                kernel.run(&inputs, &mut [write(out, chunk.rows, first)?], scratch)
            }
            ([x], [out, also]) => {
                let outputs = &mut [
                    write(out, chunk.rows, first)?,
                    write(also, chunk.rows, second)?,
                ];
                kernel.run(&[read(x, chunk, blocks)?], outputs, scratch)
            }
            _ => Err(mismatch("step")),
        }
    }
}

fn take(blocks: &mut [Cells], view: Option<&View>) -> Cells {
    match view.map(|v| v.place) {
        Some(Place::Block(b)) => blocks.get_mut(b).map(std::mem::take).unwrap_or_default(),
        _ => Cells::default(),
    }
}

/// The view's rows of the chunk.
pub fn read<'a>(view: &View, chunk: Chunk<'a>, blocks: &'a [Cells]) -> Result<Slab<'a>> {
    let View {
        offset,
        stride,
        width,
        ..
    } = *view;
    let Place::Block(b) = view.place else {
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
    Ok(match blocks.get(b) {
        Some(Cells::F32(cells)) => Slab::F32(Rows::new(cells, offset, stride, width, chunk.rows)?),
        Some(Cells::F64(cells)) => Slab::F64(Rows::new(cells, offset, stride, width, chunk.rows)?),
        Some(Cells::I64(cells)) => Slab::I64(Rows::new(cells, offset, stride, width, chunk.rows)?),
        Some(Cells::Text(cells, arena)) => Slab::Text(
            Rows::new(cells, offset, stride, width, chunk.rows)?,
            arena.as_str(),
        ),
        None => return Err(mismatch("step")),
    })
}

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
