//! Products of tensors by our kernels, whose order of additions is the same for any number of rows.

use std::fmt;
use std::sync::Arc;

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::einsum::EinSum;

use crate::kernels::matrix::{self, Product};
use crate::kernels::product::Packed;

/// How an operand or result is laid out for the kernel: its axes in another order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Layout {
    order: TVec<usize>,
    /// True where no cell moves.
    still: bool,
}

impl Layout {
    /// Axes of length 1 may go anywhere.
    fn new(order: TVec<usize>, dims: &[usize]) -> Layout {
        let long = order.iter().filter(|axis| dims.get(**axis) != Some(&1));
        let still = long.is_sorted();
        Layout { order, still }
    }

    fn apply(&self, tensor: TValue) -> TractResult<Tensor> {
        let tensor = tensor.into_tensor();
        if self.still {
            Ok(tensor)
        } else {
            tensor.permute_axes(&self.order)
        }
    }
}

/// The axes of a product, by what they do.
#[derive(Debug, Default)]
struct Axes {
    /// In both operands and in the result: place in each.
    batch: Vec<[usize; 3]>,
    /// In the first operand and the result.
    rows: Vec<[usize; 2]>,
    /// In the second operand and the result.
    columns: Vec<[usize; 2]>,
    /// In both operands.
    depth: Vec<[usize; 2]>,
}

impl Axes {
    fn read(einsum: &EinSum, a: usize, b: usize, dims: &[Vec<usize>; 2]) -> Option<Axes> {
        let mut axes = Axes::default();
        for axis in einsum.axes.iter_all_axes() {
            let one = |places: &TVec<usize>| match places[..] {
                [] => Some(None),
                [place] => Some(Some(place)),
                _ => None,
            };
            let (in_a, in_b) = (one(axis.inputs.get(a)?)?, one(axis.inputs.get(b)?)?);
            let out = one(axis.outputs.first()?)?;
            let dim = |slot: usize, place: Option<usize>| dims[slot].get(place?).copied();
            match (in_a, in_b, out) {
                (Some(i), Some(j), Some(o)) => match (dim(0, in_a)?, dim(1, in_b)?) {
                    (m, n) if m == n => axes.batch.push([i, j, o]),
                    _ => return None,
                },
                (Some(i), None, Some(o)) => axes.rows.push([i, o]),
                (None, Some(j), Some(o)) => axes.columns.push([j, o]),
                (Some(i), Some(j), None) if dim(0, in_a) == dim(1, in_b) => {
                    axes.depth.push([i, j]);
                }
                _ => return None,
            }
        }
        axes.batch.sort_unstable_by_key(|axis| axis[2]);
        axes.rows.sort_unstable_by_key(|axis| axis[1]);
        axes.columns.sort_unstable_by_key(|axis| axis[1]);
        axes.depth.sort_unstable();
        Some(axes)
    }

    /// Order of the first operand: batch, rows, depth.
    fn first(&self) -> TVec<usize> {
        let batch = self.batch.iter().map(|axis| axis[0]);
        let rows = self.rows.iter().map(|axis| axis[0]);
        batch
            .chain(rows)
            .chain(self.depth.iter().map(|axis| axis[0]))
            .collect()
    }

    /// Order of the second operand: batch, then depth and columns, or columns and depth.
    fn second(&self, transposed: bool) -> TVec<usize> {
        let batch = self.batch.iter().map(|axis| axis[1]);
        let columns: Vec<usize> = self.columns.iter().map(|axis| axis[0]).collect();
        let depth: Vec<usize> = self.depth.iter().map(|axis| axis[1]).collect();
        let (inner, outer) = if transposed {
            (depth, columns)
        } else {
            (columns, depth)
        };
        batch.chain(outer).chain(inner).collect()
    }

    /// Where each axis of the result is in what the kernel writes: batch, rows, columns.
    fn result(&self) -> TVec<usize> {
        let batch = self.batch.iter().map(|axis| axis[2]);
        let rows = self.rows.iter().map(|axis| axis[1]);
        let written: Vec<usize> = batch
            .chain(rows)
            .chain(self.columns.iter().map(|axis| axis[1]))
            .collect();
        let mut order: TVec<usize> = (0..written.len()).collect();
        order.sort_unstable_by_key(|place| written.get(*place).copied());
        order
    }
}

/// The second operand: constant and packed, or another value.
#[derive(Clone)]
enum Second {
    Weights(Arc<Packed>),
    Value(Layout),
}

