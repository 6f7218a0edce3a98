//! Nodes of nearest neighbours and kernels of points: distances to a constant's rows, the best of them, lookups by place.

use super::*;
use crate::kernels::along::Axis;
use crate::kernels::distance::Distances;
use crate::kernels::top::{CumSum, GatherElements, Places, TopK};
use crate::ops::scan;
use crate::ops::tensor::Cells;

/// Most cells that TopK picks.
const BEST: usize = 1_024;
/// Most moves of cells that TopK takes for one row.
const MOVES: usize = 1 << 22;

impl<'a> Compiler<'a> {
    /// Scan over the rows of a constant: distances, one row for each step.
    pub(super) fn scan(&mut self, node: &'a NodeProto) -> Compiled {
        let metric = scan::distances(node)?;
        let (Some(x), Some(points)) = (self.rows(node, 0), self.constant_input(node, 1)) else {
            return Err(Error::Unsupported(
                "a Scan over anything but the rows of a constant".into(),
            ));
        };
        let [_, columns] = points.dims.as_slice() else {
            return Ok(None);
        };
        if !x.dims.is_matrix() || *columns != x.view.width {
            return Err(Error::Invalid(format!(
                "Scan subtracts rows of {columns} columns from rows of {}",
                x.view.width
            )));
        }
        let rows = points.len() / (*columns).max(1);
        let (Some(dims), Some(())) = (Dims::new(&[rows]), self.spend(points.len())) else {
            return Err(Error::TooLarge {
                what: "cells of the points of Scan",
                found: points.len() as u64,
                limit: SPARE as u64,
            });
        };
        let kernel: Option<Box<dyn Kernel>> = match (&points.cells, x.element()) {
            (Cells::F32(cells), Element::F32) => {
                Distances::new(metric, cells, *columns).map(|k| Box::new(k) as _)
            }
            (Cells::F64(cells), Element::F64) => {
                Distances::new(metric, cells, *columns).map(|k| Box::new(k) as _)
            }
            _ => None,
        };
        let (Some(kernel), [kept, found]) = (kernel, node.output.as_slice()) else {
            return Ok(None);
        };
        let tensor = self.push(kernel, vec![x.view], x.element(), dims);
        self.values.insert(kept, Value::Rows(x));
        self.values.insert(found, Value::Turned(tensor));
        Ok(Some(()))
    }

    /// Transpose of a value whose rows are along its second axis.
    pub(super) fn turn(&mut self, node: &'a NodeProto) -> Compiled {
        let order = Attributes::new(node)?.ints("perm");
        let tensor = match (self.value(node, 0), order) {
            (Some(Value::Turned(tensor)), [] | [1, 0]) => Some(*tensor),
            (Some(Value::Bands(tensor)), [1, 0, 2]) => Some(*tensor),
            _ => None,
        };
        self.rows_value(node, tensor)
    }

    /// TopK along the last axis, sorted.
    pub(super) fn top_k(&mut self, node: &'a NodeProto) -> Compiled {
        let attributes = Attributes::new(node)?;
        if attributes.int("sorted") == Some(0) {
            return Err(Error::Unsupported("TopK in no order".into()));
        }
        let (Some(x), Some(k)) = (self.rows(node, 0), self.constant_input(node, 1)) else {
            return Ok(None);
        };
        let axis = x.dims.axis(attributes.int("axis").unwrap_or(-1));
        let Some(place) = axis.filter(|place| *place + 1 == x.dims.sizes().len()) else {
            return Err(Error::Unsupported(
                "TopK along another axis than the last of a row".into(),
            ));
        };
        let length = x.dims.sizes()[place];
        let Some([k]) = k.i64s() else {
            return Err(Error::Invalid("TopK has more than one k".into()));
        };
        let Some(count) = usize::try_from(*k)
            .ok()
            .filter(|k| (1..=length).contains(k))
        else {
            return Err(Error::Invalid(format!("TopK takes {k} of {length} cells")));
        };
        for (what, found, limit) in [
            ("cells of TopK", count, BEST),
            ("moves of TopK", count.saturating_mul(x.dims.cells()), MOVES),
        ] {
            if found > limit {
                return Err(Error::TooLarge {
                    what,
                    found: found as u64,
                    limit: limit as u64,
                });
            }
        }
        let floats = matches!(x.element(), Element::F32 | Element::F64 | Element::I64);
        let (Some(dims), [values, places], true) =
            (x.dims.with(place, count), node.output.as_slice(), floats)
        else {
            return Ok(None);
        };
        let shape = |element| Shape {
            element,
            width: dims.cells(),
        };
        let outputs = [x.element(), Element::I64].map(|element| self.block(shape(element)));
        let kernel = TopK {
            length,
            count,
            largest: attributes.int("largest").unwrap_or(1) != 0,
        };
        self.program.steps.push(Step {
            call: Call::Kernel(Box::new(kernel)),
            inputs: vec![x.view],
            outputs: outputs.to_vec(),
        });
        let best = Tensor {
            narrow: x.narrow,
            ..Tensor::new(outputs[0], dims)
        };
        let indices = Tensor {
            below: Some(length),
            ..Tensor::new(outputs[1], dims)
        };
        self.values.insert(values, Value::Rows(best));
        self.values.insert(places, Value::Rows(indices));
        Ok(Some(()))
    }

