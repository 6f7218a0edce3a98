//! The catalogue of models that admission must refuse, each with the kind of error, and what it must not refuse.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use finai_engine::admit::{OperatorUse, admit, inspect, supported_operators};
use finai_engine::{Error, Limits};
use prost::Message;
use tract_onnx::pb;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension::Value;

mod hostile;
use hostile::*;

/// An error without its text.
#[derive(Debug, PartialEq)]
enum Kind {
    NotOnnx,
    TooLarge(&'static str),
    UnsupportedOperator(String, String),
    Unsupported,
    Invalid,
    Other,
}
use Kind::*;

fn kind(error: Error) -> Kind {
    match error {
        Error::NotOnnx(_) => NotOnnx,
        Error::TooLarge { what, .. } => TooLarge(what),
        Error::UnsupportedOperator { op, domain } => UnsupportedOperator(op, domain),
        Error::Unsupported(_) => Unsupported,
        Error::Invalid(_) => Invalid,
        _ => Other,
    }
}

fn admitted(bytes: &[u8]) -> Result<pb::ModelProto, Kind> {
    admit(bytes, &Limits::default()).map_err(kind)
}

#[track_caller]
fn refused(bytes: &[u8], expected: Kind) {
    match admit(bytes, &Limits::default()) {
        Ok(_) => panic!("admitted, {expected:?} expected"),
        Err(error) => {
            let text = error.to_string();
            assert_eq!(kind(error), expected, "{text}");
            assert!(!text.ends_with('.') && !text.contains('\n'), "{text}");
        }
    }
}

fn refused_node(node: pb::NodeProto, expected: Kind) {
    refused(&with_nodes(vec![node]), expected);
}

fn with_attributes(mut node: pb::NodeProto, attributes: Vec<pb::AttributeProto>) -> pb::NodeProto {
    node.attribute = attributes;
    node
}

/// The base model with a tensor that its node adds to the input.
fn with_initializer(tensor: pb::TensorProto) -> Vec<u8> {
    with(|graph| {
        graph.node = vec![node("Add", &["x", &tensor.name], &["y"])];
        graph.initializer = vec![tensor];
    })
}

fn with_dimensions(dimensions: Vec<pb::tensor_shape_proto::Dimension>) -> Vec<u8> {
    with(|graph| graph.input = vec![value("x", FLOAT, dimensions)])
}

#[test]
fn the_base_model_is_admitted() {
    assert_eq!(
        admitted(&relu().encode_to_vec()).map(|model| model.graph.map(|graph| graph.node.len())),
        Ok(Some(1))
    );
}

// Protobuf.

#[test]
fn bytes_that_are_not_a_model() {
    let group = [relu().encode_to_vec(), vec![0x9b, 0x06, 0x9c, 0x06]].concat();
    let overlong = [vec![0x08], vec![0x80; 10], vec![0]].concat();
    let beyond = vec![0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f, 0];
    let wrong_type = vec![0x38, 1];
    for bytes in [
        vec![],
        vec![0x0a],
        vec![0],
        b"PK\x03\x04 not a model".to_vec(),
        group,
        overlong,
        beyond,
        wrong_type,
    ] {
        refused(&bytes, NotOnnx);
    }
}

#[test]
fn messages_nested_too_deep() {
    let mut body = vec![];
    for _ in 0..101 {
        body = field(1, &field(5, &field(6, &body)));
    }
    let limits = Limits::default();
    assert_eq!(
        inspect(&field(7, &body), &limits).map_err(kind),
        Err(NotOnnx)
    );
    refused(
        &field(7, &body),
        UnsupportedOperator(String::new(), "ai.onnx".into()),
    );
}

#[test]
fn no_graph_or_two() {
    refused(
        &pb::ModelProto {
            graph: None,
            ..relu()
        }
        .encode_to_vec(),
        NotOnnx,
    );
    let graph = field(7, &relu().graph.unwrap().encode_to_vec());
    refused(&[relu().encode_to_vec(), graph].concat(), Invalid);
}

#[test]
fn text_that_is_not_utf8() {
    refused(&field(7, &field(1, &field(3, &[0xff]))), NotOnnx);
    refused(
        &[relu().encode_to_vec(), field(6, &[0xc0, 0x80])].concat(),
        NotOnnx,
    );
}

#[test]
fn names_with_nul_or_of_a_megabyte() {
    refused(&with(|graph| graph.node[0].name = "a\0b".into()), Invalid);
    refused(
        &with(|graph| graph.node[0].name = "a".repeat(1 << 20)),
        TooLarge("bytes in a name"),
    );
}

#[test]
fn limits_of_the_caller_hold() {
    let (_, forest) = SEEDS[4];
    let small = |limits| admit(forest, &limits).map(|_| ()).map_err(kind);
    let limits = Limits::default;
    assert_eq!(
        small(Limits {
            model_size: forest.len() - 1,
            ..limits()
        }),
        Err(TooLarge("bytes"))
    );
    assert_eq!(
        small(Limits {
            decode_memory: 1_000,
            ..limits()
        }),
        Err(TooLarge("bytes when decoded"))
    );
    assert_eq!(
        small(Limits {
            nodes: 0,
            ..limits()
        }),
        Err(TooLarge("nodes"))
    );
    assert_eq!(
        small(Limits {
            attributes: 3,
            ..limits()
        }),
        Err(TooLarge("attributes"))
    );
    assert_eq!(
        small(Limits {
            features: 0,
            ..limits()
        }),
        Err(TooLarge("inputs"))
    );
    assert_eq!(
        small(Limits {
            model_size: forest.len(),
            ..limits()
        }),
        Ok(())
    );
}

#[test]
fn operator_sets() {
    let with_sets = |sets: &[(&str, i64)]| {
        let opset_import = sets
            .iter()
            .map(|&(domain, version)| pb::OperatorSetIdProto {
                domain: domain.into(),
                version,
            })
            .collect();
        pb::ModelProto {
            opset_import,
            ..relu()
        }
        .encode_to_vec()
    };
    refused(&with_sets(&[]), Invalid);
    refused(&with_sets(&[("ai.onnx.ml", 1)]), Invalid);
    refused(&with_sets(&[("", 12), ("ai.onnx", 13)]), Invalid);
    for version in [1_000_000_000, 27, 0, -1, i64::MIN] {
        refused(&with_sets(&[("", version)]), Unsupported);
        refused(
            &with_sets(&[("", 13), ("ai.onnx.ml", version)]),
            Unsupported,
        );
    }
    // Relu of operator set 5 has other attributes.
    refused(&with_sets(&[("", 5)]), Unsupported);
    for sets in [
        &[("", 6)][..],
        &[("", 23)],
        &[("ai.onnx", 13)],
        &[("", 22), ("", 22)],
        &[("", 9), ("com.microsoft", 1)],
    ] {
        assert!(admitted(&with_sets(sets)).is_ok(), "{sets:?}");
    }
}

// Inputs, outputs and shapes.

#[test]
fn inputs_and_outputs() {
    refused(&with(|graph| graph.input.clear()), Invalid);
    refused(
        &with(|graph| graph.input.push(graph.input[0].clone())),
        Invalid,
    );
    refused(&with(|graph| graph.input[0].name.clear()), Invalid);
    refused(&with(|graph| graph.input[0].r#type = None), Invalid);
    refused(
        &with(|graph| graph.input[0].r#type = Some(pb::TypeProto::default())),
        Invalid,
    );
    refused(&with(|graph| graph.output.clear()), Invalid);
    refused(
        &with(|graph| graph.output.push(graph.output[0].clone())),
        Invalid,
    );
    refused(&with(|graph| graph.output[0].name = "z".into()), Invalid);
    refused(&with(|graph| graph.node.clear()), Invalid);
    let many =
        (0..1_601).map(|index| value(&format!("x{index}"), FLOAT, vec![symbol("N"), known(1)]));
    refused(&with(|graph| graph.input.extend(many)), TooLarge("inputs"));
}

#[test]
fn element_types_of_inputs() {
    for (code, expected) in [
        (DataType::Undefined as i32, Invalid),
        (DataType::Bfloat16 as i32, Unsupported),
        (DataType::Complex64 as i32, Unsupported),
        (DataType::Float8e4m3fn as i32, Unsupported),
        (DataType::Int4 as i32, Unsupported),
        (9_999, Unsupported),
        (-1, Unsupported),
    ] {
        refused(
            &with(|graph| graph.input = vec![value("x", code, vec![symbol("N"), known(3)])]),
            expected,
        );
    }
}

#[test]
fn dimensions_of_inputs() {
    refused(&with_dimensions(vec![symbol("N"), known(-2)]), Invalid);
    refused(
        &with_dimensions(vec![symbol("N"), known(i64::MIN)]),
        Invalid,
    );
    refused(&with_dimensions(vec![symbol("N"), known(0)]), Invalid);
    let elements = || TooLarge("elements in a tensor");
    refused(
        &with_dimensions(vec![symbol("N"), known(i64::MAX)]),
        elements(),
    );
    refused(
        &with_dimensions(vec![symbol("N"), known(1 << 16), known(1 << 16)]),
        elements(),
    );
    refused(
        &with_dimensions(vec![known(1 << 32), known(1 << 32), known(0)]),
        elements(),
    );
    refused(
        &with_dimensions(vec![known(1); 65]),
        TooLarge("dimensions in a tensor"),
    );
    assert!(admitted(&with_dimensions(vec![known(1), known(3)])).is_ok());
}

/// F6: tract parses symbols as expressions, recursively; it never sees one that is not an identifier.
#[test]
fn symbols_that_are_expressions() {
    for hostile in [
        "(".repeat(100_000),
        "-".repeat(100_000) + "x",
        "x".repeat(1_025),
    ] {
        refused(
            &with_dimensions(vec![symbol(&hostile), known(3)]),
            TooLarge("bytes in a name"),
        );
    }
    for spelling in [
        "((((",
        "a/0",
        "1/3",
        "größe",
        "batch size",
        "-x",
        "s0 + 1",
        "Mod(s0, 8)",
        &*"x".repeat(65),
    ] {
        let model = admitted(&with_dimensions(vec![
            symbol(spelling),
            known(3),
            symbol(spelling),
            symbol("dim_0"),
        ]))
        .unwrap();
        assert_eq!(
            symbols(&model),
            [Some("dim_1"), None, Some("dim_1"), Some("dim_0")].map(|name| name.map(String::from))
        );
    }
}

fn symbols(model: &pb::ModelProto) -> Vec<Option<String>> {
    let input = &model.graph.as_ref().unwrap().input[0];
    let Some(pb::type_proto::Value::TensorType(typed)) = &input.r#type.as_ref().unwrap().value
    else {
        return vec![];
    };
    let dimensions = &typed.shape.as_ref().unwrap().dim;
    let name = |dimension: &pb::tensor_shape_proto::Dimension| match &dimension.value {
        Some(Value::DimParam(symbol)) => Some(symbol.clone()),
        _ => None,
    };
    dimensions.iter().map(name).collect()
}

#[test]
fn symbols_that_exporters_write() {
    for kept in ["N", "batch_size", "unk__6", "s77", "None"] {
        let model = admitted(&with_dimensions(vec![symbol(kept), known(3)])).unwrap();
        assert_eq!(symbols(&model), [Some(kept.to_string()), None]);
    }
    for unknown in [symbol(""), symbol("?"), known(-1), Default::default()] {
        let model = admitted(&with_dimensions(vec![unknown, known(3)])).unwrap();
        let Some(pb::type_proto::Value::TensorType(typed)) =
            model.graph.unwrap().input[0].r#type.clone().unwrap().value
        else {
            panic!("no tensor type")
        };
        assert_eq!(typed.shape.unwrap().dim[0].value, None);
    }
}

// Stored tensors.

#[test]
fn payloads_that_differ_from_their_shape() {
    let raw = |bytes: usize| pb::TensorProto {
        raw_data: vec![0; bytes],
        ..floats("w", &[3], vec![])
    };
    for bytes in [0, 4, 11, 13, 16] {
        refused(&with_initializer(raw(bytes)), Invalid);
    }
    assert!(admitted(&with_initializer(raw(12))).is_ok());
    refused(&with_initializer(floats("w", &[3], vec![0.0; 2])), Invalid);
    refused(&with_initializer(floats("w", &[3], vec![0.0; 4])), Invalid);
    refused(
        &with_initializer(pb::TensorProto {
            float_data: vec![0.0; 3],
            ..raw(12)
        }),
        Invalid,
    );
    refused(
        &with_initializer(pb::TensorProto {
            int32_data: vec![0; 3],
            ..floats("w", &[3], vec![])
        }),
        Invalid,
    );
    refused(
        &with_initializer(pb::TensorProto {
            int64_data: vec![0],
            ..floats("w", &[3], vec![0.0; 3])
        }),
        Invalid,
    );
    assert!(admitted(&with_initializer(floats("w", &[1, 3], vec![0.0; 3]))).is_ok());
}

#[test]
fn shapes_of_stored_tensors() {
    refused(&with_initializer(floats("w", &[-1], vec![])), Invalid);
    refused(
        &with_initializer(floats("w", &[i64::MIN, 0], vec![])),
        Invalid,
    );
    refused(&with_initializer(floats("w", &[0, 3], vec![])), Invalid);
    refused(
        &with_initializer(floats("w", &[1 << 32, 1 << 32], vec![])),
        TooLarge("elements in a tensor"),
    );
    refused(
        &with_initializer(floats("w", &[i64::MAX, i64::MAX, 0], vec![])),
        TooLarge("elements in a tensor"),
    );
    refused(
        &with_initializer(floats("w", &[1; 65], vec![0.0])),
        TooLarge("dimensions in a tensor"),
    );
}

#[test]
fn element_types_of_stored_tensors() {
    let of = |data_type: DataType| pb::TensorProto {
        data_type: data_type as i32,
        ..floats("w", &[1], vec![])
    };
    let raw = |data_type, bytes| pb::TensorProto {
        raw_data: vec![0; bytes],
        ..of(data_type)
    };
    for data_type in [
        DataType::Complex64,
        DataType::Complex128,
        DataType::Bfloat16,
        DataType::Float8e4m3fn,
        DataType::Float8e4m3fnuz,
        DataType::Float8e5m2,
        DataType::Float8e5m2fnuz,
        DataType::Uint4,
        DataType::Int4,
        DataType::Float4e2m1,
    ] {
        refused(&with_initializer(raw(data_type, 1)), Unsupported);
    }
    refused(
        &with_initializer(pb::TensorProto {
            data_type: 99,
            ..raw(DataType::Float, 4)
        }),
        Unsupported,
    );
    refused(&with_initializer(raw(DataType::Undefined, 4)), Invalid);
    refused(&with_initializer(raw(DataType::String, 4)), Invalid);
    refused(
        &with_initializer(pb::TensorProto {
            uint64_data: vec![1],
            ..of(DataType::Uint32)
        }),
        Unsupported,
    );
    refused(
        &with_initializer(pb::TensorProto {
            uint64_data: vec![1],
            ..of(DataType::Uint64)
        }),
        Unsupported,
    );
    refused(
        &with_initializer(pb::TensorProto {
            string_data: vec![vec![0xff]],
            ..of(DataType::String)
        }),
        NotOnnx,
    );
    for good in [
        pb::TensorProto {
            string_data: vec![b"a".to_vec()],
            ..of(DataType::String)
        },
        pb::TensorProto {
            int32_data: vec![1],
            ..of(DataType::Float16)
        },
        raw(DataType::Uint32, 4),
        raw(DataType::Double, 8),
        raw(DataType::Bool, 1),
    ] {
        assert!(admitted(&with_initializer(good)).is_ok());
    }
}

#[test]
fn external_data_in_every_form() {
    let entry = |key: &str, value: &str| pb::StringStringEntryProto {
        key: key.into(),
        value: value.into(),
    };
    let stored = || floats("w", &[3], vec![0.0; 3]);
    for location in [
        "/etc/passwd",
        "../x",
        "a/../../x",
        "symlink",
        "/proc/self/mem",
        "",
        "file:///etc/passwd",
    ] {
        let external_data = vec![entry("location", location)];
        refused(
            &with_initializer(pb::TensorProto {
                external_data: external_data.clone(),
                ..stored()
            }),
            Unsupported,
        );
        let both = pb::TensorProto {
            external_data,
            data_location: Some(1),
            ..floats("w", &[3], vec![])
        };
        refused(&with_initializer(both.clone()), Unsupported);
        let constant = pb::AttributeProto {
            name: "value".into(),
            r#type: 4,
            t: Some(both),
            ..Default::default()
        };
        refused_node(
            with_attributes(node("Constant", &[], &["y"]), vec![constant]),
            Unsupported,
        );
    }
    let sized = vec![
        entry("location", "x"),
        entry("offset", "18446744073709551615"),
        entry("length", "1"),
    ];
    refused(
        &with_initializer(pb::TensorProto {
            external_data: sized,
            ..stored()
        }),
        Unsupported,
    );
    for location in [1, 2, -1, i32::MAX] {
        refused(
            &with_initializer(pb::TensorProto {
                data_location: Some(location),
                ..stored()
            }),
            Unsupported,
        );
    }
    assert!(
        admitted(&with_initializer(pb::TensorProto {
            data_location: Some(0),
            ..stored()
        }))
        .is_ok()
    );
}

#[test]
fn parts_of_onnx_that_are_refused() {
    let segment = pb::TensorProto {
        segment: Some(Default::default()),
        ..floats("w", &[3], vec![0.0; 3])
    };
    refused(&with_initializer(segment), Unsupported);
    refused(
        &with(|graph| graph.sparse_initializer.push(Default::default())),
        Unsupported,
    );
    let sparse = pb::AttributeProto {
        name: "sparse_value".into(),
        sparse_tensor: Some(Default::default()),
        ..Default::default()
    };
    refused_node(
        with_attributes(node("Constant", &[], &["y"]), vec![sparse]),
        Unsupported,
    );
    refused(
        &pb::ModelProto {
            functions: vec![Default::default()],
            ..relu()
        }
        .encode_to_vec(),
        Unsupported,
    );
    refused(
        &pb::ModelProto {
            training_info: vec![Default::default()],
            ..relu()
        }
        .encode_to_vec(),
        Unsupported,
    );
    refused(
        &with_initializer(pb::TensorProto {
            name: String::new(),
            ..floats("", &[3], vec![0.0; 3])
        }),
        Invalid,
    );
    let twice = with(|graph| {
        graph.initializer = vec![floats("w", &[1], vec![0.0]), floats("w", &[1], vec![1.0])]
    });
    refused(&twice, Invalid);
}

// The graph.

#[test]
fn cycles_and_values_from_nowhere() {
    refused_node(node("Relu", &["y"], &["y"]), Invalid);
    refused_node(node("Relu", &["nowhere"], &["y"]), Invalid);
    let cycle = vec![
        node("Add", &["x", "c"], &["a"]),
        node("Relu", &["a"], &["b"]),
        node("Relu", &["b"], &["c"]),
    ];
    refused(&with_nodes(cycle), Invalid);
    refused(
        &with_nodes(vec![
            node("Relu", &["a"], &["b"]),
            node("Relu", &["x"], &["a"]),
        ]),
        Invalid,
    );
}

#[test]
fn values_are_produced_once() {
    refused(
        &with_nodes(vec![
            node("Relu", &["x"], &["y"]),
            node("Abs", &["x"], &["y"]),
        ]),
        Invalid,
    );
    refused_node(node("Relu", &["x"], &["x"]), Invalid);
    let shadowed = with(|graph| graph.initializer = vec![floats("y", &[1], vec![0.0])]);
    refused(&shadowed, Invalid);
    refused_node(
        with_attributes(node("Split", &["x"], &["y", "y"]), vec![integer("axis", 1)]),
        Invalid,
    );
}

#[test]
fn long_chains_and_wide_fans() {
    let chain = |length: usize| {
        let link = |index: usize| {
            node(
                "Relu",
                &[&*format!("x{index}")],
                &[&*format!("x{}", index + 1)],
            )
        };
        let mut nodes: Vec<_> = (0..length).map(link).collect();
        nodes[0].input[0] = "x".into();
        with_nodes(nodes)
    };
    refused(&chain(100_000), TooLarge("nodes"));
    assert!(admitted(&chain(5_000)).is_ok());
    let wide = with_nodes(vec![node("Sum", &vec!["x"; 3_201], &["y"])]);
    refused(&wide, TooLarge("inputs and outputs of a node"));
    let edges = |index: usize| node("Sum", &vec!["x"; 3_000], &[&*format!("y{index}")]);
    refused(
        &with_nodes((0..20).map(edges).collect()),
        TooLarge("inputs and outputs of nodes"),
    );
}

/// tract merges nested concatenations into one, whose inputs multiply at every level.
#[test]
fn nested_concatenations() {
    let concatenate = |from: &str, count: usize, to: &str| {
        with_attributes(
            node("Concat", &vec![from; count], &[to]),
            vec![integer("axis", 1)],
        )
    };
    let between = |middle: pb::NodeProto| {
        with_nodes(vec![
            concatenate("x", 1_000, "a"),
            middle,
            concatenate("b", 1_000, "y"),
        ])
    };
    refused(
        &between(node("Identity", &["a"], &["b"])),
        TooLarge("concatenated values"),
    );
    let cast = with_attributes(node("Cast", &["a"], &["b"]), vec![integer("to", 1)]);
    refused(&between(cast), TooLarge("concatenated values"));
    refused(
        &between(node("Sum", &["a"], &["b"])),
        TooLarge("concatenated values"),
    );
    assert!(admitted(&between(ml("Scaler", &["a"], &["b"]))).is_ok());
    assert!(
        admitted(&with_nodes(vec![
            concatenate("x", 1_600, "a"),
            concatenate("a", 2, "y")
        ]))
        .is_ok()
    );
}

#[test]
fn operators_that_are_not_on_the_list() {
    let unsupported = |op: &str, domain: &str| UnsupportedOperator(op.into(), domain.into());
    for op in [
        "NonZero",
        "Loop",
        "GatherND",
        "SequenceMap",
        "STFT",
        "RandomNormal",
        "relu",
        "",
        "TreeEnsembleRegressor",
    ] {
        refused_node(node(op, &["x"], &["y"]), unsupported(op, "ai.onnx"));
    }
    for op in ["Relu", "CastMap"] {
        refused_node(ml(op, &["x"], &["y"]), unsupported(op, "ai.onnx.ml"));
    }
    // It came with operator set 5.
    refused_node(ml("TreeEnsemble", &["x"], &["y"]), Unsupported);
    let contrib = pb::NodeProto {
        domain: "com.microsoft".into(),
        ..node("Gelu", &["x"], &["y"])
    };
    refused_node(contrib, unsupported("Gelu", "com.microsoft"));
    refused_node(node("Gelu", &["x"], &["y"]), Unsupported);
}

#[test]
fn graphs_in_attributes() {
    let body = |name: &str| {
        let g = Some(pb::GraphProto {
            name: "body".into(),
            ..Default::default()
        });
        pb::AttributeProto {
            name: name.into(),
            r#type: 5,
            g,
            ..Default::default()
        }
    };
    for op in ["If", "Loop", "SequenceMap"] {
        let carrier = with_attributes(node(op, &["x"], &["y"]), vec![body("body")]);
        refused_node(carrier, UnsupportedOperator(op.into(), "ai.onnx".into()));
    }
    refused_node(
        with_attributes(node("Relu", &["x"], &["y"]), vec![body("body")]),
        Unsupported,
    );
    let graphs = pb::AttributeProto {
        graphs: vec![Default::default()],
        ..integer("a", 0)
    };
    refused_node(
        with_attributes(node("Relu", &["x"], &["y"]), vec![graphs]),
        Unsupported,
    );
}

/// tract #2391: operators index inputs that are not there.
#[test]
fn arity() {
    for op in [
        "Concat", "Squeeze", "Gemm", "Reshape", "Relu", "Add", "Sum", "Max", "Where", "Conv",
        "Slice", "Split",
    ] {
        refused_node(node(op, &[], &["y"]), Invalid);
        refused_node(node(op, &[""], &["y"]), Invalid);
    }
    for op in [
        "Scaler",
        "Imputer",
        "TreeEnsembleRegressor",
        "ArrayFeatureExtractor",
        "FeatureVectorizer",
    ] {
        refused_node(ml(op, &[], &["y"]), Invalid);
    }
    refused_node(node("Add", &["x"], &["y"]), Invalid);
    refused_node(node("Relu", &["x", "x"], &["y"]), Invalid);
    refused_node(node("Relu", &["x"], &["y", "z"]), Invalid);
    refused_node(node("Constant", &["x"], &["y"]), Invalid);
    refused_node(ml("TreeEnsembleClassifier", &["x"], &["y"]), Invalid);
    refused_node(node("Concat", &["x", "", "x"], &["y"]), Invalid);
    refused(
        &with(|graph| graph.node.push(node("Relu", &["x"], &[]))),
        Invalid,
    );
    refused(
        &with(|graph| graph.node.push(node("Split", &["x"], &["", "b"]))),
        Invalid,
    );
}

#[test]
fn optional_inputs_may_be_left_out() {
    let clip = with(|graph| {
        graph.node = vec![
            node("Clip", &["x", "", "high", ""], &["y"]),
            node("Clip", &["x", "", ""], &["z", ""]),
        ];
        graph.initializer = vec![floats("high", &[], vec![1.0])];
    });
    let nodes = admitted(&clip).map(|model| model.graph.unwrap().node);
    assert_eq!(
        nodes.map(|nodes| [nodes[0].input.clone(), nodes[1].input.clone()]),
        Ok([strings(&["x", "", "high"]), strings(&["x"])])
    );
}

#[test]
fn shapes_that_depend_on_the_data() {
    let shape = || value("s", INT64, vec![known(2)]);
    refused(
        &with(|graph| {
            graph.input.push(shape());
            graph.node = vec![node("Reshape", &["x", "s"], &["y"])]
        }),
        Unsupported,
    );
    for op in [
        "Squeeze",
        "Unsqueeze",
        "ReduceSum",
        "ReduceMean",
        "Split",
        "Expand",
        "Tile",
        "Pad",
    ] {
        refused(
            &with(|graph| {
                graph.input.push(shape());
                graph.node = vec![node(op, &["x", "s"], &["y"])]
            }),
            Unsupported,
        );
    }
    let ends = with(|graph| {
        graph.input.push(shape());
        graph.initializer = vec![int64s("zero", &[1], vec![0])];
        graph.node = vec![node("Slice", &["x", "zero", "s"], &["y"])];
    });
    refused(&ends, Unsupported);
    let computed = with(|graph| {
        graph.initializer = vec![int64s("a", &[1], vec![-1]), int64s("b", &[1], vec![3])];
        let join = with_attributes(
            node("Concat", &["a", "b"], &["s"]),
            vec![integer("axis", 0)],
        );
        graph.node = vec![join, node("Reshape", &["x", "s"], &["y"])];
    });
    assert!(admitted(&computed).is_ok());
}

/// tract evaluates nodes on constants while it compiles, whatever they allocate.
#[test]
fn constants_that_grow_when_computed() {
    let squared = |op: &str| {
        with(|graph| {
            graph.initializer = vec![
                floats("a", &[100_000, 1], vec![0.5; 100_000]),
                floats("b", &[1, 100_000], vec![0.5; 100_000]),
            ];
            graph.node = vec![
                node(op, &["a", "b"], &["c"]),
                node("Add", &["x", "c"], &["y"]),
            ];
        })
    };
    for op in ["Add", "MatMul", "Gemm", "Max"] {
        refused(&squared(op), TooLarge("bytes of constants to compute"));
    }
    let joined = with(|graph| {
        graph.initializer = vec![floats("a", &[1_000_000], vec![0.5; 1_000_000])];
        let join = with_attributes(
            node("Concat", &["a"; 100], &["b"]),
            vec![integer("axis", 0)],
        );
        graph.node = vec![join, node("Add", &["x", "b"], &["y"])];
    });
    refused(&joined, TooLarge("bytes of constants to compute"));
    let gathered = with(|graph| {
        graph.initializer = vec![
            floats("a", &[1, 20_000], vec![0.5; 20_000]),
            int64s("i", &[4_000], vec![0; 4_000]),
        ];
        graph.node = vec![
            node("Gather", &["a", "i"], &["b"]),
            node("Add", &["x", "b"], &["y"]),
        ];
    });
    refused(&gathered, TooLarge("bytes of constants to compute"));
    let trees = with(|graph| {
        graph.initializer = vec![floats("a", &[1, 1], vec![0.5])];
        graph.node.push(ml("TreeEnsembleRegressor", &["a"], &["z"]));
    });
    refused(&trees, Unsupported);
}

#[test]
fn attributes() {
    let relu = || node("Relu", &["x"], &["y"]);
    refused_node(
        with_attributes(relu(), vec![integer("a", 1), integer("a", 2)]),
        Invalid,
    );
    refused_node(with_attributes(relu(), vec![integer("", 1)]), Invalid);
    let referring = pb::AttributeProto {
        ref_attr_name: "outer".into(),
        ..integer("a", 1)
    };
    refused_node(with_attributes(relu(), vec![referring]), Invalid);
    for (r#type, i) in [(0, 1), (1, 1), (99, 0), (4, 0), (-1, 1)] {
        let odd = pb::AttributeProto {
            name: "a".into(),
            r#type,
            i,
            ..Default::default()
        };
        refused_node(with_attributes(relu(), vec![odd]), Invalid);
    }
    let tensor = pb::AttributeProto {
        name: "value".into(),
        r#type: 4,
        t: Some(floats("", &[2], vec![0.0])),
        ..Default::default()
    };
    refused_node(
        with_attributes(node("Constant", &[], &["y"]), vec![tensor]),
        Invalid,
    );
    refused_node(node("Constant", &[], &["y"]), Invalid);
}

#[test]
fn attributes_that_tract_indexes_with() {
    for perm in [&[0, 5][..], &[0, 0], &[1, 2], &[-1, 0], &[i64::MAX, 0]] {
        refused_node(
            with_attributes(
                node("Transpose", &["x"], &["y"]),
                vec![integers("perm", perm)],
            ),
            Invalid,
        );
    }
    for op in ["Flatten", "Softmax", "ArgMax", "Split"] {
        for axis in [9, -9, i64::MAX, i64::MIN] {
            refused_node(
                with_attributes(node(op, &["x"], &["y"]), vec![integer("axis", axis)]),
                Invalid,
            );
        }
    }
    for (name, values) in [
        ("kernel_shape", [0, 1]),
        ("strides", [0, 1]),
        ("dilations", [1, 0]),
        ("pads", [-1, 0]),
        ("strides", [1_025, 1]),
        ("pads", [1 << 40, 0]),
        ("strides", [1_025, 1]),
    ] {
        let window = with_attributes(
            node("MaxPool", &["x"], &["y"]),
            vec![integers(name, &values)],
        );
        refused_node(window, Invalid);
    }
    let training = with(|graph| {
        graph.initializer = ["a", "b", "c", "d"]
            .map(|name| floats(name, &[3], vec![1.0; 3]))
            .to_vec();
        let normal = node("BatchNormalization", &["x", "a", "b", "c", "d"], &["y"]);
        graph.node = vec![with_attributes(normal, vec![integer("training_mode", 1)])];
    });
    refused(&training, Invalid);
}

/// The base model with stored lists and one node on `x`, which has two dimensions.
fn with_lists(node: pb::NodeProto, lists: &[(&str, &[i64])]) -> Vec<u8> {
    with(|graph| {
        graph.node = vec![node];
        let stored =
            |(name, list): &(&str, &[i64])| int64s(name, &[list.len() as i64], list.to_vec());
        graph.initializer = lists.iter().map(stored).collect();
    })
}

#[test]
fn stored_lists_that_decide_shapes() {
    for axes in [&[2][..], &[-3], &[0, 0], &[0, -2], &[i64::MAX], &[i64::MIN]] {
        refused(
            &with_lists(node("Squeeze", &["x", "l"], &["y"]), &[("l", axes)]),
            Invalid,
        );
        refused(
            &with_lists(node("ReduceMean", &["x", "l"], &["y"]), &[("l", axes)]),
            Invalid,
        );
        let slice = node("Slice", &["x", "s", "e", "l"], &["y"]);
        let from = vec![0; axes.len()];
        refused(
            &with_lists(slice, &[("s", &from), ("e", &from), ("l", axes)]),
            Invalid,
        );
    }
    for axes in [
        &[3][..],
        &[-4],
        &[1, 1],
        &[0, 1, 2, 3, 4, 5, 6],
        &[i64::MAX],
    ] {
        refused(
            &with_lists(node("Unsqueeze", &["x", "l"], &["y"]), &[("l", axes)]),
            Invalid,
        );
    }
    for sizes in [&[3][..], &[1, 1, 1], &[4, -1]] {
        refused(
            &with_lists(node("Split", &["x", "l"], &["y", "z"]), &[("l", sizes)]),
            Invalid,
        );
    }
    for shape in [&[-1, -1][..], &[-2, 3], &[1 << 31, 2], &[1; 9], &[i64::MIN]] {
        refused(
            &with_lists(node("Reshape", &["x", "l"], &["y"]), &[("l", shape)]),
            Invalid,
        );
    }
    for step in [0, i64::MIN, i64::MAX] {
        let slice = node("Slice", &["x", "s", "e", "a", "t"], &["y"]);
        let lists: [(&str, &[i64]); 4] = [("s", &[0]), ("e", &[1]), ("a", &[1]), ("t", &[step])];
        refused(&with_lists(slice, &lists), Invalid);
    }
    let uneven: [(&str, &[i64]); 2] = [("s", &[0]), ("e", &[1, 2])];
    refused(
        &with_lists(node("Slice", &["x", "s", "e"], &["y"]), &uneven),
        Invalid,
    );
    let fractional = with(|graph| {
        graph.node = vec![node("Reshape", &["x", "l"], &["y"])];
        graph.initializer = vec![floats("l", &[2], vec![-1.0, 3.0])];
    });
    refused(&fractional, Invalid);
    let lists: [(&str, &[i64]); 4] = [("s", &[0]), ("e", &[i64::MAX]), ("a", &[-1]), ("t", &[2])];
    assert!(
        admitted(&with_lists(
            node("Slice", &["x", "s", "e", "a", "t"], &["y"]),
            &lists
        ))
        .is_ok()
    );
}

/// tract indexes shapes with axes that it has not compared with the rank.
#[test]
fn axes_beyond_the_rank() {
    let gather = with_attributes(
        node("Gather", &["x", "l"], &["y"]),
        vec![integer("axis", 2)],
    );
    refused(&with_lists(gather, &[("l", &[0])]), Invalid);
    for op in ["Concat", "Split", "ArgMax"] {
        for axis in [2, -3] {
            refused_node(
                with_attributes(node(op, &["x"], &["y"]), vec![integer("axis", axis)]),
                Invalid,
            );
        }
    }
    refused_node(
        with_attributes(node("Flatten", &["x"], &["y"]), vec![integer("axis", 3)]),
        Invalid,
    );
    refused_node(
        with_attributes(
            node("Transpose", &["x"], &["y"]),
            vec![integers("perm", &[0, 2, 1])],
        ),
        Invalid,
    );
    refused_node(
        with_attributes(
            node("MaxPool", &["x"], &["y"]),
            vec![integers("kernel_shape", &[2, 2])],
        ),
        Invalid,
    );
    let image = |attributes: Vec<pb::AttributeProto>| {
        with(|graph| {
            graph.input = vec![value(
                "x",
                FLOAT,
                vec![symbol("N"), known(1), known(8), known(8)],
            )];
            graph.node = vec![with_attributes(node("MaxPool", &["x"], &["y"]), attributes)];
        })
    };
    refused(&image(vec![integers("kernel_shape", &[2])]), Invalid);
    refused(
        &image(vec![
            integers("kernel_shape", &[2, 2]),
            integers("pads", &[1, 1]),
        ]),
        Invalid,
    );
    refused(
        &image(vec![
            integers("kernel_shape", &[2, 2]),
            integers("strides", &[]),
        ]),
        Invalid,
    );
    refused(
        &image(vec![integers("kernel_shape", &[65, 64])]),
        TooLarge("elements in a kernel"),
    );
    assert!(
        admitted(&image(vec![
            integers("kernel_shape", &[2, 2]),
            integers("pads", &[1, 1, 0, 0])
        ]))
        .is_ok()
    );
    let scalar = |op| {
        with(|graph| {
            graph.input = vec![value("x", FLOAT, vec![])];
            graph.node = vec![node(op, &["x", "x"], &["y"])];
        })
    };
    refused(&scalar("MatMul"), Invalid);
    refused(&scalar("Gemm"), Invalid);
}

// What admission makes of a model.

#[test]
fn spellings_become_one() {
    let mut model = relu();
    model.opset_import = vec![
        pb::OperatorSetIdProto {
            domain: "ai.onnx".into(),
            version: 13,
        },
        pb::OperatorSetIdProto {
            domain: String::new(),
            version: 13,
        },
    ];
    let graph = model.graph.as_mut().unwrap();
    graph.node = vec![
        pb::NodeProto {
            domain: "ai.onnx".into(),
            ..node("Relu", &["x"], &["a"])
        },
        pb::NodeProto {
            name: "Relu_0".into(),
            ..node("Relu", &["a"], &["b"])
        },
        pb::NodeProto {
            name: "Relu_0".into(),
            ..node("Relu", &["b"], &["c"])
        },
        pb::NodeProto {
            name: "x".into(),
            ..node("Relu", &["c"], &["y"])
        },
    ];
    graph.value_info = vec![value("a", FLOAT, vec![symbol("((("), known(7)])];
    let model = admitted(&model.encode_to_vec()).unwrap();
    assert_eq!(
        model.opset_import,
        [pb::OperatorSetIdProto {
            domain: String::new(),
            version: 13
        }]
    );
    let graph = model.graph.unwrap();
    assert!(graph.value_info.is_empty());
    let names: Vec<_> = graph
        .node
        .iter()
        .map(|node| (node.domain.as_str(), node.name.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            ("", "Relu_1"),
            ("", "Relu_0"),
            ("", "Relu_2"),
            ("", "Relu_3")
        ]
    );
}

#[test]
fn operators_are_listed_with_their_uses() {
    let body = pb::GraphProto {
        node: vec![node("Relu", &["a"], &["b"]); 2],
        ..Default::default()
    };
    let body = pb::AttributeProto {
        name: "body".into(),
        r#type: 5,
        g: Some(body),
        ..Default::default()
    };
    let nodes = vec![
        node("Relu", &["x"], &["a"]),
        with_attributes(node("Loop", &["a"], &["b"]), vec![body]),
        ml("Scaler", &["b"], &["c"]),
        pb::NodeProto {
            domain: "com.microsoft".into(),
            ..node("FusedMatMul", &["c"], &["d"])
        },
        node("Reshape", &["d"], &["y"]),
    ];
    let used = inspect(&with_nodes(nodes), &Limits::default()).unwrap();
    let brief: Vec<_> = used
        .iter()
        .map(|used| {
            (
                used.domain.as_str(),
                used.op.as_str(),
                used.uses,
                used.supported,
            )
        })
        .collect();
    let expected = [
        ("ai.onnx", "Loop", 1, false),
        ("ai.onnx", "Relu", 3, true),
        ("ai.onnx", "Reshape", 1, true),
        ("ai.onnx.ml", "Scaler", 1, true),
        ("com.microsoft", "FusedMatMul", 1, false),
    ];
    assert_eq!(brief, expected);
    for OperatorUse {
        op,
        supported,
        note,
        ..
    } in used
    {
        assert!(supported || !note.is_empty(), "{op}");
    }
}

#[test]
fn inspection_refuses_what_cannot_be_read() {
    let limits = Limits::default();
    assert_eq!(inspect(&[], &limits).map_err(kind), Err(NotOnnx));
    let external = pb::TensorProto {
        data_location: Some(1),
        ..floats("w", &[3], vec![])
    };
    assert_eq!(
        inspect(&with_initializer(external), &limits).map_err(kind),
        Err(Unsupported)
    );
}

#[test]
fn the_list_of_operators_fits_one_hint() {
    let names = supported_operators();
    assert!(names.is_sorted());
    assert!(names.contains(&"TreeEnsembleClassifier") && names.contains(&"Gemm"));
    assert!(names.join(", ").len() < 1_500);
}
