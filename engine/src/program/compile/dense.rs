//! Layers of a dense network: products with constants, their biases and activations.

use super::*;
use crate::kernels::along::Product;
use crate::kernels::elementwise::Unary;
use crate::kernels::math;
use crate::ops::tensor::Cells;

/// Bytes of weights that all layers may hold.
const HELD: usize = 64 << 20;

impl<'a> Compiler<'a> {
    pub(super) fn matmul(&mut self, node: &'a NodeProto) -> Compiled {
        let (Some(x), Some(w)) = (self.rows(node, 0), self.constant_input(node, 1)) else {
            return Ok(None);
        };
        // A vector is a column whose product has no dimension of its own.
        let (rows, units, dims) = match w.dims.as_slice() {
            [rows, units] if *units > 0 => (*rows, *units, Dims::columns(*units)),
            [rows] => (*rows, 1, Dims::scalar()),
            _ => return Ok(None),
        };
        if rows != x.view.width {
            return Ok(None);
        }
        self.hold(&w)?;
        let tensor = match &w.cells {
            Cells::F64(weights) => self.product(x, weights.clone(), vec![0.0; units]),
            Cells::F32(weights) => self.dense(x, Dense::new(weights.clone(), vec![0.0; units])),
            _ => None,
        };
        self.rows_value(node, tensor.map(|t| Tensor { dims, ..t }))
    }

