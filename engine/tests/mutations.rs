//! Changed models either load or are refused, and what loads scores or says why not: nothing panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod hostile;

use std::sync::Arc;

use finai_engine::{Declaration, Error, Kind, Limits, Model, Scorer, Task};
use hostile::{Random, SEEDS, mutate, reshape};

/// The model with names for its features and, where it needs one, a task.
fn load(bytes: &[u8]) -> Option<Model> {
    let limits = Limits::default();
    let unnamed = Declaration {
        features: Some(vec![]),
        ..Declaration::default()
    };
    let total = match Model::load_as(bytes, &unnamed, &limits) {
        Err(Error::Declaration(message)) => message.rsplit(' ').next()?.parse().ok()?,
        _ => return None,
    };
    let features = Some((0..total).map(|i: usize| format!("f{i}")).collect());
    let named = Declaration {
        features,
        ..Declaration::default()
    };
    let binary = Declaration {
        task: Some(Task::Binary),
        ..named.clone()
    };
    [named, binary]
        .iter()
        .find_map(|d| Model::load_as(bytes, d, &limits).ok())
}

/// Scores rows of zeros and of edge values; false where the model is refused.
fn try_model(bytes: &[u8]) -> bool {
    let Some(model) = load(bytes) else {
        return false;
    };
    let model = Arc::new(model);
    let kinds: Vec<Kind> = model.signature().features.iter().map(|f| f.kind).collect();
    let mut scorer = Scorer::new(model, 9).unwrap();
    for edge in [0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1e308, 1.0] {
        scorer.batch().clear();
        for _ in 0..9 {
            if scorer.batch().push_row().is_err() {
                return true;
            }
            for (f, kind) in kinds.iter().enumerate() {
                let set = match kind {
                    Kind::Text => scorer
                        .batch()
                        .set_text(f, if edge == 0.0 { "" } else { "car" }),
                    Kind::Int64 => scorer.batch().set_integer(f, edge as i64),
                    Kind::Bool => scorer.batch().set_bool(f, edge == 0.0),
                    _ => scorer.batch().set_float(f, edge),
                };
                if set.is_err() {
                    return true;
                }
            }
        }
        if let Ok(scores) = scorer.run(&|| false) {
            for row in 0..scores.rows() {
                std::hint::black_box((scores.score(row).is_ok(), scores.label(row)));
            }
        }
    }
    true
}

fn run(seed: u64, count: usize) {
    let mut random = Random(seed);
    let (mut loaded, mut refused) = (0, 0);
    for _ in 0..count {
        let (_, bytes) = SEEDS[random.below(SEEDS.len())];
        let changed = if random.below(3) == 0 {
            mutate(&mut random, bytes)
        } else {
            reshape(&mut random, bytes)
        };
        if try_model(&changed) {
            loaded += 1
        } else {
            refused += 1
        }
    }
    assert!(
        loaded > 0 && refused > 0,
        "{loaded} loaded, {refused} refused"
    );
    println!("{loaded} loaded, {refused} refused");
}

#[test]
fn a_thousand_changed_models() {
    run(1, 1000);
}

#[test]
#[ignore = "takes minutes"]
fn many_changed_models() {
    let number = |name: &str, default: u64| {
        std::env::var(name)
            .ok()
            .and_then(|v| v.parse().ok())
            .unwrap_or(default)
    };
    run(
        number("FINAI_SEED", 2),
        number("FINAI_COUNT", 50_000) as usize,
    );
}
