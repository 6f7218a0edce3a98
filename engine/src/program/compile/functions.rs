//! Functions of cells by operator name and element: the kernels that elementwise nodes become.

use super::*;
use crate::kernels::elementwise::{Binary, Cell, Operand, Unary};
use crate::kernels::math;
use crate::ops::tensor::Cells;

/// A kernel with the element that it writes.
pub(super) type Made = Option<(Box<dyn Kernel>, Element)>;

const BINARY: [&str; 18] = [
    "Add",
    "Sub",
    "Mul",
    "Div",
    "Pow",
    "Max",
    "Min",
    "Sum",
    "Mean",
    "PRelu",
    "Equal",
    "Less",
    "LessOrEqual",
    "Greater",
    "GreaterOrEqual",
    "And",
    "Or",
    "Xor",
];

const UNARY: [&str; 17] = [
    "Abs",
    "Neg",
    "Sign",
    "Exp",
    "Log",
    "Sqrt",
    "Reciprocal",
    "Floor",
    "Ceil",
    "Round",
    "Softplus",
    "Softsign",
    "Elu",
    "HardSigmoid",
    "IsNaN",
    "IsInf",
    "Not",
];

pub(super) fn is_binary(name: &str) -> bool {
    BINARY.contains(&name)
}

pub(super) fn is_unary(name: &str) -> bool {
    UNARY.contains(&name)
}

/// An operation of two constants, one of a single cell or both of as many.
pub(super) fn constants(name: &str, x: &Constant, y: &Constant) -> Result<Option<Cells>> {
    let made = match (&x.cells, &y.cells) {
        (Cells::F32(x), Cells::F32(y)) => floats(
            name,
            Operand::Constant(x.clone()),
            Operand::Constant(y.clone()),
            math::pow,
        ),
        (Cells::F64(x), Cells::F64(y)) => floats(
            name,
            Operand::Constant(x.clone()),
            Operand::Constant(y.clone()),
            math::pow64,
        ),
        (Cells::I64(x), Cells::I64(y)) => integers(
            name,
            Element::I64,
            Operand::Constant(x.clone()),
            Operand::Constant(y.clone()),
        ),
        _ => None,
    };
    let width = x.len().max(y.len());
    match made {
        Some((kernel, element)) if element != Element::Bool => {
            constants::once(kernel.as_ref(), None, Shape { element, width }).map(Some)
        }
        _ => Ok(None),
    }
}

/// The cells of a float constant in double precision.
pub(super) fn f64s(constant: &Constant) -> Option<Vec<f64>> {
    match &constant.cells {
        Cells::F64(v) => Some(v.clone()),
        Cells::F32(v) => Some(v.iter().map(|v| f64::from(*v)).collect()),
        _ => None,
    }
}

pub(super) fn boxed(constant: &Constant) -> Option<Vec<Box<str>>> {
    match &constant.cells {
        Cells::Text(v) => Some(v.iter().map(|v| v.as_str().into()).collect()),
        _ => None,
    }
}

pub(super) fn made<T: Cell, U: Cell>(
    f: impl Fn(T) -> U + Send + Sync + 'static,
    element: Element,
) -> Made {
    Some((Box::new(Unary::new(f)), element))
}

/// Operations of two floats, to the same element or to bools.
pub(super) fn floats<T>(name: &str, x: Operand<T>, y: Operand<T>, pow: fn(T, T) -> T) -> Made
where
    T: Cell
        + PartialOrd
        + std::ops::Add<Output = T>
        + std::ops::Sub<Output = T>
        + std::ops::Mul<Output = T>
        + std::ops::Div<Output = T>
        + crate::kernels::along::Real,
{
    let same = if size_of::<T>() == 4 {
        Element::F32
    } else {
        Element::F64
    };
    let zero = T::default();
    let is_nan = |x: T| x.partial_cmp(&x).is_none();
    let kernel: Box<dyn Kernel> = match name {
        "Add" => Box::new(Binary::new(x, y, |x: T, y: T| x + y)),
        "Sub" => Box::new(Binary::new(x, y, |x: T, y: T| x - y)),
        "Mul" => Box::new(Binary::new(x, y, |x: T, y: T| x * y)),
        "Div" => Box::new(Binary::new(x, y, |x: T, y: T| x / y)),
        "Pow" => Box::new(Binary::new(x, y, pow)),
        "Max" => Box::new(Binary::new(
            x,
            y,
            move |x: T, y: T| {
                if x > y || is_nan(x) { x } else { y }
            },
        )),
        "Min" => Box::new(Binary::new(
            x,
            y,
            move |x: T, y: T| {
                if x < y || is_nan(x) { x } else { y }
            },
        )),
        "PRelu" => Box::new(Binary::new(
            x,
            y,
            move |x: T, slope: T| {
                if x < zero { x * slope } else { x }
            },
        )),
        _ => return Some((ordered(name, x, y)?, Element::Bool)),
    };
    Some((kernel, same))
}

fn ordered<T: Cell + PartialOrd>(
    name: &str,
    x: Operand<T>,
    y: Operand<T>,
) -> Option<Box<dyn Kernel>> {
    Some(match name {
        "Equal" => Box::new(Binary::new(x, y, |x: T, y: T| i64::from(x == y))),
        "Less" => Box::new(Binary::new(x, y, |x: T, y: T| i64::from(x < y))),
        "LessOrEqual" => Box::new(Binary::new(x, y, |x: T, y: T| i64::from(x <= y))),
        "Greater" => Box::new(Binary::new(x, y, |x: T, y: T| i64::from(x > y))),
        "GreaterOrEqual" => Box::new(Binary::new(x, y, |x: T, y: T| i64::from(x >= y))),
        _ => return None,
    })
}

