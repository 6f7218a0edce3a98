//! Scan, TopK and GatherElements that are not what nearest neighbours need: each is refused by name, none runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::onnx::*;
use finai_engine::{Declaration, Error, Limits, Model, Task};
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto};

fn tensor(name: &str, dims: &[i64], cells: &[f32]) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: dims.to_vec(),
        data_type: DataType::Float as i32,
        float_data: cells.to_vec(),
        ..Default::default()
    }
}

fn integers(name: &str, dims: &[i64], cells: &[i64]) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: dims.to_vec(),
        data_type: DataType::Int64 as i32,
        int64_data: cells.to_vec(),
        ..Default::default()
    }
}

fn named(names: &[&str]) -> Vec<ValueInfoProto> {
    names
        .iter()
        .map(|name| ValueInfoProto {
            name: (*name).into(),
            ..Default::default()
        })
        .collect()
}

fn onnx(op: &str, inputs: &[&str], outputs: &[&str], attributes: Vec<AttributeProto>) -> NodeProto {
    node(op, "", inputs, outputs, attributes)
}

/// Squared distances, as exporters write them.
fn body() -> GraphProto {
    GraphProto {
        name: "body".into(),
        input: named(&["kept_in", "point"]),
        output: named(&["kept_out", "found"]),
        node: vec![
            onnx("Identity", &["kept_in"], &["kept_out"], vec![]),
            onnx("Sub", &["kept_in", "point"], &["d"], vec![]),
            onnx(
                "ReduceSumSquare",
                &["d"],
                &["found"],
                vec![ints("axes", &[1]), int("keepdims", 0)],
            ),
        ],
        ..Default::default()
    }
}

fn carrying(body: GraphProto) -> Vec<AttributeProto> {
    let graph = AttributeProto {
        name: "body".into(),
        r#type: 5,
        g: Some(body),
        ..Default::default()
    };
    vec![graph, int("num_scan_inputs", 1)]
}

/// Distances from `x`, three columns, to four points, then `after` up to `y`.
fn load(scan: Vec<AttributeProto>, after: Vec<NodeProto>) -> Result<Model, Error> {
    let mut nodes = vec![onnx("Scan", &["x", "points"], &["kept", "found"], scan)];
    nodes.extend(after);
    let constants = vec![
        tensor("points", &[4, 3], &[0.5; 12]),
        tensor("single", &[1, 4], &[0.5; 4]),
        integers("zero", &[1], &[0]),
        integers("two", &[1], &[2]),
        integers("five", &[1], &[5]),
        integers("many", &[2], &[1, 2]),
    ];
    let bytes = model(
        vec![value("x", DataType::Float, 3)],
        &["y"],
        nodes,
        constants,
    );
    Model::load_as(&bytes, &declared(), &Limits::default())
}

fn declared() -> Declaration {
    Declaration {
        task: Some(Task::Vector),
        features: Some((0..3).map(|i| format!("f{i}")).collect()),
        ..Default::default()
    }
}

fn turned() -> Vec<NodeProto> {
    vec![onnx(
        "Transpose",
        &["found"],
        &["y"],
        vec![ints("perm", &[1, 0])],
    )]
}

#[track_caller]
fn says(found: Result<Model, Error>, says: &str) {
    let message = found.map(|_| ()).unwrap_err().to_string();
    assert!(
        message.contains(says),
        "\"{message}\" does not say \"{says}\""
    );
}

#[test]
fn bodies_of_scan() {
    load(carrying(body()), turned()).unwrap();
    let changed = |change: &dyn Fn(&mut GraphProto)| {
        let mut body = body();
        change(&mut body);
        load(carrying(body), turned())
    };
    for op in ["Loop", "MatMul", "Add", "Mul", "Div"] {
        says(changed(&|b| b.node[1].op_type = op.into()), op);
    }
    says(
        changed(&|b| b.node[1].domain = "ai.onnx.ml".into()),
        "\"Sub\" in its body",
    );
    // The rows themselves, another value, and one of the graph around the body.
    says(
        changed(&|b| b.output[1] = b.input[0].clone()),
        "something else",
    );
    says(
        changed(&|b| b.output[0].name = "point".into()),
        "something else",
    );
    says(
        changed(&|b| b.output[0].name = "x".into()),
        "something else",
    );
    says(changed(&|b| b.node[1].input[0] = "x".into()), "\"Sub\"");
    says(
        changed(&|b| b.node[1].input[1] = "kept_in".into()),
        "\"Sub\"",
    );
    // A sum over the batch would show a row its neighbours.
    for (name, at) in [("axes", 0), ("keepdims", 1)] {
        let other = if at == 0 {
            ints(name, &[0])
        } else {
            int(name, 1)
        };
        says(
            changed(&|b| b.node[2].attribute[at] = other.clone()),
            "ReduceSumSquare",
        );
        says(
            changed(&|b| {
                b.node[2].attribute.remove(at);
            }),
            "ReduceSumSquare",
        );
    }
    says(changed(&|b| b.input.truncate(1)), "inputs");
    says(changed(&|b| b.output.truncate(1)), "outputs");
    says(changed(&|b| b.node.clear()), "something else");
    says(changed(&|b| b.node.swap(1, 2)), "ReduceSumSquare");
    says(changed(&|b| b.node[1].output[0] = "point".into()), "twice");
    says(changed(&|b| b.input[1].name = "kept_in".into()), "twice");
    says(
        changed(&|b| {
            let copy = onnx("Identity", &["d"], &["d"], vec![]);
            b.node.extend(vec![copy; 20]);
        }),
        "long body",
    );
    says(
        changed(&|b| {
            let inner = carrying(body());
            b.node
                .push(onnx("Scan", &["kept_in", "point"], &["a", "b"], inner));
        }),
        "Scan",
    );
}

