//! Rows of edge values.

use std::sync::Arc;

use finai_engine::{Batch, Kind, Missing, Model, Result, Scorer};

const VALUES: [f64; 12] = [
    0.0,
    1.0,
    -1.5,
    40.0,
    1e30,
    f64::INFINITY,
    f64::NEG_INFINITY,
    -0.0,
    1e-40,
    f64::NAN,
    16_777_217.0,
    -3.0e38,
];
const TEXTS: [&str; 6] = ["car", "own", "", "other", "a b, c", "\u{1e9e}\u{130}"];

fn push(batch: &mut Batch, model: &Model, row: u64) -> Result<()> {
    batch.push_row()?;
    for (index, feature) in model.signature().features.iter().enumerate() {
        let choice = mix(row ^ (index as u64) << 32) as usize;
        let value = VALUES[choice % VALUES.len()];
        match feature.kind {
            _ if value.is_nan() && feature.missing == Missing::Error => {
                batch.set_float(index, 2.0)?
            }
            Kind::Float32 | Kind::Float64 => batch.set_float(index, value)?,
            Kind::Int64 => batch.set_integer(index, value as i64)?,
            Kind::Bool => batch.set_bool(index, value > 0.0)?,
            Kind::Text => batch.set_text(index, TEXTS[choice % TEXTS.len()])?,
        }
    }
    batch.finish_row()
}

fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

/// Label and bits of the numbers of each row.
fn score(model: &Arc<Model>, rows: &[u64]) -> Result<Vec<(Option<String>, Vec<u64>)>> {
    let mut scorer = Scorer::new(model.clone(), rows.len())?;
    for row in rows {
        push(scorer.batch(), model, *row)?;
    }
    let scores = scorer.run(&|| false)?;
    Ok((0..rows.len())
        .map(|row| {
            let bits = scores.probabilities(row).iter().map(|p| p.to_bits());
            (scores.label(row).map(str::to_owned), bits.collect())
        })
        .collect())
}

/// Five rows together and each alone: where all of them score, the bits are the same.
pub fn check(model: &Arc<Model>, seed: u64) {
    let rows: Vec<u64> = (0..5).map(|i| seed.wrapping_add(i)).collect();
    let alone: Result<Vec<_>> = rows
        .iter()
        .map(|row| Ok(score(model, &[*row])?.remove(0)))
        .collect();
    match (score(model, &rows), alone) {
        (Ok(together), Ok(alone)) => assert_eq!(together, alone, "a row depends on its neighbours"),
        (Ok(_), Err(error)) => panic!("a row fails alone and not beside others: {error}"),
        _ => {}
    }
}
