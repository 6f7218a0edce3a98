//! Proof that a plan of many rows computes for each what the plan of one row does.
//!
//! Both are typed graphs of the same file. Every value of the wide one is shown to be the same as in the single one, or
//! to hold along one axis, in the order of the rows, what the single one holds. An operator that is not known to keep
//! rows apart, a constant that depends on the size of the batch, or an axis that gets lost refutes it; the model then
//! runs row by row.

use std::collections::HashMap;

use tract_onnx::prelude::*;
use tract_onnx::tract_core::axes::AxesMapping;
use tract_onnx::tract_core::ops::TypedOp;
use tract_onnx::tract_core::ops::array::{
    CumSum, Gather, MultiBroadcastTo, OneHot, Pad, Slice, StridedSlice, Tile, Trilu, TypedConcat,
};
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::cast::Cast;
use tract_onnx::tract_core::ops::change_axes::{AxisOp, InOut};
use tract_onnx::tract_core::ops::cnn::{Conv, Deconv, MaxPool, PoolSpec, SumPool};
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::identity::Identity;
use tract_onnx::tract_core::ops::logic::Iff;
use tract_onnx::tract_core::ops::nn::{Reduce, Softmax};
use tract_onnx::tract_core::ops::source::TypedSource;

use super::convolve::Convolve;
use super::lookup::Lookup;
use super::multiply::Multiply;
use super::pool::Pool;
use super::recurrent::Recurrent;
use super::reduce::{Normalised, Reduced};
use crate::ops::tract::is_rowwise;

/// What a value of the wide graph has to do with the same value of the single graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Equal.
    Same,
    /// This axis is `outer` groups of all rows, row `r` at `r * each .. (r + 1) * each` of each group.
    Along {
        axis: usize,
        outer: usize,
        each: usize,
    },
    /// Not known; no value that a row's result comes from.
    Unknown,
}

/// Where the rows are in each output of the wide graph, or the node that cannot be shown to keep them apart.
pub fn prove(wide: &TypedModel, single: &TypedModel, rows: usize) -> Result<Vec<Flow>, String> {
    let mut proof = Proof {
        wide,
        single,
        rows,
        flows: HashMap::new(),
    };
    let names: HashMap<&str, &TypedNode> =
        single.nodes.iter().map(|n| (n.name.as_str(), n)).collect();
    for id in wide.eval_order().map_err(|e| e.to_string())? {
        let Some(node) = wide.nodes.get(id) else {
            continue;
        };
        if node
            .outputs
            .iter()
            .all(|output| output.fact.konst.is_some())
        {
            continue;
        }
        for slot in 0..node.outputs.len() {
            let flow = proof.flow(node, names.get(node.name.as_str()).copied(), slot);
            let outlet = OutletId::new(node.id, slot);
            proof.flows.insert(outlet, flow.unwrap_or(Flow::Unknown));
        }
    }
    let outputs = wide.output_outlets().map_err(|e| e.to_string())?;
    let twins = single.output_outlets().map_err(|e| e.to_string())?;
    let found =
        outputs
            .iter()
            .zip(twins)
            .map(|(outlet, twin)| match proof.joined(*outlet, *twin) {
                Some(flow @ Flow::Along { .. }) => Ok(flow),
                _ => Err(proof.blame(*outlet)),
            });
    found.collect()
}

struct Proof<'a> {
    wide: &'a TypedModel,
    single: &'a TypedModel,
    rows: usize,
    flows: HashMap<OutletId, Flow>,
}

/// One output of a node in both graphs.
struct Place<'a> {
    wide: &'a TypedModel,
    node: &'a TypedNode,
    twin: &'a TypedNode,
    single: &'a TypedModel,
    slot: usize,
    rows: usize,
}