/// Operations of two integers; divisions are by constants other than 0.
pub(super) fn integers(name: &str, element: Element, x: Operand<i64>, y: Operand<i64>) -> Made {
    let logic = element == Element::Bool;
    let divides = matches!(&y, Operand::Constant(c) if c.iter().all(|c| *c != 0));
    let kernel: Box<dyn Kernel> = match (name, logic) {
        ("Add", false) => Box::new(Binary::new(x, y, i64::wrapping_add)),
        ("Sub", false) => Box::new(Binary::new(x, y, i64::wrapping_sub)),
        ("Mul", false) => Box::new(Binary::new(x, y, i64::wrapping_mul)),
        ("Div", false) if divides => Box::new(Binary::new(x, y, i64::wrapping_div)),
        ("Max", false) => Box::new(Binary::new(x, y, |x: i64, y: i64| x.max(y))),
        ("Min", false) => Box::new(Binary::new(x, y, |x: i64, y: i64| x.min(y))),
        ("And", true) => Box::new(Binary::new(x, y, |x: i64, y: i64| x & y)),
        ("Or", true) => Box::new(Binary::new(x, y, |x: i64, y: i64| x | y)),
        ("Xor", true) => Box::new(Binary::new(x, y, |x: i64, y: i64| x ^ y)),
        ("Equal", _) | (_, false) => return Some((ordered(name, x, y)?, Element::Bool)),
        _ => return None,
    };
    Some((kernel, element))
}

pub(super) fn single(name: &str, alpha: Option<f32>, beta: Option<f32>) -> Made {
    let to = Element::F32;
    let wide = |f: fn(f64) -> f64| move |x: f32| f(f64::from(x)) as f32;
    match name {
        "Abs" => made(f32::abs, to),
        "Neg" => made(|x: f32| -x, to),
        "Sign" => made(
            |x: f32| {
                if x == 0.0 || x.is_nan() {
                    x
                } else {
                    x.signum()
                }
            },
            to,
        ),
        "Exp" => made(wide(math::exp_of), to),
        "Log" => made(wide(math::ln64), to),
        "Sqrt" => made(f32::sqrt, to),
        "Reciprocal" => made(|x: f32| 1.0 / x, to),
        "Floor" => made(f32::floor, to),
        "Ceil" => made(f32::ceil, to),
        "Round" => made(f32::round_ties_even, to),
        "Softplus" => made(wide(softplus), to),
        "Softsign" => made(|x: f32| x / (1.0 + x.abs()), to),
        "Elu" => {
            let alpha = alpha.unwrap_or(1.0);
            made(
                move |x: f32| {
                    if x < 0.0 {
                        alpha * (math::exp(x) - 1.0)
                    } else {
                        x
                    }
                },
                to,
            )
        }
        "HardSigmoid" => {
            let (alpha, beta) = (alpha.unwrap_or(0.2), beta.unwrap_or(0.5));
            made(move |x: f32| (alpha * x + beta).clamp(0.0, 1.0), to)
        }
        "IsNaN" => made(|x: f32| i64::from(x.is_nan()), Element::Bool),
        "IsInf" => made(|x: f32| i64::from(x.is_infinite()), Element::Bool),
        _ => None,
    }
}

pub(super) fn double(name: &str, alpha: Option<f32>, beta: Option<f32>) -> Made {
    let to = Element::F64;
    match name {
        "Abs" => made(f64::abs, to),
        "Neg" => made(|x: f64| -x, to),
        "Sign" => made(
            |x: f64| {
                if x == 0.0 || x.is_nan() {
                    x
                } else {
                    x.signum()
                }
            },
            to,
        ),
        "Exp" => made(math::exp_of, to),
        "Log" => made(math::ln64, to),
        "Sqrt" => made(f64::sqrt, to),
        "Reciprocal" => made(|x: f64| 1.0 / x, to),
        "Floor" => made(f64::floor, to),
        "Ceil" => made(f64::ceil, to),
        "Round" => made(f64::round_ties_even, to),
        "Softplus" => made(softplus, to),
        "Softsign" => made(|x: f64| x / (1.0 + x.abs()), to),
        "Elu" => {
            let alpha = f64::from(alpha.unwrap_or(1.0));
            made(
                move |x: f64| {
                    if x < 0.0 {
                        alpha * (math::exp_of(x) - 1.0)
                    } else {
                        x
                    }
                },
                to,
            )
        }
        "HardSigmoid" => {
            let (alpha, beta) = (alpha.unwrap_or(0.2), beta.unwrap_or(0.5));
            let (alpha, beta) = (f64::from(alpha), f64::from(beta));
            made(move |x: f64| (alpha * x + beta).clamp(0.0, 1.0), to)
        }
        "IsNaN" => made(|x: f64| i64::from(x.is_nan()), Element::Bool),
        "IsInf" => made(|x: f64| i64::from(x.is_infinite()), Element::Bool),
        _ => None,
    }
}

pub(super) fn whole(name: &str) -> Made {
    let to = Element::I64;
    match name {
        "Abs" => made(i64::wrapping_abs, to),
        "Neg" => made(i64::wrapping_neg, to),
        "Sign" => made(i64::signum, to),
        _ => None,
    }
}

/// `ln(1 + e^x)`
fn softplus(x: f64) -> f64 {
    if x > 30.0 {
        return x;
    }
    math::ln64(1.0 + math::exp_of(x))
}
