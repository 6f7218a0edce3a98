//! Models written by the real exporters against onnxruntime's answers, 2,000 rows each: `models/README.md`.
//!
//! `cargo test --workspace --test exporters -- --nocapture` prints a line per model.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "exporters/files.rs"]
mod files;
#[path = "exporters/recorded.rs"]
mod recorded;
#[path = "exporters/table.rs"]
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use finai_engine::outputs::Values;
use finai_engine::{Declaration, Limits, Model, Scorer};
use recorded::{Cells, Output, Recorded};
use table::Table;

/// Models that the engine does not score as onnxruntime does, each with what goes wrong. A model that
/// passes, or fails in another way, fails the test until its line is removed or put right.
const KNOWN: &[(&str, &str)] = &[
    ("bernoulli_nb", "rows differ"),
    ("complement_nb", "rows differ"),
    ("count_multinomial_nb", "rows differ"),
    ("gaussian_mixture", "rows differ"),
    ("gaussian_nb", "rows differ"),
    ("keras_dense_softmax", "rows differ"),
    (
        "keras_gru",
        "operator \"Loop\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "keras_gru_reset_after",
        "operator \"Loop\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "keras_simple_rnn",
        "operator \"Loop\" of domain \"ai.onnx\" is not supported",
    ),
    ("multinomial_nb", "rows differ"),
    ("power_transformer_box_cox", "rows differ"),
    ("svc_polynomial", "rows differ"),
];

/// Rows of a model that may be exempt from the comparison of numbers, in percent.
const EXEMPT: usize = 4;
/// Largest difference, as a share of the tolerance, of a row on which onnxruntime itself rounds badly.
const ROUNDING: f64 = 200.0;
/// Rows that are scored in other batches than the first.
const PROBED: usize = 210;

/// Label and numbers of the score of one row.
#[derive(Debug, Clone, PartialEq)]
struct Answer {
    label: Option<String>,
    numbers: Vec<f64>,
}

impl Answer {
    fn bits(&self) -> (Option<&str>, Vec<u64>) {
        (self.label.as_deref(), bits(&self.numbers))
    }
}

fn bits(numbers: &[f64]) -> Vec<u64> {
    numbers.iter().map(|x| x.to_bits()).collect()
}

/// Cells of an output for all rows, as the engine gives them.
#[derive(Debug, PartialEq)]
enum Found {
    Texts(Vec<String>),
    Numbers(Vec<f64>),
}

impl Found {
    fn new(values: Values) -> Found {
        match values {
            Values::Float32(cells) => Found::Numbers(cells.into_iter().map(f64::from).collect()),
            Values::Float64(cells) => Found::Numbers(cells),
            Values::Int64(cells) => Found::Numbers(cells.into_iter().map(|i| i as f64).collect()),
            Values::Bool(cells) => {
                Found::Numbers(cells.into_iter().map(|b| f64::from(u8::from(b))).collect())
            }
            Values::Text(cells) => Found::Texts(cells),
        }
    }

    fn extend(&mut self, more: Found) {
        match (self, more) {
            (Found::Texts(cells), Found::Texts(more)) => cells.extend(more),
            (Found::Numbers(cells), Found::Numbers(more)) => cells.extend(more),
            _ => panic!("an output changes its type between batches"),
        }
    }

    fn same_bits(&self, other: &Found, cells: usize) -> bool {
        match (self, other) {
            (Found::Texts(a), Found::Texts(b)) => a.get(..cells) == b.get(..cells),
            (Found::Numbers(a), Found::Numbers(b)) => {
                a.get(..cells).map(bits) == b.get(..cells).map(bits)
            }
            _ => false,
        }
    }
}

struct Case {
    model: Arc<Model>,
    table: Arc<Table>,
    columns: Vec<usize>,
}

impl Case {
    fn fill(&self, rows: &[usize], scorer: &mut Scorer) -> Result<(), String> {
        scorer.batch().clear();
        for row in rows {
            self.table
                .push(*row, &self.columns, scorer.batch())
                .map_err(|e| format!("row {row}: {e}"))?;
        }
        Ok(())
    }