/// A product of two tensors of f32.
#[derive(Clone)]
pub struct Multiply {
    /// What the axes of the operands do, and which of its operands the inputs are.
    pub axes: AxesMapping,
    pub slots: TVec<usize>,
    a: Layout,
    b: Second,
    /// The dimensions that the kernel writes, and how the result is laid out from them.
    written: TVec<usize>,
    result: Layout,
    pairs: usize,
    size: Product,
}

impl fmt::Debug for Multiply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {:?}", self.pairs, self.size)
    }
}

impl PartialEq for Multiply {
    fn eq(&self, other: &Multiply) -> bool {
        let same = match (&self.b, &other.b) {
            (Second::Weights(a), Second::Weights(b)) => Arc::ptr_eq(a, b),
            (Second::Value(a), Second::Value(b)) => a == b,
            _ => false,
        };
        same && (&self.a, &self.written, &self.result, self.size)
            == (&other.a, &other.written, &other.result, other.size)
    }
}

impl Eq for Multiply {}

/// Our product in place of an EinSum and of a bias added to it: the operator, its inputs and the node that it ends at.
pub fn replacement(
    model: &TypedModel,
    node: &TypedNode,
) -> Option<(Multiply, TVec<OutletId>, usize)> {
    let einsum = node.op_as::<EinSum>()?;
    let [left, right] = node.inputs[..] else {
        return None;
    };
    let facts = [
        model.outlet_fact(left).ok()?,
        model.outlet_fact(right).ok()?,
    ];
    let plain = |fact: &&TypedFact| fact.datum_type == DatumType::F32 && fact.is_plain();
    if einsum.q_params.is_some() || !facts.iter().all(plain) {
        return None;
    }
    let (first, konst) = match (&facts[0].konst, &facts[1].konst) {
        (Some(_), Some(_)) => return None,
        (Some(weights), None) => (1, Some(weights)),
        (None, Some(weights)) => (0, Some(weights)),
        (None, None) => (outer(einsum)?, None),
    };
    let second = 1 - first;
    let dims = [first, second].map(|i| facts[i].shape.as_concrete().map(<[usize]>::to_vec));
    let [Some(a), Some(b)] = dims else {
        return None;
    };
    let dims = [a, b];
    let axes = Axes::read(einsum, first, second, &dims)?;
    let count = |places: &mut dyn Iterator<Item = (usize, usize)>| -> usize {
        places
            .filter_map(|(slot, place)| dims[slot].get(place))
            .product()
    };
    let pairs = count(&mut axes.batch.iter().map(|axis| (0, axis[0])));
    let rows = count(&mut axes.rows.iter().map(|axis| (0, axis[0])));
    let depth = count(&mut axes.depth.iter().map(|axis| (0, axis[0])));
    let columns = count(&mut axes.columns.iter().map(|axis| (1, axis[0])));
    if [pairs, rows, depth, columns].contains(&0) {
        return None;
    }
    let written: TVec<usize> = axes
        .batch
        .iter()
        .map(|axis| dims[0][axis[0]])
        .chain(axes.rows.iter().map(|axis| dims[0][axis[0]]))
        .chain(axes.columns.iter().map(|axis| dims[1][axis[0]]))
        .collect();
    let result = Layout::new(axes.result(), &written);
    let a = Layout::new(axes.first(), &dims[0]);
    let mut size = Product {
        rows,
        depth,
        columns,
        transposed: true,
    };
    let mut end = node.id;
    let b = match konst {
        Some(weights) => {
            if pairs != 1 {
                return None;
            }
            let mut bias = vec![0.0; columns];
            if let Some((add, values)) = added(model, node, &axes, columns) {
                end = add;
                bias = values;
            }
            let order = axes.second(true);
            let weights = Tensor::clone(weights).permute_axes(&order).ok()?;
            let plain = weights.try_as_plain_ram().ok()?;
            Second::Weights(Arc::new(Packed::new(
                plain.as_slice::<f32>().ok()?,
                &[],
                &bias,
            )))
        }
        None => {
            let transposed = Layout::new(axes.second(true), &dims[1]);
            let straight = Layout::new(axes.second(false), &dims[1]);
            size.transposed = transposed.still && !straight.still;
            Second::Value(if size.transposed {
                transposed
            } else {
                straight
            })
        }
    };
    let mut slots = tvec!(first);
    if matches!(b, Second::Value(_)) {
        slots.push(second);
    }
    let inputs = slots
        .iter()
        .filter_map(|slot| node.inputs.get(*slot).copied())
        .collect();
    let multiply = Multiply {
        axes: einsum.axes.clone(),
        slots,
        a,
        b,
        written,
        result,
        pairs,
        size,
    };
    Some((multiply, inputs, end))
}

