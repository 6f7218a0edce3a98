//! Proof that a plan of many rows computes for each what the plan of one row does.
//!
//! Both are typed graphs of the same file. Every value of the wide one is shown to be the same as in the single one, or
//! to hold along one axis, in the order of the rows, what the single one holds. An operator that is not known to keep
//! rows apart, a constant that depends on the size of the batch, or an axis that gets lost refutes it; the model then
//! runs row by row.

use std::collections::HashMap;

use tract_onnx::prelude::*;
use tract_onnx::tract_core::axes::AxesMapping;
use tract_onnx::tract_core::ops::array::{
    CumSum, Gather, MultiBroadcastTo, OneHot, Pad, Slice, Tile, Trilu, TypedConcat,
};
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::cast::Cast;
use tract_onnx::tract_core::ops::change_axes::{AxisOp, InOut};
use tract_onnx::tract_core::ops::cnn::{Conv, Deconv, MaxPool, PoolSpec, SumPool};
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::identity::Identity;
use tract_onnx::tract_core::ops::logic::Iff;
use tract_onnx::tract_core::ops::nn::{Reduce, Resize, Softmax};
use tract_onnx::tract_core::ops::TypedOp;
use tract_onnx::tract_core::ops::source::TypedSource;

use super::lookup::Lookup;
use super::recurrent::Recurrent;
use super::reduce::{Normalised, Summed};
use crate::ops::tract::is_rowwise;

/// What a value of the wide graph has to do with the same value of the single graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Equal.
    Same,
    /// Row `r` is at `r * each .. (r + 1) * each` of this axis.
    Along { axis: usize, each: usize },
    /// Not known; no value that a row's result comes from.
    Unknown,
}

/// Where the rows are in each output of the wide graph, or the node that cannot be shown to keep them apart.
pub fn prove(wide: &TypedModel, single: &TypedModel, rows: usize) -> Result<Vec<Flow>, String> {
    let names: HashMap<&str, &TypedNode> =
        single.nodes.iter().map(|n| (n.name.as_str(), n)).collect();
    let mut flows: HashMap<OutletId, Flow> = HashMap::new();
    let order = wide.eval_order().map_err(|e| e.to_string())?;
    for id in order {
        let Some(node) = wide.nodes.get(id) else {
            continue;
        };
        let known = node
            .inputs
            .iter()
            .map(|o| flows.get(o).copied().unwrap_or(Flow::Unknown));
        let known: TVec<Flow> = known.collect();
        let twin = names.get(node.name.as_str()).copied();
        for slot in 0..node.outputs.len() {
            let outlet = OutletId::new(node.id, slot);
            let flow = twin.map_or(Flow::Unknown, |twin| {
                let place = Place {
                    wide,
                    node,
                    twin,
                    slot,
                    rows,
                };
                place.flow(&known).unwrap_or(Flow::Unknown)
            });
            flows.insert(outlet, flow);
        }
    }
    let outputs = wide.output_outlets().map_err(|e| e.to_string())?;
    let found = outputs.iter().map(|outlet| match flows.get(outlet) {
        Some(flow @ Flow::Along { .. }) => Ok(*flow),
        _ => Err(blame(wide, &flows, *outlet)),
    });
    found.collect()
}

/// The first node on the way to an outlet at which the rows get lost.
fn blame(wide: &TypedModel, flows: &HashMap<OutletId, Flow>, outlet: OutletId) -> String {
    let mut at = outlet;
    while let Some(node) = wide.nodes.get(at.node) {
        let lost = |o: &&OutletId| !matches!(flows.get(o), Some(Flow::Same | Flow::Along { .. }));
        match node.inputs.iter().find(lost) {
            Some(input) => at = *input,
            None => return format!("\"{}\" ({})", node.name, node.op.name()),
        }
    }
    "an output".into()
}

/// One output of a node in both graphs.
struct Place<'a> {
    wide: &'a TypedModel,
    node: &'a TypedNode,
    twin: &'a TypedNode,
    slot: usize,
    rows: usize,
}

