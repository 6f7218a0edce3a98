//! From the nodes of a graph to the steps of a tabular program.

mod dense;
mod select;
mod shape;

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

impl Value {
    fn rows(view: View, rank: Rank) -> Value {
        Value::Rows(Tensor {
            view,
            rank,
            distribution: false,
        })
    }
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
    if inputs.iter().any(|declared| declared.rank > 2) {
        return Ok(None);
    }
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
        Value::rows(view, Rank::Two)
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
