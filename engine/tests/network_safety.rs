//! Networks built to leak a neighbour's value, to depend on the size of the batch, to take memory or time without bound.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::cell::Cell;
use std::sync::Arc;

use common::onnx::{constant, floats, int, integers, ints, node, string, strings};
use finai_engine::{Declaration, Error, Limits, Model, Result, Scorer, Task};
use prost::Message;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension::Value};
use tract_onnx::pb::*;

/// An input `[N, dims...]`.
fn input(name: &str, element: DataType, dims: &[i64]) -> ValueInfoProto {
    let mut info = common::onnx::value(name, element, 1);
    if let Some(type_proto::Value::TensorType(tensor)) =
        info.r#type.as_mut().and_then(|t| t.value.as_mut())
    {
        let fixed = dims.iter().map(|dim| Dimension {
            value: Some(Value::DimValue(*dim)),
            ..Default::default()
        });
        let dims = &mut tensor.shape.as_mut().unwrap().dim;
        dims.truncate(1);
        dims.extend(fixed);
    }
    info
}

fn bytes(
    inputs: Vec<ValueInfoProto>,
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
) -> Vec<u8> {
    common::onnx::model(inputs, &["y"], nodes, constants)
}

/// Loads a network over `x`; its features are named.
fn load_of(
    inputs: Vec<ValueInfoProto>,
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
) -> Result<Arc<Model>> {
    let proto = ModelProto::decode(bytes(inputs, nodes, constants).as_slice()).unwrap();
    let wide = |info: &ValueInfoProto| match info.r#type.as_ref().and_then(|t| t.value.as_ref()) {
        Some(type_proto::Value::TensorType(t)) => {
            let dims = t.shape.as_ref().unwrap().dim.iter().skip(1);
            let dim = |d: &Dimension| match d.value {
                Some(Value::DimValue(n)) => n as usize,
                _ => 1,
            };
            dims.map(dim).product()
        }
        _ => 1,
    };
    let cells: usize = proto.graph.as_ref().unwrap().input.iter().map(wide).sum();
    let declaration = Declaration {
        features: Some((0..cells).map(|i| format!("f{i}")).collect()),
        task: Some(Task::Regression),
        ..Declaration::default()
    };
    Model::load_as(&proto.encode_to_vec(), &declaration, &Limits::default()).map(Arc::new)
}

fn load(dims: &[i64], nodes: Vec<NodeProto>, constants: Vec<TensorProto>) -> Result<Arc<Model>> {
    load_of(vec![input("x", DataType::Float, dims)], nodes, constants)
}

/// Scores rows of numbers made from their index, in batches of `size`.
fn scores(model: &Arc<Model>, rows: usize, size: usize) -> Vec<u64> {
    let mut scorer = Scorer::new(model.clone(), size).unwrap();
    let features = model.signature().features.len();
    let mut out = Vec::new();
    for first in (0..rows).step_by(size) {
        scorer.batch().clear();
        let end = rows.min(first + size);
        for row in first..end {
            scorer.batch().push_row().unwrap();
            for f in 0..features {
                let value = ((row * 37 + f * 11) % 101) as f64 / 8.0 - 6.0;
                scorer.batch().set_float(f, value).unwrap();
            }
        }
        let scores = scorer.run(&|| false).unwrap();
        out.extend((0..end - first).map(|row| scores.score(row).unwrap().to_bits()));
    }
    out
}

fn assert_invariant(model: &Arc<Model>, what: &str) {
    let alone = scores(model, 130, 1);
    for size in [2, 7, 64, 100, 130] {
        assert_eq!(
            scores(model, 130, size),
            alone,
            "{what} in batches of {size}"
        );
    }
}

fn op(op: &str, inputs: &[&str], outputs: &[&str], attributes: Vec<AttributeProto>) -> NodeProto {
    node(op, "", inputs, outputs, attributes)
}

/// `y` = the sum of `z` over everything but the batch.
fn total(axes: &[i64]) -> NodeProto {
    op(
        "ReduceMax",
        &["z"],
        &["y"],
        vec![ints("axes", axes), int("keepdims", 0)],
    )
}

/// A convolution, so that the model is a network and not a program of kernels.
fn lift() -> Vec<NodeProto> {
    vec![op("Conv", &["x", "w"], &["c"], vec![])]
}

