//! Nodes of constants only, computed while compiling.

use super::*;
use crate::kernels::along::{Axis, Reduce, Reduction};
use crate::kernels::{Arena, Rows, RowsMut, Scratch, Slab, SlabMut, Span, slab};
use crate::ops::tensor::Cells;

impl<'a> Compiler<'a> {
    pub(super) fn constant(&mut self, node: &'a NodeProto) -> Compiled {
        let Some(attribute) = node.attribute.first() else {
            return Ok(None);
        };
        let (dims, cells) = match attribute.name.as_str() {
            "value" => {
                let Some(tensor) = &attribute.t else {
                    return Ok(None);
                };
                let constant = Constant::read(tensor)?;
                (constant.dims, constant.cells)
            }
            "value_float" => (Vec::new(), Cells::F32(vec![attribute.f])),
            "value_int" => (Vec::new(), Cells::I64(vec![attribute.i])),
            "value_floats" => (
                vec![attribute.floats.len()],
                Cells::F32(attribute.floats.clone()),
            ),
            "value_ints" => (
                vec![attribute.ints.len()],
                Cells::I64(attribute.ints.clone()),
            ),
            _ => return Ok(None),
        };
        Ok(self.set_constant(node, dims, cells))
    }

    fn set_constant(&mut self, node: &'a NodeProto, dims: Vec<usize>, cells: Cells) -> Option<()> {
        self.set(node, Value::Constant(Rc::new(Constant { dims, cells })))
    }

    /// Casts and shapes of a constant; `None` for other nodes and other inputs.
    pub(super) fn fold(&mut self, node: &'a NodeProto) -> Compiled {
        let Some(x) = self.constant_input(node, 0) else {
            return Ok(None);
        };
        let name = node.op_type.as_str();
        let moves = matches!(
            name,
            "Cast" | "ReduceSumSquare" | "Reshape" | "Transpose" | "Unsqueeze" | "Squeeze"
        );
        let pair = functions::is_binary(name) && self.constant_input(node, 1).is_some();
        let folds = moves || pair || functions::is_unary(name);
        if name == "Identity" {
            return Ok(self.set(node, Value::Constant(x)));
        }
        if !folds || self.spend(x.len()).is_none() {
            return Ok(None);
        }
        let attributes = Attributes::new(node)?;
        let axes = || match self.constant_input(node, 1) {
            Some(axes) => axes.i64s().map(<[i64]>::to_vec),
            None => Some(attributes.ints("axes").to_vec()),
        };
        let cells = x.cells.clone();
        match node.op_type.as_str() {
            "Cast" => {
                let cells = match (cells, attributes.int("to")) {
                    (Cells::F32(v), Some(1)) => Cells::F32(v),
                    (Cells::F64(v), Some(1)) => Cells::F32(v.iter().map(|v| *v as f32).collect()),
                    (Cells::I64(v), Some(1)) => Cells::F32(v.iter().map(|v| *v as f32).collect()),
                    (Cells::F32(v), Some(11)) => {
                        Cells::F64(v.iter().map(|v| f64::from(*v)).collect())
                    }
                    (Cells::F64(v), Some(11)) => Cells::F64(v),
                    (Cells::I64(v), Some(11)) => Cells::F64(v.iter().map(|v| *v as f64).collect()),
                    (Cells::I64(v), Some(7)) => Cells::I64(v),
                    (Cells::Text(v), Some(8)) => Cells::Text(v),
                    _ => return Ok(None),
                };
                Ok(self.set_constant(node, x.dims.clone(), cells))
            }
            "Reshape" => match axes().as_deref() {
                Some([-1]) => Ok(self.set_constant(node, vec![x.len()], cells)),
                Some(sizes) => {
                    let sizes: Option<Vec<usize>> =
                        sizes.iter().map(|s| usize::try_from(*s).ok()).collect();
                    let sizes = sizes.filter(|s| {
                        let cells = s.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
                        cells == Some(x.len())
                    });
                    Ok(sizes.and_then(|sizes| self.set_constant(node, sizes, cells)))
                }
                None => Ok(None),
            },
            "Transpose" => {
                let ([rows, columns], [] | [1, 0]) = (x.dims.as_slice(), attributes.ints("perm"))
                else {
                    return Ok(None);
                };
                let cells = (0..*columns).flat_map(|c| (0..*rows).map(move |r| r * columns + c));
                let turned = x.stretched(&cells.collect::<Vec<_>>());
                let dims = vec![*columns, *rows];
                Ok(turned.and_then(|turned| self.set_constant(node, dims, turned.cells)))
            }
            "ReduceSumSquare" => {
                let ([rows, columns], Some([0])) = (x.dims.as_slice(), axes().as_deref()) else {
                    return Ok(None);
                };
                let kernel = Reduce {
                    reduction: Reduction::SumOfSquares,
                    axis: Axis {
                        outer: 1,
                        length: *rows,
                        inner: *columns,
                    },
                };
                let (element, width) = (x.element(), *columns);
                let floats = matches!(element, Element::F32 | Element::F64);
                if !floats || attributes.int("keepdims") == Some(0) || *rows == 0 {
                    return Ok(None);
                }
                let cells = once(&kernel, Some(&x), Shape { element, width })?;
                Ok(self.set_constant(node, vec![1, width], cells))
            }
            "Unsqueeze" if axes().as_deref() == Some(&[0]) => {
                let dims = [&[1], x.dims.as_slice()].concat();
                Ok(self.set_constant(node, dims, cells))
            }
            name if functions::is_unary(name) => {
                let made = match x.element() {
                    Element::F32 => functions::single(name, None, None),
                    Element::F64 => functions::double(name, None, None),
                    _ => None,
                };
                let Some((kernel, element)) = made.filter(|_| node.attribute.is_empty()) else {
                    return Ok(None);
                };
                let width = x.len();
                let cells = once(kernel.as_ref(), Some(&x), Shape { element, width })?;
                Ok(self.set_constant(node, x.dims.clone(), cells))
            }
            name if functions::is_binary(name) && node.input.len() == 2 => {
                let Some(y) = self.constant_input(node, 1) else {
                    return Ok(None);
                };
                let both = || {
                    let rank = x.dims.len().max(y.dims.len());
                    let padded =
                        |dims: &[usize]| Dims::new(&[&vec![1; rank - dims.len()], dims].concat());
                    let (a, b) = (padded(&x.dims)?, padded(&y.dims)?);
                    let dims = a.broadcast(&b)?;
                    let (x, y) = (
                        x.stretched(&a.stretch(&dims)),
                        y.stretched(&b.stretch(&dims)),
                    );
                    Some((x?, y?, dims.sizes().to_vec()))
                };
                let Some((x, y, dims)) = both() else {
                    return Ok(None);
                };
                if self.spend(x.len()).is_none() {
                    return Ok(None);
                }
                let cells = functions::constants(name, &x, &y)?;
                Ok(cells.and_then(|cells| self.set_constant(node, dims, cells)))
            }
            "Squeeze" if x.len() == 1 => Ok(self.set_constant(node, Vec::new(), cells)),
            _ => Ok(None),
        }
    }

