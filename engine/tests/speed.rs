//! Microseconds a row, over distinct rows. `cargo test --release -p finai-engine --test speed -- --ignored --nocapture`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;
use std::time::Instant;

use common::{bundled, load};
use finai_engine::{Kind, Model, Scorer};

const ROWS: usize = 20_000;

/// Sets every feature of a row from a number that differs per row and feature.
fn fill(scorer: &mut Scorer, features: &[(Kind, Vec<String>)], row: usize) {
    let batch = scorer.batch();
    batch.push_row().unwrap();
    for (f, (kind, texts)) in features.iter().enumerate() {
        let mut mixed = (row as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ^ (f as u64 + 1).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb);
        match kind {
            Kind::Text => batch
                .set_text(f, &texts[mixed as usize % texts.len()])
                .unwrap(),
            Kind::Int64 => batch.set_integer(f, (mixed >> 58) as i64).unwrap(),
            _ => batch
                .set_float(f, (mixed >> 40) as f64 / 167_772.0)
                .unwrap(),
        }
    }
}

fn measure(name: &str, model: &Arc<Model>) {
    let describe = |f: &finai_engine::Feature| {
        let texts = if f.categories.is_empty() {
            vec!["car".into(), "tv".into(), "edu".into()]
        } else {
            f.categories.clone()
        };
        (f.kind, texts)
    };
    let features: Vec<_> = model.signature().features.iter().map(describe).collect();
    for size in [1, 8, 1024] {
        let mut scorer = Scorer::new(model.clone(), size).unwrap();
        let (mut times, mut sum) = (Vec::new(), 0.0);
        for first in (0..ROWS).step_by(size) {
            scorer.batch().clear();
            let end = (first + size).min(ROWS);
            for row in first..end {
                fill(&mut scorer, &features, row);
            }
            let start = Instant::now();
            let scores = scorer.run(&|| false).unwrap();
            times.push(start.elapsed().as_secs_f64() * 1e6 / (end - first) as f64);
            sum += scores.probabilities(0)[0];
        }
        times.sort_by(f64::total_cmp);
        println!(
            "{name}: {:.3} us a row in batches of {size}, the median (checksum {sum:.3})",
            times[times.len() / 2]
        );
    }
}

#[test]
#[ignore = "measures"]
fn bundled_models() {
    for name in ["fraud_prob", "credit_score"] {
        measure(name, &load(&bundled(&format!("{name}.onnx"))));
    }
}

#[test]
#[ignore = "takes a folder of models"]
fn folder() {
    let folder = std::env::var("FINAI_MODELS").unwrap();
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "onnx"));
    paths.sort();
    for path in paths {
        measure(&path.file_stem().unwrap().to_string_lossy(), &load(&path));
    }
}