    /// Scores of the rows of an order in batches of `size`.
    fn scores(&self, order: &[usize], size: usize) -> Result<Vec<Answer>, String> {
        let mut scorer = Scorer::new(self.model.clone(), size).map_err(|e| e.to_string())?;
        let mut answers = Vec::with_capacity(order.len());
        for rows in order.chunks(size) {
            self.fill(rows, &mut scorer)?;
            let scores = scorer.run(&|| false).map_err(|e| e.to_string())?;
            answers.extend((0..rows.len()).map(|i| Answer {
                label: scores.label(i).map(str::to_owned),
                numbers: scores.probabilities(i).to_vec(),
            }));
        }
        Ok(answers)
    }

    /// Every output of the graph, by name, for the first `rows` rows in batches of `size`.
    fn outputs(&self, rows: usize, size: usize) -> Result<Vec<(String, Found)>, String> {
        let mut scorer = Scorer::new(self.model.clone(), size).map_err(|e| e.to_string())?;
        let mut all: Vec<(String, Found)> = Vec::new();
        let order: Vec<usize> = (0..rows).collect();
        for rows in order.chunks(size) {
            self.fill(rows, &mut scorer)?;
            let outputs = scorer.outputs(&|| false).map_err(|e| e.to_string())?;
            for (i, column) in outputs.columns().iter().enumerate() {
                let values = column.values.clone().ok_or("an output without values")?;
                match all.get_mut(i) {
                    Some((_, found)) => found.extend(Found::new(values)),
                    None => all.push((column.name.clone(), Found::new(values))),
                }
            }
        }
        Ok(all)
    }

    /// The same bits in batches of 1, 2, 7, 1,000 and 4,096 rows and among other neighbours.
    fn steady(&self, expected: &[Answer]) -> Result<(), String> {
        let rows = self.table.rows();
        let few: Vec<usize> = (0..PROBED).map(|i| i * 9 % rows).collect();
        let all: Vec<usize> = (0..rows).map(|i| i * 1237 % rows).collect();
        let more: Vec<usize> = (0..4096).map(|i| (i * 7 + 3) % rows).collect();
        for (order, size) in [(&few, 1), (&few, 2), (&few, 7), (&all, 1000), (&more, 4096)] {
            for (row, answer) in order.iter().zip(self.scores(order, size)?) {
                if answer.bits() != expected[*row].bits() {
                    return Err(format!(
                        "row {row} in batches of {size}: {answer:?} is not the same bits as {:?}",
                        expected[*row]
                    ));
                }
            }
        }
        Ok(())
    }
}

/// What a comparison found.
#[derive(Default)]
struct Report {
    tabular: bool,
    /// The model says that its scores are probabilities.
    shares: bool,
    /// Largest difference, as a share of the tolerance.
    worst: f64,
    /// Rows whose numbers were exempt and did differ.
    exempt: BTreeSet<usize>,
    /// Rows whose label differed at a tie.
    ties: usize,
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/models")
        .join(name)
}