    /// Parts of a constant by places in it: `bands` times `length` parts of `inner` cells.
    fn places(
        &mut self,
        table: &Constant,
        (bands, length, inner): (usize, usize, usize),
        index: Tensor,
        dims: Dims,
    ) -> Option<Tensor> {
        let whole = bands.checked_mul(length)?.checked_mul(inner)? == table.len();
        if !whole || index.below.is_none_or(|below| below > length) {
            return None;
        }
        if dims.cells() != bands * index.dims.cells() * inner {
            return None;
        }
        self.spend(table.len())?;
        let kernel: Box<dyn Kernel> = match &table.cells {
            Cells::F32(cells) => Box::new(Places {
                cells: cells.clone(),
                length,
                inner,
            }),
            Cells::F64(cells) => Box::new(Places {
                cells: cells.clone(),
                length,
                inner,
            }),
            Cells::I64(cells) => Box::new(Places {
                cells: cells.clone(),
                length,
                inner,
            }),
            Cells::Text(_) => return None,
        };
        Some(self.push(kernel, vec![index.view], table.element(), dims))
    }

    /// ArrayFeatureExtractor from a constant, whose result has the cells of all rows in a line, `[bands, N * width]`.
    pub(super) fn line(
        &mut self,
        node: &'a NodeProto,
        table: &Constant,
        index: Tensor,
    ) -> Compiled {
        let width = index.view.width;
        let (bands, length, dims) = match table.dims.as_slice() {
            [length] | [1, length] => (1, *length, Dims::new(&[width])),
            [bands, length] => (*bands, *length, Dims::new(&[*bands, width])),
            _ => return Ok(None),
        };
        let tensor = dims.and_then(|dims| self.places(table, (bands, length, 1), index, dims));
        Ok(tensor.and_then(|tensor| self.set(node, Value::Line(tensor))))
    }

    /// Gather along the first axis of a constant by places that are known to be on it.
    pub(super) fn gather_rows(&mut self, node: &'a NodeProto) -> Compiled {
        let (Some(table), Some(index)) = (self.constant_input(node, 0), self.rows(node, 1)) else {
            return Ok(None);
        };
        let first = Attributes::new(node)?.int("axis").unwrap_or(0) == 0;
        let (Some((length, rest)), true) = (table.dims.split_first(), first) else {
            return Ok(None);
        };
        let inner = rest.iter().product();
        let dims = Dims::new(&[index.dims.sizes(), rest].concat());
        let tensor = dims.and_then(|dims| self.places(&table, (1, *length, inner), index, dims));
        self.rows_value(node, tensor)
    }

