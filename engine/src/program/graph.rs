//! A tract plan compiled for one row, for graphs with operators that have no kernel of ours.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tract_onnx::pb::tensor_shape_proto::Dimension;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Dim;
use tract_onnx::pb::type_proto::Value as Type;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorShapeProto};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::array::Gather;
use tract_onnx::tract_core::optim::Optimizer;
use tract_onnx::tract_core::plan::eval;

use super::Sink;
use crate::admit::budget;
use crate::batch::{Blocks, columns};
use crate::error::{Error, Result};
use crate::kernels::Element;
use crate::kernels::slab::text;
use crate::limits::Limits;
use crate::ops::tensor::Constant;
use crate::ops::tract::register;
use crate::ops::{Labels, array_feature_extractor, labels_of};
use crate::signature::inputs::Declared;
use crate::signature::outputs::Output;
use crate::signature::{Feature, Kind};

/// The plan of one row.
#[derive(Debug)]
pub struct Graph {
    plan: Arc<TypedRunnableModel>,
    inputs: Vec<Source>,
    outputs: Vec<Output>,
    memory: usize,
}

/// Where a graph input's cells are in the batch.
#[derive(Debug)]
struct Source {
    element: Element,
    column: usize,
    width: usize,
    dims: TVec<usize>,
    narrow: bool,
}

/// What tract keeps between rows; gone after a row that failed.
#[derive(Debug, Default)]
pub struct State {
    turn: Option<TypedSimpleState>,
}

impl Graph {
    /// Compiles a lowered model for batches of one row.
    pub fn compile(
        model: &ModelProto,
        inputs: &[Declared],
        features: &[Feature],
        limits: &Limits,
    ) -> Result<Graph> {
        let mut single = model.clone();
        if let Some(graph) = &mut single.graph {
            budget::network(graph)?;
            fix_batch(graph, inputs);
            flatten_indices(graph);
        }
        let (plan, outputs, memory) = guarded(|| plan(&single, limits))?;
        let graph = Graph {
            plan,
            inputs: sources(inputs, features),
            outputs,
            memory,
        };
        graph.probe()?;
        Ok(graph)
    }