fn lifted(rest: Vec<NodeProto>, mut constants: Vec<TensorProto>) -> Result<Arc<Model>> {
    constants.push(constant("w", &[2, 2, 1], &[1.0, 0.5, -0.5, 2.0]));
    load(&[2, 3], lift().into_iter().chain(rest).collect(), constants)
}

/// What an operator holds may follow from the size of the batch: a block of 64 rows is not 64 rows then. The rows that
/// both plans are compared on do not show it here, because nothing below 3.5 reaches the operator.
#[test]
fn operators_that_hold_the_size_of_the_batch_score_each_row_as_if_alone() {
    let number = [
        op("Sub", &["x", "big"], &["d"], vec![]),
        op("Relu", &["d"], &["u"], vec![]),
        op("Shape", &["x"], &["s"], vec![]),
        op("Gather", &["s", "zero"], &["b"], vec![]),
        op("Cast", &["b"], &["f"], vec![int("to", 1)]),
        op("Mul", &["w", "f"], &["v"], vec![]),
    ];
    let square = op("Reshape", &["u", "square"], &["r"], vec![]);
    let all = |from: &str| vec![op("Reshape", &[from, "flat"], &["z"], vec![]), total(&[1])];
    let cases: Vec<(&str, Vec<i64>, Vec<NodeProto>)> = vec![
        (
            "weights of a product",
            vec![8, 1],
            vec![op("MatMul", &["u", "v"], &["y"], vec![])],
        ),
        (
            "weights of a convolution",
            vec![1, 2, 2],
            [square.clone(), op("Conv", &["r", "v"], &["c"], vec![])]
                .into_iter()
                .chain(all("c"))
                .collect(),
        ),
        (
            "a padding",
            vec![1],
            [
                op("Sub", &["hundred", "b"], &["a"], vec![]),
                op(
                    "Concat",
                    &["zero", "b", "zero", "a"],
                    &["p"],
                    vec![int("axis", 0)],
                ),
                op("Pad", &["u", "p"], &["c"], vec![]),
                op("Slice", &["c", "one", "four", "one"], &["z"], vec![]),
                total(&[1]),
            ]
            .to_vec(),
        ),
        (
            "an axis",
            vec![1],
            [
                square,
                op("Mod", &["b", "two"], &["a"], vec![]),
                op("Add", &["a", "one"], &["e"], vec![]),
                op("Reshape", &["e", "none"], &["axis"], vec![]),
                op("CumSum", &["r", "axis"], &["c"], vec![]),
                op("Slice", &["c", "one", "two", "one"], &["t"], vec![]),
            ]
            .into_iter()
            .chain(all("t"))
            .collect(),
        ),
    ];
    for (what, dims, nodes) in cases {
        let cells: i64 = dims.iter().product();
        let constants = vec![
            constant("big", &[1], &[3.5]),
            constant("w", &dims, &vec![1.0; cells as usize]),
            integers("zero", &[1], &[0]),
            integers("one", &[1], &[1]),
            integers("two", &[1], &[2]),
            integers("four", &[1], &[4]),
            integers("hundred", &[1], &[100]),
            integers("none", &[0], &[]),
            integers("square", &[3], &[-1, 2, 4]),
            integers("flat", &[2], &[-1, if what == "an axis" { 4 } else { 3 }]),
        ];
        let nodes = number.iter().cloned().chain(nodes).collect();
        let model = load(&[8], nodes, constants).unwrap_or_else(|e| panic!("{what}: {e}"));
        let alone = scores(&model, 130, 1);
        assert!(alone.iter().any(|bits| *bits != alone[0]), "{what}");
        assert_invariant(&model, what);
    }
}

/// What comes of a chain of products that all read the same weights of 4 MB, behind nodes that turn `x` into `c0`.
fn shared_weights(dims: &[i64], mut nodes: Vec<NodeProto>) -> Result<Arc<Model>> {
    nodes.push(op("MatMul", &["c0", "w"], &["v0"], vec![]));
    for i in 0..40 {
        let (from, to) = (format!("v{i}"), format!("v{}", i + 1));
        nodes.push(op("MatMul", &[&from, "v"], &[&to], vec![]));
    }
    nodes.push(op("Identity", &["v40"], &["z"], vec![]));
    nodes.push(total(&[1]));
    let constants = vec![
        constant("w", &[2, 1000], &vec![0.5; 2000]),
        constant("v", &[1000, 1000], &vec![0.001; 1_000_000]),
        constant("k", &[2, 2, 1], &[1.0, 0.5, -0.5, 2.0]),
    ];
    load(dims, nodes, constants)
}

