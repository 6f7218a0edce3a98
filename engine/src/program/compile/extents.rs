//! Shapes that the graph computes, where the number of rows stays what it is, and stacks of values one above the other.

use super::*;
use crate::kernels::elementwise::Fill;
use crate::ops::tensor::Cells;

/// One dimension of a computed shape; `None` is the number of rows.
pub(super) type Extent = Option<usize>;

impl<'a> Compiler<'a> {
    fn extents(&self, node: &NodeProto, i: usize) -> Option<Vec<Extent>> {
        match self.value(node, i)? {
            Value::Extents(extents) => Some(extents.clone()),
            Value::Constant(c) if c.dims.len() <= 1 => {
                let sizes = c.i64s()?.iter().map(|s| usize::try_from(*s).ok().map(Some));
                sizes.collect()
            }
            _ => None,
        }
    }

    /// A row's dimensions from a computed shape whose first extent is the number of rows.
    fn row_dims(&self, node: &NodeProto, i: usize) -> Option<Dims> {
        let extents = self.extents(node, i)?;
        let (None, rest) = extents.split_first()? else {
            return None;
        };
        Dims::new(&rest.iter().copied().collect::<Option<Vec<_>>>()?)
    }

    /// A computed shape that the number of rows has no part in.
    fn known(&self, node: &NodeProto, i: usize) -> Option<Vec<usize>> {
        self.extents(node, i)?.into_iter().collect()
    }

    /// A constant of one number.
    fn filled(&mut self, node: &'a NodeProto, dims: Vec<usize>, cells: Cells) -> Option<()> {
        let count = dims.iter().try_fold(1usize, |n, d| n.checked_mul(*d))?;
        self.spend(count)?;
        let cells = match cells {
            Cells::F32(v) if v.len() == 1 => Cells::F32(vec![v[0]; count]),
            Cells::F64(v) if v.len() == 1 => Cells::F64(vec![v[0]; count]),
            Cells::I64(v) if v.len() == 1 => Cells::I64(vec![v[0]; count]),
            _ => return None,
        };
        self.set(node, Value::Constant(Rc::new(Constant { dims, cells })))
    }

    pub(super) fn shape(&mut self, node: &'a NodeProto) -> Compiled {
        let all: Vec<Extent> = match self.value(node, 0) {
            Some(Value::Rows(t) | Value::Label(t, _)) => {
                let row = t.dims.sizes().iter().map(|s| Some(*s));
                std::iter::once(None).chain(row).collect()
            }
            Some(Value::Constant(c)) => c.dims.iter().map(|s| Some(*s)).collect(),
            _ => return Ok(None),
        };
        let attributes = Attributes::new(node)?;
        let place = |name: &str, default: usize| {
            let len = i64::try_from(all.len()).unwrap_or(i64::MAX);
            attributes.int(name).map_or(default, |at| {
                let at = if at < 0 { at.saturating_add(len) } else { at };
                usize::try_from(at.clamp(0, len)).unwrap_or(0)
            })
        };
        let (start, end) = (place("start", 0), place("end", all.len()));
        let some = all.get(start..end).map(<[Extent]>::to_vec);
        Ok(some.and_then(|some| self.set(node, Value::Extents(some))))
    }

    /// Nodes over a computed shape that give a shape again; `None` for other nodes and other inputs.
    pub(super) fn of_extents(&mut self, node: &'a NodeProto) -> Compiled {
        let any =
            (0..node.input.len()).any(|i| matches!(self.value(node, i), Some(Value::Extents(_))));
        let first = self.extents(node, 0);
        let attributes = Attributes::new(node)?;
        let found = match (node.op_type.as_str(), first) {
            _ if !any => None,
            ("Cast", Some(e)) if attributes.int("to") == Some(7) => Some(e),
            ("Identity" | "Squeeze" | "Unsqueeze", Some(e)) => Some(e),
            ("Concat", Some(_)) => {
                let parts: Option<Vec<_>> = (0..node.input.len())
                    .map(|i| self.extents(node, i))
                    .collect();
                parts.map(|parts| parts.concat())
            }
            ("Gather", Some(e)) => self.constant_input(node, 1).and_then(|indices| {
                let len = i64::try_from(e.len()).ok()?;
                let at = |i: &i64| if *i < 0 { *i + len } else { *i };
                let picked = indices.i64s()?.iter().map(|i| {
                    let place = usize::try_from(at(i)).ok()?;
                    e.get(place).copied()
                });
                picked.collect()
            }),
            ("Slice", Some(e)) if node.input.len() <= 4 => {
                let bound = |i: usize| {
                    let at = *self.constant_input(node, i)?.i64s()?.first()?;
                    let len = i64::try_from(e.len()).ok()?;
                    let at = if at < 0 { at.saturating_add(len) } else { at };
                    usize::try_from(at.clamp(0, len)).ok()
                };
                let range = bound(1).zip(bound(2));
                range.and_then(|(start, end)| e.get(start..end).map(<[Extent]>::to_vec))
            }
            _ => None,
        };
        Ok(found.and_then(|found| self.set(node, Value::Extents(found))))
    }

