//! What the outputs of a graph mean: task, labels, positive class.

use super::{Declaration, Task};
use crate::error::{Error, Result};
use crate::ops::Labels;

/// One output of the compiled graph, per row.
#[derive(Debug, Clone)]
pub enum Output {
    /// A class; its labels where the graph has them.
    Label(Option<Labels>),
    /// This many numbers; `distribution` where they are a softmax.
    Numbers { width: usize, distribution: bool },
}

/// How the numbers of a row become probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One column per label.
    PerLabel,
    /// The probability of the second of two labels.
    Second,
    /// The value of a regression.
    Value,
}

/// What scores are made of.
#[derive(Debug, Clone)]
pub struct Head {
    pub task: Task,
    /// Labels as shown.
    pub labels: Vec<String>,
    /// Labels as the graph writes them, in the same order.
    pub written: Vec<String>,
    pub positive: Option<usize>,
    /// Graph output with the class.
    pub label: Option<usize>,
    /// Graph output with the numbers.
    pub numbers: usize,
    pub form: Form,
}

/// Labels that name the positive class by themselves, in lower case.
const POSITIVE: [&str; 5] = ["bad", "fraud", "1", "true", "yes"];

/// Reads the outputs. `zipped` are the labels of a removed ZipMap.
pub fn read(
    outputs: &[Output],
    zipped: Option<&Labels>,
    declaration: &Declaration,
) -> Result<Head> {
    let of = |wanted: fn(&Output) -> bool| {
        outputs
            .iter()
            .enumerate()
            .filter(move |(_, o)| wanted(o))
            .map(|(i, _)| i)
    };
    let mut classes = of(|o| matches!(o, Output::Label(_)));
    let mut numbers = of(|o| matches!(o, Output::Numbers { .. }));
    let (label, number) = (classes.next(), numbers.next());
    if classes.next().is_some() || numbers.next().is_some() {
        return Err(Error::Unsupported(format!(
            "a model of {} outputs",
            outputs.len()
        )));
    }
    let Some((numbers, (width, distribution))) = number.and_then(|n| match outputs.get(n)? {
        Output::Numbers {
            width,
            distribution,
        } => Some((n, (*width, *distribution))),
        Output::Label(_) => None,
    }) else {
        return Err(Error::Unsupported(
            "a model without probabilities or values".into(),
        ));
    };
    let found = label.and_then(|l| match outputs.get(l) {
        Some(Output::Label(labels)) => labels.as_ref(),
        _ => None,
    });
    let found = found.or(zipped).map(Labels::texts);
    let classifies =
        label.is_some() || found.is_some() || distribution || declaration.labels.is_some();
    match declaration.task {
        Some(Task::Regression) if classifies => {
            return Err(Error::Declaration(
                "task is regression, but the model is a classifier".into(),
            ));
        }
        Some(Task::Binary | Task::Multiclass) => {}
        None if classifies => {}
        _ if width == 1 => return regression(numbers, declaration),
        _ => {
            let message = format!("output has {width} columns and no labels; declare its labels");
            return Err(Error::Declaration(message));
        }
    }
    if width == 1 && label.is_some() && declaration.task.is_none() {
        let message = "output has one column beside the label; declare task binary if it is the second label's probability";
        return Err(Error::Declaration(message.into()));
    }
    let form = if width == 1 {
        Form::Second
    } else {
        Form::PerLabel
    };
    let count = width.max(2);
    let declared = declaration.labels.clone().filter(|_| label.is_some());
    let written = found
        .or(declared)
        .unwrap_or_else(|| (0..count).map(|i| i.to_string()).collect());
    if written.len() != count {
        return Err(Error::Invalid(format!(
            "model has {} labels and {width} probabilities",
            written.len()
        )));
    }
    let labels = match &declaration.labels {
        Some(labels) => checked(labels, count)?,
        None => written.clone(),
    };
    let task = if count == 2 {
        Task::Binary
    } else {
        Task::Multiclass
    };
    if let Some(declared) = declaration.task.filter(|t| *t != task) {
        return Err(Error::Declaration(format!(
            "task is {declared:?}, but the model has {count} classes"
        )));
    }
    let positive = positive(&labels, declaration)?;
    Ok(Head {
        task,
        labels,
        written,
        positive,
        label,
        numbers,
        form,
    })
}

fn regression(numbers: usize, declaration: &Declaration) -> Result<Head> {
    if let Some(output) = &declaration.output {
        return Err(Error::Declaration(format!(
            "output \"{output}\" names a label, but the model is a regression"
        )));
    }
    Ok(Head {
        task: Task::Regression,
        labels: Vec::new(),
        written: Vec::new(),
        positive: None,
        label: None,
        numbers,
        form: Form::Value,
    })
}

fn checked(labels: &[String], count: usize) -> Result<Vec<String>> {
    if labels.len() != count {
        return Err(Error::Declaration(format!(
            "{} labels are declared, the model has {count} classes",
            labels.len()
        )));
    }
    if let Some(twice) = labels
        .iter()
        .enumerate()
        .find(|(i, l)| labels[..*i].contains(l))
    {
        return Err(Error::Declaration(format!(
            "label \"{}\" is declared twice",
            twice.1
        )));
    }
    Ok(labels.to_vec())
}

fn positive(labels: &[String], declaration: &Declaration) -> Result<Option<usize>> {
    if let Some(output) = &declaration.output {
        let found = labels.iter().position(|l| l == output);
        let listed = || {
            labels
                .iter()
                .map(|l| format!("\"{l}\""))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let unknown = || {
            Error::Declaration(format!(
                "output \"{output}\" is no label of the model, which has {}",
                listed()
            ))
        };
        return found.ok_or_else(unknown).map(Some);
    }
    let says = |label: &String| POSITIVE.contains(&label.to_lowercase().as_str());
    Ok(if labels.len() == 2 {
        labels.iter().position(says)
    } else {
        None
    })
}
