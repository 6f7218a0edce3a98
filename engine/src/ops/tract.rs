//! Our operators as tract operators: a node waits for the shape of its input, then becomes a kernel.

use std::sync::Arc;

use tract_onnx::Onnx;
use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::infer::{InferenceOp, ShapeFactoid};
use tract_onnx::tract_hir::internal::*;

use super::{Bind, Bound, Labels, OPERATORS, SINGLE, find};
use crate::error::Error;
use crate::kernels::slab::text;
use crate::kernels::{
    Arena, Element, Kernel, Register, Rows, RowsMut, Scratch, Shape, Slab, SlabMut, Span, mismatch,
};

/// Registers all operators, replacing those that tract has by the same name.
pub fn register(onnx: &mut Onnx) {
    for (name, _) in OPERATORS {
        onnx.op_register.insert(name, build);
    }
}

fn build(_: &ParsingContext, node: &NodeProto) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    let bind = find(&node.op_type).ok_or_else(|| mismatch("operator"))?;
    Ok((
        Box::new(Waiting {
            node: Arc::new(node.clone()),
            bind,
        }),
        vec![],
    ))
}

/// A node whose input shapes are not known yet.
#[derive(Debug, Clone)]
struct Waiting {
    node: Arc<NodeProto>,
    bind: Bind,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Waiting) -> bool {
        Arc::ptr_eq(&self.node, &other.node)
    }
}

impl Eq for Waiting {}

impl Op for Waiting {
    fn name(&self) -> StaticName {
        self.node.op_type.clone().into()
    }

    not_a_typed_op!();
}

impl EvalOp for Waiting {
    not_out_of_plan!();
}

impl Waiting {
    /// Binds the node to inputs of known type and shape.
    fn bind(&self, inputs: &[(DatumType, TVec<usize>)]) -> TractResult<Calling> {
        let shapes = inputs.iter().map(|(datum, dims)| {
            let element = element(*datum)?;
            let width = dims.iter().skip(1).product();
            Ok(Shape { element, width })
        });
        let shapes: Vec<Shape> = shapes.collect::<TractResult<_>>()?;
        let Bound {
            kernel,
            outputs,
            labels,
        } = (self.bind)(&self.node, &shapes)?;
        let Some((_, dims)) = inputs.first() else {
            bail!("{} without inputs", self.node.op_type)
        };
        let rows = dims.first().copied().unwrap_or(1);
        let cellwise = match self.node.op_type.as_str() {
            "LabelEncoder" | "CategoryMapper" | "Binarizer" => Some(dims.clone()),
            "OneHotEncoder" => {
                let cells: usize = dims.iter().product();
                let categories = outputs
                    .first()
                    .map_or(0, |shape| shape.width * rows / cells.max(1));
                Some(dims.iter().copied().chain([categories]).collect())
            }
            _ => None,
        };
        let outputs = outputs.iter().enumerate().map(|(i, shape)| {
            let dims = match (&cellwise, &labels, i) {
                (Some(dims), _, 0) => dims.clone(),
                (None, Some(_), 0) => tvec!(rows),
                _ => tvec!(rows, shape.width),
            };
            Target {
                shape: *shape,
                dims,
            }
        });
        Ok(Calling {
            name: self.node.op_type.clone(),
            kernel: kernel.into(),
            outputs: outputs.collect(),
            labels: labels.map(Arc::new),
        })
    }
}

impl InferenceOp for Waiting {
    fn infer_facts(
        &mut self,
        inputs: TVec<&InferenceFact>,
        outputs: TVec<&InferenceFact>,
        observed: TVec<&InferenceFact>,
    ) -> TractResult<(
        TVec<InferenceFact>,
        TVec<InferenceFact>,
        TVec<InferenceFact>,
    )> {
        let known: Option<Vec<(DatumType, TVec<usize>)>> = inputs
            .iter()
            .map(|fact| {
                Some((
                    fact.datum_type.concretize()?,
                    fact.shape.as_concrete_finite().ok()??,
                ))
            })
            .collect();
        let outputs = match known {
            None => outputs.into_iter().cloned().collect(),
            Some(known) => {
                let calling = self.bind(&known)?;
                if outputs.len() > calling.outputs.len() {
                    bail!("{} has {} outputs", self.node.op_type, outputs.len());
                }
                let facts = (0..outputs.len()).map(|i| calling.inference_fact(i));
                facts.collect::<TractResult<_>>()?
            }
        };
        Ok((
            inputs.into_iter().cloned().collect(),
            outputs,
            observed.into_iter().cloned().collect(),
        ))
    }

    fn nboutputs(&self) -> TractResult<usize> {
        Ok(self.node.output.len())
    }

