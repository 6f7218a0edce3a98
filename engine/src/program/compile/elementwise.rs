//! Nodes of one, two or three values, cell by cell, with broadcasting inside a row.

use super::functions::{boxed, double, f64s, floats, integers, made, single, whole};
use super::*;
use crate::kernels::elementwise::{EqualText, Operand, Where, WhereText};
use crate::kernels::math;
use crate::ops::tensor::Cells;

/// An operand with the dimensions it has in a row.
#[derive(Clone)]
enum Side {
    Rows(Tensor),
    Constant(Rc<Constant>, Dims),
}

impl<'a> Compiler<'a> {
    /// A node of two or, by pairs, more values.
    pub(super) fn binary(&mut self, node: &'a NodeProto) -> Compiled {
        let name = match node.op_type.as_str() {
            "Sum" | "Mean" => "Add",
            name => name,
        };
        if name == "Add" && self.fold_bias(node)? {
            return Ok(Some(()));
        }
        let mut total: Option<Value> = None;
        for i in 0..node.input.len() {
            let Some(next) = self.value(node, i).cloned() else {
                return Ok(None);
            };
            total = match total {
                None => Some(next),
                Some(total) => self.pair(name, &total, &next).map(Value::Rows),
            };
            if total.is_none() {
                return Ok(None);
            }
        }
        if node.op_type == "Mean"
            && let Some(sum) = total.take()
        {
            total = self.divided(&sum, node.input.len()).map(Value::Rows);
        }
        match total {
            Some(value @ Value::Rows(_)) => Ok(self.set(node, value)),
            _ => Ok(None),
        }
    }

    /// A sum over the number of its terms.
    pub(super) fn divided(&mut self, sum: &Value, count: usize) -> Option<Tensor> {
        let cells = match sum {
            Value::Rows(t) if t.element() == Element::F64 => Cells::F64(vec![count as f64]),
            _ => Cells::F32(vec![count as f32]),
        };
        let dims = Vec::new();
        self.pair(
            "Div",
            sum,
            &Value::Constant(Rc::new(Constant { dims, cells })),
        )
    }

    /// Both operands with the dimensions that they broadcast to.
    fn sides(&self, x: &Value, y: &Value) -> Option<(Side, Side, Dims)> {
        match (x, y) {
            (Value::Rows(x), Value::Rows(y)) => {
                let dims = x.dims.broadcast(&y.dims)?;
                Some((Side::Rows(*x), Side::Rows(*y), dims))
            }
            (Value::Rows(x), Value::Constant(c)) => {
                let of = x.dims.of_constant(&c.dims)?;
                let dims = x.dims.broadcast(&of)?;
                Some((Side::Rows(*x), Side::Constant(c.clone(), of), dims))
            }
            (Value::Constant(_), Value::Rows(_)) => {
                let (y, x, dims) = self.sides(y, x)?;
                Some((x, y, dims))
            }
            _ => None,
        }
    }

    /// The operand as a kernel takes it: one cell or as many as `dims` has. Rows are stretched first.
    fn operand<T: Clone>(
        &mut self,
        side: &Side,
        dims: Dims,
        read: impl Fn(&Constant) -> Option<Vec<T>>,
        inputs: &mut Vec<View>,
    ) -> Option<Operand<T>> {
        match side {
            Side::Rows(x) => {
                let whole = x.view.width == 1 || x.dims == dims;
                let x = if whole {
                    *x
                } else {
                    self.pick(*x, x.dims.stretch(&dims), dims)?
                };
                inputs.push(x.view);
                Some(Operand::Rows)
            }
            Side::Constant(constant, of) => {
                let cells = read(constant)?;
                Some(Operand::Constant(if cells.len() == 1 {
                    cells
                } else {
                    self.spend(dims.cells())?;
                    let stretched = of.stretch(&dims);
                    let cells = stretched.iter().map(|i| cells.get(*i).cloned());
                    cells.collect::<Option<_>>()?
                }))
            }
        }
    }