#[test]
fn weights_that_many_nodes_share_are_bounded() {
    let convolved = vec![
        op("Conv", &["x", "k"], &["b0"], vec![]),
        op("Flatten", &["b0"], &["c0"], vec![]),
    ];
    let network = shared_weights(&[2, 1], convolved);
    assert!(
        matches!(network, Err(Error::TooLarge { what, .. }) if what == "bytes of weights in operators"),
        "{network:?}"
    );
    let layers = shared_weights(&[2], vec![op("Identity", &["x"], &["c0"], vec![])]);
    assert!(
        matches!(layers, Err(Error::TooLarge { what, .. }) if what == "bytes of weights in layers"),
        "{layers:?}"
    );
}

/// Twenty powers of 40,000 cells take a quarter of a second for 16 rows.
#[test]
fn long_programs_of_kernels_stop_between_steps() {
    let mut nodes = vec![op("MatMul", &["x", "w"], &["v0"], vec![])];
    for i in 0..20 {
        let (from, to) = (format!("v{i}"), format!("v{}", i + 1));
        nodes.push(op("Pow", &[&from, "e"], &[&to], vec![]));
    }
    nodes.push(op("Identity", &["v20"], &["z"], vec![]));
    nodes.push(total(&[1]));
    let constants = vec![
        constant("w", &[2, 40_000], &vec![0.5; 80_000]),
        constant("e", &[], &[1.37]),
    ];
    let model = load(&[2], nodes, constants).unwrap();
    assert!(model.is_tabular());
    let mut scorer = Scorer::new(model, 16).unwrap();
    for _ in 0..16 {
        scorer.batch().push_row().unwrap();
        scorer.batch().set_float(0, 1.0).unwrap();
        scorer.batch().set_float(1, 2.0).unwrap();
    }
    let asked = Cell::new(0);
    let count = || {
        asked.set(asked.get() + 1);
        false
    };
    scorer.run(&count).unwrap();
    assert!(asked.get() >= 10, "asked {} times", asked.get());
    let stop = || {
        asked.set(asked.get() - 1);
        asked.get() == 0
    };
    asked.set(8);
    assert!(matches!(scorer.run(&stop), Err(Error::Interrupted)));
    assert_eq!(scorer.scores().rows(), 0);
    assert_eq!(scorer.run(&|| false).unwrap().rows(), 16);
}

