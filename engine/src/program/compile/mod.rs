//! From the nodes of a graph to the steps of a tabular program.

mod constants;
mod dense;
mod dims;
mod elementwise;
mod extents;
mod functions;
mod neighbours;
mod reduce;
mod select;
mod shape;
#[cfg(test)]
mod tests;
mod text;

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto};

use self::dims::Dims;
use super::fuse::place_concats;
use super::layers::stack_layers;
use super::step::{Call, Place, Step, View};
use super::tabular::{Tabular, label_output};
use crate::batch::columns;
use crate::error::{Error, Result};
use crate::kernels::arithmetic::Activation;
use crate::kernels::cast::Cast;
use crate::kernels::dense::Dense;
use crate::kernels::select::Columns;
use crate::kernels::text::tokenise::Tokeniser;
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
    /// The tokens of a column of texts: as many as a row has.
    Tokens(View, Arc<Tokeniser>),
    /// A shape that the graph computes.
    Extents(Vec<extents::Extent>),
    /// Rows one above the other, `[M, N, ...]`, all of the same dimensions.
    Stack(Vec<Tensor>),
    /// `[width, N]`, whose columns are the rows.
    Turned(Tensor),
    /// `[bands, N * width]`, in every band the cells of all rows one after the other; a row is `[width]` or `[bands, width]`.
    Line(Tensor),
    /// `[bands, N, width]`, where a row is `[bands, width]`.
    Bands(Tensor),
}

/// Rows of a block with the dimensions that the graph gives them; the view is as wide as these have cells.
#[derive(Debug, Clone, Copy)]
struct Tensor {
    view: View,
    dims: Dims,
    /// A softmax, or the probabilities of a classifier.
    distribution: bool,
    /// Integers of 32 bits, whose arithmetic wraps there.
    narrow: bool,
    /// Every cell is an integer from 0 to this, which it is not.
    below: Option<usize>,
}

impl Tensor {
    fn new(view: View, dims: Dims) -> Tensor {
        Tensor {
            view,
            dims,
            distribution: false,
            narrow: false,
            below: None,
        }
    }

    fn element(&self) -> Element {
        self.view.element
    }
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
    stack_layers(&mut program);
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
    /// Cells of indices and repeated constants that kernels may still hold.
    spare: usize,
    /// Bytes of weights that layers hold.
    held: usize,
}