    fn to_typed(
        &self,
        _: &InferenceModel,
        node: &InferenceNode,
        target: &mut TypedModel,
        mapping: &HashMap<OutletId, OutletId>,
    ) -> TractResult<TVec<OutletId>> {
        let inputs = node
            .inputs
            .iter()
            .map(|o| mapping.get(o).copied().context("an input without a value"));
        let inputs: TVec<OutletId> = inputs.collect::<TractResult<_>>()?;
        let mut known = Vec::with_capacity(inputs.len());
        for outlet in &inputs {
            let fact = target.outlet_fact(*outlet)?;
            let dims = fact
                .shape
                .as_concrete()
                .context("a shape that is not fixed")?;
            known.push((fact.datum_type, dims.iter().copied().collect()));
        }
        target.wire_node(&node.name, self.bind(&known)?, &inputs)
    }

    as_op!();
}

/// A bound kernel.
#[derive(Debug, Clone)]
struct Calling {
    name: String,
    kernel: Arc<dyn Kernel>,
    outputs: Vec<Target>,
    labels: Option<Arc<Labels>>,
}

/// Shape per row and dimensions of one output.
#[derive(Debug, Clone)]
struct Target {
    shape: Shape,
    dims: TVec<usize>,
}

impl PartialEq for Calling {
    fn eq(&self, other: &Calling) -> bool {
        Arc::ptr_eq(&self.kernel, &other.kernel)
    }
}

impl Eq for Calling {}

impl Op for Calling {
    fn name(&self) -> StaticName {
        self.name.clone().into()
    }

    op_as_typed_op!();
}

impl EvalOp for Calling {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let rows = self
            .outputs
            .first()
            .and_then(|o| o.dims.first())
            .copied()
            .unwrap_or(1);
        let single = |t: TValue| match t.datum_type() {
            DatumType::F32 | DatumType::String => Ok(t),
            _ if SINGLE.contains(&self.name.as_str()) => {
                Ok(t.cast_to::<f32>()?.into_owned().into_tvalue())
            }
            _ => Ok(t),
        };
        let inputs: TVec<TValue> = inputs.into_iter().map(single).collect::<TractResult<_>>()?;
        let texts: Vec<(Vec<Span>, String)> = inputs
            .iter()
            .map(|t| spans(t))
            .collect::<TractResult<_>>()?;
        let integers: Vec<Vec<i64>> = inputs
            .iter()
            .map(|t| integers(t))
            .collect::<TractResult<_>>()?;
        let mut slabs = Vec::with_capacity(inputs.len());
        for ((tensor, (spans, arena)), integers) in inputs.iter().zip(&texts).zip(&integers) {
            let width = tensor.len() / rows.max(1);
            let slab = match tensor.datum_type() {
                DatumType::F32 => Slab::F32(Rows::new(
                    tensor.try_as_plain_ram()?.as_slice::<f32>()?,
                    0,
                    width,
                    width,
                    rows,
                )?),
                DatumType::F64 => Slab::F64(Rows::new(
                    tensor.try_as_plain_ram()?.as_slice::<f64>()?,
                    0,
                    width,
                    width,
                    rows,
                )?),
                DatumType::String => Slab::Text(Rows::new(spans, 0, width, width, rows)?, arena),
                _ => Slab::I64(Rows::new(integers, 0, width, width, rows)?),
            };
            slabs.push(slab);
        }
        self.call(&slabs, rows)
    }
}