#[test]
fn networks_that_mix_rows_score_each_as_if_alone() {
    let cases: Vec<(&str, Vec<NodeProto>, Vec<TensorProto>)> = vec![
        (
            "softmax over the batch",
            vec![
                op("Softmax", &["c"], &["z"], vec![int("axis", 0)]),
                total(&[1, 2]),
            ],
            vec![],
        ),
        (
            "mean over the batch",
            vec![
                op("ReduceMean", &["c"], &["m"], vec![ints("axes", &[0])]),
                op("Sub", &["c", "m"], &["z"], vec![]),
                total(&[1, 2]),
            ],
            vec![],
        ),
        (
            "running sum over the batch",
            vec![op("CumSum", &["c", "zero"], &["z"], vec![]), total(&[1, 2])],
            vec![integers("zero", &[], &[0])],
        ),
        (
            "rows turned into steps",
            vec![
                op("Transpose", &["c"], &["t"], vec![ints("perm", &[1, 0, 2])]),
                op("Reshape", &["t", "s"], &["u"], vec![]),
                op("Softmax", &["u"], &["z"], vec![int("axis", 1)]),
                op(
                    "ReduceMax",
                    &["z"],
                    &["v"],
                    vec![ints("axes", &[1]), int("keepdims", 0)],
                ),
                op("ReduceSum", &["v"], &["y"], vec![int("keepdims", 1)]),
            ],
            vec![integers("s", &[2], &[2, -1])],
        ),
        (
            "rows in the order turned round",
            vec![
                op(
                    "Slice",
                    &["c", "start", "end", "axis", "step"],
                    &["z"],
                    vec![],
                ),
                total(&[1, 2]),
            ],
            vec![
                integers("start", &[1], &[-1]),
                integers("end", &[1], &[i64::MIN + 1]),
                integers("axis", &[1], &[0]),
                integers("step", &[1], &[-1]),
            ],
        ),
        (
            "the last row by index",
            vec![
                op("Gather", &["c", "last"], &["g"], vec![int("axis", 0)]),
                op("Add", &["c", "g"], &["z"], vec![]),
                total(&[1, 2]),
            ],
            vec![integers("last", &[1], &[-1])],
        ),
        (
            "products with all rows",
            vec![
                op("Flatten", &["c"], &["f"], vec![]),
                op("Transpose", &["f"], &["t"], vec![]),
                op("MatMul", &["f", "t"], &["z"], vec![]),
                total(&[1]),
            ],
            vec![],
        ),
        (
            "the size of the batch as a number",
            vec![
                op("Shape", &["c"], &["s"], vec![]),
                op("Gather", &["s", "first"], &["n"], vec![]),
                op("Cast", &["n"], &["r"], vec![int("to", 1)]),
                op("Mul", &["c", "r"], &["z"], vec![]),
                total(&[1, 2]),
            ],
            vec![integers("first", &[], &[0])],
        ),
        (
            "the index of the row",
            vec![
                op("Shape", &["c"], &["s"], vec![]),
                op("Gather", &["s", "first"], &["n"], vec![]),
                op("Range", &["first", "n", "one"], &["r"], vec![]),
                op("Cast", &["r"], &["f"], vec![int("to", 1)]),
                op("Reshape", &["f", "column"], &["g"], vec![]),
                op("Add", &["c", "g"], &["z"], vec![]),
                total(&[1, 2]),
            ],
            vec![
                integers("first", &[], &[0]),
                integers("one", &[], &[1]),
                integers("column", &[3], &[-1, 1, 1]),
            ],
        ),
        (
            "a part of a table by the size of the batch",
            vec![
                op("Shape", &["c"], &["s"], vec![]),
                op("Slice", &["s", "from", "to"], &["n"], vec![]),
                op("Slice", &["table", "from", "n"], &["part"], vec![]),
                op("ReduceSum", &["part"], &["sum"], vec![int("keepdims", 0)]),
                op("Add", &["c", "sum"], &["z"], vec![]),
                total(&[1, 2]),
            ],
            vec![
                integers("from", &[1], &[0]),
                integers("to", &[1], &[1]),
                constant("table", &[200], &[0.25; 200]),
            ],
        ),
    ];
    for (what, nodes, constants) in cases {
        match lifted(nodes, constants) {
            Ok(model) => {
                assert!(
                    model.rows_at_once().unwrap().is_err(),
                    "{what} is in blocks"
                );
                assert_invariant(&model, what);
            }
            Err(error) => panic!("{what}: {error}"),
        }
    }
}

#[test]
fn rows_moved_about_and_kept_apart_are_scored_in_blocks() {
    let recurrent = vec![
        op("Transpose", &["x"], &["t"], vec![ints("perm", &[1, 0, 2])]),
        op(
            "LSTM",
            &["t", "W", "R"],
            &["", "h"],
            vec![int("hidden_size", 2)],
        ),
        op("Transpose", &["h"], &["u"], vec![ints("perm", &[1, 0, 2])]),
        op("Reshape", &["u", "s"], &["v"], vec![]),
        op(
            "ReduceSum",
            &["v", "axes"],
            &["y"],
            vec![int("keepdims", 1)],
        ),
    ];
    let weights: Vec<f32> = (0..24).map(|i| (i as f32 - 11.0) / 16.0).collect();
    let constants = vec![
        constant("W", &[1, 8, 3], &weights),
        constant("R", &[1, 8, 2], &weights[..16]),
        integers("s", &[2], &[-1, 2]),
        integers("axes", &[1], &[1]),
    ];
    let model = load(&[5, 3], recurrent, constants).unwrap();
    assert_eq!(model.rows_at_once(), Some(Ok(64)));
    assert_invariant(&model, "LSTM");

    let folded = vec![
        op("Reshape", &["x", "flat"], &["f"], vec![]),
        op("MatMul", &["f", "W"], &["m"], vec![]),
        op("Erf", &["m"], &["e"], vec![]),
        op("Reshape", &["e", "back"], &["z"], vec![]),
        op("Transpose", &["z"], &["t"], vec![ints("perm", &[0, 2, 1])]),
        op("MatMul", &["z", "t"], &["p"], vec![]),
        op("Softmax", &["p"], &["q"], vec![int("axis", -1)]),
        op("MatMul", &["q", "z"], &["a"], vec![]),
        op(
            "ReduceMax",
            &["a"],
            &["y"],
            vec![ints("axes", &[1, 2]), int("keepdims", 0)],
        ),
    ];
    let constants = vec![
        integers("flat", &[2], &[-1, 3]),
        constant("W", &[3, 4], &weights[..12]),
        integers("back", &[3], &[-1, 5, 4]),
    ];
    let model = load(&[5, 3], folded, constants).unwrap();
    assert_eq!(model.rows_at_once(), Some(Ok(64)));
    assert_invariant(&model, "attention");
}

