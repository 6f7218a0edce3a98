//! LSTM, GRU and RNN as tract operators, in place of tract's: the kernel of `kernels::recurrent`.

use std::fmt;
use std::sync::Arc;

use tract_onnx::Onnx;
use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::internal::*;

use crate::error::Error;
use crate::kernels::recurrent::{Cell, Direction, Function, Outputs};
use crate::ops::recurrent::{Inputs, MOST_HIDDEN, MOST_STEPS, Settings};

/// Registers the three operators.
pub fn register(onnx: &mut Onnx) {
    for name in ["GRU", "LSTM", "RNN"] {
        onnx.op_register.insert(name, build);
    }
}

fn build(_: &ParsingContext, node: &NodeProto) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    let settings = Settings::read(node)?;
    Ok((expand(Unbound { settings }), vec![]))
}

/// A node whose weights are not packed yet.
#[derive(Debug, Clone)]
struct Unbound {
    settings: Settings,
}

impl Expansion for Unbound {
    fn name(&self) -> StaticName {
        self.settings.op.clone().into()
    }

    fn nboutputs(&self) -> TractResult<usize> {
        Ok(self.settings.outputs.iter().flatten().count())
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        let (x, r) = (&inputs[0], &inputs[2]);
        s.equals(&x.rank, 3)?;
        s.equals(&r.rank, 3)?;
        let [all, hidden, cell] = self.settings.outputs;
        for slot in [all, hidden, cell].into_iter().flatten() {
            let out = &outputs[slot];
            let last = Some(slot) != all;
            s.equals(&out.datum_type, DatumType::F32)?;
            s.equals(&out.rank, if last { 3 } else { 4 })?;
            if !last {
                s.equals(&out.shape[0], &x.shape[0])?;
            }
            let first = usize::from(!last);
            s.equals(&out.shape[first], self.settings.directions.len().to_dim())?;
            s.equals(&out.shape[first + 1], &x.shape[1])?;
            s.equals(&out.shape[first + 2], &r.shape[2])?;
        }
        Ok(())
    }

    fn wire(
        &self,
        prefix: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        let op = self.bind(prefix, model, inputs)?;
        model.wire_node(prefix, op, inputs)
    }
}

impl Unbound {
    fn bind(&self, name: &str, model: &TypedModel, inputs: &[OutletId]) -> TractResult<Recurrent> {
        let settings = &self.settings;
        let fact = |slot: usize| match inputs.get(slot) {
            Some(outlet) => model.outlet_fact(*outlet),
            None => bail!("\"{name}\" has no input {slot}"),
        };
        let dims = |slot: usize| match fact(slot)?.shape.as_concrete() {
            Some(dims) => Ok(dims.to_vec()),
            None => bail!("a shape that is not fixed"),
        };
        let directions = settings.directions.len();
        let wrong = |what: &str| {
            TractError::from(Error::Invalid(format!(
                "\"{name}\" has {what} that do not fit"
            )))
        };
        let (x, w) = (dims(0)?, dims(1)?);
        let ([steps, rows, width], [d, gates, inner]) = (x.as_slice(), w.as_slice()) else {
            return Err(wrong("inputs"));
        };
        let hidden = gates / settings.gates;
        let fits = *d == directions && gates % settings.gates == 0 && inner == width && hidden > 0;
        if !fits || settings.hidden.is_some_and(|size| size != hidden) {
            return Err(wrong("weights"));
        }
        for (what, found, limit) in [
            ("steps of a recurrent network", *steps, MOST_STEPS),
            ("hidden cells of a recurrent network", hidden, MOST_HIDDEN),
        ] {
            if found > limit {
                let (found, limit) = (found as u64, limit as u64);
                return Err(Error::TooLarge { what, found, limit }.into());
            }
        }
        let constant = |slot: usize, cells: usize| -> TractResult<Vec<f32>> {
            let fact = fact(slot)?;
            let Some(konst) = &fact.konst else {
                return Err(Error::Unsupported(format!(
                    "\"{name}\" with weights that are not constant"
                ))
                .into());
            };
            if konst.datum_type() != DatumType::F32 || konst.len() != cells {
                return Err(wrong("weights"));
            }
            Ok(konst.try_as_plain_ram()?.as_slice::<f32>()?.to_vec())
        };
        let stacked = settings.gates * hidden;
        let w = constant(1, directions * stacked * width)?;
        let r = constant(2, directions * stacked * hidden)?;
        let bias = match settings.inputs.bias {
            Some(slot) => constant(slot, directions * 2 * stacked)?,
            None => vec![0.0; directions * 2 * stacked],
        };
        if let Some(slot) = settings.inputs.lengths {
            self.whole(name, fact(slot)?, *steps)?;
        }
        for slot in [settings.inputs.hidden, settings.inputs.cell]
            .into_iter()
            .flatten()
        {
            if dims(slot)? != [directions, *rows, hidden] {
                return Err(wrong("initial states"));
            }
        }
        let cells = settings
            .directions
            .iter()
            .enumerate()
            .map(|(i, direction)| {
                let part = |all: &'_ [f32]| {
                    let size = all.len() / directions;
                    i * size..(i + 1) * size
                };
                let (w, r, bias) = (&w[part(&w)], &r[part(&r)], &bias[part(&bias)]);
                let functions: Vec<Function> = settings.functions[i].clone();
                let cell = match settings.op.as_str() {
                    "LSTM" => Cell::lstm(w, r, bias, hidden, functions),
                    "GRU" => Cell::gru(w, r, bias, hidden, settings.linear, functions),
                    _ => Cell::rnn(w, r, bias, hidden, functions),
                };
                (cell, *direction)
            });
        Ok(Recurrent {
            op: settings.op.clone(),
            cells: cells.collect::<Vec<_>>().into(),
            inputs: settings.inputs,
            outputs: settings.outputs,
            dims: [*steps, *rows, hidden],
        })
    }

    /// Lengths of sequences that are constant and all of them whole.
    fn whole(&self, name: &str, fact: &TypedFact, steps: usize) -> TractResult<()> {
        let refused = || {
            Error::Unsupported(format!(
                "\"{name}\" with lengths of sequences that depend on the row or leave out steps"
            ))
        };
        let lengths = fact.konst.as_ref().ok_or_else(refused)?.cast_to::<i64>()?;
        let plain = lengths.try_as_plain_ram()?;
        let whole = |length: &i64| usize::try_from(*length) == Ok(steps);
        if plain.as_slice::<i64>()?.iter().all(whole) {
            Ok(())
        } else {
            Err(refused().into())
        }
    }
}

