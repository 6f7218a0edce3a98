//! What a loaded model holds, counted by the allocator: what the model says, and little beside its file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::Path;
use std::sync::atomic::{AtomicIsize, Ordering};

use common::onnx::{floats, ints, strings, stump_with, trees};
use common::{bytes, fixture};
use finai_engine::{Limits, Model};

struct Counting;

static HELD: AtomicIsize = AtomicIsize::new(0);

#[allow(unsafe_code)]
// SAFETY: every call is passed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// `count` complete trees of a depth.
fn forest(count: i64, depth: u32) -> Vec<u8> {
    let (nodes, inner) = ((1i64 << (depth + 1)) - 1, (1i64 << depth) - 1);
    let all = |of: &dyn Fn(i64, i64) -> i64| -> Vec<i64> {
        let pairs = (0..count).flat_map(|tree| (0..nodes).map(move |node| (tree, node)));
        pairs.map(|(tree, node)| of(tree, node)).collect()
    };
    let leaves = |of: &dyn Fn(i64, i64) -> i64| -> Vec<i64> {
        let pairs = (0..count).flat_map(|tree| (inner..nodes).map(move |node| (tree, node)));
        pairs.map(|(tree, node)| of(tree, node)).collect()
    };
    let branch = |node: i64| node < inner;
    let modes: Vec<&str> = all(&|_, node| node)
        .into_iter()
        .map(|node| if branch(node) { "BRANCH_LEQ" } else { "LEAF" })
        .collect();
    let child = |node: i64, side: i64| if branch(node) { 2 * node + side } else { 0 };
    let thresholds: Vec<f32> = all(&|tree, node| tree * 7 + node)
        .iter()
        .map(|t| *t as f32)
        .collect();
    let weights: Vec<f32> = leaves(&|tree, node| tree + node)
        .iter()
        .map(|w| *w as f32)
        .collect();
    trees(stump_with(vec![
        ints("nodes_treeids", &all(&|tree, _| tree)),
        ints("nodes_nodeids", &all(&|_, node| node)),
        ints("nodes_featureids", &all(&|_, node| node % 2)),
        strings("nodes_modes", &modes),
        floats("nodes_values", &thresholds),
        ints("nodes_truenodeids", &all(&|_, node| child(node, 1))),
        ints("nodes_falsenodeids", &all(&|_, node| child(node, 2))),
        ints("class_treeids", &leaves(&|tree, _| tree)),
        ints("class_nodeids", &leaves(&|_, node| node)),
        ints("class_ids", &leaves(&|_, _| 0)),
        floats("class_weights", &weights),
    ]))
}

/// The exported models and the fixtures, by name.
fn every_model() -> Vec<(String, Vec<u8>)> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let folders = [
        "models/exported",
        "fixtures",
        "fixtures/networks",
        "fixtures/trees",
    ];
    let mut found = Vec::new();
    for folder in folders {
        for entry in std::fs::read_dir(tests.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path
                .extension()
                .is_some_and(|extension| extension == "onnx")
            {
                found.push((path.display().to_string(), bytes(&path)));
            }
        }
    }
    found
}

/// Bytes held and bytes said; nothing for a model that cannot be loaded without a declaration.
fn measure(file: &[u8]) -> Option<(f64, f64)> {
    drop(Model::load(file, &Limits::default()).ok()?);
    let before = HELD.load(Ordering::Relaxed);
    let model = Model::load(file, &Limits::default()).unwrap();
    let held = HELD.load(Ordering::Relaxed) - before;
    Some((held as f64, model.memory() as f64))
}

/// One test, because the counter sees every thread.
#[test]
fn a_model_holds_what_it_says() {
    let fixtures = ["german_rf", "german_gbr", "german_hgb"];
    let files = fixtures.map(|name| (name.to_owned(), bytes(&fixture(&format!("{name}.onnx")))));
    let built = [(4000, 1), (2000, 3), (1000, 5), (400, 6), (100, 9), (4, 13)];
    let built = built.map(|(count, depth)| (format!("{count}x{depth}"), forest(count, depth)));
    for (name, file) in every_model() {
        if let Some((held, says)) = measure(&file) {
            println!("MEM {name} {} {held} {says} {:.2}", file.len(), says / held);
        }
    }
    for (name, file) in files.into_iter().chain(built) {
        drop(Model::load(&file, &Limits::default()).unwrap());
        let before = HELD.load(Ordering::Relaxed);
        let model = Model::load(&file, &Limits::default()).unwrap();
        let held = (HELD.load(Ordering::Relaxed) - before) as f64;
        let says = model.memory() as f64;
        assert!(
            (held - says).abs() <= held * 0.1 + 8192.0,
            "{name}: {held} bytes, says {says}"
        );
        let most = file.len() as f64 * 1.5 + (1 << 20) as f64;
        assert!(
            held <= most,
            "{name}: {held} bytes for a file of {}",
            file.len()
        );
        // Without the constant, too, where the file is large enough to tell.
        assert!(
            file.len() < 100_000 || held <= file.len() as f64 * 1.5,
            "{name}: {held} of {}",
            file.len()
        );
    }
}
