//! What admission lets through can be compiled and scored, or is refused: no model crashes, hangs or scores a row
//! differently because of the rows beside it.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use finai_engine::{Batch, Declaration, Error, Kind, Limits, Model, Result, Scorer};
use tract_onnx::pb;

mod hostile;
use hostile::{Random, SEEDS, int64s, integer, mutate, node, reshape, with, with_nodes};

const SLOWEST: Duration = Duration::from_secs(5);
const ROWS: usize = 7;

/// Loads a model; features that it does not name are numbered.
fn load(bytes: &[u8]) -> Result<Model> {
    match Model::load(bytes, &Limits::default()) {
        Err(Error::UnnamedFeatures { width, .. }) => {
            let features = Some((0..width).map(|index| format!("f{index}")).collect());
            Model::load_as(
                bytes,
                &Declaration {
                    features,
                    ..Declaration::default()
                },
                &Limits::default(),
            )
        }
        other => other,
    }
}

fn push(batch: &mut Batch, model: &Model, row: u64) -> Result<()> {
    let mut random = Random(row);
    batch.push_row()?;
    for (index, feature) in model.signature().features.iter().enumerate() {
        const VALUES: [f64; 8] = [0.0, 1.0, -1.5, 40.0, 1e30, f64::INFINITY, -0.0, 1e-40];
        let value = VALUES[random.below(VALUES.len())];
        match feature.kind {
            Kind::Float32 | Kind::Float64 => batch.set_float(index, value)?,
            Kind::Int64 => batch.set_integer(index, value as i64)?,
            Kind::Bool => batch.set_bool(index, value > 0.0)?,
            Kind::Text => batch.set_text(index, ["car", "own", "", "other"][random.below(4)])?,
        }
    }
    batch.finish_row()
}

/// Label and probability bits of each row; rows are numbered from `first`.
fn score(model: &Arc<Model>, first: u64, rows: usize) -> Result<Vec<(Option<String>, Vec<u64>)>> {
    let mut scorer = Scorer::new(Arc::clone(model), rows)?;
    for row in 0..rows {
        push(scorer.batch(), model, first + row as u64)?;
    }
    let scores = scorer.run(&|| false)?;
    Ok((0..rows)
        .map(|row| {
            let bits = scores
                .probabilities(row)
                .iter()
                .map(|p| p.to_bits())
                .collect();
            (scores.label(row).map(String::from), bits)
        })
        .collect())
}

/// How far a model came.
#[derive(Debug, PartialEq)]
enum Outcome {
    Refused,
    Failed,
    Scored,
}

fn outcome(bytes: &[u8]) -> Outcome {
    let Ok(model) = load(bytes).map(Arc::new) else {
        return Outcome::Refused;
    };
    let Ok(together) = score(&model, 1, ROWS) else {
        return Outcome::Failed;
    };
    for row in 0..ROWS {
        let alone = score(&model, 1 + row as u64, 1);
        assert_eq!(
            alone.as_deref(),
            Ok(&together[row..=row]),
            "row {row} depends on its batch"
        );
    }
    Outcome::Scored
}

fn try_mutants(seed: u64, rounds: usize) -> usize {
    let mut random = Random(seed);
    let mut scored = 0;
    for round in 0..rounds {
        let (name, bytes) = SEEDS[round % SEEDS.len()];
        let mutant = if random.below(3) == 0 {
            mutate(&mut random, bytes)
        } else {
            reshape(&mut random, bytes)
        };
        let start = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| outcome(&mutant)));
        let took = start.elapsed();
        let what = format!("mutant {round} of {name}, seed {seed}");
        assert!(took < SLOWEST, "{what} took {took:?}");
        scored +=
            usize::from(outcome.unwrap_or_else(|_| panic!("{what} panics")) == Outcome::Scored);
    }
    scored
}

#[test]
fn seeds_are_scored() {
    for (name, bytes) in SEEDS {
        assert_eq!(
            outcome(bytes),
            Outcome::Scored,
            "{name}: {:?}",
            load(bytes).err()
        );
    }
}

#[test]
fn mutants_are_scored_or_refused() {
    let scored = try_mutants(1, 5_000);
    assert!(scored > 200, "{scored} scored");
}

/// `cargo test -p finai-engine --release --test admit_scoring -- --ignored`
#[test]
#[ignore = "half a million mutants"]
fn half_a_million_mutants_are_scored_or_refused() {
    let scored = try_mutants(2, 500_000);
    assert!(scored > 20_000, "{scored} scored");
}

/// Nested and repeated operators whose compilation grows faster than the file.
#[test]
fn graphs_that_take_long_to_compile_are_refused() {
    let chain = |op: &str, length: usize| {
        let link =
            |index: usize| node(op, &[&*format!("x{index}")], &[&*format!("x{}", index + 1)]);
        let mut nodes: Vec<_> = (0..length).map(link).collect();
        nodes[0].input[0] = "x".into();
        with_nodes(nodes)
    };
    for op in ["Softplus", "Elu", "ReduceMean", "Transpose"] {
        let start = Instant::now();
        let refused = load(&chain(op, 5_000)).err();
        let took = start.elapsed();
        assert!(
            matches!(
                refused,
                Some(Error::TooLarge { .. } | Error::Declaration(_))
            ),
            "{op}: {refused:?}"
        );
        assert!(took < SLOWEST, "{op} took {took:?}");
    }
}

/// F9: tract compares an index with the end of the tensor, so that one out of range reads a neighbour's value.
#[test]
fn gathers_stay_within_their_axis() {
    let model = |index: i64| {
        with(|graph| {
            let axis = |op, inputs: &[&str], output, axis| pb::NodeProto {
                attribute: vec![integer("axis", axis)],
                ..node(op, inputs, &[output])
            };
            graph.initializer = vec![
                int64s("pairs", &[3], vec![-1, 3, 1]),
                int64s("index", &[1], vec![index]),
            ];
            graph.node = vec![
                node("Reshape", &["x", "pairs"], &["a"]),
                node("Neg", &["a"], &["b"]),
                axis("Concat", &["a", "b"], "c", 2),
                axis("Gather", &["c", "index"], "d", 2),
                node("ReduceSum", &["d"], &["e"]),
                node("Softplus", &["e"], &["y"]),
            ];
        })
    };
    for index in [-2, -1, 0, 1] {
        assert_eq!(
            outcome(&model(index)),
            Outcome::Scored,
            "{index}: {:?}",
            load(&model(index)).err()
        );
    }
    for index in [-3, 2, 3, 5, i64::MAX] {
        let refused = load(&model(index)).err();
        assert!(
            matches!(refused, Some(Error::Invalid(_))),
            "{index}: {refused:?}"
        );
    }
}
