//! A model's contract as rows: everything a caller needs to know, from the version that would score.

use finai_engine::{Feature, Kind, Missing, Model, Task};

use crate::registry::Version;

/// One line of `finai.describe_model`.
pub struct DescriptionRow {
    pub part: String,
    pub name: String,
    pub kind: String,
    pub detail: String,
}

/// The model, then its features in order, then what it returns.
pub fn rows(version: &Version, champion: bool, model: &Model) -> Vec<DescriptionRow> {
    let signature = model.signature();
    let origin = match (version.is_bundled(), champion) {
        (true, true) => "bundled, champion",
        (true, false) => "bundled",
        (false, true) => "champion",
        (false, false) => "",
    };
    let notes = version.notes.clone().unwrap_or_default();
    let mut rows = vec![
        row("model", &version.model, task_name(signature.task), notes),
        row(
            "version",
            &version.version.to_string(),
            origin,
            format!("sha256 {}", hex(&version.sha256)),
        ),
        row(
            "program",
            if model.is_tabular() {
                "tabular"
            } else {
                "graph"
            },
            "",
            format!("{} bytes compiled", model.memory()),
        ),
    ];
    rows.extend(signature.features.iter().map(|feature| {
        row(
            "feature",
            &feature.name,
            kind_name(feature.kind),
            feature_detail(feature),
        )
    }));
    let labels = signature.labels.join(", ");
    let positive = signature.positive.and_then(|i| signature.labels.get(i));
    let score = match (signature.task, positive) {
        (Task::Regression, _) => "the predicted value".to_owned(),
        (Task::Vector, _) => "not defined: the model returns several values".to_owned(),
        (_, Some(label)) => format!("probability of label {label}"),
        (_, None) => "not defined: register the model with output => '<label>'".to_owned(),
    };
    rows.push(row("output", "score", "double precision", score));
    if !signature.labels.is_empty() {
        rows.push(row("output", "label", "text", format!("one of {labels}")));
    }
    rows
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A feature kind as SQL users read it.
pub fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Float32 => "number (float4)",
        Kind::Float64 => "number (float8)",
        Kind::Int64 => "integer",
        Kind::Bool => "boolean",
        Kind::Text => "text",
    }
}

fn feature_detail(feature: &Feature) -> String {
    let null = match &feature.missing {
        Missing::Native => "NULL: goes into the model as NaN".to_owned(),
        Missing::Error => "NULL: error".to_owned(),
        Missing::Number(number) => format!("NULL: counts as {number}"),
        Missing::Text(text) => format!("NULL: counts as {text}"),
    };
    if feature.categories.is_empty() {
        null
    } else {
        format!("{null}; one of: {}", feature.categories.join(" | "))
    }
}

fn task_name(task: Task) -> &'static str {
    match task {
        Task::Binary => "binary",
        Task::Multiclass => "multiclass",
        Task::Regression => "regression",
        Task::Vector => "vector",
    }
}

fn row(part: &str, name: &str, kind: &str, detail: String) -> DescriptionRow {
    DescriptionRow {
        part: part.to_owned(),
        name: name.to_owned(),
        kind: kind.to_owned(),
        detail,
    }
}
