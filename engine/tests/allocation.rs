//! A warm scorer of a tabular model allocates nothing, whatever the kinds of its features.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Table, bundled, fixture, json, load};
use finai_engine::{Kind, Model, Scorer};

/// The system's allocator, counting calls.
struct Counting;

static CALLS: AtomicUsize = AtomicUsize::new(0);

#[allow(unsafe_code)]
// SAFETY: every call is passed on unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        CALLS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A value of a row, converted before counting starts.
enum Cell {
    Null,
    Float(f64),
    Text(String),
}

/// Calls of the allocator while all rows are set, scored and read in batches of `size`.
fn calls(model: &std::sync::Arc<Model>, rows: &[Vec<Cell>], size: usize) -> usize {
    let mut scorer = Scorer::new(model.clone(), size).unwrap();
    let mut counted = 0;
    for _ in 0..2 {
        let before = CALLS.load(Ordering::Relaxed);
        for chunk in rows.chunks(size) {
            let batch = scorer.batch();
            batch.clear();
            for row in chunk {
                batch.push_row().unwrap();
                for (f, cell) in row.iter().enumerate() {
                    match cell {
                        Cell::Null => batch.set_null(f).unwrap(),
                        Cell::Float(x) => batch.set_float(f, *x).unwrap(),
                        Cell::Text(text) => batch.set_text(f, text).unwrap(),
                    }
                }
            }
            let scores = scorer.run(&|| false).unwrap();
            for row in 0..chunk.len() {
                std::hint::black_box((scores.probabilities(row), scores.label(row)));
            }
        }
        counted = CALLS.load(Ordering::Relaxed) - before;
    }
    counted
}

/// One test, because the counter sees every thread.
#[test]
fn nothing_is_allocated_per_row() {
    for name in [
        "german_hgb",
        "german_rf",
        "german_multi",
        "german_mlp",
        "german_gbr",
        "fraud_imputed",
    ] {
        let model = load(&fixture(&format!("{name}.onnx")));
        assert!(model.is_tabular());
        let recorded = json(&fixture(&format!("{name}.json")));
        let table = Table::new(&recorded["columns"], &recorded["rows"]);
        let rows: Vec<Vec<Cell>> = (0..table.len())
            .map(|i| {
                let features = &model.signature().features;
                features
                    .iter()
                    .map(|f| match table.cell(i, &f.name) {
                        serde_json::Value::Null => Cell::Null,
                        serde_json::Value::String(text) => Cell::Text(text.clone()),
                        number => Cell::Float(number.as_f64().unwrap()),
                    })
                    .collect()
            })
            .collect();
        for size in [1, 7, 64] {
            assert_eq!(calls(&model, &rows, size), 0, "{name} in batches of {size}");
        }
    }
    let model = load(&bundled("fraud_prob.onnx"));
    let row = || {
        model
            .signature()
            .features
            .iter()
            .map(|f| {
                if f.kind == Kind::Text {
                    Cell::Null
                } else {
                    Cell::Float(1.0)
                }
            })
            .collect()
    };
    let rows: Vec<Vec<Cell>> = (0..100).map(|_| row()).collect();
    assert_eq!(calls(&model, &rows, 32), 0);
}