impl Calling {
    fn call(&self, inputs: &[Slab<'_>], rows: usize) -> TractResult<TVec<TValue>> {
        let mut floats: Vec<Vec<f32>> = Vec::new();
        let mut doubles: Vec<Vec<f64>> = Vec::new();
        let mut integers: Vec<Vec<i64>> = Vec::new();
        let mut texts: Vec<(Vec<Span>, Arena)> = Vec::new();
        for Target { shape, .. } in &self.outputs {
            let n = shape.width * rows;
            let cells = if shape.element == Element::Text { n } else { 0 };
            texts.push((vec![Span::default(); cells], Arena::default()));
            floats.push(if shape.element == Element::F32 {
                vec![0.0; n]
            } else {
                Vec::new()
            });
            doubles.push(if shape.element == Element::F64 {
                vec![0.0; n]
            } else {
                Vec::new()
            });
            integers.push(if shape.element == Element::I64 {
                vec![0; n]
            } else {
                Vec::new()
            });
        }
        let buffers = floats
            .iter_mut()
            .zip(&mut doubles)
            .zip(integers.iter_mut().zip(&mut texts));
        let outputs =
            self.outputs
                .iter()
                .zip(buffers)
                .map(|(Target { shape, .. }, ((f, d), (i, t)))| {
                    let width = shape.width;
                    Ok(match shape.element {
                        Element::F32 => SlabMut::F32(RowsMut::new(f, 0, width, width, rows)?),
                        Element::F64 => SlabMut::F64(RowsMut::new(d, 0, width, width, rows)?),
                        Element::I64 => SlabMut::I64(RowsMut::new(i, 0, width, width, rows)?),
                        Element::Text => {
                            let (cells, arena) = t;
                            SlabMut::Text(RowsMut::new(cells, 0, width, width, rows)?, arena)
                        }
                        Element::Bool => return Err(mismatch(&self.name)),
                    })
                });
        let mut outputs = outputs.collect::<Result<Vec<_>, Error>>()?;
        let size = self.kernel.scratch();
        let mut scratch = Scratch {
            f32: vec![0.0; size.f32 * rows],
            f64: vec![0.0; size.f64 * rows],
            flags: vec![false; size.flags * rows],
            registers: vec![Register::default(); size.registers * rows.div_ceil(16)],
        };
        self.kernel.run(inputs, &mut outputs, &mut scratch)?;
        drop(outputs);
        let tensors = self
            .outputs
            .iter()
            .enumerate()
            .zip(floats.into_iter().zip(doubles).zip(integers).zip(texts));
        tensors
            .map(|((o, target), (((f, d), i), (spans, arena)))| {
                if target.shape.element == Element::Text {
                    let texts = spans.iter().map(|s| text(arena.as_str(), *s).to_owned());
                    let texts: Vec<String> = texts.collect();
                    return Ok(tensor1(&texts).into_shape(&target.dims)?.into_tvalue());
                }
                Ok(self.tensor(o, target, f, d, i)?.into_tvalue())
            })
            .collect()
    }

    fn tensor(
        &self,
        output: usize,
        target: &Target,
        f: Vec<f32>,
        d: Vec<f64>,
        i: Vec<i64>,
    ) -> TractResult<Tensor> {
        let tensor = match (target.shape.element, self.labels.as_deref()) {
            (Element::F32, _) => tensor1(&f),
            (Element::F64, _) => tensor1(&d),
            (_, Some(Labels::Integers(labels))) if output == 0 => {
                let labels: Vec<i64> = i.iter().map(|i| labels[*i as usize]).collect();
                tensor1(&labels)
            }
            (_, Some(Labels::Texts(labels))) if output == 0 => {
                let labels: Vec<String> = i.iter().map(|i| labels[*i as usize].clone()).collect();
                tensor1(&labels)
            }
            _ => tensor1(&i),
        };
        tensor.into_shape(&target.dims)
    }

    fn datum_type(&self, output: usize) -> TractResult<DatumType> {
        let Some(target) = self.outputs.get(output) else {
            bail!("{} has no output {output}", self.name)
        };
        Ok(match (target.shape.element, self.labels.as_deref()) {
            (_, Some(Labels::Texts(_))) if output == 0 => DatumType::String,
            (Element::F32, _) => DatumType::F32,
            (Element::F64, _) => DatumType::F64,
            (Element::Text, _) => DatumType::String,
            _ => DatumType::I64,
        })
    }

    fn inference_fact(&self, output: usize) -> TractResult<InferenceFact> {
        let Some(target) = self.outputs.get(output) else {
            bail!("{} has no output {output}", self.name)
        };
        let shape: ShapeFactoid = target.dims.iter().copied().collect();
        Ok(InferenceFact::dt_shape(self.datum_type(output)?, shape))
    }
}

impl TypedOp for Calling {
    fn output_facts(&self, _: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let fact = |(i, target): (usize, &Target)| Ok(self.datum_type(i)?.fact(&*target.dims));
        self.outputs.iter().enumerate().map(fact).collect()
    }

    as_op!();
}

/// True for our operators, whose rows do not see one another.
pub fn is_rowwise(op: &dyn TypedOp) -> bool {
    op.is::<Calling>()
}

fn element(datum: DatumType) -> TractResult<Element> {
    Ok(match datum {
        DatumType::F32 => Element::F32,
        DatumType::F64 => Element::F64,
        DatumType::I64 | DatumType::I32 | DatumType::TDim => Element::I64,
        DatumType::Bool => Element::Bool,
        DatumType::String => Element::Text,
        other => bail!("elements of type {other:?}"),
    })
}

fn spans(tensor: &Tensor) -> TractResult<(Vec<Span>, String)> {
    let (mut spans, mut arena) = (Vec::new(), String::new());
    if tensor.datum_type() == DatumType::String {
        for text in tensor.try_as_plain_ram()?.as_slice::<String>()? {
            let start = arena.len() as u32;
            arena.push_str(text);
            spans.push(Span {
                start,
                end: arena.len() as u32,
            });
        }
    }
    Ok((spans, arena))
}

fn integers(tensor: &Tensor) -> TractResult<Vec<i64>> {
    match tensor.datum_type() {
        DatumType::I64 | DatumType::I32 | DatumType::TDim | DatumType::Bool => {
            let wide = tensor.cast_to::<i64>()?;
            Ok(wide.try_as_plain_ram()?.as_slice::<i64>()?.to_vec())
        }
        _ => Ok(Vec::new()),
    }
}