fn embedding(row: Vec<f64>, before: &[f64]) -> Result<Vec<f64>> {
    let nodes = vec![
        op("Gather", &["table", "x"], &["g"], vec![]),
        op(
            "ReduceMax",
            &["g"],
            &["y"],
            vec![ints("axes", &[1, 2]), int("keepdims", 0)],
        ),
    ];
    let table = constant("table", &[4, 1], &[0.5, 1.5, 2.5, 3.5]);
    let model = load_of(vec![input("x", DataType::Int64, &[2])], nodes, vec![table])?;
    let mut scorer = Scorer::new(model, 64).unwrap();
    for cells in [before, &row] {
        scorer.batch().push_row()?;
        for (f, cell) in cells.iter().enumerate() {
            scorer.batch().set_float(f, *cell)?;
        }
    }
    let scores = scorer.run(&|| false)?;
    (0..2).map(|row| scores.score(row)).collect()
}

#[test]
fn an_index_outside_a_table_is_an_error_that_names_its_input() {
    assert_eq!(embedding(vec![3.0, 0.0], &[1.0, 1.0]), Ok(vec![1.5, 3.5]));
    assert_eq!(embedding(vec![-1.0, 0.0], &[1.0, 0.0]), Ok(vec![1.5, 3.5]));
    for index in [4.0, -5.0, 9e15, -9e15] {
        let error = embedding(vec![index, 0.0], &[1.0, 1.0]).unwrap_err();
        assert_eq!(
            error,
            Error::UnknownCategory {
                feature: "x".into()
            }
        );
    }
}

/// A tensor of `dims` that the graph computes from constants.
fn sized(operator: NodeProto, constants: Vec<TensorProto>) -> Result<Arc<Model>> {
    let nodes = vec![
        operator,
        op("ReduceMax", &["big"], &["m"], vec![int("keepdims", 0)]),
        op("Add", &["c", "m"], &["z"], vec![]),
        total(&[1, 2]),
    ];
    lifted(nodes, constants)
}

#[test]
fn sizes_that_a_graph_computes_are_bounded() {
    let huge = || integers("s", &[3], &[4_096, 4_096, 256]);
    let bombs = vec![
        (
            op("ConstantOfShape", &["s"], &["big"], vec![]),
            vec![huge()],
        ),
        (
            op("Expand", &["one", "s"], &["big"], vec![]),
            vec![constant("one", &[1, 1, 1], &[1.0]), huge()],
        ),
        (
            op("Tile", &["one", "s"], &["big"], vec![]),
            vec![constant("one", &[1, 1, 1], &[1.0]), huge()],
        ),
        (
            op("Range", &["a", "b", "d"], &["big"], vec![]),
            vec![
                constant("a", &[], &[0.0]),
                constant("b", &[], &[4e9]),
                constant("d", &[], &[1.0]),
            ],
        ),
        (
            op("Range", &["a", "b", "d"], &["big"], vec![]),
            vec![
                integers("a", &[], &[0]),
                integers("b", &[], &[i64::MAX]),
                integers("d", &[], &[1]),
            ],
        ),
        (
            op("Pad", &["one", "p"], &["big"], vec![]),
            vec![
                constant("one", &[1, 1, 1], &[1.0]),
                integers("p", &[6], &[0, 9_000, 9_000, 0, 9_000, 9_000]),
            ],
        ),
        (
            op("OneHot", &["i", "s", "v"], &["big"], vec![]),
            vec![
                integers("i", &[4], &[0, 1, 2, 3]),
                integers("s", &[1], &[1 << 30]),
                constant("v", &[2], &[0.0, 1.0]),
            ],
        ),
        (
            op("Resize", &["one", "", "", "p"], &["big"], vec![]),
            vec![
                constant("one", &[1, 1, 2, 2], &[1.0; 4]),
                integers("p", &[4], &[1, 1, 1 << 20, 1 << 20]),
            ],
        ),
    ];
    for (operator, constants) in bombs {
        let what = format!("{} {:?}", operator.op_type, constants[0].dims);
        let begun = std::time::Instant::now();
        let error = sized(operator, constants).expect_err(&what);
        assert!(
            matches!(
                error,
                Error::TooLarge { .. }
                    | Error::Invalid(_)
                    | Error::Unsupported(_)
                    | Error::Evaluation(_)
            ),
            "{what}: {error}"
        );
        assert!(
            begun.elapsed().as_millis() < 500,
            "{what} took {:?}",
            begun.elapsed()
        );
    }
    // A product of two constants that are small by themselves.
    let wide = |name: &str| op("ConstantOfShape", &[name], &[&format!("{name}.c")], vec![]);
    let nodes = vec![
        wide("s"),
        wide("t"),
        op("Add", &["s.c", "t.c"], &["big"], vec![]),
        op("ReduceMax", &["big"], &["m"], vec![int("keepdims", 0)]),
        op("Add", &["c", "m"], &["z"], vec![]),
        total(&[1, 2]),
    ];
    let constants = vec![
        integers("s", &[2], &[1 << 19, 1]),
        integers("t", &[2], &[1, 1 << 19]),
    ];
    assert!(matches!(
        lifted(nodes, constants),
        Err(Error::TooLarge { .. })
    ));
    let small = sized(
        op("ConstantOfShape", &["s"], &["big"], vec![]),
        vec![integers("s", &[1], &[9])],
    );
    assert_invariant(&small.unwrap(), "a small constant");
}

