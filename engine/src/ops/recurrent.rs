//! Attributes and optional inputs of LSTM, GRU and RNN, of the default domain.

use tract_onnx::pb::NodeProto;

use super::Attributes;
use crate::error::{Error, Result};
use crate::kernels::recurrent::{Direction, Function};

/// Most steps of a sequence.
pub const MOST_STEPS: usize = 512;
/// Most cells of a hidden state.
pub const MOST_HIDDEN: usize = 1_024;

/// Slots of the optional inputs, those left out before them not counted.
#[derive(Debug, Clone, Copy)]
pub struct Inputs {
    pub bias: Option<usize>,
    /// Lengths of the sequences.
    pub lengths: Option<usize>,
    pub hidden: Option<usize>,
    pub cell: Option<usize>,
}

/// What a node says before its shapes are known.
#[derive(Debug, Clone)]
pub struct Settings {
    pub op: String,
    pub gates: usize,
    pub hidden: Option<usize>,
    pub directions: Vec<Direction>,
    /// Per direction, in the order of the specification.
    pub functions: Vec<Vec<Function>>,
    /// `linear_before_reset` of a GRU.
    pub linear: bool,
    pub inputs: Inputs,
    /// Slots of all hidden states, the last ones and the last cell states.
    pub outputs: [Option<usize>; 3],
}

impl Settings {
    /// Reads a node.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for clipping, coupled gates, peepholes, the batch-first layout and activations other than
    /// Sigmoid, Tanh, Relu and HardSigmoid; [`Error::Invalid`] for what the specification does not allow.
    pub fn read(node: &NodeProto) -> Result<Settings> {
        let attributes = Attributes::new(node)?;
        let op = node.op_type.clone();
        attributes.refuse(&["clip"])?;
        for name in ["input_forget", "layout"] {
            if attributes.int(name).unwrap_or(0) != 0 {
                return Err(Error::Unsupported(format!("attribute \"{name}\" of {op}")));
            }
        }
        let (gates, default): (usize, &[&str]) = match op.as_str() {
            "LSTM" => (4, &["Sigmoid", "Tanh", "Tanh"]),
            "GRU" => (3, &["Sigmoid", "Tanh"]),
            _ => (1, &["Tanh"]),
        };
        let directions = match attributes.string("direction")?.as_deref() {
            None | Some("forward") => vec![Direction::Forward],
            Some("reverse") => vec![Direction::Reverse],
            Some("bidirectional") => vec![Direction::Forward, Direction::Reverse],
            Some(other) => {
                return Err(Error::Invalid(format!("{op} has direction \"{other}\"")));
            }
        };
        let hidden = match attributes.int("hidden_size") {
            None => None,
            Some(size) => match usize::try_from(size).ok().filter(|size| *size > 0) {
                Some(size) => Some(size),
                None => return Err(Error::Invalid(format!("{op} has hidden_size {size}"))),
            },
        };
        let slot = |names: &[String], at: usize| {
            let given = |name: &&String| !name.is_empty();
            let before = names.iter().take(at).filter(given).count();
            names.get(at).filter(given).map(|_| before)
        };
        let input = |at| slot(&node.input, at);
        if input(7).is_some() {
            return Err(Error::Unsupported(format!("{op} with peepholes")));
        }
        Ok(Settings {
            gates,
            hidden,
            functions: functions(&op, &attributes, default, directions.len())?,
            directions,
            linear: attributes.int("linear_before_reset").unwrap_or(0) != 0,
            inputs: Inputs {
                bias: input(3),
                lengths: input(4),
                hidden: input(5),
                cell: input(6),
            },
            outputs: [0, 1, 2].map(|at| slot(&node.output, at)),
            op,
        })
    }
}

fn functions(
    op: &str,
    attributes: &Attributes<'_>,
    default: &[&str],
    directions: usize,
) -> Result<Vec<Vec<Function>>> {
    let mut names = attributes.strings("activations")?;
    if names.is_empty() {
        let each = default.iter().map(|name| name.to_string());
        names = (0..directions).flat_map(|_| each.clone()).collect();
    }
    if names.len() != default.len() * directions {
        return Err(Error::Invalid(format!(
            "{op} has {} activations, {} expected",
            names.len(),
            default.len() * directions
        )));
    }
    let mut alphas = attributes.floats("activation_alpha").iter().copied();
    let mut betas = attributes.floats("activation_beta").iter().copied();
    let mut function = |name: &String| match name.to_ascii_lowercase().as_str() {
        "sigmoid" => Ok(Function::Sigmoid),
        "tanh" => Ok(Function::Tanh),
        "relu" => Ok(Function::Relu),
        "hardsigmoid" => Ok(Function::HardSigmoid {
            alpha: alphas.next().unwrap_or(0.2),
            beta: betas.next().unwrap_or(0.5),
        }),
        _ => Err(Error::Unsupported(format!("activation \"{name}\" of {op}"))),
    };
    let all: Vec<Function> = names.iter().map(&mut function).collect::<Result<_>>()?;
    if alphas.next().is_some() || betas.next().is_some() {
        return Err(Error::Unsupported(format!(
            "activation_alpha or activation_beta of {op} for a function that takes none"
        )));
    }
    Ok(all
        .chunks(default.len())
        .map(<[Function]>::to_vec)
        .collect())
}
