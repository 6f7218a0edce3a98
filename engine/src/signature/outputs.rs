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
    /// Bools, as integers 0 and 1 where the program is tabular.
    Flags,
    /// None of these: several integers or texts.
    Other,
}

/// How the numbers of a row become probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One column per label.
    PerLabel,
    /// The probability of the second of two labels.
    Second,
    /// Values as they are.
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
    /// Numbers of a row as scores have them.
    pub width: usize,
    pub form: Form,
}

/// Labels that name the positive class by themselves, in lower case.
const POSITIVE: [&str; 5] = ["bad", "fraud", "1", "true", "yes"];

/// Reads the outputs, named `names`. `zipped` are the labels of a removed ZipMap.
pub fn read(
    names: &[String],
    outputs: &[Output],
    zipped: Option<&Labels>,
    declaration: &Declaration,
) -> Result<Head> {
    let named = declaration
        .output
        .as_ref()
        .and_then(|output| names.iter().position(|name| name == output));
    let label = label(names, outputs, named)?;
    let found = label.and_then(|l| match outputs.get(l) {
        Some(Output::Label(labels)) => labels.as_ref(),
        _ => None,
    });
    let found = found.or(zipped).map(Labels::texts);
    let Numbers {
        output: numbers,
        width,
        distribution,
    } = numbers(names, outputs, named, found.as_ref())?;
    let declaration = &Declaration {
        output: declaration.output.clone().filter(|_| named.is_none()),
        ..declaration.clone()
    };
    let classifies =
        label.is_some() || found.is_some() || distribution || declaration.labels.is_some();
    match declaration.task {
        Some(Task::Regression)
            if declaration.labels.is_some()
                || (width != 1 && (distribution || found.is_some())) =>
        {
            return Err(Error::Declaration(
                "task is regression, but the model is a classifier".into(),
            ));
        }
        Some(Task::Regression) if width != 1 => {
            return Err(Error::Declaration(format!(
                "task is regression, but the output has {width} columns"
            )));
        }
        Some(task @ (Task::Regression | Task::Vector)) => {
            return values(numbers, width, task, declaration);
        }
        Some(Task::Binary | Task::Multiclass) => {}
        None if classifies => {}
        None if width == 1 => return values(numbers, width, Task::Regression, declaration),
        None => {
            return Err(Error::Declaration(format!(
                "output has {width} columns and no labels; declare its labels, or task vector"
            )));
        }
    }
    if width == 1 && label.is_some() && declaration.task.is_none() {
        let message = "output has one column beside the label; declare task binary if it is the second label's \
             probability, task regression if it is a value such as a distance or an anomaly score";
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
        width: count,
        form,
    })
}

/// The output that names the class, of several the only one whose labels are known: others are integers such as the leaf
/// that a row is in. None where the output in use was declared and several could go with it.
fn label(names: &[String], outputs: &[Output], named: Option<usize>) -> Result<Option<usize>> {
    let mut found: Vec<usize> = places(outputs, |o| matches!(o, Output::Label(_)));
    let known = places(outputs, |o| matches!(o, Output::Label(Some(_))));
    if known.len() == 1 {
        found = known;
    }
    match (found.as_slice(), named) {
        ([], _) => Ok(None),
        ([label], _) => Ok(Some(*label)),
        (_, Some(_)) => Ok(None),
        (several, None) => Err(Error::Declaration(format!(
            "outputs {} hold labels; name an output of numbers",
            listed(names, several)
        ))),
    }
}

struct Numbers {
    output: usize,
    width: usize,
    distribution: bool,
}

/// The output that holds the numbers: the one declared, the only one, or the only one with a column per label.
fn numbers(
    names: &[String],
    outputs: &[Output],
    named: Option<usize>,
    labels: Option<&Vec<String>>,
) -> Result<Numbers> {
    let width = |i: &usize| match outputs.get(*i) {
        Some(Output::Numbers { width, .. }) => Some(*width),
        _ => None,
    };
    let all = match named {
        Some(named) => vec![named],
        None => places(outputs, |o| matches!(o, Output::Numbers { .. })),
    };
    let mut fitting = all
        .iter()
        .filter(|i| labels.is_some_and(|l| width(i) == Some(l.len())));
    let chosen = match (all.as_slice(), fitting.next(), fitting.next()) {
        ([], ..) => {
            return Err(Error::Unsupported(
                "a model without probabilities or values".into(),
            ));
        }
        ([only], ..) => *only,
        (_, Some(one), None) => *one,
        (several, ..) => {
            return Err(Error::Declaration(format!(
                "outputs {} hold numbers; name one of them as output",
                listed(names, several)
            )));
        }
    };
    match outputs.get(chosen) {
        Some(Output::Numbers {
            width,
            distribution,
        }) => Ok(Numbers {
            output: chosen,
            width: *width,
            distribution: *distribution,
        }),
        _ => Err(Error::Declaration(format!(
            "output {} holds no numbers",
            listed(names, &[chosen])
        ))),
    }
}

fn places(outputs: &[Output], wanted: fn(&Output) -> bool) -> Vec<usize> {
    (0..outputs.len())
        .filter(|i| outputs.get(*i).is_some_and(wanted))
        .collect()
}

fn listed(names: &[String], places: &[usize]) -> String {
    let quoted = places
        .iter()
        .map(|i| format!("\"{}\"", names.get(*i).map_or("", String::as_str)));
    quoted.collect::<Vec<_>>().join(", ")
}

fn values(numbers: usize, width: usize, task: Task, declaration: &Declaration) -> Result<Head> {
    if let Some(output) = &declaration.output {
        let task = format!("{task:?}").to_lowercase();
        return Err(Error::Declaration(format!(
            "output \"{output}\" is no output of the model, and a {task} has no labels"
        )));
    }
    Ok(Head {
        task,
        labels: Vec::new(),
        written: Vec::new(),
        positive: None,
        label: None,
        numbers,
        width,
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
