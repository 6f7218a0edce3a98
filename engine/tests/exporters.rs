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

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use finai_engine::{Limits, Model, Scorer};
use recorded::{Cells, Recorded};
use table::Table;

/// Models that the engine does not score as onnxruntime does, each with what goes wrong. A model that
/// passes, or fails in another way, fails the test until its line is removed or put right.
const KNOWN: &[(&str, &str)] = &[
    (
        "ada_boost_classifier",
        "operator \"Shape\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "ada_boost_regressor",
        "operator \"TopK\" of domain \"ai.onnx\" is not supported",
    ),
    ("bernoulli_nb", "rows differ"),
    (
        "binarizer",
        "operator \"Binarizer\" of domain \"ai.onnx.ml\" is not supported",
    ),
    ("complement_nb", "rows differ"),
    (
        "count_multinomial_nb",
        "operator \"StringNormalizer\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "count_stop_words",
        "operator \"Tokenizer\" of domain \"com.microsoft\" is not supported",
    ),
    ("decision_tree_leaf_ids", "has two weights for output 0"),
    ("gaussian_mixture", "rows differ"),
    ("gaussian_nb", "rows differ"),
    (
        "gaussian_process_regressor",
        "operator \"Scan\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "isolation_forest",
        "task is regression, but the model is a classifier",
    ),
    (
        "keras_attention",
        "operator \"Shape\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "keras_autoencoder",
        "unknown variant `vector`, expected one of `binary`, `multiclass`, `regression`",
    ),
    (
        "keras_cnn",
        "operator \"Shape\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "keras_cnn_1d",
        "operator \"Pad\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "keras_cnn_separable",
        "input \"x\" of 3 dimensions is not supported",
    ),
    ("keras_dense_softmax", "rows differ"),
    (
        "keras_embedding",
        "input \"functional_14_1/embedding_1/SelectV2:0\" of node \"functional_14_1/embedding_1/GatherV2\" (Gather), which is not constant, is not supported",
    ),
    (
        "keras_gru",
        "operator \"Loop\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "keras_gru_reset_after",
        "operator \"Loop\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "keras_lstm",
        "operator \"Shape\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "keras_lstm_bidirectional",
        "operator \"Shape\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "keras_lstm_stacked",
        "operator \"Shape\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "keras_simple_rnn",
        "operator \"Loop\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "keras_text_lstm",
        "operator \"Shape\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "keras_two_inputs",
        "input \"functional_16_1/embedding_3_1/SelectV2:0\" of node \"functional_16_1/embedding_3_1/GatherV2\" (Gather), which is not constant, is not supported",
    ),
    (
        "knn_classifier",
        "operator \"Scan\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "knn_classifier_distance_weights",
        "operator \"Scan\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "knn_regressor",
        "operator \"Scan\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "knn_regressor_cdist",
        "operator \"Scan\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "lasso_polynomial",
        "operator \"Shape\" of domain \"ai.onnx\" is not supported",
    ),
    ("lightgbm_categorical_missing", "has two parents"),
    (
        "linear_regression_two_targets",
        "unknown variant `vector`, expected one of `binary`, `multiclass`, `regression`",
    ),
    (
        "linear_svc_binary",
        "task is regression, but the model is a classifier",
    ),
    (
        "logistic_multinomial_zipmap_columns",
        "a model of 4 outputs is not supported",
    ),
    (
        "logistic_one_vs_one",
        "operator \"Shape\" of domain \"ai.onnx\" is not supported",
    ),
    ("max_abs_scaler_double", "model evaluation failed"),
    ("mlp_classifier_logistic_double", "model evaluation failed"),
    (
        "most_frequent_text",
        "node \"N1\" (LabelEncoder) on constants only is not supported",
    ),
    (
        "multi_output_ridge",
        "unknown variant `vector`, expected one of `binary`, `multiclass`, `regression`",
    ),
    ("multinomial_nb", "rows differ"),
    (
        "nu_svc",
        "operator \"SVMClassifier\" of domain \"ai.onnx.ml\" is not supported",
    ),
    (
        "nu_svr_polynomial",
        "operator \"SVMRegressor\" of domain \"ai.onnx.ml\" is not supported",
    ),
    (
        "one_class_svm",
        "operator \"SVMRegressor\" of domain \"ai.onnx.ml\" is not supported",
    ),
    (
        "polynomial_logistic",
        "operator \"Shape\" of domain \"ai.onnx\" is not supported",
    ),
    ("power_transformer_box_cox", "rows differ"),
    ("power_transformer_yeo_johnson", "rows differ"),
    (
        "quantile_transformer",
        "operator \"Shape\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "random_forest_two_targets",
        "unknown variant `vector`, expected one of `binary`, `multiclass`, `regression`",
    ),
    (
        "ridge_classifier",
        "task is regression, but the model is a classifier",
    ),
    ("stacking_passthrough", "rows differ"),
    (
        "svc_linear",
        "operator \"SVMClassifier\" of domain \"ai.onnx.ml\" is not supported",
    ),
    (
        "svc_polynomial",
        "operator \"SVMClassifier\" of domain \"ai.onnx.ml\" is not supported",
    ),
    (
        "svc_rbf",
        "operator \"SVMClassifier\" of domain \"ai.onnx.ml\" is not supported",
    ),
    (
        "svc_rbf_binary",
        "operator \"SVMClassifier\" of domain \"ai.onnx.ml\" is not supported",
    ),
    (
        "svc_rbf_double",
        "operator \"SVMClassifier\" of domain \"ai.onnx.ml\" is not supported",
    ),
    (
        "svc_scores_one_vs_one",
        "operator \"SVMClassifier\" of domain \"ai.onnx.ml\" is not supported",
    ),
    (
        "svc_scores_one_vs_rest",
        "operator \"SVMClassifier\" of domain \"ai.onnx.ml\" is not supported",
    ),
    (
        "svc_sigmoid",
        "operator \"SVMClassifier\" of domain \"ai.onnx.ml\" is not supported",
    ),
    (
        "svr_rbf",
        "operator \"SVMRegressor\" of domain \"ai.onnx.ml\" is not supported",
    ),
    (
        "tfidf_bigrams_sublinear",
        "operator \"StringNormalizer\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "tfidf_characters",
        "operator \"StringNormalizer\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "tfidf_column",
        "operator \"StringNormalizer\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "tfidf_logistic",
        "operator \"StringNormalizer\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "torch_autoencoder",
        "unknown variant `vector`, expected one of `binary`, `multiclass`, `regression`",
    ),
    (
        "torch_cnn",
        "operator \"Mod\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "torch_cnn_1d",
        "input \"input\" of 3 dimensions is not supported",
    ),
    (
        "torch_cnn_residual",
        "input \"input\" of 3 dimensions is not supported",
    ),
    (
        "torch_gru",
        "operator \"Shape\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "torch_gru_stacked",
        "operator \"Shape\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "torch_lstm",
        "operator \"Shape\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "torch_lstm_bidirectional",
        "operator \"Shape\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "torch_rnn",
        "operator \"Shape\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "torch_transformer",
        "operator \"Shape\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "torch_transformer_words",
        "operator \"Shape\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "torch_two_heads",
        "operator \"Shape\" of domain \"ai.onnx\" is not supported",
    ),
    (
        "torch_word_attention",
        "input \"input\" of node \"/vectors/Gather\" (Gather), which is not constant, is not supported",
    ),
    (
        "voting_hard",
        "operator \"Shape\" of domain \"ai.onnx\" is not supported",
    ),
    ("voting_soft", "rows differ"),
];