#[test]
fn scans_of_something_else() {
    says(load(vec![int("num_scan_inputs", 1)], turned()), "no body");
    let with = |attribute: AttributeProto| {
        let mut attributes = carrying(body());
        attributes.retain(|a| a.name != attribute.name);
        attributes.push(attribute);
        load(attributes, turned())
    };
    says(with(int("num_scan_inputs", 2)), "scan one input");
    says(with(int("num_scan_inputs", 0)), "scan one input");
    says(with(ints("scan_input_axes", &[1])), "scan_input_axes");
    says(
        with(ints("scan_input_directions", &[1])),
        "scan_input_directions",
    );
    says(with(ints("scan_output_axes", &[1])), "scan_output_axes");
    with(ints("scan_output_directions", &[0])).unwrap();
    // Distances that are not turned have a row for each point.
    let kept = vec![onnx("Sqrt", &["found"], &["y"], vec![])];
    says(load(carrying(body()), kept), "Scan");
}

#[test]
fn points_that_are_rows_of_the_batch() {
    for (rows, points, message) in [
        ("x", "x", "the rows of a constant"),
        ("points", "x", "the rows of a constant"),
        ("x", "single", "4 columns"),
        ("points", "points", "constants only"),
    ] {
        let scan = onnx(
            "Scan",
            &[rows, points],
            &["kept", "found"],
            carrying(body()),
        );
        let mut nodes = vec![scan];
        nodes.extend(turned());
        let constants = vec![
            tensor("points", &[4, 3], &[0.5; 12]),
            tensor("single", &[1, 4], &[0.5; 4]),
        ];
        let bytes = model(
            vec![value("x", DataType::Float, 3)],
            &["y"],
            nodes,
            constants,
        );
        says(
            Model::load_as(&bytes, &declared(), &Limits::default()),
            message,
        );
    }
}

#[test]
fn places_in_a_row() {
    let best = |k: &str, attributes| onnx("TopK", &["far", k], &["best", "places"], attributes);
    let far = onnx(
        "Transpose",
        &["found"],
        &["far"],
        vec![ints("perm", &[1, 0])],
    );
    let after = |nodes: Vec<NodeProto>| {
        let nodes = [vec![far.clone()], nodes].concat();
        load(carrying(body()), nodes)
    };
    let gather = |places: &str, axis| {
        onnx(
            "GatherElements",
            &["far", places],
            &["y"],
            vec![int("axis", axis)],
        )
    };
    after(vec![best("two", vec![]), gather("places", 1)]).unwrap();
    let same = onnx("Identity", &["best"], &["y"], vec![]);
    after(vec![best("two", vec![]), same.clone()]).unwrap();
    for (k, attributes, message) in [
        ("zero", vec![], "0 of 4"),
        ("five", vec![], "5 of 4"),
        ("many", vec![], "more than one k"),
        ("far", vec![], "not constant"),
        ("points", vec![], "no list of integers"),
        ("two", vec![int("sorted", 0)], "no order"),
        ("two", vec![int("axis", 0)], "another axis"),
        ("two", vec![int("axis", 2)], "another axis"),
    ] {
        says(after(vec![best(k, attributes), same.clone()]), message);
    }
    // Along the rows, by places of another axis, and by numbers of the row itself.
    says(
        after(vec![best("two", vec![]), gather("places", 0)]),
        "rows of a batch",
    );
    // Tables with fewer places than there are.
    for table in ["many", "two", "points"] {
        let fixed = onnx("Gather", &[table, "places"], &["y"], vec![int("axis", 1)]);
        let gathered = onnx("Gather", &[table, "places"], &["y"], vec![]);
        let nodes = [fixed, gathered].map(|node| after(vec![best("two", vec![]), node]));
        for (i, found) in nodes.into_iter().enumerate() {
            match (table, i) {
                ("points", 1) => assert!(found.is_ok()),
                _ => assert!(found.is_err(), "{table} {i}"),
            }
        }
    }
    let cast = onnx("Cast", &["far"], &["cast"], vec![int("to", 7)]);
    says(after(vec![cast, gather("cast", 1)]), "GatherElements");
}
