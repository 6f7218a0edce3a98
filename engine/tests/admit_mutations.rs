//! Whatever bytes come, admission answers with a value, soon, and what it lets through is a model that encodes again.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::time::{Duration, Instant};

use finai_engine::admit::admit;
use finai_engine::{Error, Limits, inspect};
use prost::Message;
use tract_onnx::pb;

mod hostile;
use hostile::{Random, SEEDS, mutate, reshape};

const SLOWEST: Duration = Duration::from_secs(1);

/// Admits and inspects; true where the bytes were accepted.
fn try_admit(bytes: &[u8], what: impl Fn() -> String) -> bool {
    let limits = Limits::default();
    let start = Instant::now();
    let admitted = admit(bytes, &limits);
    let inspected = inspect(bytes, &limits);
    let elapsed = start.elapsed();
    assert!(elapsed < SLOWEST, "{} took {elapsed:?}", what());
    let Ok(model) = admitted else { return false };
    // Compared as bytes: NaN differs from itself.
    let encoded = model.encode_to_vec();
    let again = pb::ModelProto::decode(&*encoded).map(|model| model.encode_to_vec());
    assert!(
        again.as_ref() == Ok(&encoded),
        "{} does not encode again",
        what()
    );
    let admitted = admit(&encoded, &limits).map(|model| model.encode_to_vec());
    assert!(admitted == Ok(encoded), "{} is not canonical", what());
    let uses = inspected
        .unwrap_or_else(|error| panic!("{} is admitted but not inspected: {error}", what()));
    assert!(uses.iter().all(|used| used.supported), "{}", what());
    true
}

fn try_mutants(seed: u64, rounds: usize) -> usize {
    let mut random = Random(seed);
    let mut accepted = 0;
    for round in 0..rounds {
        let (name, bytes) = SEEDS[round % SEEDS.len()];
        let mutant = if random.below(2) == 0 {
            mutate(&mut random, bytes)
        } else {
            reshape(&mut random, bytes)
        };
        accepted += usize::from(try_admit(&mutant, || {
            format!("mutant {round} of {name}, seed {seed}")
        }));
    }
    accepted
}

#[test]
fn real_models_are_admitted() {
    for (name, bytes) in SEEDS {
        assert!(
            try_admit(bytes, || name.into()),
            "{name}: {:?}",
            admit(bytes, &Limits::default()).err()
        );
    }
}

#[test]
fn truncated_models_are_refused() {
    let graph = |model: &pb::ModelProto| model.graph.as_ref().map(Message::encode_to_vec);
    for (name, bytes) in SEEDS {
        let whole = admit(bytes, &Limits::default()).unwrap();
        for percent in 0..100 {
            let cut = &bytes[..bytes.len() * percent / 100];
            match admit(cut, &Limits::default()) {
                Err(Error::NotOnnx(_) | Error::Invalid(_)) => {}
                Err(error) => panic!("{name} at {percent} %: {error}"),
                // Operator sets follow the graph, and exporters write one of them twice.
                Ok(model) => assert_eq!(graph(&model), graph(&whole), "{name} at {percent} %"),
            }
        }
    }
}

#[test]
fn random_bytes_are_refused() {
    let mut random = Random(7);
    for length in 0..2_000 {
        let bytes: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
        let refused = admit(&bytes, &Limits::default());
        assert!(
            matches!(refused, Err(Error::NotOnnx(_))),
            "{length} bytes: {refused:?}"
        );
    }
}

#[test]
fn twenty_thousand_mutants_do_not_crash() {
    let accepted = try_mutants(42, 20_000);
    // A mutator whose every output is refused would only test the first gate.
    assert!(accepted > 1_000, "{accepted} accepted");
}

/// `cargo test -p finai-engine --release --test admit_mutations -- --ignored`
#[test]
#[ignore = "half a million mutants"]
fn half_a_million_mutants_do_not_crash() {
    let accepted = try_mutants(4_711, 500_000);
    assert!(accepted > 25_000, "{accepted} accepted");
}