/// Loads, scores and compares one model.
fn check(name: &str, recorded: &Recorded, table: Arc<Table>) -> Result<Report, String> {
    let bytes = files::bytes(&folder("exported").join(format!("{name}.onnx")));
    let declaration = recorded.declaration.as_ref().map_err(Clone::clone)?;
    let model =
        Model::load_as(&bytes, declaration, &Limits::default()).map_err(|e| e.to_string())?;
    let columns = table.bind(model.signature());
    let case = Case {
        model: Arc::new(model),
        table,
        columns,
    };
    let rows = case.table.rows();
    let mut report = Report {
        tabular: case.model.is_tabular(),
        shares: case.model.scores_probabilities(),
        ..Report::default()
    };
    let outputs = case.outputs(rows, 1000)?;
    if outputs.len() != recorded.outputs.len() {
        return Err(format!(
            "{} outputs instead of {}",
            outputs.len(),
            recorded.outputs.len()
        ));
    }
    for ((name, found), expected) in outputs.iter().zip(&recorded.outputs) {
        if *name != expected.name {
            return Err(format!("output {name} instead of {}", expected.name));
        }
        compare(recorded, expected, found, rows, &mut report)
            .map_err(|what| format!("output {name}: {what}"))?;
    }
    if report.exempt.len() * 100 > rows * EXEMPT {
        return Err(format!(
            "{} of {rows} rows differ and are exempt",
            report.exempt.len()
        ));
    }
    for ((name, few), ((_, all), expected)) in case
        .outputs(PROBED, 7)?
        .iter()
        .zip(outputs.iter().zip(&recorded.outputs))
    {
        if !few.same_bits(all, PROBED * expected.width) {
            return Err(format!("output {name}: other bits in batches of 7"));
        }
    }
    let order: Vec<usize> = (0..rows).collect();
    let scores = case.scores(&order, 1000)?;
    score(recorded, declaration, &outputs, &scores)?;
    let mut numbers = scores.iter().flat_map(|answer| &answer.numbers);
    if report.shares && !numbers.all(|n| (-1e-6..=1.0 + 1e-6).contains(n)) {
        return Err("scores that are said to be probabilities are not".into());
    }
    case.steady(&scores)?;
    Ok(report)
}

/// Compares one output of the graph with the recorded one.
fn compare(
    recorded: &Recorded,
    expected: &Output,
    found: &Found,
    rows: usize,
    report: &mut Report,
) -> Result<(), String> {
    let mut wrong = Vec::new();
    for row in 0..rows {
        let free = recorded.jumps.contains(&row) || recorded.unsteady.contains(&row);
        match (&expected.cells, found) {
            (Cells::Labels { texts, codes }, _) => {
                let wanted = &texts[usize::from(codes[row])];
                let label = match found {
                    Found::Texts(cells) => cells.get(row).cloned(),
                    Found::Numbers(cells) => cells.get(row).map(f64::to_string),
                };
                if label.as_ref() != Some(wanted) {
                    if free || recorded.ties.contains(&row) {
                        report.ties += 1;
                    } else {
                        wrong.push(format!("row {row}: label {label:?} is not {wanted:?}"));
                    }
                }
            }
            (Cells::Numbers(cells), Found::Numbers(found)) => {
                if found.len() != cells.len() {
                    return Err(format!(
                        "{} numbers instead of {}",
                        found.len(),
                        cells.len()
                    ));
                }
                let at = row * expected.width..(row + 1) * expected.width;
                let (found, cells) = (&found[at.clone()], &cells[at]);
                let shares = found.iter().zip(cells);
                let share = shares
                    .map(|(f, e)| recorded.tolerance.share(*f, *e))
                    .fold(0.0, f64::max);
                if share <= 1.0 {
                    report.worst = report.worst.max(share);
                } else if free || (recorded.inexact.contains(&row) && share <= ROUNDING) {
                    report.exempt.insert(row);
                } else {
                    wrong.push(format!("row {row}: {found:?} is not {cells:?}"));
                }
            }
            (Cells::Numbers(_), Found::Texts(_)) => return Err("texts instead of numbers".into()),
        }
    }
    match wrong.first() {
        Some(first) => Err(format!("{} rows differ, {first}", wrong.len())),
        None => Ok(()),
    }
}

