//! Replays the corpus of the fuzz targets.

#[path = "../fuzz/bodies/mod.rs"]
mod bodies;

use std::path::Path;

/// Runs a target over its seeds and counts them.
fn replay(target: &str, body: fn(&[u8])) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let files = std::fs::read_dir(folder).into_iter().flatten();
    let seeds = files.map(|file| std::fs::read(file.map(|f| f.path())?));
    seeds
        .map(|seed: std::io::Result<Vec<u8>>| body(&seed.unwrap_or_default()))
        .count()
}

#[test]
fn the_corpus_passes() {
    let seeds = [
        replay("prescan", bodies::prescan),
        replay("admit", bodies::admit),
        replay("tree_eval", bodies::tree_eval),
        replay("score_row", bodies::score_row),
    ];
    assert!(seeds.iter().all(|count| *count >= 40), "{seeds:?}");
    assert!(seeds.iter().sum::<usize>() >= 300, "{seeds:?}");
}
