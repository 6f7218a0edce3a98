//! What the fuzz targets do with their bytes; the engine's tests replay the corpus through the same functions.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rows;
mod trees;

use std::sync::Arc;

use finai_engine::admit;
use finai_engine::{Declaration, Error, Limits, Model, inspect};
use prost::Message;
use tract_onnx::pb::ModelProto;

/// tract's assertions are caught by the engine; libFuzzer's own hook would end the process at each. What is not caught
/// ends it still.
pub fn print_panics() {
    std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
}

/// Bytes that pass the first gate decode within the limits.
pub fn prescan(data: &[u8]) {
    if admit::prescan(data, &Limits::default()).is_ok() {
        let _ = ModelProto::decode(data);
    }
}

/// What is admitted encodes to bytes that are admitted to the same model, and is all supported.
pub fn admit(data: &[u8]) {
    let limits = Limits::default();
    let inspected = inspect(data, &limits);
    let Ok(model) = admit::admit(data, &limits) else {
        return;
    };
    let uses = inspected.expect("what is admitted can be inspected");
    assert!(uses.iter().all(|used| used.supported));
    let encoded = model.encode_to_vec();
    let again =
        admit::admit(&encoded, &limits).expect("what is admitted encodes to an admitted model");
    assert!(again.encode_to_vec() == encoded);
}

/// Trees made of the bytes give what a plain walk gives; damaged ones are refused or give anything.
pub fn tree_eval(data: &[u8]) {
    trees::check(data);
}

/// A model scores rows of the bytes' choice alone as beside others. The first eight bytes are the rows, the others the
/// model.
pub fn score_row(data: &[u8]) {
    let Some((rows, model)) = data.split_first_chunk::<8>() else {
        return;
    };
    if let Some(model) = load(model) {
        rows::check(&Arc::new(model), u64::from_le_bytes(*rows));
    }
}

/// Loads a model; features that it does not name are numbered.
fn load(bytes: &[u8]) -> Option<Model> {
    let limits = Limits::default();
    let unnamed = Declaration {
        features: Some(Vec::new()),
        ..Declaration::default()
    };
    let total = match Model::load_as(bytes, &unnamed, &limits) {
        Err(Error::Declaration(message)) => message.rsplit(' ').next()?.parse().ok()?,
        _ => return None,
    };
    let declaration = Declaration {
        features: Some((0..total).map(|i: usize| format!("f{i}")).collect()),
        ..Declaration::default()
    };
    Model::load_as(bytes, &declaration, &limits).ok()
}