/// Scores are the numbers of the output in use, one probability completed to two; their label is the graph's, or that of
/// the largest number.
fn score(
    recorded: &Recorded,
    declaration: &Declaration,
    outputs: &[(String, Found)],
    scores: &[Answer],
) -> Result<(), String> {
    let listed = outputs.iter().zip(&recorded.outputs);
    let mut numbers = listed
        .clone()
        .filter_map(|((name, found), output)| match found {
            Found::Numbers(cells) if !matches!(output.cells, Cells::Labels { .. }) => {
                Some((name, cells, output.width))
            }
            _ => None,
        });
    let named = numbers
        .clone()
        .find(|(name, ..)| declaration.output.as_ref() == Some(*name));
    let (_, cells, width) = named
        .or_else(|| numbers.next())
        .ok_or("no output of numbers")?;
    let labels = listed
        .into_iter()
        .find_map(|((_, found), output)| match (&output.cells, found) {
            (Cells::Labels { .. }, Found::Texts(texts)) => Some(texts.clone()),
            (Cells::Labels { .. }, Found::Numbers(cells)) => {
                Some(cells.iter().map(f64::to_string).collect())
            }
            _ => None,
        });
    for (row, answer) in scores.iter().enumerate() {
        let wanted = &cells[row * width..(row + 1) * width];
        let found = match answer.numbers.len() {
            2 if width == 1 => &answer.numbers[1..],
            _ => &answer.numbers,
        };
        if bits(found) != bits(wanted) {
            return Err(format!(
                "row {row}: score {found:?} of an output {wanted:?}"
            ));
        }
        if let (Some(label), Some(all)) = (&answer.label, &labels)
            && declaration.labels.is_none()
            && *label != all[row]
        {
            return Err(format!(
                "row {row}: label {label:?} of an output {:?}",
                all[row]
            ));
        }
    }
    Ok(())
}

fn names() -> Vec<String> {
    let entries = std::fs::read_dir(folder("exported"))
        .unwrap()
        .map(|e| e.unwrap().path());
    let models = entries.filter(|path| path.extension().is_some_and(|e| e == "onnx"));
    let mut names: Vec<String> = models
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn models_agree_with_onnxruntime() {
    let names = names();
    assert!(names.len() >= 60, "{} models", names.len());
    let known: BTreeMap<&str, &str> = KNOWN.iter().copied().collect();
    assert_eq!(known.len(), KNOWN.len(), "a model is listed twice");
    for (name, _) in KNOWN {
        assert!(
            names.iter().any(|n| n == name),
            "{name} is listed and does not exist"
        );
    }
    let mut tables: BTreeMap<String, Arc<Table>> = BTreeMap::new();
    let (mut agree, mut shares, mut failures) = (0, 0, Vec::new());
    for name in &names {
        let header = Recorded::header(&folder("exported"), name);
        let table = header["table"].as_str().unwrap();
        let read = || Arc::new(Table::read(&folder("tables"), table));
        let table = tables.entry(table.to_owned()).or_insert_with(read).clone();
        assert!(table.rows() >= 2000, "{name} has {} rows", table.rows());
        let recorded = Recorded::read(&folder("exported"), name, table.rows(), &header);
        let expected = known.get(name.as_str());
        match (check(name, &recorded, table), expected) {
            (Ok(report), None) => {
                agree += 1;
                shares += usize::from(report.shares);
                println!(
                    "{name:40} {:8} {:28} {:12} worst {:.3}, exempt {}, ties {}",
                    if report.tabular { "tabular" } else { "graph" },
                    recorded.exporter,
                    recorded.table,
                    report.worst,
                    report.exempt.len(),
                    report.ties,
                );
            }
            (Ok(_), Some(_)) => failures.push(format!("{name} agrees: remove it from KNOWN")),
            (Err(what), Some(reason)) if what.contains(reason) => {
                println!("{name:40} known: {what}")
            }
            (Err(what), Some(_)) => failures.push(format!(
                "{name} fails in another way than KNOWN says: {what}"
            )),
            (Err(what), None) => failures.push(format!("{name}: {what}")),
        }
    }
    println!("{agree} of {} models agree with onnxruntime", names.len());
    assert!(
        failures.is_empty(),
        "{} models:\n{}",
        failures.len(),
        failures.join("\n")
    );
    // Most classifiers; those of margins, distances and votes are none of them.
    assert!(shares >= 95, "{shares} models of probabilities");
}