    /// An encoder of a constant.
    pub(super) fn encoded(
        &mut self,
        node: &'a NodeProto,
        x: &Constant,
        bind: ops::Bind,
    ) -> Compiled {
        let width = x.len();
        let element = x.element();
        let bound = bind(node, &[Shape { element, width }])?;
        match bound.outputs.as_slice() {
            [shape] if shape.width == width => {
                let cells = once(bound.kernel.as_ref(), Some(x), *shape)?;
                Ok(self.set_constant(node, x.dims.clone(), cells))
            }
            _ => Ok(None),
        }
    }
}

/// What a kernel makes of one row, the constant's cells.
pub(super) fn once(kernel: &dyn Kernel, x: Option<&Constant>, out: Shape) -> Result<Cells> {
    fn rows<T>(cells: &[T]) -> Result<Rows<'_, T>> {
        Rows::new(cells, 0, cells.len(), cells.len(), 1)
    }
    fn rows_mut<T>(cells: &mut [T]) -> Result<RowsMut<'_, T>> {
        let width = cells.len();
        RowsMut::new(cells, 0, width, width, 1)
    }
    let mut arena = Arena::default();
    let mut spans = Vec::new();
    let mut inputs = Vec::new();
    match x.map(|x| &x.cells) {
        None => {}
        Some(Cells::F32(v)) => inputs.push(Slab::F32(rows(v)?)),
        Some(Cells::F64(v)) => inputs.push(Slab::F64(rows(v)?)),
        Some(Cells::I64(v)) => inputs.push(Slab::I64(rows(v)?)),
        Some(Cells::Text(texts)) => {
            for text in texts {
                spans.push(arena.push(text)?);
            }
            inputs.push(Slab::Text(rows(&spans)?, arena.as_str()));
        }
    }
    let mut scratch = Scratch::default();
    let mut run = |output: SlabMut<'_>| kernel.run(&inputs, &mut [output], &mut scratch);
    Ok(match out.element {
        Element::F32 => {
            let mut cells = vec![0.0; out.width];
            run(SlabMut::F32(rows_mut(&mut cells)?))?;
            Cells::F32(cells)
        }
        Element::F64 => {
            let mut cells = vec![0.0; out.width];
            run(SlabMut::F64(rows_mut(&mut cells)?))?;
            Cells::F64(cells)
        }
        Element::I64 | Element::Bool => {
            let mut cells = vec![0; out.width];
            run(SlabMut::I64(rows_mut(&mut cells)?))?;
            Cells::I64(cells)
        }
        Element::Text => {
            let (mut cells, mut texts) = (vec![Span::default(); out.width], Arena::default());
            run(SlabMut::Text(rows_mut(&mut cells)?, &mut texts))?;
            let texts = cells
                .iter()
                .map(|s| slab::text(texts.as_str(), *s).to_owned());
            Cells::Text(texts.collect())
        }
    })
}