/// Cells that broadcasting and picking may add to a program: few nodes of a small file would ask for gigabytes.
const SPARE: usize = 1 << 22;

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
            spare: SPARE,
            held: 0,
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
            let dims = if declared.rank == 1 {
                Dims::scalar()
            } else {
                Dims::columns(view.width)
            };
            let tensor = Tensor {
                narrow: declared.narrow,
                ..Tensor::new(view, dims)
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
                    Element::I64 | Element::Text if view.width == 1 => (*view, Output::Label(None)),
                    Element::Bool => (*view, Output::Flags),
                    _ => (*view, Output::Other),
                },
                Value::Label(tensor, labels) => (tensor.view, label_output(labels)),
                Value::Constant(_)
                | Value::Tokens(..)
                | Value::Extents(_)
                | Value::Stack(_)
                | Value::Turned(_)
                | Value::Line(_)
                | Value::Bands(_) => {
                    return None;
                }
            };
            self.program.outputs.push((view, output));
        }
        Some(self.program)
    }

    fn node(&mut self, node: &'a NodeProto) -> Compiled {
        if node.domain.is_empty()
            && (self.fold(node)?.is_some()
                || self.of_extents(node)?.is_some()
                || self.of_stacks(node)?.is_some())
        {
            return Ok(Some(()));
        }
        match node.op_type.as_str() {
            "Constant" => self.constant(node),
            "Identity" | "Dropout" => self.identity(node),
            "Cast" => self.cast(node),
            "Concat" => self.concat(node),
            "FeatureVectorizer" => self.feature_vectorizer(node),
            "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => {
                if self.reshape(node)?.is_some()
                    || self.reshape_to_extents(node)?.is_some()
                    || self.fold_line(node)?.is_some()
                {
                    return Ok(Some(()));
                }
                self.stack(node)
            }
            "Shape" => self.shape(node),
            "ConstantOfShape" => self.constant_of_shape(node),
            "Expand" => self.expand(node),
            "Transpose" => match self.turn(node)? {
                Some(()) => Ok(Some(())),
                None => self.transpose(node),
            },
            "Slice" => self.slice(node),
            "Split" => self.split(node),
            "MatMul" => self.matmul(node),
            "Gemm" => self.gemm(node),
            "Relu" => self.activation(node, Activation::Relu),
            "LeakyRelu" => {
                let slope = Attributes::new(node)?.float("alpha").unwrap_or(0.01);
                self.activation(node, Activation::LeakyRelu(slope))
            }
            "Sigmoid" => self.activation(node, Activation::Sigmoid),
            "Tanh" => self.activation(node, Activation::Tanh),
            "Softmax" | "LogSoftmax" | "LpNormalization" => self.shares(node),
            "ArgMax" | "ArgMin" => self.extreme(node),
            "Where" => self.choose(node),
            "Clip" => self.clip(node),
            "Gather" => match self.gather_rows(node)? {
                Some(()) => Ok(Some(())),
                None => self.gather(node),
            },
            "GatherElements" => self.gather_elements(node),
            "Scan" => self.scan(node),
            "TopK" => self.top_k(node),
            "CumSum" => self.cum_sum(node),
            "ArrayFeatureExtractor" => self.array_feature_extractor(node),
            "StringNormalizer" => self.string_normalizer(node),
            "Tokenizer" => self.tokenizer(node),
            "TfIdfVectorizer" => self.tf_idf_vectorizer(node),
            "StringConcat" => self.string_concat(node),
            name if name.starts_with("Reduce") => self.reduce(node),
            name if functions::is_binary(name) => match self.raised(node)? {
                Some(()) => Ok(Some(())),
                None => self.binary(node),
            },
            name if functions::is_unary(name) => self.unary(node),
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

    /// A step into a new block of these dimensions.
    fn push(
        &mut self,
        kernel: Box<dyn Kernel>,
        inputs: Vec<View>,
        element: Element,
        dims: Dims,
    ) -> Tensor {
        let view = self.block(Shape {
            element,
            width: dims.cells(),
        });
        self.program.steps.push(Step {
            call: Call::Kernel(kernel),
            inputs,
            outputs: vec![view],
        });
        Tensor::new(view, dims)
    }

    /// Takes cells from the spare ones; `None` where there are too few.
    fn spend(&mut self, cells: usize) -> Option<()> {
        self.spare = self.spare.checked_sub(cells)?;
        Some(())
    }

    /// The cells of `x` by position; neighbours in order are a narrower view, others are copied.
    fn pick(&mut self, x: Tensor, cells: Vec<usize>, dims: Dims) -> Option<Tensor> {
        if cells.len() != dims.cells() || cells.iter().any(|c| *c >= x.view.width) {
            return None;
        }
        self.spend(cells.len())?;
        let first = cells.first().copied().unwrap_or(0);
        if cells.windows(2).all(|w| w[1] == w[0] + 1) {
            let view = x.view.columns(first, cells.len());
            return Some(Tensor { view, dims, ..x });
        }
        let picked = self.push(
            Box::new(Columns::new(cells)),
            vec![x.view],
            x.element(),
            dims,
        );
        Some(Tensor {
            narrow: x.narrow,
            below: x.below,
            ..picked
        })
    }

    fn rows_value(&mut self, node: &'a NodeProto, tensor: Option<Tensor>) -> Compiled {
        Ok(tensor.and_then(|tensor| self.set(node, Value::Rows(tensor))))
    }

    fn operator(&mut self, node: &'a NodeProto, bind: ops::Bind) -> Compiled {
        let Some(x) = self.rows(node, 0).filter(|_| node.input.len() == 1) else {
            return Ok(None);
        };
        let cellwise = matches!(
            node.op_type.as_str(),
            "LabelEncoder" | "OneHotEncoder" | "CategoryMapper" | "Binarizer"
        );
        if !x.dims.is_matrix() && !cellwise {
            return Ok(None);
        }
        let shape = Shape {
            element: x.view.element,
            width: x.view.width,
        };
        let mut input = x.view;
        let single = ops::SINGLE.contains(&node.op_type.as_str());
        if single && shape.element != Element::F32 && storage(shape.element) != Element::Text {
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
            let dims = match (labels.is_some() && i == 0, node.op_type.as_str()) {
                (true, _) => Some(Dims::scalar()),
                (_, "OneHotEncoder") => {
                    let mut sizes = x.dims.sizes().to_vec();
                    sizes.push(view.width / shape.width);
                    Dims::new(&sizes)
                }
                (_, _) if cellwise => Some(x.dims),
                _ => Some(Dims::columns(view.width)),
            };
            let Some(dims) = dims else {
                return Ok(None);
            };
            let tensor = Tensor {
                distribution: labels.is_some() && view.width > 1,
                ..Tensor::new(view, dims)
            };
            let value = match &labels {
                Some(labels) if i == 0 => Value::Label(tensor, labels.clone()),
                _ => Value::Rows(tensor),
            };
            self.values.insert(name, value);
        }
        Ok(Some(()))
    }

    fn identity(&mut self, node: &'a NodeProto) -> Compiled {
        let Some(value) = self
            .value(node, 0)
            .cloned()
            .filter(|_| node.output.len() == 1)
        else {
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
