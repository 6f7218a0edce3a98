//! A table of networks that are no fused program, beside onnxruntime and tract alone: medians over the rounds.
//!
//! `cargo bench --bench networks -- [part of a model's name]`. Models are those that Keras and PyTorch exported for
//! the engine's own tests, inputs of floats and a batch of any size, on random rows.

use std::path::Path;

use finai_engine::{Declaration, Task};
use finai_engine_benches::{
    Contender, Finai, Onnxruntime, Table, Tract, difference, filter, median, models, rounds,
};

const ROUNDS: usize = 9;
const BATCH: usize = 256;
const ROWS: usize = 4096;

fn main() {
    let filter = filter();
    println!(
        "Microseconds a row, filling excluded; in brackets how many times finai's. {ROUNDS} rounds, medians.\n"
    );
    println!(
        "| model | rows at a time | finai | onnxruntime | tract | |\n|---|---:|---:|---:|---:|---|"
    );
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests");
    for folder in ["fixtures/networks", "models/exported"] {
        for path in models(&tests.join(folder)) {
            let name = path.file_stem().expect("a name").to_string_lossy();
            let network = name.starts_with("keras_") || name.starts_with("torch_");
            if network && name.contains(&filter) {
                compare(&path, &name);
            }
        }
    }
}

fn compare(path: &Path, name: &str) {
    let onnxruntime = Onnxruntime::load(path);
    let Some(shapes) = onnxruntime.shapes() else {
        return;
    };
    let finai = match Finai::network(path, &declaration(path, &shapes)) {
        Ok(Some(finai)) => finai,
        Ok(None) => return,
        Err(error) => return eprintln!("{name}: not taken by finai: {error}"),
    };
    let tract = Tract::load(path, &shapes, &[1, BATCH]);
    let mut contenders: Vec<Box<dyn Contender>> = vec![Box::new(finai), Box::new(onnxruntime)];
    match tract {
        Ok(tract) => contenders.push(Box::new(tract)),
        Err(error) => eprintln!("{name}: not taken by tract: {error:#}"),
    }
    let table = Table::random(ROWS, shapes);
    for size in [1, BATCH] {
        let rounds = rounds(&table, &mut contenders, size, ROUNDS);
        // tract alone is only timed: its own activations are approximations.
        let found = difference(contenders[0].as_ref(), contenders[1].as_ref());
        assert!(
            found <= 1e-5,
            "{name}: finai and onnxruntime differ by {found}"
        );
        let ratio = |i: usize| median(rounds.iter().map(|r| r[i] / r[0]));
        let cells = (0..3).map(|i| match contenders.get(i) {
            None => String::new(),
            Some(_) if i == 0 => format!("{:.2}", median(rounds.iter().map(|r| r[0]))),
            Some(_) => format!(
                "{:.2} ({:.2})",
                median(rounds.iter().map(|r| r[i])),
                ratio(i)
            ),
        });
        let cells = cells.collect::<Vec<_>>().join(" | ");
        let slower = contenders.len() == 3 && ratio(2) < 1.0;
        let note = if slower { "slower than tract" } else { "" };
        println!("| {name} | {size} | {cells} | {note} |");
    }
}

/// The declaration beside the model; without one, numbered features and outputs that are numbers and nothing more.
fn declaration(path: &Path, shapes: &[Vec<usize>]) -> Declaration {
    let text = std::fs::read_to_string(path.with_extension("json")).expect("a description");
    let mut description: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    if let Some(declaration) = description.get_mut("declaration") {
        return serde_json::from_value(declaration.take()).expect("a declaration");
    }
    let cells: usize = shapes.iter().map(|s| s.iter().product::<usize>()).sum();
    Declaration {
        features: Some((0..cells).map(|i| format!("f{i}")).collect()),
        task: Some(Task::Vector),
        ..Declaration::default()
    }
}