    pub(super) fn pair(&mut self, name: &str, x: &Value, y: &Value) -> Option<Tensor> {
        let (x, y, dims) = self.sides(x, y)?;
        let element = match (&x, &y) {
            (Side::Rows(x), Side::Rows(y)) if x.element() != y.element() => return None,
            (Side::Rows(t), _) | (_, Side::Rows(t)) => t,
            _ => return None,
        };
        let (element, narrow) = (element.element(), element.narrow);
        let compares = matches!(
            name,
            "Equal" | "Less" | "LessOrEqual" | "Greater" | "GreaterOrEqual"
        );
        if narrow && !compares {
            return None;
        }
        let ones = |side: &Side| matches!(side, Side::Constant(c, _) if c.f32s().is_some_and(|c| c.iter().all(|v| *v == 1.0)));
        if let (Side::Rows(x), "Mul" | "Div", true) =
            (&x, name, ones(&y) && element == Element::F32)
            && x.dims == dims
        {
            return Some(*x);
        }
        let twos = |side: &Side| matches!(side, Side::Constant(c, _) if f64s(c).is_some_and(|c| c.iter().all(|v| *v == 2.0)));
        if let (Side::Rows(x), "Pow", true) = (&x, name, twos(&y))
            && x.dims == dims
        {
            let square = match element {
                Element::F32 => made(|x: f32| x * x, element),
                Element::F64 => made(|x: f64| x * x, element),
                _ => None,
            };
            let (kernel, element) = square?;
            return Some(self.push(kernel, vec![x.view], element, dims));
        }
        let mut inputs = Vec::new();
        let (kernel, element) = match element {
            Element::F32 => {
                let read = |c: &Constant| c.f32s().map(<[f32]>::to_vec);
                let x = self.operand(&x, dims, read, &mut inputs)?;
                let y = self.operand(&y, dims, read, &mut inputs)?;
                floats(name, x, y, math::pow)?
            }
            Element::F64 => {
                let x = self.operand(&x, dims, f64s, &mut inputs)?;
                let y = self.operand(&y, dims, f64s, &mut inputs)?;
                floats(name, x, y, math::pow64)?
            }
            Element::I64 | Element::Bool => {
                let read = |c: &Constant| c.i64s().map(<[i64]>::to_vec);
                let x = self.operand(&x, dims, read, &mut inputs)?;
                let y = self.operand(&y, dims, read, &mut inputs)?;
                integers(name, element, x, y)?
            }
            Element::Text if name == "Equal" => {
                let x = self.operand(&x, dims, boxed, &mut inputs)?;
                let y = self.operand(&y, dims, boxed, &mut inputs)?;
                let kernel: Box<dyn Kernel> = Box::new(EqualText { x, y });
                (kernel, Element::Bool)
            }
            Element::Text => return None,
        };
        Some(self.push(kernel, inputs, element, dims))
    }

    /// StringConcat, which broadcasts as Add does.
    pub(super) fn string_concat(&mut self, node: &'a NodeProto) -> Compiled {
        let (Some(x), Some(y)) = (self.value(node, 0).cloned(), self.value(node, 1).cloned())
        else {
            return Ok(None);
        };
        let Some((x, y, dims)) = self.sides(&x, &y) else {
            return Ok(None);
        };
        let mut inputs = Vec::new();
        let (Some(x), Some(y)) = (
            self.operand(&x, dims, boxed, &mut inputs),
            self.operand(&y, dims, boxed, &mut inputs),
        ) else {
            return Ok(None);
        };
        if inputs.iter().any(|view| view.element != Element::Text) {
            return Ok(None);
        }
        let kernel = Box::new(crate::kernels::elementwise::ConcatText { x, y });
        let tensor = self.push(kernel, inputs, Element::Text, dims);
        self.rows_value(node, Some(tensor))
    }

    /// Where: a condition per row; either side may be constant.
    pub(super) fn choose(&mut self, node: &'a NodeProto) -> Compiled {
        let (Some(condition), Some(x), Some(y)) = (
            self.rows(node, 0),
            self.value(node, 1).cloned(),
            self.value(node, 2).cloned(),
        ) else {
            return Ok(None);
        };
        let tensor = self.chosen(condition, &x, &y);
        self.rows_value(node, tensor)
    }