impl Proof<'_> {
    /// `None` where nothing is known. A reshape is followed by itself, because it may be split into other steps for one
    /// row; any other node has a twin with the same inputs.
    fn flow(&self, node: &TypedNode, twin: Option<&TypedNode>, slot: usize) -> Option<Flow> {
        if let Some(change) = node.op_as::<AxisOp>().filter(|change| reshapes(change)) {
            let from = node.inputs.first()?;
            return match self.flows.get(from) {
                Some(Flow::Along { axis, outer, each }) => {
                    moved(change, *axis, [*outer, self.rows, *each])
                }
                Some(Flow::Same) => Some(Flow::Same),
                Some(Flow::Unknown) => None,
                // A constant, compared where it is read.
                None => self
                    .wide
                    .outlet_fact(*from)
                    .ok()?
                    .konst
                    .as_ref()
                    .map(|_| Flow::Same),
            };
        }
        let twin = twin?;
        if node.inputs.len() != twin.inputs.len() || node.op.name() != twin.op.name() {
            return None;
        }
        let joined = node
            .inputs
            .iter()
            .zip(&twin.inputs)
            .map(|(outlet, twin)| self.joined(*outlet, *twin).unwrap_or(Flow::Unknown));
        let inputs: TVec<Flow> = joined.collect();
        let place = Place {
            wide: self.wide,
            single: self.single,
            node,
            twin,
            slot,
            rows: self.rows,
        };
        let flow = place.computed(&inputs)?;
        let fact = |node: &TypedNode| Some(node.outputs.get(slot)?.fact.clone());
        agree(&fact(node)?, &fact(twin)?, flow, self.rows).then_some(flow)
    }

    /// What a value of the wide graph has to do with one of the single graph: constants by their cells, others by the
    /// node that they come from through reshapes.
    fn joined(&self, outlet: OutletId, twin: OutletId) -> Option<Flow> {
        let (wide, single) = (
            self.wide.outlet_fact(outlet).ok()?,
            self.single.outlet_fact(twin).ok()?,
        );
        let flow = match (&wide.konst, &single.konst) {
            (Some(wide), Some(single)) => constant(wide, single, self.rows)?,
            (None, None) => {
                let (from, to) = (base(self.wide, outlet)?, base(self.single, twin)?);
                let name = |model: &TypedModel, at: OutletId| {
                    Some((model.nodes.get(at.node)?.name.clone(), at.slot))
                };
                let konst =
                    |model: &TypedModel, at: OutletId| model.outlet_fact(at).ok()?.konst.clone();
                let equal = match (konst(self.wide, from), konst(self.single, to)) {
                    (Some(wide), Some(single)) => wide == single,
                    (None, None) => name(self.wide, from)? == name(self.single, to)?,
                    _ => false,
                };
                if !equal {
                    return None;
                }
                *self.flows.get(&outlet)?
            }
            _ => return None,
        };
        agree(wide, single, flow, self.rows).then_some(flow)
    }

    /// The first node on the way to an outlet at which the rows get lost.
    fn blame(&self, outlet: OutletId) -> String {
        let mut at = outlet;
        while let Some(node) = self.wide.nodes.get(at.node) {
            let lost = |o: &&OutletId| self.flows.get(*o) == Some(&Flow::Unknown);
            match node.inputs.iter().find(lost) {
                Some(input) => at = *input,
                None => return format!("\"{}\" ({})", node.name, node.op.name()),
            }
        }
        "an output".into()
    }
}

/// Changes of axes that keep all cells in their order.
fn reshapes(change: &AxisOp) -> bool {
    !matches!(change, AxisOp::Move(..))
}

/// The value that another one is a reshape of.
fn base(model: &TypedModel, outlet: OutletId) -> Option<OutletId> {
    let mut at = outlet;
    loop {
        let node = model.nodes.get(at.node)?;
        if !node.op_as::<AxisOp>().is_some_and(reshapes) {
            return Some(at);
        }
        at = *node.inputs.first()?;
    }
}

