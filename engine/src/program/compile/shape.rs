//! Nodes that move cells: casts, concatenations, reshapes, slices.

use super::*;
use crate::kernels::text::format::{CastText, ParseText};

impl<'a> Compiler<'a> {
    pub(super) fn cast(&mut self, node: &'a NodeProto) -> Compiled {
        let to = Attributes::new(node)?
            .int("to")
            .and_then(|t| i32::try_from(t).ok())
            .map(DataType::try_from);
        let (to, narrow) = match to {
            Some(Ok(DataType::Float)) => (Element::F32, false),
            Some(Ok(DataType::Double)) => (Element::F64, false),
            Some(Ok(DataType::Int64)) => (Element::I64, false),
            Some(Ok(DataType::Int32)) => (Element::I64, true),
            Some(Ok(DataType::Bool)) => (Element::Bool, false),
            Some(Ok(DataType::String)) => (Element::Text, false),
            _ => return Ok(None),
        };
        let value = match self.value(node, 0).cloned() {
            Some(Value::Label(tensor, labels)) => match (labels.as_ref(), to) {
                (Labels::Integers(_), Element::I64 | Element::Text)
                | (Labels::Texts(_), Element::Text) => Value::Label(tensor, labels),
                // Floats that hold the labels exactly are still the labels.
                (Labels::Integers(v), Element::F32 | Element::F64)
                    if v.iter().all(|v| v.unsigned_abs() <= 1 << 24) =>
                {
                    Value::Label(tensor, labels)
                }
                _ => return Ok(None),
            },
            Some(Value::Rows(x)) if x.element() == to && x.narrow == narrow => Value::Rows(x),
            Some(Value::Rows(x)) => {
                let kernel: Box<dyn Kernel> = match (x.element(), to) {
                    (Element::Text, Element::Bool) => return Ok(None),
                    (Element::Text, _) if narrow => return Ok(None),
                    (Element::Text, _) => Box::new(ParseText),
                    (Element::Bool, Element::Text) => Box::new(CastText),
                    (_, Element::Text) => Box::new(CastText),
                    _ if narrow => Box::new(Cast { to: Element::I64 }),
                    _ => Box::new(Cast { to }),
                };
                Value::Rows(Tensor {
                    narrow,
                    ..self.push(kernel, vec![x.view], to, x.dims)
                })
            }
            _ => return Ok(None),
        };
        Ok(self.set(node, value))
    }

    pub(super) fn concat(&mut self, node: &'a NodeProto) -> Compiled {
        let parts: Option<Vec<Tensor>> =
            (0..node.input.len()).map(|i| self.rows(node, i)).collect();
        let Some((parts, first)) = parts.and_then(|p| p.first().copied().map(|f| (p, f))) else {
            return Ok(None);
        };
        let axis = Attributes::new(node)?.int("axis").unwrap_or(1);
        let Some(axis) = first.dims.axis(axis) else {
            return Ok(None);
        };
        let alike = |t: &Tensor| {
            t.element() == first.element()
                && t.narrow == first.narrow
                && t.dims.sizes().len() == first.dims.sizes().len()
                && t.dims.with(axis, 1) == first.dims.with(axis, 1)
        };
        let size = parts
            .iter()
            .map(|t| t.dims.sizes().get(axis).copied().unwrap_or(0))
            .sum();
        let (Some(dims), true) = (first.dims.with(axis, size), parts.iter().all(alike)) else {
            return Ok(None);
        };
        let beside = self.side_by_side(&parts, first.element());
        let (outer, _, inner) = dims.around(axis);
        let joined = Tensor {
            narrow: first.narrow,
            ..Tensor::new(beside, dims)
        };
        if outer == 1 {
            return self.rows_value(node, Some(joined));
        }
        // The parts stand whole beside each other: their cells are taken in turn.
        let mut starts = Vec::with_capacity(parts.len());
        let mut start = 0;
        for part in &parts {
            starts.push((start, part.view.width / outer));
            start += part.view.width;
        }
        let cells = (0..outer).flat_map(|o| {
            starts
                .iter()
                .flat_map(move |(start, run)| (0..*run).map(move |k| start + o * run + k))
        });
        let cells = cells.collect();
        debug_assert_eq!(outer * size * inner, start);
        let tensor = self.pick(joined, cells, dims);
        self.rows_value(node, tensor)
    }

    pub(super) fn feature_vectorizer(&mut self, node: &'a NodeProto) -> Compiled {
        let parts: Option<Vec<Tensor>> =
            (0..node.input.len()).map(|i| self.rows(node, i)).collect();
        let Some(parts) = parts.filter(|p| !p.is_empty() && p.iter().all(|t| t.dims.is_matrix()))
        else {
            return Ok(None);
        };
        let shapes: Vec<Shape> = parts
            .iter()
            .map(|t| Shape {
                element: t.view.element,
                width: t.view.width,
            })
            .collect();
        if let Some(bind) = ops::find(&node.op_type) {
            bind(node, &shapes)?;
        }
        let view = self.side_by_side(&parts, Element::F32);
        let tensor = Tensor::new(view, Dims::columns(view.width));
        self.rows_value(node, Some(tensor))
    }