    fn chosen(&mut self, condition: Tensor, x: &Value, y: &Value) -> Option<Tensor> {
        let side = |value: &Value| match value {
            Value::Rows(t) => Some((Side::Rows(*t), t.dims)),
            Value::Constant(c) => {
                let dims = condition.dims.of_constant(&c.dims)?;
                Some((Side::Constant(c.clone(), dims), dims))
            }
            _ => None,
        };
        let ((x, x_dims), (y, y_dims)) = (side(x)?, side(y)?);
        let dims = condition.dims.broadcast(&x_dims)?.broadcast(&y_dims)?;
        let element = |side: &Side| match side {
            Side::Rows(t) => t.element(),
            Side::Constant(c, _) => c.element(),
        };
        let of = element(&x);
        if condition.element() != Element::Bool || storage(of) != storage(element(&y)) {
            return None;
        }
        let mut inputs = Vec::new();
        let whole = condition.view.width == 1 || condition.dims == dims;
        let condition = if whole {
            condition
        } else {
            self.pick(condition, condition.dims.stretch(&dims), dims)?
        };
        inputs.push(condition.view);
        let kernel: Box<dyn Kernel> = match of {
            Element::F32 => {
                let read = |c: &Constant| c.f32s().map(<[f32]>::to_vec);
                let x = self.operand(&x, dims, read, &mut inputs)?;
                let y = self.operand(&y, dims, read, &mut inputs)?;
                Box::new(Where { x, y })
            }
            Element::F64 => {
                let x = self.operand(&x, dims, f64s, &mut inputs)?;
                let y = self.operand(&y, dims, f64s, &mut inputs)?;
                Box::new(Where { x, y })
            }
            Element::I64 | Element::Bool => {
                let read = |c: &Constant| c.i64s().map(<[i64]>::to_vec);
                let x = self.operand(&x, dims, read, &mut inputs)?;
                let y = self.operand(&y, dims, read, &mut inputs)?;
                Box::new(Where { x, y })
            }
            Element::Text => {
                let x = self.operand(&x, dims, boxed, &mut inputs)?;
                let y = self.operand(&y, dims, boxed, &mut inputs)?;
                Box::new(WhereText { x, y })
            }
        };
        Some(self.push(kernel, inputs, of, dims))
    }

    pub(super) fn unary(&mut self, node: &'a NodeProto) -> Compiled {
        let Some(x) = self.rows(node, 0) else {
            return Ok(None);
        };
        let attributes = Attributes::new(node)?;
        let (alpha, beta) = (attributes.float("alpha"), attributes.float("beta"));
        let name = node.op_type.as_str();
        let infinite = name == "IsInf"
            && (attributes.int("detect_negative") == Some(0)
                || attributes.int("detect_positive") == Some(0));
        if x.narrow || infinite {
            return Ok(None);
        }
        let made = match x.element() {
            Element::F32 => single(name, alpha, beta),
            Element::F64 => double(name, alpha, beta),
            Element::I64 => whole(name),
            Element::Bool if name == "Not" => made(|x: i64| i64::from(x == 0), Element::Bool),
            _ => None,
        };
        let Some((kernel, element)) = made else {
            return Ok(None);
        };
        let tensor = self.push(kernel, vec![x.view], element, x.dims);
        self.rows_value(node, Some(tensor))
    }

    /// Clip with constant bounds, from attributes or inputs.
    pub(super) fn clip(&mut self, node: &'a NodeProto) -> Compiled {
        let attributes = Attributes::new(node)?;
        let Some(x) = self.rows(node, 0) else {
            return Ok(None);
        };
        let mut bounds = [
            attributes.float("min").map(f64::from),
            attributes.float("max").map(f64::from),
        ];
        for (i, bound) in bounds.iter_mut().enumerate() {
            if node.input.get(i + 1).is_some_and(|name| !name.is_empty()) {
                let constant = self.constant_input(node, i + 1);
                let Some(cells) = constant.and_then(|c| f64s(&c)).filter(|c| c.len() == 1) else {
                    return Ok(None);
                };
                *bound = cells.first().copied();
            }
        }
        let [least, most] = [
            bounds[0].unwrap_or(f64::NEG_INFINITY),
            bounds[1].unwrap_or(f64::INFINITY),
        ];
        // A comparison with NaN is false, so that NaN stays.
        let made = match x.element() {
            Element::F32 => {
                let (least, most) = (least as f32, most as f32);
                made(
                    move |x: f32| {
                        let x = if x < least { least } else { x };
                        if x > most { most } else { x }
                    },
                    Element::F32,
                )
            }
            Element::F64 => made(
                move |x: f64| {
                    let x = if x < least { least } else { x };
                    if x > most { most } else { x }
                },
                Element::F64,
            ),
            _ => None,
        };
        let tensor = made.map(|(kernel, element)| self.push(kernel, vec![x.view], element, x.dims));
        self.rows_value(node, tensor)
    }
}
