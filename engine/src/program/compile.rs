//! From the nodes of a graph to the steps of a tabular program.

use std::collections::HashMap;
use std::rc::Rc;

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto};

use super::fuse::place_concats;
use super::step::{Call, Place, Step, View};
use super::tabular::{Tabular, label_output};
use crate::batch::columns;
use crate::error::{Error, Result};
use crate::kernels::arithmetic::{Activation, Arithmetic, Operation};
use crate::kernels::cast::Cast;
use crate::kernels::dense::Dense;
use crate::kernels::select::ArgMax;
use crate::kernels::{Element, Kernel, Shape};
use crate::ops::tensor::Constant;
use crate::ops::{self, Attributes, Bound, Labels, array_feature_extractor, label_encoder};
use crate::signature::Feature;
use crate::signature::inputs::Declared;
use crate::signature::outputs::Output;

/// A value of the graph.
#[derive(Debug, Clone)]
enum Value {
    Rows(Tensor),
    /// An index into class labels.
    Label(Tensor, Rc<Labels>),
    Constant(Rc<Constant>),
}

/// Rows of a block with the rank the graph gives them.
#[derive(Debug, Clone, Copy)]
struct Tensor {
    view: View,
    rank: Rank,
    /// A softmax, or the probabilities of a classifier.
    distribution: bool,
}

/// Dimensions of rows: `[N]`, `[N, F]`, or `[N, M, F / M]` as a OneHotEncoder writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rank {
    One,
    Two,
    Three(usize),
}

/// Compiles a whole graph; `None` where an operator or its use has no kernel here.
pub fn compile(
    model: &ModelProto,
    inputs: &[Declared],
    features: &[Feature],
) -> Result<Option<Tabular>> {
    let Some(graph) = &model.graph else {
        return Err(Error::Invalid("model has no graph".into()));
    };
    let opset = model
        .opset_import
        .iter()
        .filter(|o| matches!(o.domain.as_str(), "" | "ai.onnx"))
        .map(|o| o.version)
        .max();
    let mut compiler = Compiler::new(graph, opset.unwrap_or(0))?;
    compiler.inputs(inputs, features);
    for node in &graph.node {
        if compiler.node(node)?.is_none() {
            return Ok(None);
        }
    }
    let Some(mut program) = compiler.finish(graph) else {
        return Ok(None);
    };
    place_concats(&mut program);
    Ok(Some(program))
}

struct Compiler<'a> {
    values: HashMap<&'a str, Value>,
    /// How many nodes and graph outputs read a value.
    uses: HashMap<&'a str, usize>,
    /// Outputs of ArgMax, with the number of columns they chose from.
    choices: Vec<(View, usize)>,
    program: Tabular,
    opset: i64,
}

/// `None` where the node has no kernel here.
type Compiled = Result<Option<()>>;

