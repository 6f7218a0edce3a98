//! The node tests of the onnx package, one operator each, against the outputs that come with them.

use std::path::Path;

use prost::Message;
use tract_onnx::pb::{TensorProto, ValueInfoProto};
use tract_onnx::prelude::*;

use super::*;
use crate::admit::admit;
use crate::program::lower::lower;

/// A folder's models with one of their inputs, or all, fed; the others become constants.
fn variants(folder: &Path) -> Option<(Vec<ModelProto>, Vec<TensorProto>, Vec<TensorProto>)> {
    let read = |path: &Path| std::fs::read(path).ok();
    let mut model = ModelProto::decode(read(&folder.join("model.onnx"))?.as_slice()).ok()?;
    // Newer operator sets add element types to these operators.
    for import in &mut model.opset_import {
        if import.domain.is_empty() {
            import.version = import.version.min(23);
        }
    }
    let tensors = |kind: &str| -> Vec<TensorProto> {
        let data = |i: usize| {
            let name = format!("{kind}_{i}.pb");
            read(&folder.join(&name)).or_else(|| read(&folder.join("test_data_set_0").join(&name)))
        };
        let all = (0..).map_while(data);
        all.filter_map(|bytes| TensorProto::decode(bytes.as_slice()).ok())
            .collect()
    };
    let (inputs, outputs) = (tensors("input"), tensors("output"));
    let graph = model.graph.as_ref()?;
    if inputs.len() != graph.input.len() || outputs.len() != graph.output.len() {
        return None;
    }
    let mut first = model.clone();
    let part = first.graph.as_mut()?;
    let names = graph.input.iter().map(|input: &ValueInfoProto| &input.name);
    for (name, tensor) in names.zip(&inputs).skip(1) {
        let name = name.clone();
        part.initializer.push(TensorProto {
            name,
            ..tensor.clone()
        });
    }
    part.input.truncate(1);
    Some((vec![model, first], inputs, outputs))
}

fn tensor(stored: &TensorProto) -> Option<TValue> {
    let provider = tract_onnx::data_resolver::MmapDataResolver;
    let tensor = tract_onnx::tensor::load_tensor(&provider, stored, None).ok()?;
    Some(tensor.into_tvalue())
}

fn run(model: &ModelProto, inputs: &[TensorProto]) -> Result<TVec<TValue>> {
    let limits = Limits::default();
    let mut model = admit(&model.encode_to_vec(), &limits)?;
    lower(&mut model)?;
    let count = model.graph.as_ref().map_or(0, |graph| graph.input.len());
    let typed = guarded(|| plan::typed(&model, &[], 1, &limits))?;
    budget::row(&typed)?;
    let (plan, _) = guarded(|| plan::runnable(typed, &limits))?;
    let plan = Plan { plan, rows: 1 };
    let inputs: Option<TVec<TValue>> = inputs.iter().take(count).map(tensor).collect();
    let inputs = inputs.ok_or_else(|| Error::Unsupported("this test's input".into()))?;
    plan.evaluate(inputs, &mut None, &|| false)
}

fn differ(found: &Tensor, expected: &Tensor) -> Option<String> {
    if found.shape() != expected.shape() {
        return Some(format!(
            "shape {:?}, {:?} expected",
            found.shape(),
            expected.shape()
        ));
    }
    if expected.datum_type() == DatumType::String {
        return (found != expected).then(|| "texts".into());
    }
    let numbers = |t: &Tensor| -> Option<Vec<f64>> {
        let wide = t.cast_to::<f64>().ok()?;
        let plain = wide.try_as_plain_ram().ok()?;
        Some(plain.as_slice::<f64>().ok()?.to_vec())
    };
    let (found, expected) = (numbers(found)?, numbers(expected)?);
    let wrong = found.iter().zip(&expected).find(|(a, b)| {
        let equal = a == b || a.is_nan() && b.is_nan();
        let close = (*a - *b).abs() <= 1e-4 * b.abs() + 1e-6;
        !equal && !close
    });
    wrong.map(|(a, b)| format!("{a} is not {b}"))
}

#[test]
#[ignore = "takes a folder of node tests"]
fn node_tests() {
    let folder = std::env::var("FINAI_NODE_TESTS").unwrap();
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    names.sort();
    let (mut passed, mut refused, mut wrong) = (0, 0, 0);
    for path in names {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some((models, inputs, outputs)) = variants(&path) else {
            continue;
        };
        let results = models.iter().map(|model| run(model, &inputs));
        let mut results: Vec<_> = results.collect();
        let result = match results.iter().position(Result::is_ok) {
            Some(at) => results.swap_remove(at),
            None => results.pop().unwrap(),
        };
        match result {
            Err(error @ (Error::UnsupportedOperator { .. } | Error::Unsupported(_))) => {
                refused += 1;
                println!("refused {name}: {error}");
            }
            Err(error) => {
                wrong += 1;
                println!("error {name}: {error}");
            }
            Ok(found) => {
                let pairs = found.iter().zip(&outputs);
                let mut differences = pairs.filter_map(|(found, expected)| {
                    let expected = tensor(expected)?;
                    differ(found, &expected)
                });
                let difference = differences.next();
                match difference {
                    None => passed += 1,
                    Some(difference) => {
                        wrong += 1;
                        println!("wrong {name}: {difference}");
                    }
                }
            }
        }
    }
    println!("{passed} passed, {refused} refused, {wrong} wrong or failed");
}
