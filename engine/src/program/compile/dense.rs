//! Nodes of arithmetic: operations with constants, layers of a dense network, activations.

use super::*;

impl<'a> Compiler<'a> {
    pub(super) fn arithmetic(&mut self, node: &'a NodeProto, operation: Operation) -> Compiled {
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

    pub(super) fn with_constant(
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
        Value::rows(view, x.rank)
    }

    pub(super) fn matmul(&mut self, node: &'a NodeProto) -> Compiled {
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

    pub(super) fn gemm(&mut self, node: &'a NodeProto) -> Compiled {
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

    pub(super) fn dense(&mut self, node: &'a NodeProto, x: Tensor, dense: Dense) -> Compiled {
        if x.view.element != Element::F32 || x.rank != Rank::Two {
            return Ok(None);
        }
        let view = self.block(Shape::f32(dense.units()));
        self.program.steps.push(Step {
            call: Call::Dense(dense),
            inputs: vec![x.view],
            outputs: vec![view],
        });
        Ok(self.set(node, Value::rows(view, Rank::Two)))
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

    pub(super) fn fold_bias(&mut self, node: &'a NodeProto, x: Tensor, bias: &[f32]) -> bool {
        let units = x.view.width;
        let Some(dense) = self.layer(node, x).filter(|_| bias.len() == units) else {
            return false;
        };
        *dense = dense.clone().plus(bias);
        self.set(node, Value::Rows(x)).is_some()
    }

    pub(super) fn activation(&mut self, node: &'a NodeProto, activation: Activation) -> Compiled {
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

    pub(super) fn softmax(&mut self, node: &'a NodeProto) -> Compiled {
        let default = if self.opset < 13 { 1 } else { -1 };
        let axis = Attributes::new(node)?.int("axis").unwrap_or(default);
        match self.rows(node, 0) {
            Some(x) if x.rank == Rank::Two && matches!(axis, 1 | -1) => {
                self.activation(node, Activation::Softmax)
            }
            _ => Ok(None),
        }
    }
}