/// The operand whose own axes come first in the result: it needs no reordering afterwards.
fn outer(einsum: &EinSum) -> Option<usize> {
    let own = |slot: usize| {
        let axes = einsum.axes.iter_all_axes();
        let own =
            axes.filter(|axis| axis.inputs[slot].len() == 1 && axis.inputs[1 - slot].is_empty());
        own.filter_map(|axis| axis.outputs.first()?.first().copied())
            .min()
    };
    Some(match (own(0), own(1)) {
        (Some(a), Some(b)) => usize::from(b < a),
        (None, Some(_)) => 1,
        _ => 0,
    })
}

/// A constant added along the last axis of a product, and the node that adds it.
fn added(
    model: &TypedModel,
    node: &TypedNode,
    axes: &Axes,
    columns: usize,
) -> Option<(usize, Vec<f32>)> {
    let add = model.single_succ(node.id).ok()??;
    let outputs = model.output_outlets().ok()?;
    let rank = node.outputs.first()?.fact.rank();
    let last = matches!(axes.columns[..], [[_, place]] if place + 1 == rank);
    if !last || outputs.contains(&node.id.into()) || add.op_as::<TypedBinOp>()?.0.name() != "Add" {
        return None;
    }
    let other = add.inputs.iter().find(|outlet| outlet.node != node.id)?;
    let bias = model.outlet_fact(*other).ok()?.konst.clone()?;
    let along = bias.shape().last() == Some(&columns) && bias.len() == columns;
    if !along || bias.datum_type() != DatumType::F32 || bias.rank() != rank {
        return None;
    }
    let plain = bias.try_as_plain_ram().ok()?;
    Some((add.id, plain.as_slice::<f32>().ok()?.to_vec()))
}

impl Multiply {
    /// The weights and the bias, if there are any, are those of the other product, bit for bit.
    pub fn has_weights_of(&self, other: &Multiply) -> bool {
        match (&self.b, &other.b) {
            (Second::Weights(a), Second::Weights(b)) => a.has_bits_of(b),
            (Second::Value(_), Second::Value(_)) => true,
            _ => false,
        }
    }

    pub fn memory(&self) -> usize {
        match &self.b {
            Second::Weights(weights) => weights.memory(),
            Second::Value(_) => 0,
        }
    }
}

impl Op for Multiply {
    fn name(&self) -> StaticName {
        "Multiply".into()
    }

    op_as_typed_op!();
}

impl EvalOp for Multiply {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, mut inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let second = match &self.b {
            Second::Value(layout) if inputs.len() == 2 => Some(layout.apply(inputs.remove(1))?),
            Second::Weights(_) if inputs.len() == 1 => None,
            _ => bail!("a product of {} inputs", inputs.len()),
        };
        let first = self.a.apply(inputs.remove(0))?;
        let a = first.try_as_plain_ram()?;
        let a = a.as_slice::<f32>()?;
        let mut tensor = Tensor::zero::<f32>(&self.written)?;
        {
            let mut plain = tensor.try_as_plain_ram_mut()?;
            let out = plain.as_slice_mut::<f32>()?;
            match (&self.b, &second) {
                (Second::Weights(weights), _) => matrix::dense(weights, a, out),
                (Second::Value(_), Some(second)) => {
                    let b = second.try_as_plain_ram()?;
                    let b = b.as_slice::<f32>()?;
                    let Product {
                        rows,
                        depth,
                        columns,
                        ..
                    } = self.size;
                    let mut panel = Vec::new();
                    let pairs = a
                        .chunks_exact(rows * depth)
                        .zip(b.chunks_exact(depth * columns));
                    for ((a, b), out) in pairs.zip(out.chunks_exact_mut(rows * columns)) {
                        matrix::multiply(self.size, a, b, &mut panel, out);
                    }
                }
                _ => {}
            }
        }
        Ok(tvec!(
            self.result.apply(tensor.into_tvalue())?.into_tvalue()
        ))
    }
}

impl TypedOp for Multiply {
    fn output_facts(&self, _: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let dims = self
            .result
            .order
            .iter()
            .filter_map(|place| self.written.get(*place));
        Ok(tvec!(
            DatumType::F32.fact(dims.copied().collect::<TVec<usize>>())
        ))
    }

    fn cost(&self, _: &[&TypedFact]) -> TractResult<TVec<(Cost, TDim)>> {
        let Product {
            rows,
            depth,
            columns,
            ..
        } = self.size;
        let all = [rows, depth, columns]
            .iter()
            .fold(self.pairs, |n, dim| n.saturating_mul(*dim));
        Ok(tvec!((Cost::FMA(DatumType::F32), all.to_dim())))
    }

    as_op!();
}