    /// Neighbouring columns of one block stay where they are; anything else is copied into a new block.
    pub(super) fn side_by_side(&mut self, parts: &[Tensor], element: Element) -> View {
        let width = parts.iter().map(|t| t.view.width).sum();
        if let Some(first) = parts.first().map(|t| t.view) {
            let mut end = first.offset;
            let adjacent = parts.iter().all(|Tensor { view, .. }| {
                let next =
                    view.place == first.place && view.element == element && view.offset == end;
                end += view.width;
                next
            });
            if adjacent {
                return View { width, ..first };
            }
        }
        let view = self.block(Shape { element, width });
        let mut column = 0;
        for part in parts {
            self.step(
                Cast { to: element },
                vec![part.view],
                view.columns(column, part.view.width),
            );
            column += part.view.width;
        }
        view
    }

    /// Shapes that keep the rows and the order of their cells.
    pub(super) fn reshape(&mut self, node: &'a NodeProto) -> Compiled {
        let attributes = Attributes::new(node)?;
        let Some(value) = self.value(node, 0).cloned() else {
            return Ok(None);
        };
        let tensor = match &value {
            Value::Rows(tensor) | Value::Label(tensor, _) => *tensor,
            // Tokens stay the tokens of their row, whatever their dimensions are called.
            Value::Tokens(..) if matches!(node.op_type.as_str(), "Flatten" | "Squeeze") => {
                return Ok(self.set(node, value));
            }
            _ => return Ok(None),
        };
        let axes = match self.constant_input(node, 1) {
            Some(constant) => constant.i64s().map(<[i64]>::to_vec),
            None => Some(attributes.ints("axes").to_vec()),
        };
        let dims = match (node.op_type.as_str(), axes) {
            ("Reshape", Some(sizes)) if attributes.int("allowzero").unwrap_or(0) == 0 => {
                reshaped(&tensor.dims, &sizes)
            }
            ("Flatten", _) if attributes.int("axis").unwrap_or(1) == 1 => {
                Some(Dims::columns(tensor.view.width))
            }
            ("Squeeze", Some(axes)) if !axes.is_empty() => {
                let places: Option<Vec<usize>> =
                    axes.iter().map(|axis| tensor.dims.axis(*axis)).collect();
                places.and_then(|places| {
                    let sizes = tensor.dims.sizes();
                    if places.iter().any(|p| sizes[*p] != 1) {
                        return None;
                    }
                    let kept = (0..sizes.len()).filter(|i| !places.contains(i));
                    Dims::new(&kept.map(|i| sizes[i]).collect::<Vec<_>>())
                })
            }
            ("Unsqueeze", Some(axes)) => unsqueezed(&tensor.dims, &axes),
            _ => None,
        };
        let Some(dims) = dims else {
            return Ok(None);
        };
        let tensor = Tensor { dims, ..tensor };
        let value = match value {
            Value::Label(_, labels) => Value::Label(tensor, labels),
            _ => Value::Rows(tensor),
        };
        Ok(self.set(node, value))
    }

    /// Transpose that leaves the rows first.
    pub(super) fn transpose(&mut self, node: &'a NodeProto) -> Compiled {
        let Some(x) = self.rows(node, 0) else {
            return Ok(None);
        };
        let sizes = x.dims.sizes();
        let order: Option<Vec<usize>> = match Attributes::new(node)?.ints("perm") {
            [0, order @ ..] if order.len() == sizes.len() => order
                .iter()
                .map(|axis| x.dims.axis(*axis).filter(|_| *axis > 0))
                .collect(),
            _ => None,
        };
        let Some(order) = order else {
            return Ok(None);
        };
        let Some(dims) = Dims::new(&order.iter().map(|i| sizes[*i]).collect::<Vec<_>>()) else {
            return Ok(None);
        };
        let strides: Vec<usize> = order.iter().map(|i| x.dims.around(*i).2).collect();
        let cells = (0..dims.cells()).map(|cell| {
            let (mut rest, mut index) = (cell, 0);
            for (size, stride) in dims.sizes().iter().zip(&strides).rev() {
                index += rest % size * stride;
                rest /= size;
            }
            index
        });
        let cells = cells.collect();
        let tensor = self.pick(x, cells, dims);
        self.rows_value(node, tensor)
    }

    /// The cells where `axis` has these places.
    pub(super) fn along(&mut self, x: Tensor, axis: usize, places: &[usize]) -> Option<Tensor> {
        let dims = x.dims.with(axis, places.len())?;
        let (outer, length, inner) = x.dims.around(axis);
        let cells = (0..outer).flat_map(|o| {
            places
                .iter()
                .flat_map(move |p| (0..inner).map(move |k| (o * length + p) * inner + k))
        });
        let cells = cells.collect();
        self.pick(x, cells, dims)
    }