    /// ConstantOfShape with as many rows as the batch.
    pub(super) fn constant_of_shape(&mut self, node: &'a NodeProto) -> Compiled {
        let cells = match Attributes::new(node)?.tensor("value") {
            Some(tensor) => Constant::read(tensor)?.cells,
            None => Cells::F32(vec![0.0]),
        };
        if let Some(sizes) = self.known(node, 0) {
            return Ok(self.filled(node, sizes, cells));
        }
        let Some(dims) = self.row_dims(node, 0) else {
            return Ok(None);
        };
        let (kernel, element): (Box<dyn Kernel>, _) = match cells {
            Cells::F32(v) if v.len() == 1 => (Box::new(Fill(v[0])), Element::F32),
            Cells::F64(v) if v.len() == 1 => (Box::new(Fill(v[0])), Element::F64),
            Cells::I64(v) if v.len() == 1 => (Box::new(Fill(v[0])), Element::I64),
            _ => return Ok(None),
        };
        let tensor = self.push(kernel, vec![], element, dims);
        self.rows_value(node, Some(tensor))
    }

    /// Expand to as many rows as the batch.
    pub(super) fn expand(&mut self, node: &'a NodeProto) -> Compiled {
        let (Some(x), Some(to)) = (self.rows(node, 0), self.row_dims(node, 1)) else {
            return Ok(None);
        };
        let Some(dims) = x.dims.broadcast(&to) else {
            return Ok(None);
        };
        let tensor = self.pick(x, x.dims.stretch(&dims), dims);
        self.rows_value(node, tensor)
    }

    /// Reshape to a computed shape.
    pub(super) fn reshape_to_extents(&mut self, node: &'a NodeProto) -> Compiled {
        let (Some(x), Some(Value::Extents(_))) = (self.rows(node, 0), self.value(node, 1)) else {
            return Ok(None);
        };
        let dims = self
            .row_dims(node, 1)
            .filter(|dims| dims.cells() == x.dims.cells());
        let tensor = dims.map(|dims| Tensor { dims, ..x });
        self.rows_value(node, tensor)
    }

    /// A value with one more dimension before its rows, as `[1, N, ...]`.
    pub(super) fn stack(&mut self, node: &'a NodeProto) -> Compiled {
        let Some(x) = self.rows(node, 0) else {
            return Ok(None);
        };
        let axes = Attributes::new(node)?.ints("axes").to_vec();
        let sizes = match self.constant_input(node, 1) {
            Some(constant) => constant.i64s().map(<[i64]>::to_vec),
            None => Some(axes),
        };
        let rest: Option<Vec<usize>> = match (node.op_type.as_str(), sizes.as_deref()) {
            ("Unsqueeze", Some([0])) => Some(x.dims.sizes().to_vec()),
            ("Reshape", Some([1, -1, rest @ ..])) => {
                rest.iter().map(|s| usize::try_from(*s).ok()).collect()
            }
            _ => None,
        };
        let dims = rest.and_then(|rest| Dims::new(&rest));
        Ok(dims
            .filter(|dims| dims.cells() == x.dims.cells())
            .and_then(|dims| self.set(node, Value::Stack(vec![Tensor { dims, ..x }]))))
    }

    /// Concat of stacks, and reductions over the dimension that they add.
    pub(super) fn of_stacks(&mut self, node: &'a NodeProto) -> Compiled {
        let parts: Option<Vec<Vec<Tensor>>> = (0..node.input.len())
            .map(|i| match self.value(node, i) {
                Some(Value::Stack(parts)) => Some(parts.clone()),
                Some(Value::Constant(_)) if i > 0 => Some(Vec::new()),
                _ => None,
            })
            .collect();
        let Some(parts) = parts.map(|p| p.concat()).filter(|p| !p.is_empty()) else {
            return Ok(None);
        };
        let attributes = Attributes::new(node)?;
        let operation = match node.op_type.as_str() {
            "Concat" if attributes.int("axis") == Some(0) => {
                return Ok(self.set(node, Value::Stack(parts)));
            }
            "ReduceMean" | "ReduceSum" => "Add",
            "ReduceMax" => "Max",
            "ReduceMin" => "Min",
            _ => return Ok(None),
        };
        let over = self.axes(node)? == Some(vec![0]);
        if !over || attributes.int("keepdims").unwrap_or(1) != 0 {
            return Ok(None);
        }
        let count = parts.len();
        let mut parts = parts.into_iter().map(Value::Rows);
        let mut total = parts.next();
        for part in parts {
            total = total
                .and_then(|total| self.pair(operation, &total, &part))
                .map(Value::Rows);
        }
        if node.op_type == "ReduceMean" {
            total = total
                .and_then(|total| self.divided(&total, count))
                .map(Value::Rows);
        }
        Ok(total.and_then(|total| self.set(node, total)))
    }
}