/// A node with its weights packed.
#[derive(Clone)]
pub struct Recurrent {
    op: String,
    cells: Arc<[(Cell, Direction)]>,
    inputs: Inputs,
    /// Slots of all hidden states, the last hidden states and the last cell states.
    outputs: [Option<usize>; 3],
    /// Steps, rows, hidden cells.
    dims: [usize; 3],
}

impl fmt::Debug for Recurrent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} over {:?}", self.op, self.dims)
    }
}

impl PartialEq for Recurrent {
    fn eq(&self, other: &Recurrent) -> bool {
        Arc::ptr_eq(&self.cells, &other.cells)
    }
}

impl Eq for Recurrent {}

impl Recurrent {
    /// Inputs with one part per row, along axis 1.
    pub fn takes_rows(&self, slot: usize) -> bool {
        slot == 0 || [self.inputs.hidden, self.inputs.cell].contains(&Some(slot))
    }

    /// Inputs that were read when the node was bound.
    pub fn takes_weights(&self, slot: usize) -> bool {
        slot != 0
    }

    /// The axis of an output that has the rows.
    pub fn row_axis(&self, slot: usize) -> usize {
        if self.outputs[0] == Some(slot) { 2 } else { 1 }
    }

    pub fn memory(&self) -> usize {
        self.cells.iter().map(|(cell, _)| cell.memory()).sum()
    }

    /// Evaluates the node. `interrupted` is asked between steps.
    pub fn run(
        &self,
        inputs: &TVec<TValue>,
        interrupted: &dyn Fn() -> bool,
    ) -> TractResult<TVec<TValue>> {
        let [steps, rows, hidden] = self.dims;
        let directions = self.cells.len();
        let Some(x) = inputs.first() else {
            bail!("{} without inputs", self.op)
        };
        let x = x.try_as_plain_ram()?;
        let x = x.as_slice::<f32>()?;
        let initial = |slot: Option<usize>| -> TractResult<Tensor> {
            let state = slot.and_then(|slot| inputs.get(slot));
            match state {
                Some(state) => Ok(state.clone().into_tensor()),
                None => Tensor::zero::<f32>(&[directions, rows, hidden]),
            }
        };
        let (mut h, mut c) = (initial(self.inputs.hidden)?, initial(self.inputs.cell)?);
        let mut all = match self.outputs[0] {
            Some(_) => Some(Tensor::zero::<f32>(&[steps, directions, rows, hidden])?),
            None => None,
        };
        {
            let (mut h, mut c) = (h.try_as_plain_ram_mut()?, c.try_as_plain_ram_mut()?);
            let states = h
                .as_slice_mut::<f32>()?
                .chunks_exact_mut(rows * hidden)
                .zip(c.as_slice_mut::<f32>()?.chunks_exact_mut(rows * hidden));
            for (index, ((cell, direction), (h, c))) in self.cells.iter().zip(states).enumerate() {
                let mut plain = all.as_mut().map(|t| t.try_as_plain_ram_mut()).transpose()?;
                let all = match &mut plain {
                    Some(plain) => Some((plain.as_slice_mut::<f32>()?, index, directions)),
                    None => None,
                };
                let mut outputs = Outputs {
                    all,
                    hidden: h,
                    cell: c,
                };
                cell.run(x, rows, *direction, &mut outputs, interrupted)?;
            }
        }
        let mut found: Vec<(usize, Tensor)> = Vec::new();
        let slots = self.outputs.iter().zip([all, Some(h), Some(c)]);
        for (slot, tensor) in slots {
            if let (Some(slot), Some(tensor)) = (slot, tensor) {
                found.push((*slot, tensor));
            }
        }
        found.sort_unstable_by_key(|(slot, _)| *slot);
        Ok(found.into_iter().map(|(_, t)| t.into_tvalue()).collect())
    }
}

impl Op for Recurrent {
    fn name(&self) -> StaticName {
        self.op.clone().into()
    }

    op_as_typed_op!();
}

impl EvalOp for Recurrent {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        self.run(&inputs, &|| false)
    }
}

impl TypedOp for Recurrent {
    fn output_facts(&self, _: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let [steps, rows, hidden] = self.dims;
        let directions = self.cells.len();
        let count = self.outputs.iter().flatten().count();
        let fact = |slot| {
            if self.outputs[0] == Some(slot) {
                DatumType::F32.fact([steps, directions, rows, hidden])
            } else {
                DatumType::F32.fact([directions, rows, hidden])
            }
        };
        Ok((0..count).map(fact).collect())
    }

    fn cost(&self, _: &[&TypedFact]) -> TractResult<TVec<(Cost, TDim)>> {
        let [steps, rows, _] = self.dims;
        let each: usize = self.cells.iter().map(|(cell, _)| cell.cost()).sum();
        let all = each.saturating_mul(steps).saturating_mul(rows);
        Ok(tvec!((Cost::FMA(DatumType::F32), all.to_dim())))
    }

    as_op!();
}