    /// Reshape of a line into its rows, `[N, width]`, or into bands of them, `[bands, N, width]`.
    pub(super) fn fold_line(&mut self, node: &'a NodeProto) -> Compiled {
        let (Some(Value::Line(tensor)), Some(sizes)) =
            (self.value(node, 0), self.constant_input(node, 1))
        else {
            return Ok(None);
        };
        let tensor = *tensor;
        let size = |size: &i64| usize::try_from(*size).ok();
        let value = match (tensor.dims.sizes(), sizes.i64s()) {
            ([bands, width], Some([first, -1, last]))
                if size(first) == Some(*bands) && size(last) == Some(*width) =>
            {
                Some(Value::Bands(tensor))
            }
            ([width], Some([-1, rest @ ..])) => {
                let rest: Option<Vec<usize>> = rest.iter().map(size).collect();
                let dims = rest.and_then(|rest| Dims::new(&rest));
                dims.filter(|dims| dims.cells() == *width)
                    .map(|dims| Value::Rows(Tensor { dims, ..tensor }))
            }
            _ => None,
        };
        Ok(value.and_then(|value| self.set(node, value)))
    }

    /// A number for each row, `[N]`, beside a constant `[1, 1]`: the rows become a line, `[1, N]`.
    pub(super) fn raised(&mut self, node: &'a NodeProto) -> Compiled {
        let side = |i: usize| {
            let constant = self.constant_input(node, i)?;
            let x = self.rows(node, 1 - i)?;
            (constant.dims == [1, 1] && x.dims == Dims::scalar()).then_some((constant, x))
        };
        let (Some((constant, x)), 2) = (side(0).or_else(|| side(1)), node.input.len()) else {
            return Ok(None);
        };
        let single = Value::Constant(Rc::new(Constant {
            dims: Vec::new(),
            cells: constant.cells.clone(),
        }));
        let (x, name) = (Value::Rows(x), node.op_type.as_str());
        let made = match self.rows(node, 0) {
            Some(_) => self.pair(name, &x, &single),
            None => self.pair(name, &single, &x),
        };
        let line = made.map(|made| Tensor {
            dims: Dims::columns(1),
            ..made
        });
        Ok(line.and_then(|line| self.set(node, Value::Line(line))))
    }

    /// GatherElements by places that are known to be on the axis.
    pub(super) fn gather_elements(&mut self, node: &'a NodeProto) -> Compiled {
        let (Some(x), Some(index)) = (self.rows(node, 0), self.rows(node, 1)) else {
            return Ok(None);
        };
        let Some(place) = x.dims.axis(Attributes::new(node)?.int("axis").unwrap_or(0)) else {
            return Err(Error::Unsupported(
                "GatherElements along the rows of a batch".into(),
            ));
        };
        let (outer, length, inner) = x.dims.around(place);
        if index.below.is_none_or(|below| below > length) {
            return Err(Error::Unsupported(
                "GatherElements by anything but places that TopK, ArgMax or ArgMin found".into(),
            ));
        }
        let wanted = index.dims.sizes().get(place).copied().unwrap_or(0);
        let numbers = matches!(x.element(), Element::F32 | Element::F64 | Element::I64);
        if x.dims.with(place, wanted) != Some(index.dims) || !numbers {
            return Ok(None);
        }
        let axis = Axis {
            outer,
            length,
            inner,
        };
        let kernel = GatherElements {
            axis,
            length: wanted,
        };
        let inputs = vec![x.view, index.view];
        let tensor = self.push(Box::new(kernel), inputs, x.element(), index.dims);
        let tensor = Tensor {
            below: x.below,
            narrow: x.narrow,
            ..tensor
        };
        self.rows_value(node, Some(tensor))
    }

    pub(super) fn cum_sum(&mut self, node: &'a NodeProto) -> Compiled {
        let attributes = Attributes::new(node)?;
        let (Some(x), Some(axis)) = (self.rows(node, 0), self.constant_input(node, 1)) else {
            return Ok(None);
        };
        let place = match axis.i64s() {
            Some([axis]) => x.dims.axis(*axis),
            _ => None,
        };
        let numbers = matches!(x.element(), Element::F32 | Element::F64 | Element::I64);
        let Some(place) = place.filter(|_| numbers && !x.narrow) else {
            return Ok(None);
        };
        let (outer, length, inner) = x.dims.around(place);
        let flag = |name| attributes.int(name).unwrap_or(0) != 0;
        let kernel = CumSum {
            axis: Axis {
                outer,
                length,
                inner,
            },
            exclusive: flag("exclusive"),
            reverse: flag("reverse"),
        };
        let tensor = self.push(Box::new(kernel), vec![x.view], x.element(), x.dims);
        self.rows_value(node, Some(tensor))
    }
}
