//! Nodes that reduce or share along axes of a row.

use super::*;
use crate::kernels::along::{Axis, Extreme, Reduce, Reduction, Share, Shares};

/// A dimension of a row as the kernels take it.
fn axis(dims: &Dims, axis: usize) -> Axis {
    let (outer, length, inner) = dims.around(axis);
    Axis {
        outer,
        length,
        inner,
    }
}

impl<'a> Compiler<'a> {
    /// Axes of a reduction from the second input or the attribute; without them every axis is reduced.
    pub(super) fn axes(&self, node: &NodeProto) -> Result<Option<Vec<i64>>> {
        let given = match self.constant_input(node, 1) {
            Some(axes) => axes.i64s().map(<[i64]>::to_vec),
            None if node.input.len() > 1 => None,
            None => Some(Attributes::new(node)?.ints("axes").to_vec()),
        };
        Ok(given.filter(|axes| !axes.is_empty()))
    }

    pub(super) fn reduce(&mut self, node: &'a NodeProto) -> Compiled {
        let reduction = match node.op_type.as_str() {
            "ReduceSum" => Reduction::Sum,
            "ReduceMean" => Reduction::Mean,
            "ReduceMax" => Reduction::Max,
            "ReduceMin" => Reduction::Min,
            "ReduceProd" => Reduction::Product,
            "ReduceL1" => Reduction::L1,
            "ReduceL2" => Reduction::L2,
            "ReduceSumSquare" => Reduction::SumOfSquares,
            "ReduceLogSum" => Reduction::LogSum,
            "ReduceLogSumExp" => Reduction::LogSumExp,
            _ => return Ok(None),
        };
        let keep = Attributes::new(node)?.int("keepdims").unwrap_or(1) != 0;
        let (Some(x), Some(axes)) = (self.rows(node, 0), self.axes(node)?) else {
            return Ok(None);
        };
        let whole = matches!(reduction, Reduction::Sum | Reduction::Max | Reduction::Min);
        let takes = match x.element() {
            Element::F32 | Element::F64 => true,
            Element::I64 => whole && !x.narrow,
            _ => false,
        };
        let places: Option<Vec<usize>> = axes.iter().map(|axis| x.dims.axis(*axis)).collect();
        let Some(mut places) = places.filter(|_| takes) else {
            return Ok(None);
        };
        places.sort_unstable();
        let (Some(first), Some(last)) = (places.first().copied(), places.last().copied()) else {
            return Ok(None);
        };
        // Neighbouring axes are one longer axis.
        if places.windows(2).any(|w| w[1] != w[0] + 1) {
            return Ok(None);
        }
        let sizes = x.dims.sizes();
        let merged = Axis {
            outer: sizes[..first].iter().product(),
            length: sizes[first..=last].iter().product(),
            inner: sizes[last + 1..].iter().product(),
        };
        let middle = vec![1; if keep { places.len() } else { 0 }];
        let Some(dims) = Dims::new(&[&sizes[..first], &middle, &sizes[last + 1..]].concat()) else {
            return Ok(None);
        };
        let kernel = Reduce {
            reduction,
            axis: merged,
        };
        let tensor = self.push(Box::new(kernel), vec![x.view], x.element(), dims);
        self.rows_value(node, Some(tensor))
    }

    /// ArgMax and ArgMin.
    pub(super) fn extreme(&mut self, node: &'a NodeProto) -> Compiled {
        let attributes = Attributes::new(node)?;
        let Some(x) = self
            .rows(node, 0)
            .filter(|x| matches!(x.element(), Element::F32 | Element::F64 | Element::I64))
        else {
            return Ok(None);
        };
        let Some(place) = x.dims.axis(attributes.int("axis").unwrap_or(0)) else {
            return Ok(None);
        };
        let keep = attributes.int("keepdims").unwrap_or(1) != 0;
        let dims = if keep {
            x.dims.with(place, 1)
        } else {
            x.dims.without(place)
        };
        let Some(dims) = dims else {
            return Ok(None);
        };
        let kernel = Extreme {
            axis: axis(&x.dims, place),
            least: node.op_type == "ArgMin",
            last: attributes.int("select_last_index").unwrap_or(0) != 0,
        };
        let classes = kernel.axis.length;
        let tensor = Tensor {
            below: Some(classes),
            ..self.push(Box::new(kernel), vec![x.view], Element::I64, dims)
        };
        if tensor.view.width == 1 {
            self.choices.push((tensor.view, classes));
        }
        self.rows_value(node, Some(tensor))
    }

    /// Softmax, LogSoftmax and LpNormalization along one axis; before operator set 13 softmax takes all axes from one on.
    pub(super) fn shares(&mut self, node: &'a NodeProto) -> Compiled {
        let attributes = Attributes::new(node)?;
        let softmax = node.op_type != "LpNormalization";
        let joined = softmax && self.opset < 13;
        let default = if joined { 1 } else { -1 };
        let given = attributes.int("axis").unwrap_or(default);
        let Some(x) = self.rows(node, 0) else {
            return Ok(None);
        };
        let Some(place) = x
            .dims
            .axis(given)
            .filter(|place| !joined || *place + 1 == x.dims.sizes().len())
        else {
            return Ok(None);
        };
        let axis = axis(&x.dims, place);
        if node.op_type == "Softmax" && x.dims.is_matrix() && x.element() == Element::F32 {
            return self.activation(node, Activation::Softmax);
        }
        let share = match (node.op_type.as_str(), attributes.int("p")) {
            ("Softmax", _) => Share::Softmax,
            ("LogSoftmax", _) => Share::LogSoftmax,
            (_, Some(1)) => Share::L1,
            (_, None | Some(2)) => Share::L2,
            _ => return Ok(None),
        };
        if !matches!(x.element(), Element::F32 | Element::F64) {
            return Ok(None);
        }
        let shares = self.push(
            Box::new(Shares { share, axis }),
            vec![x.view],
            x.element(),
            x.dims,
        );
        let tensor = Tensor {
            distribution: share == Share::Softmax,
            ..shares
        };
        self.rows_value(node, Some(tensor))
    }
}
