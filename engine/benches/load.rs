//! A table of what loading a model costs: admission and compilation together, and the memory that the model then holds.
//!
//! `cargo bench --bench load -- [part of a model's name]`

use std::path::Path;
use std::time::Instant;

use finai_engine::{Limits, Model};
use finai_engine_benches::{filter, median, models, variable};

const ROUNDS: usize = 15;
const MEGABYTE: f64 = 1e6;

fn main() {
    let filter = filter();
    println!("Medians of {ROUNDS} loads; a megabyte is 1,000,000 bytes.\n");
    println!(
        "| model | ONNX bytes | ms | fastest | ms a MB | memory | memory / (1.5 ONNX bytes + 1 MB) |\n|---|---:|---:|---:|---:|---:|---:|"
    );
    for path in models(Path::new(&variable("FINAI_BENCH_MODELS"))) {
        let name = path.file_stem().expect("a name").to_string_lossy();
        if !name.contains(&filter) {
            continue;
        }
        let onnx = std::fs::read(&path).expect("a model");
        let load = || Model::load(&onnx, &Limits::default()).expect("a model that is supported");
        let memory = load().memory() as f64;
        let times: Vec<f64> = (0..ROUNDS)
            .map(|_| {
                let start = Instant::now();
                let model = load();
                let seconds = start.elapsed().as_secs_f64();
                drop(model);
                seconds * 1e3
            })
            .collect();
        let ms = median(times.iter().copied());
        let fastest = times.into_iter().fold(f64::INFINITY, f64::min);
        let bytes = onnx.len() as f64;
        println!(
            "| {name} | {bytes} | {ms:.2} | {fastest:.2} | {:.1} | {memory} | {:.2} |",
            ms / (bytes / MEGABYTE),
            memory / (1.5 * bytes + MEGABYTE)
        );
    }
}