    pub(super) fn gemm(&mut self, node: &'a NodeProto) -> Compiled {
        let attributes = Attributes::new(node)?;
        let flag = |name| attributes.int(name).unwrap_or(0) != 0;
        let (Some(x), Some(w)) = (self.rows(node, 0), self.constant_input(node, 1)) else {
            return Ok(None);
        };
        let ([rows, columns], false) = (w.dims.as_slice(), flag("transA")) else {
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
        self.hold(&w)?;
        let cell = |k: usize, j: usize| {
            if flag("transB") {
                j * columns + k
            } else {
                k * columns + j
            }
        };
        let order = (0..width).flat_map(|k| (0..units).map(move |j| cell(k, j)));
        let order: Vec<usize> = order.collect();
        let beta = attributes.float("beta").unwrap_or(1.0);
        let bias = match node.input.get(2).filter(|name| !name.is_empty()) {
            None => None,
            Some(_) if self.rows(node, 2).is_some() && beta == 1.0 => None,
            Some(_) => match self.constant_input(node, 2) {
                Some(c) if c.len() == 1 || (c.len() == units && c.dims.last() == Some(&units)) => {
                    Some(c)
                }
                _ => return Ok(None),
            },
        };
        let bias_at = |cells: usize, j: usize| if cells == 1 { 0 } else { j };
        let tensor = match (&w.cells, bias.as_ref().map(|c| &c.cells)) {
            (Cells::F32(w), None | Some(Cells::F32(_))) => {
                let weights = order.iter().map(|i| w[*i] * alpha).collect();
                let bias = bias.as_ref().and_then(|c| c.f32s()).unwrap_or(&[0.0]);
                let bias = (0..units).map(|j| bias[bias_at(bias.len(), j)] * beta);
                let bias = bias.collect();
                self.dense(x, Dense::new(weights, bias))
            }
            (Cells::F64(w), None | Some(Cells::F64(_))) => {
                let weights = order.iter().map(|i| w[*i] * f64::from(alpha)).collect();
                let bias = match bias.as_ref().map(|c| &c.cells) {
                    Some(Cells::F64(bias)) => bias.as_slice(),
                    _ => &[0.0],
                };
                let bias = (0..units).map(|j| bias[bias_at(bias.len(), j)] * f64::from(beta));
                let bias = bias.collect();
                self.product(x, weights, bias)
            }
            _ => None,
        };
        let tensor = match (tensor, self.rows(node, 2)) {
            (Some(t), Some(c)) => self.pair("Add", &Value::Rows(t), &Value::Rows(c)),
            (tensor, _) => tensor,
        };
        self.rows_value(node, tensor)
    }

    /// Counts the weights of a layer, which keeps a copy of them: few bytes of a file would ask for gigabytes.
    fn hold(&mut self, weights: &Constant) -> Result<()> {
        let cell = if weights.f32s().is_some() { 4 } else { 8 };
        self.held = self.held.saturating_add(weights.len().saturating_mul(cell));
        if self.held > HELD {
            return Err(Error::TooLarge {
                what: "bytes of weights in layers",
                found: self.held as u64,
                limit: HELD as u64,
            });
        }
        Ok(())
    }

    fn dense(&mut self, x: Tensor, dense: Dense) -> Option<Tensor> {
        if x.view.element != Element::F32 || !x.dims.is_matrix() {
            return None;
        }
        let view = self.block(Shape::f32(dense.units()));
        self.program.steps.push(Step {
            call: Call::Dense(dense),
            inputs: vec![x.view],
            outputs: vec![view],
        });
        Some(Tensor::new(view, Dims::columns(view.width)))
    }

    /// The dense layer that made `x`, where this node is its only reader and it has no activation yet.
    pub(super) fn layer(&mut self, node: &NodeProto, x: Tensor) -> Option<&mut Dense> {
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

    pub(super) fn is(&self, name: &str, x: Tensor) -> bool {
        matches!(self.values.get(name), Some(Value::Rows(t)) if t.view == x.view)
    }

    /// Adds a constant row to the layer that this node alone reads.
    pub(super) fn fold_bias(&mut self, node: &'a NodeProto) -> Result<bool> {
        if node.input.len() != 2 {
            return Ok(false);
        }
        let sides = [(0, 1), (1, 0)];
        for (x, c) in sides {
            let (Some(x), Some(c)) = (self.rows(node, x), self.constant_input(node, c)) else {
                continue;
            };
            let units = x.view.width;
            let bias = c.f32s().filter(|bias| bias.len() == units);
            let whole = x.dims.of_constant(&c.dims) == Some(x.dims);
            if let (Some(bias), true) = (bias, whole)
                && let Some(dense) = self.layer(node, x)
            {
                dense.add(bias);
                return Ok(self.set(node, Value::Rows(x)).is_some());
            }
        }
        Ok(false)
    }

    /// A product in double precision.
    fn product(&mut self, x: Tensor, weights: Vec<f64>, bias: Vec<f64>) -> Option<Tensor> {
        if x.element() != Element::F64 || !x.dims.is_matrix() {
            return None;
        }
        let dims = Dims::columns(bias.len());
        let kernel = Box::new(Product { weights, bias });
        Some(self.push(kernel, vec![x.view], Element::F64, dims))
    }

    pub(super) fn activation(&mut self, node: &'a NodeProto, activation: Activation) -> Compiled {
        let Some(x) = self.rows(node, 0) else {
            return Ok(None);
        };
        if x.element() == Element::F64 {
            return self.activation_f64(node, x, activation);
        }
        if x.element() != Element::F32 {
            return Ok(None);
        }
        let distribution = activation == Activation::Softmax;
        if let Some(dense) = self.layer(node, x) {
            dense.activate(activation);
            return Ok(self.set(node, Value::Rows(Tensor { distribution, ..x })));
        }
        let made = self.push(Box::new(activation), vec![x.view], Element::F32, x.dims);
        self.rows_value(
            node,
            Some(Tensor {
                distribution,
                ..made
            }),
        )
    }

    fn activation_f64(
        &mut self,
        node: &'a NodeProto,
        x: Tensor,
        activation: Activation,
    ) -> Compiled {
        let kernel: Box<dyn Kernel> = match activation {
            Activation::Relu => Box::new(Unary::new(|x: f64| if x < 0.0 { 0.0 } else { x })),
            Activation::LeakyRelu(slope) => {
                let slope = f64::from(slope);
                Box::new(Unary::new(
                    move |x: f64| if x < 0.0 { x * slope } else { x },
                ))
            }
            Activation::Sigmoid => Box::new(Unary::new(|x: f64| {
                let v = 1.0 / (1.0 + math::exp_of(-x.abs()));
                if x < 0.0 { 1.0 - v } else { v }
            })),
            Activation::Tanh => Box::new(Unary::new(|x: f64| {
                if x.abs() < 1e-4 {
                    x - x * x * x / 3.0
                } else {
                    1.0 - 2.0 / (math::exp_of(2.0 * x) + 1.0)
                }
            })),
            Activation::Softmax => return Ok(None),
        };
        let tensor = self.push(kernel, vec![x.view], Element::F64, x.dims);
        self.rows_value(node, Some(tensor))
    }
}