impl<'a> Compiler<'a> {
    fn new(graph: &'a GraphProto, opset: i64) -> Result<Compiler<'a>> {
        let mut values = HashMap::new();
        for tensor in &graph.initializer {
            if let Ok(constant) = Constant::read(tensor) {
                values.insert(tensor.name.as_str(), Value::Constant(Rc::new(constant)));
            }
        }
        let mut uses = HashMap::new();
        let outputs = graph.output.iter().map(|o| o.name.as_str());
        for name in graph
            .node
            .iter()
            .flat_map(|n| &n.input)
            .map(String::as_str)
            .chain(outputs)
        {
            *uses.entry(name).or_insert(0) += 1;
        }
        Ok(Compiler {
            values,
            uses,
            choices: Vec::new(),
            program: Tabular::default(),
            opset,
        })
    }

    /// Inputs are views of the batch's blocks.
    fn inputs(&mut self, inputs: &'a [Declared], features: &[Feature]) {
        let columns = columns(features);
        let stride = |element: Element| {
            let same = |e: &Element| storage(*e) == storage(element);
            columns.iter().filter(|(e, _)| same(e)).count()
        };
        for (i, declared) in inputs.iter().enumerate() {
            let first = features.iter().position(|f| f.input == i);
            let Some((element, offset)) = first.and_then(|f| columns.get(f).copied()) else {
                continue;
            };
            let view = View {
                place: Place::Input,
                element,
                offset,
                stride: stride(element),
                width: declared.input.width,
            };
            let rank = if declared.rank == 1 {
                Rank::One
            } else {
                Rank::Two
            };
            let tensor = Tensor {
                view,
                rank,
                distribution: false,
            };
            self.values
                .insert(&declared.input.name, Value::Rows(tensor));
        }
    }

    fn finish(mut self, graph: &GraphProto) -> Option<Tabular> {
        for output in &graph.output {
            let (view, output) = match self.values.get(output.name.as_str())? {
                Value::Rows(Tensor {
                    view, distribution, ..
                }) => match view.element {
                    Element::F32 | Element::F64 => (
                        *view,
                        Output::Numbers {
                            width: view.width,
                            distribution: *distribution,
                        },
                    ),
                    Element::I64 if view.width == 1 => (*view, Output::Label(None)),
                    _ => return None,
                },
                Value::Label(tensor, labels) => (tensor.view, label_output(labels)),
                Value::Constant(_) => return None,
            };
            self.program.outputs.push((view, output));
        }
        Some(self.program)
    }

    fn node(&mut self, node: &'a NodeProto) -> Compiled {
        match node.op_type.as_str() {
            "Constant" => self.constant(node),
            "Identity" => self.identity(node),
            "Cast" => self.cast(node),
            "Concat" => self.concat(node),
            "FeatureVectorizer" => self.feature_vectorizer(node),
            "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => self.reshape(node),
            "Add" => self.arithmetic(node, Operation::Add),
            "Sub" => self.arithmetic(node, Operation::Sub),
            "Mul" => self.arithmetic(node, Operation::Mul),
            "Div" => self.arithmetic(node, Operation::Div),
            "MatMul" => self.matmul(node),
            "Gemm" => self.gemm(node),
            "Relu" => self.activation(node, Activation::Relu),
            "LeakyRelu" => {
                let slope = Attributes::new(node)?.float("alpha").unwrap_or(0.01);
                self.activation(node, Activation::LeakyRelu(slope))
            }
            "Sigmoid" => self.activation(node, Activation::Sigmoid),
            "Tanh" => self.activation(node, Activation::Tanh),
            "Softmax" => self.softmax(node),
            "ArgMax" => self.arg_max(node),
            "ArrayFeatureExtractor" => self.array_feature_extractor(node),
            "Gather" => self.gather(node),
            other => match ops::find(other) {
                Some(bind) if other == "LabelEncoder" => self.label_encoder(node, bind),
                Some(bind) => self.operator(node, bind),
                None => Ok(None),
            },
        }
    }

    fn value(&self, node: &NodeProto, i: usize) -> Option<&Value> {
        self.values.get(node.input.get(i)?.as_str())
    }

    fn rows(&self, node: &NodeProto, i: usize) -> Option<Tensor> {
        match self.value(node, i)? {
            Value::Rows(tensor) => Some(*tensor),
            _ => None,
        }
    }

    fn constant_input(&self, node: &NodeProto, i: usize) -> Option<Rc<Constant>> {
        match self.value(node, i)? {
            Value::Constant(constant) => Some(constant.clone()),
            _ => None,
        }
    }

    fn set(&mut self, node: &'a NodeProto, value: Value) -> Option<()> {
        self.values.insert(node.output.first()?, value);
        Some(())
    }

    /// A new block for a value of this shape.
    fn block(&mut self, shape: Shape) -> View {
        self.program.blocks.push(shape);
        let place = Place::Block(self.program.blocks.len() - 1);
        View {
            place,
            element: shape.element,
            offset: 0,
            stride: shape.width,
            width: shape.width,
        }
    }

    fn step(&mut self, kernel: impl Kernel + 'static, inputs: Vec<View>, output: View) {
        self.program.steps.push(Step {
            call: Call::Kernel(Box::new(kernel)),
            inputs,
            outputs: vec![output],
        });
    }

    /// A step into a new block, `[N, F]`.
    fn push(&mut self, kernel: impl Kernel + 'static, inputs: Vec<View>, shape: Shape) -> Value {
        let view = self.block(shape);
        self.step(kernel, inputs, view);
        Value::Rows(Tensor {
            view,
            rank: Rank::Two,
            distribution: false,
        })
    }

    fn operator(&mut self, node: &'a NodeProto, bind: ops::Bind) -> Compiled {
        let Some(x) = self.rows(node, 0).filter(|_| node.input.len() == 1) else {
            return Ok(None);
        };
        let cellwise = matches!(node.op_type.as_str(), "LabelEncoder" | "OneHotEncoder");
        if x.rank != Rank::Two && !(cellwise && x.rank == Rank::One) {
            return Ok(None);
        }
        let shape = Shape {
            element: x.view.element,
            width: x.view.width,
        };
        let mut input = x.view;
        let linear = matches!(
            node.op_type.as_str(),
            "LinearClassifier" | "LinearRegressor"
        );
        if linear && shape.element != Element::F32 && storage(shape.element) != Element::Text {
            input = self.block(Shape::f32(shape.width));
            self.step(Cast { to: Element::F32 }, vec![x.view], input);
        }
        let Bound {
            kernel,
            outputs,
            labels,
        } = bind(node, &[shape])?;
        let views: Vec<View> = outputs.iter().map(|shape| self.block(*shape)).collect();
        self.program.steps.push(Step {
            call: Call::Kernel(kernel),
            inputs: vec![input],
            outputs: views.clone(),
        });
        let labels = labels.map(Rc::new);
        for (i, (name, view)) in node.output.iter().zip(views).enumerate() {
            let rank = match (labels.is_some() && i == 0, node.op_type.as_str(), x.rank) {
                (true, ..) | (_, "LabelEncoder", Rank::One) => Rank::One,
                (_, "OneHotEncoder", Rank::Two) => Rank::Three(shape.width),
                _ => Rank::Two,
            };
            let tensor = Tensor {
                view,
                rank,
                distribution: labels.is_some(),
            };
            let value = match &labels {
                Some(labels) if i == 0 => Value::Label(tensor, labels.clone()),
                _ => Value::Rows(tensor),
            };
            self.values.insert(name, value);
        }
        Ok(Some(()))
    }

    fn constant(&mut self, node: &'a NodeProto) -> Compiled {
        let Some(tensor) = Attributes::new(node)?.tensor("value") else {
            return Ok(None);
        };
        Ok(self.set(node, Value::Constant(Rc::new(Constant::read(tensor)?))))
    }

    fn identity(&mut self, node: &'a NodeProto) -> Compiled {
        let Some(value) = self.value(node, 0).cloned() else {
            return Ok(None);
        };
        Ok(self.set(node, value))
    }

    fn cast(&mut self, node: &'a NodeProto) -> Compiled {
        let to = Attributes::new(node)?
            .int("to")
            .and_then(|t| i32::try_from(t).ok())
            .map(DataType::try_from);
        let to = match to {
            Some(Ok(DataType::Float)) => Element::F32,
            Some(Ok(DataType::Double)) => Element::F64,
            Some(Ok(DataType::Int64)) => Element::I64,
            Some(Ok(DataType::Bool)) => Element::Bool,
            Some(Ok(DataType::String)) => Element::Text,
            _ => return Ok(None),
        };
        let value = match self.value(node, 0).cloned() {
            Some(Value::Label(tensor, labels)) => match (labels.as_ref(), to) {
                (Labels::Integers(_), Element::I64 | Element::Text)
                | (Labels::Texts(_), Element::Text) => Value::Label(tensor, labels),
                _ => return Ok(None),
            },
            Some(Value::Rows(x)) if x.view.element == to => Value::Rows(x),
            Some(Value::Rows(x)) if x.view.element != Element::Text && to != Element::Text => {
                let view = self.block(Shape {
                    element: to,
                    width: x.view.width,
                });
                self.step(Cast { to }, vec![x.view], view);
                Value::Rows(Tensor { view, ..x })
            }
            _ => return Ok(None),
        };
        Ok(self.set(node, value))
    }

    fn concat(&mut self, node: &'a NodeProto) -> Compiled {
        let rank = match (
            Attributes::new(node)?.int("axis"),
            self.rows(node, 0).map(|t| t.rank),
        ) {
            (Some(1 | -1), Some(Rank::Two)) => Rank::Two,
            (Some(2 | -1), Some(Rank::Three(1))) => Rank::Three(1),
            _ => return Ok(None),
        };
        let parts: Option<Vec<Tensor>> =
            (0..node.input.len()).map(|i| self.rows(node, i)).collect();
        let Some(parts) = parts.filter(|p| p.iter().all(|t| t.rank == rank)) else {
            return Ok(None);
        };
        let Some(first) = parts.first().map(|t| t.view) else {
            return Ok(None);
        };
        if parts.iter().any(|t| t.view.element != first.element) {
            return Ok(None);
        }
        let view = self.side_by_side(&parts, first.element);
        Ok(self.set(
            node,
            Value::Rows(Tensor {
                view,
                rank,
                distribution: false,
            }),
        ))
    }

    fn feature_vectorizer(&mut self, node: &'a NodeProto) -> Compiled {
        let parts: Option<Vec<Tensor>> =
            (0..node.input.len()).map(|i| self.rows(node, i)).collect();
        let Some(parts) = parts.filter(|p| !p.is_empty() && p.iter().all(|t| t.rank == Rank::Two))
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
        Ok(self.set(
            node,
            Value::Rows(Tensor {
                view,
                rank: Rank::Two,
                distribution: false,
            }),
        ))
    }

    /// Neighbouring columns of one block stay where they are; anything else is copied into a new block.
    fn side_by_side(&mut self, parts: &[Tensor], element: Element) -> View {
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
    fn reshape(&mut self, node: &'a NodeProto) -> Compiled {
        let Some(value) = self.value(node, 0).cloned() else {
            return Ok(None);
        };
        let (tensor, width) = match &value {
            Value::Rows(tensor) | Value::Label(tensor, _) => (*tensor, tensor.view.width),
            Value::Constant(_) => return Ok(None),
        };
        let attributes = Attributes::new(node)?;
        let axes = match self.constant_input(node, 1) {
            Some(constant) => constant.i64s().map(<[i64]>::to_vec),
            None => Some(attributes.ints("axes").to_vec()),
        };
        let width_i64 = i64::try_from(width).unwrap_or(i64::MAX);
        let rank = match (node.op_type.as_str(), axes.as_deref(), tensor.rank) {
            ("Reshape", Some([-1]), _) if width == 1 => Rank::One,
            ("Reshape", Some([-1 | 0, w]), _) if *w == width_i64 => Rank::Two,
            ("Reshape", Some([0, -1]), _) => Rank::Two,
            ("Flatten", _, _) if attributes.int("axis").unwrap_or(1) == 1 => Rank::Two,
            ("Squeeze", Some([1 | -1]), Rank::Two) if width == 1 => Rank::One,
            ("Squeeze", Some([1]), Rank::Three(1)) => Rank::Two,
            ("Unsqueeze", Some([1 | -1]), Rank::One) => Rank::Two,
            _ => return Ok(None),
        };
        let tensor = Tensor { rank, ..tensor };
        let value = match value {
            Value::Label(_, labels) => Value::Label(tensor, labels),
            _ => Value::Rows(tensor),
        };
        Ok(self.set(node, value))
    }

    fn arithmetic(&mut self, node: &'a NodeProto, operation: Operation) -> Compiled {
        let (x, y) = (self.rows(node, 0), self.rows(node, 1));
        let value = match (
            x,
            y,
            self.constant_input(node, 0),
            self.constant_input(node, 1),
        ) {
            (Some(x), _, _, Some(c)) => {
                let Some(constant) = columns_of(&c, x) else {
                    return Ok(None);
                };
                if operation == Operation::Add && self.fold_bias(node, x, &constant) {
                    return Ok(Some(()));
                }
                self.with_constant(operation, x, constant, false)
            }
            (_, Some(y), Some(c), _) => {
                let Some(constant) = columns_of(&c, y) else {
                    return Ok(None);
                };
                self.with_constant(operation, y, constant, true)
            }
            (Some(x), Some(y), ..) => {
                let widths = (x.view.width, y.view.width);
                let fits = widths.0 == widths.1 || widths.0 == 1 || widths.1 == 1;
                let f32 = x.view.element == Element::F32 && y.view.element == Element::F32;
                if !fits || !f32 || x.rank != Rank::Two || y.rank != Rank::Two {
                    return Ok(None);
                }
                let kernel = Arithmetic {
                    operation,
                    constant: None,
                    constant_first: false,
                };
                self.push(
                    kernel,
                    vec![x.view, y.view],
                    Shape::f32(widths.0.max(widths.1)),
                )
            }
            _ => return Ok(None),
        };
        Ok(self.set(node, value))
    }

    fn with_constant(
        &mut self,
        operation: Operation,
        x: Tensor,
        constant: Vec<f32>,
        constant_first: bool,
    ) -> Value {
        let width = x.view.width.max(constant.len());
        let unchanged = operation == Operation::Mul
            && width == x.view.width
            && constant.iter().all(|c| *c == 1.0);
        if unchanged {
            return Value::Rows(x);
        }
        let kernel = Arithmetic {
            operation,
            constant: Some(constant),
            constant_first,
        };
        let view = self.block(Shape::f32(width));
        self.step(kernel, vec![x.view], view);
        Value::Rows(Tensor {
            view,
            rank: x.rank,
            distribution: false,
        })
    }

    fn matmul(&mut self, node: &'a NodeProto) -> Compiled {
        let (Some(x), Some(w)) = (self.rows(node, 0), self.constant_input(node, 1)) else {
            return Ok(None);
        };
        let (Some(weights), [rows, units]) = (w.f32s(), w.dims.as_slice()) else {
            return Ok(None);
        };
        if *rows != x.view.width || *units == 0 {
            return Ok(None);
        }
        let dense = Dense::new(weights.to_vec(), vec![0.0; *units]);
        self.dense(node, x, dense)
    }

    fn gemm(&mut self, node: &'a NodeProto) -> Compiled {
        let attributes = Attributes::new(node)?;
        let flag = |name| attributes.int(name).unwrap_or(0) != 0;
        let (Some(x), Some(w)) = (self.rows(node, 0), self.constant_input(node, 1)) else {
            return Ok(None);
        };
        let (Some(cells), [rows, columns], false) = (w.f32s(), w.dims.as_slice(), flag("transA"))
        else {
            return Ok(None);
        };
        let alpha = attributes.float("alpha").unwrap_or(1.0);
        let (rows, columns) = (*rows, *columns);
        let (width, units) = if flag("transB") {
            (columns, rows)
        } else {
            (rows, columns)
        };
        if width != x.view.width || units == 0 {
            return Ok(None);
        }
        let cell = |k: usize, j: usize| {
            if flag("transB") {
                j * columns + k
            } else {
                k * columns + j
            }
        };
        let weights = (0..width)
            .flat_map(|k| (0..units).map(move |j| (k, j)))
            .map(|(k, j)| cells[cell(k, j)] * alpha);
        let weights: Vec<f32> = weights.collect();
        let bias = match node.input.get(2).filter(|name| !name.is_empty()) {
            None => vec![0.0; units],
            Some(_) => {
                let Some(c) = self.constant_input(node, 2) else {
                    return Ok(None);
                };
                let beta = attributes.float("beta").unwrap_or(1.0);
                match c.f32s() {
                    Some([v]) => vec![v * beta; units],
                    Some(v) if v.len() == units => v.iter().map(|v| v * beta).collect(),
                    _ => return Ok(None),
                }
            }
        };
        self.dense(node, x, Dense::new(weights, bias))
    }

    fn dense(&mut self, node: &'a NodeProto, x: Tensor, dense: Dense) -> Compiled {
        if x.view.element != Element::F32 || x.rank != Rank::Two {
            return Ok(None);
        }
        let view = self.block(Shape::f32(dense.units()));
        self.program.steps.push(Step {
            call: Call::Dense(dense),
            inputs: vec![x.view],
            outputs: vec![view],
        });
        Ok(self.set(
            node,
            Value::Rows(Tensor {
                view,
                rank: Rank::Two,
                distribution: false,
            }),
        ))
    }

    /// The dense layer that made `x`, where this node is its only reader and it has no activation yet.
    fn layer(&mut self, node: &NodeProto, x: Tensor) -> Option<&mut Dense> {
        let single = node
            .input
            .iter()
            .any(|name| self.uses.get(name.as_str()) == Some(&1) && self.is(name, x));
        let step = self
            .program
            .steps
            .last_mut()
            .filter(|s| single && s.outputs.first() == Some(&x.view))?;
        match &mut step.call {
            Call::Dense(dense) if dense.activation().is_none() => Some(dense),
            _ => None,
        }
    }

    fn is(&self, name: &str, x: Tensor) -> bool {
        matches!(self.values.get(name), Some(Value::Rows(t)) if t.view == x.view)
    }

    fn fold_bias(&mut self, node: &'a NodeProto, x: Tensor, bias: &[f32]) -> bool {
        let units = x.view.width;
        let Some(dense) = self.layer(node, x).filter(|_| bias.len() == units) else {
            return false;
        };
        *dense = dense.clone().plus(bias);
        self.set(node, Value::Rows(x)).is_some()
    }

    fn activation(&mut self, node: &'a NodeProto, activation: Activation) -> Compiled {
        let Some(x) = self
            .rows(node, 0)
            .filter(|x| x.view.element == Element::F32)
        else {
            return Ok(None);
        };
        let distribution = activation == Activation::Softmax;
        if let Some(dense) = self.layer(node, x) {
            *dense = dense.clone().then(activation);
            return Ok(self.set(node, Value::Rows(Tensor { distribution, ..x })));
        }
        let view = self.block(Shape::f32(x.view.width));
        self.step(activation, vec![x.view], view);
        Ok(self.set(
            node,
            Value::Rows(Tensor {
                view,
                rank: x.rank,
                distribution,
            }),
        ))
    }

    fn softmax(&mut self, node: &'a NodeProto) -> Compiled {
        let default = if self.opset < 13 { 1 } else { -1 };
        let axis = Attributes::new(node)?.int("axis").unwrap_or(default);
        match self.rows(node, 0) {
            Some(x) if x.rank == Rank::Two && matches!(axis, 1 | -1) => {
                self.activation(node, Activation::Softmax)
            }
            _ => Ok(None),
        }
    }

    fn arg_max(&mut self, node: &'a NodeProto) -> Compiled {
        let attributes = Attributes::new(node)?;
        let Some(x) = self
            .rows(node, 0)
            .filter(|x| x.rank == Rank::Two && x.view.element == Element::F32)
        else {
            return Ok(None);
        };
        if !matches!(attributes.int("axis"), Some(1 | -1)) {
            return Ok(None);
        }
        let rank = if attributes.int("keepdims").unwrap_or(1) != 0 {
            Rank::Two
        } else {
            Rank::One
        };
        let view = self.block(Shape::i64(1));
        self.choices.push((view, x.view.width));
        self.step(
            ArgMax {
                last: attributes.int("select_last_index").unwrap_or(0) != 0,
            },
            vec![x.view],
            view,
        );
        Ok(self.set(
            node,
            Value::Rows(Tensor {
                view,
                rank,
                distribution: false,
            }),
        ))
    }

    /// Class labels by index, or columns by constant index.
    fn array_feature_extractor(&mut self, node: &'a NodeProto) -> Compiled {
        if let (Some(classes), Some(index)) = (self.constant_input(node, 0), self.rows(node, 1)) {
            let Some(labels) = array_feature_extractor::classes(&classes) else {
                return Ok(None);
            };
            if self.classes(index) != Some(labels.len()) {
                return Ok(None);
            }
            return Ok(self.set(node, Value::Label(index, Rc::new(labels))));
        }
        let (Some(x), Some(indices)) = (self.rows(node, 0), self.constant_input(node, 1)) else {
            return Ok(None);
        };
        match indices.i64s().filter(|i| !i.is_empty()) {
            Some(indices) => self.select(node, x, indices),
            None => Ok(None),
        }
    }

    /// Number of classes that an ArgMax chose from.
    fn classes(&self, index: Tensor) -> Option<usize> {
        self.choices
            .iter()
            .find(|(view, _)| *view == index.view)
            .map(|(_, classes)| *classes)
    }

    /// LabelEncoder over class labels changes their texts, over anything else it is a kernel.
    fn label_encoder(&mut self, node: &'a NodeProto, bind: ops::Bind) -> Compiled {
        let (tensor, integers) = match self.value(node, 0) {
            Some(Value::Label(tensor, labels)) => match labels.as_ref() {
                Labels::Integers(integers) => (*tensor, integers.clone()),
                Labels::Texts(_) => return Ok(None),
            },
            Some(Value::Rows(tensor)) => match self.classes(*tensor) {
                Some(classes) => (*tensor, (0..).take(classes).collect()),
                None => return self.operator(node, bind),
            },
            _ => return Ok(None),
        };
        match label_encoder::relabel(node, &integers)? {
            Some(labels) => Ok(self.set(node, Value::Label(tensor, Rc::new(labels)))),
            None => self.operator(node, bind),
        }
    }

    /// Columns by a list of constant indices, negative ones counted from the end.
    fn gather(&mut self, node: &'a NodeProto) -> Compiled {
        let (Some(x), Some(indices)) = (self.rows(node, 0), self.constant_input(node, 1)) else {
            return Ok(None);
        };
        let axis = Attributes::new(node)?.int("axis").unwrap_or(0);
        let width = i64::try_from(x.view.width).unwrap_or(i64::MAX);
        match indices.i64s() {
            Some(cells)
                if x.rank == Rank::Two
                    && matches!(axis, 1 | -1)
                    && indices.dims.len() == 1
                    && !cells.is_empty() =>
            {
                let cells: Vec<i64> = cells
                    .iter()
                    .map(|i| if *i < 0 { i.saturating_add(width) } else { *i })
                    .collect();
                self.select(node, x, &cells)
            }
            _ => Ok(None),
        }
    }

    /// A run of columns is a narrower view; others are copied.
    fn select(&mut self, node: &'a NodeProto, x: Tensor, indices: &[i64]) -> Compiled {
        let shape = Shape {
            element: x.view.element,
            width: x.view.width,
        };
        let Bound {
            kernel, outputs, ..
        } = array_feature_extractor::bind(indices, shape)?;
        let first = indices.first().and_then(|i| usize::try_from(*i).ok());
        let run = indices.windows(2).all(|w| w[1] == w[0] + 1);
        let view = match (first, outputs.first()) {
            (Some(first), _) if run => x.view.columns(first, indices.len()),
            (_, Some(shape)) => {
                let view = self.block(*shape);
                self.program.steps.push(Step {
                    call: Call::Kernel(kernel),
                    inputs: vec![x.view],
                    outputs: vec![view],
                });
                view
            }
            _ => return Ok(None),
        };
        Ok(self.set(
            node,
            Value::Rows(Tensor {
                view,
                rank: Rank::Two,
                distribution: false,
            }),
        ))
    }
}

/// The block of the batch that an element lives in.
fn storage(element: Element) -> Element {
    if element == Element::Bool {
        Element::I64
    } else {
        element
    }
}

/// A constant as one value per column of `x`, or for `x` of one column any number of them. `None` where it would change
/// the number of rows.
fn columns_of(constant: &Constant, x: Tensor) -> Option<Vec<f32>> {
    let values = constant.f32s().filter(|_| x.view.element == Element::F32)?;
    let width = x.view.width;
    let columns = match constant.dims.as_slice() {
        [] | [1] => 1,
        [1, 1] if x.rank == Rank::Two => 1,
        [n] | [1, n] if x.rank == Rank::Two && (*n == width || width == 1) => *n,
        _ => return None,
    };
    (columns == values.len()).then(|| values.to_vec())
}