    /// Evaluates a row of zeros and empty texts, for what tract refuses only when it evaluates. An encoder may refuse the
    /// empty text.
    fn probe(&self) -> Result<()> {
        let inputs = self
            .inputs
            .iter()
            .map(Source::zeros)
            .collect::<Result<_>>()?;
        match self.evaluate(inputs, &mut self.state(), &|| false) {
            Ok(_) | Err(Error::UnknownCategory { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub fn outputs(&self) -> Vec<Output> {
        self.outputs.clone()
    }

    /// Bytes of the constants.
    pub fn memory(&self) -> usize {
        self.memory
    }

    pub fn state(&self) -> State {
        State::default()
    }

    /// Scores the first `rows` rows of the batch into `sink`, one by one.
    pub fn run(
        &self,
        batch: &Blocks,
        rows: usize,
        state: &mut State,
        sink: &mut Sink<'_>,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<()> {
        for row in 0..rows {
            let inputs = self
                .inputs
                .iter()
                .map(|s| s.tensor(batch, row).map(IntoTValue::into_tvalue));
            let outputs = self.evaluate(inputs.collect::<Result<_>>()?, state, interrupted)?;
            for (i, tensor) in outputs.iter().enumerate() {
                if sink.wants_label(i) {
                    label(sink, row, tensor)?;
                } else if sink.wants_numbers(i) {
                    let wide = tensor.cast_to::<f64>().map_err(evaluation)?;
                    let view = wide.try_as_plain_ram().map_err(evaluation)?;
                    sink.numbers(row, view.as_slice::<f64>().map_err(evaluation)?, |x| *x);
                }
            }
        }
        Ok(())
    }

    /// Outputs of one row. `interrupted` is asked before every node.
    fn evaluate(
        &self,
        inputs: TVec<TValue>,
        state: &mut State,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<TVec<TValue>> {
        guarded(|| {
            let mut turn = match state.turn.take() {
                Some(turn) => turn,
                None => self.plan.spawn().map_err(evaluation)?,
            };
            let outputs = turn.run_plan_with_eval(inputs, |context, op, node, inputs| {
                if interrupted() {
                    return Err(TractError::from(Error::Interrupted));
                }
                eval(context, op, node, inputs)
            });
            let outputs = outputs.map_err(evaluation)?;
            state.turn = Some(turn);
            Ok(outputs)
        })
    }
}

/// Parses and optimises a graph of one row; its outputs and the bytes of its constants.
fn plan(
    model: &ModelProto,
    limits: &Limits,
) -> Result<(Arc<TypedRunnableModel>, Vec<Output>, usize)> {
    let invalid = |e: TractError| failure(&e, Error::Invalid);
    let mut onnx = onnx().with_ignore_output_shapes(true);
    onnx.ignore_value_info = true;
    register(&mut onnx);
    let parsed = onnx.parse(model, None).map_err(invalid)?;
    if let Some(name) = parsed.unresolved_inputs.first() {
        return Err(Error::Invalid(format!("nothing produces value \"{name}\"")));
    }
    let mut typed = parsed.model.into_typed().map_err(invalid)?;
    budget::row(&typed, limits)?;
    check_indices(&typed)?;
    for pass in [Optimizer::declutter(), Optimizer::codegen()] {
        pass.stopping_at(limits.optimizer_steps)
            .optimize(&mut typed)
            .map_err(invalid)?;
    }
    let outputs = outputs(model, &typed)?;
    let constants = typed
        .nodes
        .iter()
        .flat_map(|node| &node.outputs)
        .filter_map(|o| o.fact.konst.as_ref());
    let memory = constants
        .map(|t| t.len().saturating_mul(t.datum_type().size_of()))
        .sum();
    let plan = typed.into_runnable().map_err(invalid)?;
    Ok((plan, outputs, memory))
}

/// tract's Gather looks for an index outside its axis in the whole tensor, where it finds cells of a neighbour.
fn check_indices(model: &TypedModel) -> Result<()> {
    for node in &model.nodes {
        let Some(gather) = node.op_as::<Gather>() else {
            continue;
        };
        let fact = |i| {
            model
                .node_input_facts(node.id)
                .ok()
                .and_then(|facts| facts.get(i).copied())
        };
        let (Some(data), Some(indices)) = (fact(0), fact(1)) else {
            return Err(Error::Invalid(format!("\"{}\" has no indices", node.name)));
        };
        let dims = data.shape.as_concrete().unwrap_or(&[]);
        let Some(len) = dims
            .get(gather.axis)
            .and_then(|len| i64::try_from(*len).ok())
        else {
            return Err(Error::Invalid(format!(
                "\"{}\" indexes a missing axis",
                node.name
            )));
        };
        let single = dims.iter().take(gather.axis).all(|dim| *dim == 1);
        let Some(konst) = &indices.konst else {
            if single {
                continue;
            }
            return Err(Error::Unsupported(format!(
                "\"{}\", whose indices depend on the row,",
                node.name
            )));
        };
        let wide = konst.cast_to::<i64>().map_err(evaluation)?;
        let view = wide.try_as_plain_ram().map_err(evaluation)?;
        let cells = view.as_slice::<i64>().map_err(evaluation)?;
        if let Some(index) = cells.iter().find(|i| !(-len..len).contains(*i)) {
            return Err(Error::Invalid(format!(
                "\"{}\" takes index {index} of {len}",
                node.name
            )));
        }
    }
    Ok(())
}

/// tract asserts where a graph that admission lets through surprises it; that ends here as an error.
fn guarded<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    let panicked = |_| {
        Err(Error::Evaluation(
            "the graph engine failed an assertion".into(),
        ))
    };
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(panicked)
}

/// The engine's own error where tract only passed it on.
fn failure(error: &TractError, otherwise: fn(String) -> Error) -> Error {
    match error
        .chain()
        .find_map(|cause| cause.downcast_ref::<Error>())
    {
        Some(error) => error.clone(),
        None => otherwise(format!("{error:#}")),
    }
}

fn evaluation(error: TractError) -> Error {
    failure(&error, Error::Evaluation)
}

/// Gives every input a batch of one row.
fn fix_batch(graph: &mut GraphProto, inputs: &[Declared]) {
    for info in &mut graph.input {
        let Some(declared) = inputs.iter().find(|d| d.input.name == info.name) else {
            continue;
        };
        let Some(Type::TensorType(tensor)) = info.r#type.as_mut().and_then(|t| t.value.as_mut())
        else {
            continue;
        };
        let dim = declared.dims().into_iter().map(|d| {
            let value = i64::try_from(d).ok().map(Dim::DimValue);
            Dimension {
                value,
                ..Dimension::default()
            }
        });
        tensor.shape = Some(TensorShapeProto { dim: dim.collect() });
    }
}

/// Gives the constant indices of ArrayFeatureExtractor one dimension. The operator keeps that dimension whatever theirs
/// are, tract drops it for a scalar.
fn flatten_indices(graph: &mut GraphProto) {
    let extractors = graph
        .node
        .iter()
        .filter(|node| node.op_type == "ArrayFeatureExtractor");
    let indices: Vec<&String> = extractors.filter_map(|node| node.input.get(1)).collect();
    for tensor in graph
        .initializer
        .iter_mut()
        .filter(|t| indices.contains(&&t.name))
    {
        if let Some(cells) = tensor.dims.iter().try_fold(1i64, |n, d| n.checked_mul(*d)) {
            tensor.dims = vec![cells];
        }
    }
}

impl Declared {
    /// Dimensions of one row.
    fn dims(&self) -> TVec<usize> {
        if self.rank == 1 {
            tvec!(1)
        } else {
            tvec!(1, self.input.width)
        }
    }
}

fn sources(inputs: &[Declared], features: &[Feature]) -> Vec<Source> {
    let columns = columns(features);
    let source = |(i, declared): (usize, &Declared)| {
        let first = features.iter().position(|f| f.input == i)?;
        let (element, column) = columns.get(first).copied()?;
        let narrow = declared.narrow && declared.input.kind == Kind::Int64;
        Some(Source {
            element,
            column,
            width: declared.input.width,
            dims: declared.dims(),
            narrow,
        })
    };
    inputs.iter().enumerate().filter_map(source).collect()
}

impl Source {
    fn zeros(&self) -> Result<TValue> {
        let datum = match self.element {
            Element::F32 => DatumType::F32,
            Element::F64 => DatumType::F64,
            Element::I64 if self.narrow => DatumType::I32,
            Element::I64 => DatumType::I64,
            Element::Bool => DatumType::Bool,
            Element::Text => {
                let texts = vec![String::new(); self.width];
                return Ok(tensor1(&texts)
                    .into_shape(&self.dims)
                    .map_err(evaluation)?
                    .into_tvalue());
            }
        };
        Tensor::zero_dt(datum, &self.dims)
            .map(IntoTValue::into_tvalue)
            .map_err(evaluation)
    }

    fn tensor(&self, batch: &Blocks, row: usize) -> Result<Tensor> {
        let at = |width: usize| row * width + self.column..row * width + self.column + self.width;
        let short = || Error::Evaluation("a batch of another model".into());
        let tensor = match self.element {
            Element::F32 => tensor1(batch.f32.cells.get(at(batch.f32.width)).ok_or_else(short)?),
            Element::F64 => tensor1(batch.f64.cells.get(at(batch.f64.width)).ok_or_else(short)?),
            Element::I64 | Element::Bool => {
                let cells = batch.i64.cells.get(at(batch.i64.width)).ok_or_else(short)?;
                match (self.element, self.narrow) {
                    (Element::Bool, _) => {
                        tensor1(&cells.iter().map(|v| *v != 0).collect::<Vec<bool>>())
                    }
                    (_, true) => {
                        let narrow = cells
                            .iter()
                            .map(|v| i32::try_from(*v))
                            .collect::<std::result::Result<Vec<_>, _>>();
                        tensor1(&narrow.map_err(|_| {
                            Error::Evaluation("an integer of more than 32 bits".into())
                        })?)
                    }
                    _ => tensor1(cells),
                }
            }
            Element::Text => {
                let cells = batch
                    .text
                    .cells
                    .get(at(batch.text.width))
                    .ok_or_else(short)?;
                let texts: Vec<String> = cells
                    .iter()
                    .map(|span| text(&batch.arena, *span).to_owned())
                    .collect();
                tensor1(&texts)
            }
        };
        tensor.into_shape(&self.dims).map_err(evaluation)
    }
}

fn label(sink: &mut Sink<'_>, row: usize, tensor: &Tensor) -> Result<()> {
    if tensor.datum_type() == DatumType::String {
        let view = tensor.try_as_plain_ram().map_err(evaluation)?;
        let texts = view.as_slice::<String>().map_err(evaluation)?;
        return sink.text_label(row, texts.first().map_or("", String::as_str));
    }
    let wide = tensor.cast_to::<i64>().map_err(evaluation)?;
    let view = wide.try_as_plain_ram().map_err(evaluation)?;
    let value = view
        .as_slice::<i64>()
        .map_err(evaluation)?
        .first()
        .copied()
        .unwrap_or(-1);
    sink.integer_label(row, value, false)
}

/// Class labels that a node brings: its own, or those of a constant that it reads by index.
fn labels(graph: &GraphProto, node: &NodeProto) -> Option<Labels> {
    if node.op_type != "ArrayFeatureExtractor" {
        return labels_of(node).ok().flatten();
    }
    let constant = graph
        .initializer
        .iter()
        .find(|t| node.input.first() == Some(&t.name))?;
    array_feature_extractor::classes(&Constant::read(constant).ok()?)
}

/// What each output of the graph holds. Class labels are those of the graph's last classifier.
fn outputs(model: &ModelProto, typed: &TypedModel) -> Result<Vec<Output>> {
    let mut outputs = Vec::new();
    let Some(graph) = &model.graph else {
        return Ok(outputs);
    };
    let labels = graph.node.iter().rev().find_map(|node| labels(graph, node));
    for (i, info) in graph.output.iter().enumerate() {
        let fact = typed
            .output_fact(i)
            .map_err(|e| failure(&e, Error::Invalid))?;
        let width = fact
            .shape
            .as_concrete()
            .map(|dims| dims.iter().product::<usize>());
        outputs.push(match (fact.datum_type, width) {
            (DatumType::F32 | DatumType::F64, Some(width @ 1..)) => {
                let maker = graph
                    .node
                    .iter()
                    .find(|node| node.output.contains(&info.name));
                let distribution = maker.is_some_and(|node| node.op_type == "Softmax");
                Output::Numbers {
                    width,
                    distribution,
                }
            }
            (DatumType::I64 | DatumType::I32 | DatumType::TDim | DatumType::String, Some(1)) => {
                Output::Label(labels.clone())
            }
            (datum, _) => {
                return Err(Error::Unsupported(format!(
                    "output \"{}\" of type {datum:?}",
                    info.name
                )));
            }
        });
    }
    Ok(outputs)
}