impl Place<'_> {
    /// `None` where nothing is known.
    fn flow(&self, inputs: &[Flow]) -> Option<Flow> {
        let (fact, twin) = self.facts()?;
        let flow = match (&fact.konst, &twin.konst) {
            (Some(konst), Some(single)) => self.constant(konst, single)?,
            (None, None) => self.computed(inputs)?,
            _ => return None,
        };
        self.agrees(flow).then_some(flow)
    }

    fn facts(&self) -> Option<(&TypedFact, &TypedFact)> {
        let fact = |node: &'_ TypedNode| node.outputs.get(self.slot).map(|o| o.fact.clone());
        let (wide, twin) = (fact(self.node)?, fact(self.twin)?);
        if wide.datum_type != twin.datum_type || self.node.op.name() != self.twin.op.name() {
            return None;
        }
        Some((
            &self.node.outputs.get(self.slot)?.fact,
            &self.twin.outputs.get(self.slot)?.fact,
        ))
    }

    /// The shapes in both graphs differ by the rows and nothing else.
    fn agrees(&self, flow: Flow) -> bool {
        let Some((wide, twin)) = self.facts() else {
            return false;
        };
        let (Some(wide), Some(twin)) = (wide.shape.as_concrete(), twin.shape.as_concrete()) else {
            return false;
        };
        let mut expected = wide.to_vec();
        if let Flow::Along { axis, each } = flow {
            match expected.get_mut(axis) {
                Some(dim) if *dim == each * self.rows => *dim = each,
                _ => return false,
            }
        }
        expected == twin
    }

    /// A constant is the same for every size of a batch, or for every row: one row's along an axis again and again.
    fn constant(&self, wide: &Tensor, single: &Tensor) -> Option<Flow> {
        if wide == single {
            return Some(Flow::Same);
        }
        let (Flow::Along { axis, each }, true) = (
            widened(wide.shape(), single.shape(), self.rows)?,
            wide.datum_type() == single.datum_type(),
        ) else {
            return None;
        };
        let equal = (0..self.rows).all(|row| {
            wide.slice(axis, row * each, (row + 1) * each)
                .is_ok_and(|part| part == *single)
        });
        equal.then_some(Flow::Along { axis, each })
    }

    fn input(&self, slot: usize) -> Option<&TypedFact> {
        self.wide.outlet_fact(*self.node.inputs.get(slot)?).ok()
    }

    fn dim(&self, slot: usize, axis: usize) -> Option<usize> {
        self.input(slot)?.shape.as_concrete()?.get(axis).copied()
    }

    fn computed(&self, inputs: &[Flow]) -> Option<Flow> {
        let op: &dyn TypedOp = &*self.node.op;
        if op.is::<TypedSource>() {
            let each = 1;
            return Some(Flow::Along { axis: 0, each });
        }
        if inputs.contains(&Flow::Unknown) {
            return None;
        }
        if let Some(broadcast) = op.downcast_ref::<MultiBroadcastTo>() {
            return self.broadcast(broadcast, *inputs.first()?);
        }
        let along = inputs.iter().find(|flow| **flow != Flow::Same);
        let Some(Flow::Along { axis, each }) = along.copied() else {
            return (self.node.op == self.twin.op).then_some(Flow::Same);
        };
        let to = |axis| Some(Flow::Along { axis, each });
        let kept = |kept: bool| if kept { to(axis) } else { None };
        if is_cellwise(op) {
            let aligned = inputs.iter().enumerate().all(|(slot, flow)| match flow {
                Flow::Same => self.dim(slot, axis) == Some(1),
                flow => *flow == Flow::Along { axis, each },
            });
            return kept(aligned);
        }
        if let Some(concat) = op.downcast_ref::<TypedConcat>() {
            let all = inputs
                .iter()
                .all(|flow| *flow == Flow::Along { axis, each });
            return kept(all && concat.axis != axis);
        }
        if let Some(einsum) = op.downcast_ref::<EinSum>() {
            return self.einsum(&einsum.axes, inputs);
        }
        if is_rowwise(op) {
            let all = inputs
                .iter()
                .all(|flow| *flow == Flow::Along { axis: 0, each });
            return kept(all);
        }
        if let Some(recurrent) = op.downcast_ref::<Recurrent>() {
            let rows = inputs.iter().enumerate().all(|(slot, flow)| {
                *flow == Flow::Same && recurrent.takes_weights(slot)
                    || *flow == Flow::Along { axis: 1, each } && recurrent.takes_rows(slot)
            });
            return if rows {
                to(recurrent.row_axis(self.slot))
            } else {
                None
            };
        }
        if op.is::<Gather>() || op.is::<Lookup>() {
            return self.gather(inputs);
        }
        if inputs.iter().skip(1).any(|flow| *flow != Flow::Same) || inputs.first() != along {
            return None;
        }
        if let Some(change) = op.downcast_ref::<AxisOp>() {
            return moved(change, axis, each, self.rows);
        }
        if let Some(spec) = window(op) {
            let shape = self.input(0)?.shape.as_concrete()?;
            let shape = spec.data_format.shape(shape).ok()?;
            return kept(shape.n_axis() == Some(axis));
        }
        let rank = self.input(0)?.rank();
        if let Some(reduce) = op.downcast_ref::<Reduce>() {
            return kept(!reduce.axes.contains(&axis));
        }
        if let Some(softmax) = op.downcast_ref::<Softmax>() {
            return kept(!softmax.axes.contains(&axis));
        }
        if op.is::<Summed>() || op.is::<Normalised>() {
            return kept(axis + 1 < rank);
        }
        if let Some(slice) = op.downcast_ref::<Slice>() {
            return kept(slice.axis != axis);
        }
        if let Some(pad) = op.downcast_ref::<Pad>() {
            return kept(pad.pads.get(axis) == Some(&(0, 0)));
        }
        if let Some(tile) = op.downcast_ref::<Tile>() {
            return kept(tile.multipliers.get(axis).is_some_and(|m| *m == 1.into()));
        }
        if op.is::<Resize>() {
            let out = self.facts()?.0.shape.as_concrete()?;
            return kept(out.get(axis).copied() == self.dim(0, axis) && axis == 0);
        }
        if let Some(hot) = op.downcast_ref::<OneHot>() {
            return to(axis + usize::from(axis >= hot.axis));
        }
        if let Some(sum) = op.downcast_ref::<CumSum>() {
            return kept(sum.axis != axis);
        }
        if op.is::<Trilu>() {
            return kept(axis + 2 < rank);
        }
        None
    }

    /// A value repeated along axes where it had one element.
    fn broadcast(&self, broadcast: &MultiBroadcastTo, input: Flow) -> Option<Flow> {
        let from = self.input(0)?.shape.as_concrete()?;
        let to = broadcast.shape.as_concrete()?;
        let missing = to.len().checked_sub(from.len())?;
        match input {
            Flow::Along { axis, each } => Some(Flow::Along {
                axis: axis + missing,
                each,
            }),
            Flow::Same => {
                let single = self.facts()?.1.shape.as_concrete()?;
                if to == single {
                    return Some(Flow::Same);
                }
                let flow = widened(to, single, self.rows)?;
                let Flow::Along { axis, .. } = flow else {
                    return None;
                };
                let repeated = axis < missing || from.get(axis - missing) == Some(&1);
                repeated.then_some(flow)
            }
            Flow::Unknown => None,
        }
    }

    /// The rows' axis is one index of the sum: in every input that has rows, in no other, and in the output.
    fn einsum(&self, axes: &AxesMapping, inputs: &[Flow]) -> Option<Flow> {
        let (slot, first) = inputs
            .iter()
            .enumerate()
            .find(|(_, flow)| **flow != Flow::Same)?;
        let Flow::Along { axis, each } = *first else {
            return None;
        };
        let index = axes.axis((InOut::In(slot), axis)).ok()?;
        for (slot, flow) in inputs.iter().enumerate() {
            let places = index.inputs.get(slot)?;
            let fits = match flow {
                Flow::Along { axis, each: cells } => places[..] == [*axis] && *cells == each,
                Flow::Same => places.iter().all(|axis| self.dim(slot, *axis) == Some(1)),
                Flow::Unknown => false,
            };
            if !fits {
                return None;
            }
        }
        match index.outputs.first().map(|places| &places[..]) {
            Some([axis]) => Some(Flow::Along { axis: *axis, each }),
            _ => None,
        }
    }

    fn gather(&self, inputs: &[Flow]) -> Option<Flow> {
        let op: &dyn TypedOp = &*self.node.op;
        let along = op.downcast_ref::<Gather>().map(|gather| gather.axis);
        let along = along.or_else(|| op.downcast_ref::<Lookup>().map(|lookup| lookup.axis))?;
        let indices = self.input(1)?.rank();
        match *inputs {
            [Flow::Along { axis, each }, Flow::Same] if axis < along => {
                Some(Flow::Along { axis, each })
            }
            [Flow::Along { axis, each }, Flow::Same] if axis > along => {
                let axis = axis + indices - 1;
                Some(Flow::Along { axis, each })
            }
            [Flow::Same, Flow::Along { axis, each }] => {
                let axis = axis + along;
                Some(Flow::Along { axis, each })
            }
            _ => None,
        }
    }
}