/// The shapes in both graphs differ by the rows and nothing else.
fn agree(wide: &TypedFact, single: &TypedFact, flow: Flow, rows: usize) -> bool {
    let (Some(dims), Some(twin)) = (wide.shape.as_concrete(), single.shape.as_concrete()) else {
        return false;
    };
    let mut expected = dims.to_vec();
    if let Flow::Along { axis, outer, each } = flow {
        match expected.get_mut(axis) {
            Some(dim) if *dim == outer * rows * each => *dim = outer * each,
            _ => return false,
        }
    }
    expected == twin && wide.datum_type == single.datum_type
}

/// A constant is the same for every size of a batch, or for every row: one row's along an axis again and again.
fn constant(wide: &Tensor, single: &Tensor, rows: usize) -> Option<Flow> {
    if wide == single {
        return Some(Flow::Same);
    }
    let Flow::Along { axis, each, .. } = widened(wide.shape(), single.shape(), rows)? else {
        return None;
    };
    let equal = (0..rows).all(|row| {
        wide.slice(axis, row * each, (row + 1) * each)
            .is_ok_and(|part| part == *single)
    });
    let outer = 1;
    equal.then_some(Flow::Along { axis, outer, each })
}

impl Place<'_> {
    fn input(&self, slot: usize) -> Option<&TypedFact> {
        self.wide.outlet_fact(*self.node.inputs.get(slot)?).ok()
    }

    fn dim(&self, slot: usize, axis: usize) -> Option<usize> {
        self.input(slot)?.shape.as_concrete()?.get(axis).copied()
    }

    fn computed(&self, inputs: &[Flow]) -> Option<Flow> {
        let op: &dyn TypedOp = &*self.node.op;
        if op.is::<TypedSource>() {
            return Some(Flow::Along {
                axis: 0,
                outer: 1,
                each: 1,
            });
        }
        if op.is::<StridedSlice>() {
            return self.sliced(*inputs.first()?);
        }
        if inputs.contains(&Flow::Unknown) {
            return None;
        }
        if let Some(broadcast) = op.downcast_ref::<MultiBroadcastTo>() {
            return self.broadcast(broadcast, *inputs.first()?);
        }
        let along = inputs.iter().find(|flow| **flow != Flow::Same);
        let Some(Flow::Along { axis, outer, each }) = along.copied() else {
            return (self.node.op == self.twin.op).then_some(Flow::Same);
        };
        if !self.is_its_twin() {
            return None;
        }
        let to = |axis| Some(Flow::Along { axis, outer, each });
        let kept = |kept: bool| if kept { to(axis) } else { None };
        if is_cellwise(op) {
            let aligned = inputs.iter().enumerate().all(|(slot, flow)| match flow {
                Flow::Same => self.dim(slot, axis) == Some(1),
                flow => *flow == Flow::Along { axis, outer, each },
            });
            return kept(aligned);
        }
        if let Some(concat) = op.downcast_ref::<TypedConcat>() {
            let all = inputs
                .iter()
                .all(|flow| *flow == Flow::Along { axis, outer, each });
            return kept(all && concat.axis != axis);
        }
        if let Some(einsum) = op.downcast_ref::<EinSum>() {
            return self.einsum(&einsum.axes, &[0, 1], inputs);
        }
        if let Some(multiply) = op.downcast_ref::<Multiply>() {
            return self.einsum(&multiply.axes, &multiply.slots, inputs);
        }
        if is_rowwise(op) {
            let all = inputs.iter().all(|flow| {
                *flow
                    == Flow::Along {
                        axis: 0,
                        outer,
                        each,
                    }
            });
            return kept(all);
        }
        if let Some(recurrent) = op.downcast_ref::<Recurrent>() {
            let rows = inputs.iter().enumerate().all(|(slot, flow)| {
                *flow == Flow::Same && recurrent.takes_weights(slot)
                    || *flow
                        == Flow::Along {
                            axis: 1,
                            outer,
                            each,
                        }
                        && recurrent.takes_rows(slot)
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
        if op.is::<AxisOp>() {
            return if self.node.op == self.twin.op {
                moved(op.downcast_ref()?, axis, [outer, self.rows, each])
            } else {
                None
            };
        }
        if op.is::<Convolve>() || op.is::<Pool>() {
            return kept(axis == 0);
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
        if let Some(reduced) = op.downcast_ref::<Reduced>() {
            return kept(!reduced.covers(axis));
        }
        if op.is::<Normalised>() {
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
        // tract keeps the type of this operator to itself.
        if op.name() == "Resize" {
            let out = self.output()?;
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

    /// True where the operator holds nothing that depends on the size of the batch, such as a padding or weights that
    /// were computed from a shape. Operators that read rows by themselves hold what the file says.
    fn is_its_twin(&self) -> bool {
        let (op, twin): (&dyn TypedOp, &dyn TypedOp) = (&*self.node.op, &*self.twin.op);
        match (op.downcast_ref::<Multiply>(), twin.downcast_ref()) {
            (Some(op), Some(twin)) => return op.has_weights_of(twin),
            (Some(_), None) => return false,
            (None, _) => {}
        }
        match (op.downcast_ref::<Convolve>(), twin.downcast_ref()) {
            (Some(op), Some(twin)) => return op.has_weights_of(twin),
            (Some(_), None) => return false,
            (None, _) => {}
        }
        let by_shape = op.is::<AxisOp>() || op.is::<Pool>() || op.is::<Recurrent>();
        by_shape || is_rowwise(op) || self.node.op == self.twin.op
    }

    /// A value repeated along axes where it had one element.
    fn broadcast(&self, broadcast: &MultiBroadcastTo, input: Flow) -> Option<Flow> {
        let from = self.input(0)?.shape.as_concrete()?;
        let to = broadcast.shape.as_concrete()?;
        let missing = to.len().checked_sub(from.len())?;
        match input {
            Flow::Along { axis, outer, each } => Some(Flow::Along {
                axis: axis + missing,
                outer,
                each,
            }),
            Flow::Same => {
                let single = self.twin.outputs.get(self.slot)?.fact.shape.as_concrete()?;
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
    fn einsum(&self, axes: &AxesMapping, slots: &[usize], inputs: &[Flow]) -> Option<Flow> {
        let (at, first) = inputs
            .iter()
            .enumerate()
            .find(|(_, flow)| **flow != Flow::Same)?;
        let slot = *slots.get(at)?;
        let Flow::Along { axis, outer, each } = *first else {
            return None;
        };
        let index = axes.axis((InOut::In(slot), axis)).ok()?;
        for (at, flow) in inputs.iter().enumerate() {
            let places = index.inputs.get(*slots.get(at)?)?;
            let fits = match flow {
                Flow::Along {
                    axis,
                    outer: groups,
                    each: cells,
                } => places[..] == [*axis] && (*groups, *cells) == (outer, each),
                Flow::Same => places.iter().all(|axis| self.dim(at, *axis) == Some(1)),
                Flow::Unknown => false,
            };
            if !fits {
                return None;
            }
        }
        match index.outputs.first().map(|places| &places[..]) {
            Some([axis]) => Some(Flow::Along {
                axis: *axis,
                outer,
                each,
            }),
            _ => None,
        }
    }

    fn output(&self) -> Option<&[usize]> {
        self.node.outputs.get(self.slot)?.fact.shape.as_concrete()
    }

    /// A slice that takes all rows, and along other axes what it takes of a single one.
    fn sliced(&self, data: Flow) -> Option<Flow> {
        let Flow::Along { axis, outer, each } = data else {
            return None;
        };
        let slice = self.node.op_as::<StridedSlice>()?;
        if (slice.begin_mask, slice.end_mask, slice.shrink_axis_mask) != (0, 0, 0)
            || self.output()?.get(axis).copied() != self.dim(0, axis)
        {
            return None;
        }
        let list = |model: &TypedModel, node: &TypedNode, slot: usize| -> Option<Vec<i64>> {
            let konst = model
                .outlet_fact(*node.inputs.get(slot)?)
                .ok()?
                .konst
                .clone()?;
            let wide = konst.cast_to::<i64>().ok()?;
            let plain = wide.try_as_plain_ram().ok()?;
            Some(plain.as_slice::<i64>().ok()?.to_vec())
        };
        let rank = i64::try_from(self.input(0)?.rank()).ok()?;
        let count = list(self.wide, self.node, 1)?.len();
        let axes = match slice.optional_axes_input {
            Some(slot) => list(self.wide, self.node, slot)?,
            None => (0..i64::try_from(count).ok()?).collect(),
        };
        for (i, named) in axes.iter().enumerate() {
            let resolved = if *named < 0 { named + rank } else { *named };
            let rows = usize::try_from(resolved) == Ok(axis);
            for slot in 1..self.node.inputs.len() {
                let wide = *list(self.wide, self.node, slot)?.get(i)?;
                let single = *list(self.single, self.twin, slot)?.get(i)?;
                let step = Some(slot) == slice.optional_steps_input;
                if !rows && wide != single || rows && step && wide != 1 {
                    return None;
                }
            }
        }
        Some(Flow::Along { axis, outer, each })
    }

    fn gather(&self, inputs: &[Flow]) -> Option<Flow> {
        let op: &dyn TypedOp = &*self.node.op;
        let along = op.downcast_ref::<Gather>().map(|gather| gather.axis);
        let along = along.or_else(|| op.downcast_ref::<Lookup>().map(|lookup| lookup.axis))?;
        let indices = self.input(1)?.rank();
        match *inputs {
            [Flow::Along { axis, outer, each }, Flow::Same] if axis < along => {
                Some(Flow::Along { axis, outer, each })
            }
            [Flow::Along { axis, outer, each }, Flow::Same] if axis > along => {
                let axis = axis + indices - 1;
                Some(Flow::Along { axis, outer, each })
            }
            [Flow::Same, Flow::Along { axis, outer, each }] => {
                let axis = axis + along;
                Some(Flow::Along { axis, outer, each })
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
    let outer = 1;
    (wide[axis] == each * rows).then_some(Flow::Along { axis, outer, each })
}

/// Where the rows are after a change of axes, from `[outer, rows, each]` along an axis.
fn moved(change: &AxisOp, axis: usize, [outer, rows, each]: [usize; 3]) -> Option<Flow> {
    let AxisOp::Reshape(at, from, to) = change else {
        let axis = change.transform_axis(axis)?;
        return Some(Flow::Along { axis, outer, each });
    };
    if axis < *at || axis >= at + from.len() {
        let axis = change.transform_axis(axis)?;
        return Some(Flow::Along { axis, outer, each });
    }
    let fixed = |dims: &[TDim]| -> Option<Vec<usize>> {
        let dim = |dim: &TDim| usize::try_from(dim.to_i64().ok()?).ok();
        dims.iter().map(dim).collect()
    };
    let (from, to) = (fixed(from)?, fixed(to)?);
    // In the group's cells, counted in their order, row r is at (o * rows + r) * inner + i.
    let groups = from.get(..axis - at)?.iter().product::<usize>() * outer;
    let inner = from.get(axis - at + 1..)?.iter().product::<usize>() * each;
    (0..to.len()).find_map(|place| {
        let before: usize = to[..place].iter().product();
        let after: usize = to[place + 1..].iter().product();
        let (outer, each) = (groups.checked_div(before)?, inner.checked_div(after)?);
        let exact = outer * before == groups && each * after == inner;
        (exact && to[place] == outer * rows * each).then_some(Flow::Along {
            axis: at + place,
            outer,
            each,
        })
    })
}