/// Rows of a model that may be exempt from the comparison of numbers, in percent.
const EXEMPT: usize = 4;
/// Rows that are scored in other batches than the first.
const PROBED: usize = 210;

/// Label and numbers of one row.
#[derive(Debug, Clone, PartialEq)]
struct Answer {
    label: Option<String>,
    numbers: Vec<f64>,
}

impl Answer {
    fn bits(&self) -> (Option<&str>, Vec<u64>) {
        (
            self.label.as_deref(),
            self.numbers.iter().map(|x| x.to_bits()).collect(),
        )
    }
}

struct Case {
    model: Arc<Model>,
    table: Arc<Table>,
    columns: Vec<usize>,
}

impl Case {
    /// Scores the rows of an order in batches of `size`.
    fn run(&self, order: &[usize], size: usize) -> Result<Vec<Answer>, String> {
        let mut scorer = Scorer::new(self.model.clone(), size).map_err(|e| e.to_string())?;
        let mut answers = Vec::with_capacity(order.len());
        for rows in order.chunks(size) {
            scorer.batch().clear();
            for row in rows {
                self.table
                    .push(*row, &self.columns, scorer.batch())
                    .map_err(|e| format!("row {row}: {e}"))?;
            }
            let scores = scorer.run(&|| false).map_err(|e| e.to_string())?;
            answers.extend((0..rows.len()).map(|i| Answer {
                label: scores.label(i).map(str::to_owned),
                numbers: scores.probabilities(i).to_vec(),
            }));
        }
        Ok(answers)
    }