#[test]
fn a_size_that_depends_on_the_data_is_refused_by_name() {
    let cast = || op("Cast", &["c"], &["i"], vec![int("to", 7)]);
    for (operator, extra) in [
        ("ConstantOfShape", vec!["i"]),
        ("Expand", vec!["c", "i"]),
        ("Tile", vec!["c", "i"]),
        ("Range", vec!["i", "i", "i"]),
    ] {
        let nodes = vec![cast(), op(operator, &extra, &["z"], vec![]), total(&[0])];
        let error = lifted(nodes, vec![]).unwrap_err();
        assert!(
            matches!(&error, Error::Unsupported(m) if m.contains(operator)),
            "{operator}: {error}"
        );
    }
}

fn cell(
    op_type: &str,
    gates: i64,
    steps: i64,
    hidden: i64,
    attributes: Vec<AttributeProto>,
) -> Result<Arc<Model>> {
    let nodes = vec![
        op("Transpose", &["x"], &["t"], vec![ints("perm", &[1, 0, 2])]),
        op(op_type, &["t", "W", "R"], &["", "h"], attributes),
        op(
            "ReduceSum",
            &["h", "axes"],
            &["y"],
            vec![int("keepdims", 0)],
        ),
    ];
    let of = |name: &str, inner: i64| {
        let dims = [1, gates * hidden, inner];
        constant(name, &dims, &vec![0.01; (gates * hidden * inner) as usize])
    };
    load(
        &[steps, 2],
        nodes,
        vec![of("W", 2), of("R", hidden), integers("axes", &[2], &[0, 2])],
    )
}

#[test]
fn recurrent_cells_are_bounded_and_checked() {
    let size = |n| vec![int("hidden_size", n)];
    assert_invariant(&cell("GRU", 3, 512, 3, size(3)).unwrap(), "GRU");
    assert_invariant(&cell("RNN", 1, 7, 33, vec![]).unwrap(), "RNN");
    assert!(matches!(
        cell("LSTM", 4, 513, 3, size(3)),
        Err(Error::TooLarge { .. })
    ));
    assert!(matches!(
        cell("RNN", 1, 2, 1_025, vec![]),
        Err(Error::TooLarge { .. })
    ));
    for (op_type, gates, attributes) in [
        ("LSTM", 4, size(4)),
        ("LSTM", 3, size(3)),
        ("LSTM", 4, size(0)),
        ("LSTM", 4, size(-3)),
        ("GRU", 3, vec![string("direction", "sideways")]),
        ("GRU", 3, vec![string("direction", "bidirectional")]),
        ("RNN", 1, vec![strings("activations", &["Tanh", "Tanh"])]),
    ] {
        let error = cell(op_type, gates, 4, 3, attributes).expect_err(op_type);
        assert!(matches!(error, Error::Invalid(_)), "{op_type}: {error}");
    }
    for attributes in [
        vec![strings("activations", &["Sigmoid", "Softsign", "Tanh"])],
        vec![AttributeProto {
            r#type: 1,
            f: 3.0,
            name: "clip".into(),
            ..Default::default()
        }],
        vec![int("input_forget", 1)],
        vec![int("layout", 1)],
        vec![floats("activation_alpha", &[0.3])],
    ] {
        let error = cell("LSTM", 4, 4, 3, attributes).unwrap_err();
        assert!(matches!(error, Error::Unsupported(_)), "{error}");
    }
}