    /// Slice along axes of a row, with constant bounds and positive steps.
    pub(super) fn slice(&mut self, node: &'a NodeProto) -> Compiled {
        let attributes = Attributes::new(node)?;
        let list = |i: usize, name: &str| match self.constant_input(node, i) {
            Some(constant) => constant.i64s().map(<[i64]>::to_vec),
            None if node.input.get(i).is_some_and(|name| !name.is_empty()) => None,
            None => Some(attributes.ints(name).to_vec()),
        };
        let (Some(starts), Some(ends), Some(axes), Some(steps)) = (
            list(1, "starts"),
            list(2, "ends"),
            list(3, "axes"),
            list(4, ""),
        ) else {
            return Ok(None);
        };
        let Some(mut x) = self.rows(node, 0) else {
            return Ok(None);
        };
        if ends.len() != starts.len() || axes.len() != starts.len() {
            return Ok(None);
        }
        for (i, axis) in axes.iter().enumerate() {
            let step = match steps.get(i) {
                None => 1,
                Some(step) => match usize::try_from(*step) {
                    Ok(step) if step > 0 => step,
                    _ => return Ok(None),
                },
            };
            let Some(axis) = x.dims.axis(*axis) else {
                return Ok(None);
            };
            let size = x.dims.sizes()[axis];
            let place = |at: i64| {
                let size = i64::try_from(size).unwrap_or(i64::MAX);
                let at = if at < 0 { at.saturating_add(size) } else { at };
                usize::try_from(at.clamp(0, size)).unwrap_or(0)
            };
            let places: Vec<usize> = (place(starts[i])..place(ends[i])).step_by(step).collect();
            if places.is_empty() {
                return Ok(None);
            }
            match self.along(x, axis, &places) {
                Some(sliced) => x = sliced,
                None => return Ok(None),
            }
        }
        self.rows_value(node, Some(x))
    }

    /// Split along an axis of a row.
    pub(super) fn split(&mut self, node: &'a NodeProto) -> Compiled {
        let attributes = Attributes::new(node)?;
        let sizes = match self.constant_input(node, 1) {
            Some(constant) => constant.i64s().map(<[i64]>::to_vec),
            None => Some(attributes.ints("split").to_vec()),
        };
        let (Some(x), Some(sizes)) = (self.rows(node, 0), sizes) else {
            return Ok(None);
        };
        let Some(axis) = x.dims.axis(attributes.int("axis").unwrap_or(0)) else {
            return Ok(None);
        };
        let (size, parts) = (x.dims.sizes()[axis], node.output.len());
        let sizes: Option<Vec<usize>> = if sizes.is_empty() {
            let even = size / parts.max(1);
            (even * parts == size).then(|| vec![even; parts])
        } else {
            sizes.iter().map(|s| usize::try_from(*s).ok()).collect()
        };
        let Some(sizes) = sizes.filter(|s| {
            s.len() == parts && s.iter().sum::<usize>() == size && s.iter().all(|s| *s > 0)
        }) else {
            return Ok(None);
        };
        let mut start = 0;
        for (name, size) in node.output.iter().zip(sizes) {
            let places: Vec<usize> = (start..start + size).collect();
            start += size;
            let Some(part) = self.along(x, axis, &places) else {
                return Ok(None);
            };
            self.values.insert(name, Value::Rows(part));
        }
        Ok(Some(()))
    }
}

/// Dimensions of a Reshape that keeps rows: its first size stands for them.
fn reshaped(dims: &Dims, sizes: &[i64]) -> Option<Dims> {
    let cells = dims.cells();
    let (first, rest) = sizes.split_first()?;
    let mut known = 1usize;
    let mut open = None;
    let mut out = Vec::with_capacity(rest.len());
    for (i, size) in rest.iter().enumerate() {
        let size = match size {
            -1 if open.is_none() => {
                open = Some(i);
                1
            }
            0 => *dims.sizes().get(i)?,
            size => usize::try_from(*size).ok()?,
        };
        known = known.checked_mul(size)?;
        out.push(size);
    }
    match (first, open) {
        (0, Some(i)) if known > 0 && cells.is_multiple_of(known) => out[i] = cells / known,
        (0 | -1, None) if known == cells => {}
        _ => return None,
    }
    Dims::new(&out)
}

/// Dimensions with ones where `axes` of the result say, none of them before the rows.
fn unsqueezed(dims: &Dims, axes: &[i64]) -> Option<Dims> {
    let rank = dims.sizes().len() + 1 + axes.len();
    let axes: Option<Vec<usize>> = axes
        .iter()
        .map(|axis| {
            let axis = if *axis < 0 {
                axis + i64::try_from(rank).ok()?
            } else {
                *axis
            };
            usize::try_from(axis).ok().filter(|a| *a > 0 && *a < rank)
        })
        .collect();
    let axes = axes?;
    let mut sizes = dims.sizes().iter().copied();
    let out: Option<Vec<usize>> = (1..rank)
        .map(|i| {
            if axes.contains(&i) {
                Some(1)
            } else {
                sizes.next()
            }
        })
        .collect();
    Dims::new(&out?).filter(|_| sizes.next().is_none())
}