/// Operators whose output cell depends on the input cells at the same place.
fn is_cellwise(op: &dyn TypedOp) -> bool {
    op.is::<TypedBinOp>()
        || op.is::<ElementWiseOp>()
        || op.is::<Cast>()
        || op.is::<Identity>()
        || op.is::<Iff>()
}

/// The geometry of a convolution or pooling.
fn window(op: &dyn TypedOp) -> Option<&PoolSpec> {
    let spec = op.downcast_ref::<Conv>().map(|conv| &conv.pool_spec);
    let spec = spec.or_else(|| op.downcast_ref::<Deconv>().map(|conv| &conv.pool_spec));
    let spec = spec.or_else(|| op.downcast_ref::<MaxPool>().map(|pool| &pool.pool_spec));
    spec.or_else(|| op.downcast_ref::<SumPool>().map(|pool| &pool.pool_spec))
}

/// The only axis along which one shape is `rows` times the other.
fn widened(wide: &[usize], single: &[usize], rows: usize) -> Option<Flow> {
    if wide.len() != single.len() {
        return None;
    }
    let mut differ = (0..wide.len()).filter(|axis| wide[*axis] != single[*axis]);
    let (axis, None) = (differ.next()?, differ.next()) else {
        return None;
    };
    let each = single[axis];
    (wide[axis] == each * rows).then_some(Flow::Along { axis, each })
}

/// Where the rows are after a change of axes. Rows that are outermost in a reshaped group stay so.
fn moved(change: &AxisOp, axis: usize, each: usize, rows: usize) -> Option<Flow> {
    let AxisOp::Reshape(at, from, to) = change else {
        let axis = change.transform_axis(axis)?;
        return Some(Flow::Along { axis, each });
    };
    if axis < *at || axis >= at + from.len() {
        let axis = change.transform_axis(axis)?;
        return Some(Flow::Along { axis, each });
    }
    let one = |dim: &&TDim| dim.to_i64().is_ok_and(|dim| dim == 1);
    let before = from.get(..axis - at)?;
    if !before.iter().all(|dim| one(&dim)) {
        return None;
    }
    let ones = to.iter().take_while(one).count();
    let outer = usize::try_from(to.get(ones)?.to_i64().ok()?).ok()?;
    (outer % rows == 0).then_some(Flow::Along {
        axis: at + ones,
        each: outer / rows,
    })
}