#[test]
fn lengths_of_sequences_are_whole_or_refused() {
    let of = |lengths: &[i64]| {
        let nodes = [
            op("LSTM", &["t", "W", "R", "", "n"], &["", "h"], vec![]),
            op(
                "ReduceSum",
                &["h", "axes"],
                &["y"],
                vec![int("keepdims", 0)],
            ),
            op("Transpose", &["x"], &["t"], vec![ints("perm", &[1, 0, 2])]),
        ];
        let nodes = vec![nodes[2].clone(), nodes[0].clone(), nodes[1].clone()];
        let constants = vec![
            constant("W", &[1, 4, 1], &[0.5; 4]),
            constant("R", &[1, 4, 1], &[0.5; 4]),
            integers("axes", &[2], &[0, 2]),
            TensorProto {
                data_type: DataType::Int32 as i32,
                int32_data: lengths.iter().map(|n| *n as i32).collect(),
                int64_data: vec![],
                ..integers("n", &[1], lengths)
            },
        ];
        load(&[6, 1], nodes, constants)
    };
    assert!(of(&[6]).is_ok());
    for short in [5, 0, 7, -1] {
        assert!(
            matches!(of(&[short]), Err(Error::Unsupported(_))),
            "{short}"
        );
    }
}

#[test]
fn a_long_recurrent_node_stops_between_steps() {
    let model = cell("LSTM", 4, 200, 48, vec![]).unwrap();
    let mut scorer = Scorer::new(model.clone(), 64).unwrap();
    for _ in 0..64 {
        scorer.batch().push_row().unwrap();
        for f in 0..400 {
            scorer.batch().set_float(f, 0.5).unwrap();
        }
    }
    let asked = Cell::new(0);
    let stop = || {
        asked.set(asked.get() + 1);
        asked.get() > 12
    };
    assert_eq!(scorer.run(&stop).err(), Some(Error::Interrupted));
    assert!(scorer.run(&|| false).is_ok());
}

#[test]
fn cells_of_sequences_and_images_have_names() {
    let names = |dims: &[i64], features: Option<&[&str]>| -> Result<Vec<String>> {
        let nodes = vec![
            op("Flatten", &["x"], &["f"], vec![]),
            op("Erf", &["f"], &["e"], vec![]),
            op("ReduceMax", &["e"], &["y"], vec![ints("axes", &[1])]),
        ];
        let bytes = bytes(vec![input("x", DataType::Float, dims)], nodes, vec![]);
        let declaration = Declaration {
            features: features.map(|names| names.iter().map(|n| n.to_string()).collect()),
            ..Declaration::default()
        };
        let model = Model::load_as(&bytes, &declaration, &Limits::default())?;
        let features = model.signature().features.iter();
        Ok(features.map(|f| f.name.clone()).collect())
    };
    assert_eq!(
        names(&[2, 2], None).unwrap(),
        ["x_0_0", "x_0_1", "x_1_0", "x_1_1"]
    );
    assert_eq!(
        names(&[1, 2, 1], Some(&["image"])).unwrap(),
        ["image_0_0_0", "image_0_1_0"]
    );
    assert_eq!(
        names(&[2, 2], Some(&["amount", "age"])).unwrap(),
        ["amount_0", "age_0", "amount_1", "age_1"]
    );
    assert_eq!(names(&[1, 2], Some(&["a", "b"])).unwrap(), ["a", "b"]);
    assert!(matches!(
        names(&[2, 2], Some(&["a", "b", "c"])),
        Err(Error::Declaration(_))
    ));
    assert!(matches!(
        names(&[200, 200], None),
        Err(Error::TooLarge { .. })
    ));
    assert!(matches!(
        names(&[2], None),
        Err(Error::UnnamedFeatures { .. })
    ));
}