    /// The same bits in batches of 1, 2, 7, 1,000 and 4,096 rows and among other neighbours.
    fn steady(&self, expected: &[Answer]) -> Result<(), String> {
        let rows = self.table.rows();
        let few: Vec<usize> = (0..PROBED).map(|i| i * 9 % rows).collect();
        let all: Vec<usize> = (0..rows).map(|i| i * 1237 % rows).collect();
        let more: Vec<usize> = (0..4096).map(|i| (i * 7 + 3) % rows).collect();
        for (order, size) in [(&few, 1), (&few, 2), (&few, 7), (&all, 1000), (&more, 4096)] {
            for (row, answer) in order.iter().zip(self.run(order, size)?) {
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
    /// Largest difference, as a share of the tolerance.
    worst: f64,
    /// Rows whose numbers were exempt and did differ.
    exempt: usize,
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
    let model = Model::load_as(
        &bytes,
        recorded.declaration.as_ref().map_err(Clone::clone)?,
        &Limits::default(),
    )
    .map_err(|e| e.to_string())?;
    let columns = table.bind(model.signature());
    let case = Case {
        model: Arc::new(model),
        table,
        columns,
    };
    let rows = case.table.rows();
    let order: Vec<usize> = (0..rows).collect();
    let answers = case.run(&order, 1000)?;
    let mut report = Report {
        tabular: case.model.is_tabular(),
        ..Report::default()
    };
    let mut wrong = Vec::new();
    for (row, answer) in answers.iter().enumerate() {
        if let Err(what) = compare(recorded, row, answer, &mut report) {
            wrong.push(format!("row {row}: {what}"));
        }
    }
    if let Some(first) = wrong.first() {
        return Err(format!("{} rows differ, {first}", wrong.len()));
    }
    if report.exempt * 100 > rows * EXEMPT {
        return Err(format!(
            "{} of {rows} rows differ and are exempt",
            report.exempt
        ));
    }
    case.steady(&answers)?;
    Ok(report)
}

fn compare(
    recorded: &Recorded,
    row: usize,
    answer: &Answer,
    report: &mut Report,
) -> Result<(), String> {
    let mut numbers = recorded
        .outputs
        .iter()
        .filter_map(|output| match &output.cells {
            Cells::Numbers(cells) => Some(&cells[row * output.width..(row + 1) * output.width]),
            Cells::Labels { .. } => None,
        });
    let expected = numbers.next().ok_or("no numbers are recorded")?;
    // One recorded probability is that of the second label.
    let found = match answer.numbers.len() {
        2 if expected.len() == 1 => &answer.numbers[1..],
        _ => &answer.numbers,
    };
    if found.len() != expected.len() {
        return Err(format!(
            "{} numbers instead of {}",
            found.len(),
            expected.len()
        ));
    }
    let share = found
        .iter()
        .zip(expected)
        .map(|(f, e)| recorded.tolerance.share(*f, *e))
        .fold(0.0, f64::max);
    let free = recorded.jumps.contains(&row) || recorded.unsteady.contains(&row);
    if share > 1.0 && !free {
        return Err(format!("{found:?} is not {expected:?}"));
    }
    if share > 1.0 {
        report.exempt += 1;
    } else {
        report.worst = report.worst.max(share);
    }
    for output in &recorded.outputs {
        let Cells::Labels { texts, codes } = &output.cells else {
            continue;
        };
        let expected = &texts[usize::from(codes[row])];
        if answer.label.as_deref() != Some(expected) {
            if !recorded.ties.contains(&row) && !free {
                return Err(format!("label {:?} is not {expected:?}", answer.label));
            }
            report.ties += 1;
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
    let (mut agree, mut failures) = (0, Vec::new());
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
                println!(
                    "{name:40} {:8} {:28} {:12} worst {:.3}, exempt {}, ties {}",
                    if report.tabular { "tabular" } else { "graph" },
                    recorded.exporter,
                    recorded.table,
                    report.worst,
                    report.exempt,
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
}
