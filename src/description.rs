//! A model's contract as rows: everything a caller needs to know, from the version that would score.

use finai_engine::{Feature, Kind, Missing, Model, Signature, Task};

use crate::error::Result;
use crate::identifier::quoted;
use crate::registry::{self, CHAMPION, OnSchemaChange, Status, Version};

/// One line of `finai.describe_model`.
pub struct DescriptionRow {
    pub part: String,
    pub name: String,
    pub kind: String,
    pub detail: String,
}

/// The model, then its features in order, then what it returns, then a call.
pub fn rows(version: &Version, model: &Model) -> Result<Vec<DescriptionRow>> {
    let signature = model.signature();
    let mut rows = facts(version, model)?;
    let meanings = match version.bundled() {
        Some(entry) => entry.details()?.columns,
        None => Vec::new(),
    };
    rows.extend(signature.features.iter().map(|feature| {
        let meaning = meanings.iter().find(|known| known.name == feature.name);
        let mut detail = feature_detail(feature);
        if let Some(known) = meaning {
            detail = format!("{} ({}); {detail}", known.description, known.unit);
        }
        row("feature", &feature.name, kind_name(feature.kind), detail)
    }));
    rows.extend(bindings(signature));
    rows.extend(outputs(signature));
    if signature.task != Task::Vector {
        // A call of the champion follows promotions.
        let champion = registry::aliased(&version.model, CHAMPION)?;
        let called = match champion == Some(version.version) {
            true => version.model.clone(),
            false => version.reference(),
        };
        rows.push(row(
            "call",
            function(signature),
            "",
            example(&called, signature),
        ));
    }
    Ok(rows)
}

/// What is known of the version itself.
fn facts(version: &Version, model: &Model) -> Result<Vec<DescriptionRow>> {
    let name = &version.model;
    let settings = registry::settings(name)?;
    let status = registry::status(name, version.version)?;
    let aliases = registry::aliases(name)?;
    let mut states: Vec<&str> = Vec::new();
    if version.is_bundled() {
        states.push("bundled");
    }
    states.extend(
        aliases
            .iter()
            .filter(|(_, meant)| *meant == version.version)
            .map(|(alias, _)| alias.as_str()),
    );
    if status != Status::Verified {
        states.push(status.name());
    }
    let program = match model.rows_at_once() {
        None => "tabular",
        Some(_) => "graph",
    };
    let notes = version.notes.clone().unwrap_or_default();
    let number = version.version.to_string();
    let mut rows = vec![
        row("model", name, task_name(model.signature().task), notes),
        row(
            "version",
            &number,
            &states.join(", "),
            format!("sha256 {}", hex(&version.sha256)),
        ),
        row(
            "program",
            program,
            "",
            format!("{} bytes compiled", model.memory()),
        ),
    ];
    if let Some(owner) = registry::owner_name(name)? {
        rows.push(row("owner", &owner, "role", String::new()));
    }
    let declared = &version.declaration;
    let said = [
        (
            "features",
            declared.features.as_ref().map(|names| names.join(", ")),
        ),
        ("task", declared.task.map(|task| task_name(task).to_owned())),
        (
            "labels",
            declared.labels.as_ref().map(|labels| labels.join(", ")),
        ),
        ("output", declared.output.clone()),
    ];
    for (name, value) in said {
        rows.extend(value.map(|value| row("declared", name, "", value)));
    }
    if registry::require_owner(name).is_ok() {
        let grants = registry::grants(name)?;
        rows.extend(
            grants
                .iter()
                .map(|(role, privilege)| row("grant", role, privilege, String::new())),
        );
    }
    if let Some(use_case) = settings.use_case {
        rows.push(row("use case", &use_case, "", String::new()));
    }
    if settings.two_person {
        let detail = "who registered a version cannot promote it".into();
        rows.push(row("setting", "two_person", "true", detail));
    }
    if settings.on_schema_change == OnSchemaChange::Mark {
        let detail =
            "DDL that takes a column away from a typed scoring function marks the version".into();
        rows.push(row("setting", "on_schema_change", "mark", detail));
    }
    if let Some((reference, tolerance)) = registry::reference_rows(version)? {
        let count = reference.as_array().map_or(0, Vec::len);
        let detail = format!("scores agreed within {tolerance:e} of the trainer's");
        rows.push(row("reference", &count.to_string(), "rows", detail));
    }
    Ok(rows)
}

/// How columns supply features, for the kinds that the model has.
fn bindings(signature: &Signature) -> Vec<DescriptionRow> {
    let mut rows = vec![row(
        "binding",
        "columns",
        "",
        "by the feature's name, or that name in lower case; order does not matter, other columns are ignored".into(),
    )];
    let has = |kinds: &[Kind]| signature.features.iter().any(|f| kinds.contains(&f.kind));
    let legends: [(&[Kind], &str, &str); 4] = [
        (
            &[Kind::Float32, Kind::Float64],
            "number",
            "smallint, integer, bigint, real, double precision, numeric, boolean, date (days since 1970-01-01), timestamp (seconds since then)",
        ),
        (
            &[Kind::Int64],
            "integer",
            "smallint, integer, bigint, boolean, date (days since 1970-01-01)",
        ),
        (&[Kind::Bool], "boolean", "boolean"),
        (&[Kind::Text], "text", "text, varchar, char, enum"),
    ];
    rows.extend(
        legends
            .into_iter()
            .filter(|(kinds, _, _)| has(kinds))
            .map(|(_, name, types)| {
                row(
                    "binding",
                    name,
                    "",
                    format!("takes {types}, and domains over these"),
                )
            }),
    );
    rows
}

fn outputs(signature: &Signature) -> Vec<DescriptionRow> {
    let positive = signature.positive.and_then(|i| signature.labels.get(i));
    let score = match (signature.task, positive) {
        (Task::Regression, _) => "the predicted value".to_owned(),
        (Task::Vector, _) => "not defined: the model returns several values".to_owned(),
        (_, Some(label)) => format!("probability of label {label}"),
        (_, None) => "not defined: register the model with output => '<label>'".to_owned(),
    };
    let mut rows = vec![row("output", "score", "double precision", score)];
    if !signature.labels.is_empty() {
        let labels = signature.labels.join(", ");
        rows.push(row("output", "label", "text", format!("one of {labels}")));
        rows.push(row(
            "output",
            "probabilities",
            "jsonb",
            "every label with its probability".into(),
        ));
    }
    rows
}

/// The function that gives this model's main output.
fn function(signature: &Signature) -> &'static str {
    match signature.positive {
        None if !signature.labels.is_empty() => "classify",
        _ => "score",
    }
}

/// A statement that runs as it stands, over one row of zeros and first categories.
fn example(called: &str, signature: &Signature) -> String {
    let value = |feature: &Feature| match feature.kind {
        Kind::Float32 | Kind::Float64 => "0.0".to_owned(),
        Kind::Int64 => "0".to_owned(),
        Kind::Bool => "false".to_owned(),
        Kind::Text => {
            let first = feature.categories.first().map_or("", String::as_str);
            format!("'{}'::text", first.replace('\'', "''"))
        }
    };
    let columns: Vec<String> = signature
        .features
        .iter()
        .map(|feature| format!("{} AS {}", value(feature), quoted(&feature.name)))
        .collect();
    format!(
        "SELECT finai.{}('{called}', r) FROM (SELECT\n  {}) r",
        function(signature),
        columns.join(",\n  ")
    )
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
