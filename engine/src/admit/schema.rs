//! The ONNX messages as tract decodes them: which fields there are and what each costs in memory.
//!
//! Fields that are not listed are skipped by the decoder and cost nothing.

use std::mem::size_of;

use tract_onnx::pb;

/// One message type.
pub(super) struct Message {
    pub(super) name: &'static str,
    /// Size of the decoded struct, without what it points to.
    pub(super) size: usize,
    pub(super) fields: &'static [(u32, Kind)],
}

/// What a field holds.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Integer,
    Float,
    /// Packed or not; bytes of one decoded element.
    Integers(usize),
    Floats,
    Doubles,
    /// A name or symbol: UTF-8, short, no NUL.
    Name,
    Names,
    /// UTF-8 of any length.
    Text,
    Bytes,
    Strings,
    Message(&'static Message),
    Messages(&'static Message),
    /// The model's graph: exactly one.
    Graph,
    Nodes,
    Attributes,
    Initializers,
    /// A nested graph.
    Body,
    Bodies,
    /// Must be 0, the tensor's bytes are in the file.
    Location,
    /// A feature of ONNX that is refused by name.
    Refused(&'static str),
}

pub(super) static MODEL: Message = Message {
    name: "model",
    size: size_of::<pb::ModelProto>(),
    fields: &[
        (1, Kind::Integer),
        (2, Kind::Text),
        (3, Kind::Text),
        (4, Kind::Text),
        (5, Kind::Integer),
        (6, Kind::Text),
        (7, Kind::Graph),
        (8, Kind::Messages(&OPERATOR_SET)),
        (14, Kind::Messages(&ENTRY)),
        (20, Kind::Refused("training information")),
        (25, Kind::Refused("a model with local functions")),
    ],
};

static OPERATOR_SET: Message = Message {
    name: "operator set",
    size: size_of::<pb::OperatorSetIdProto>(),
    fields: &[(1, Kind::Name), (2, Kind::Integer)],
};

static ENTRY: Message = Message {
    name: "metadata entry",
    size: size_of::<pb::StringStringEntryProto>(),
    fields: &[(1, Kind::Text), (2, Kind::Text)],
};

pub(super) static GRAPH: Message = Message {
    name: "graph",
    size: size_of::<pb::GraphProto>(),
    fields: &[
        (1, Kind::Nodes),
        (2, Kind::Name),
        (5, Kind::Initializers),
        (10, Kind::Text),
        (11, Kind::Messages(&VALUE_INFO)),
        (12, Kind::Messages(&VALUE_INFO)),
        (13, Kind::Messages(&VALUE_INFO)),
        (14, Kind::Messages(&ANNOTATION)),
        (15, Kind::Refused("a sparse initializer")),
    ],
};

pub(super) static NODE: Message = Message {
    name: "node",
    size: size_of::<pb::NodeProto>(),
    fields: &[
        (1, Kind::Names),
        (2, Kind::Names),
        (3, Kind::Name),
        (NODE_OPERATOR, Kind::Name),
        (5, Kind::Attributes),
        (6, Kind::Text),
        (NODE_DOMAIN, Kind::Name),
    ],
};
pub(super) const NODE_OPERATOR: u32 = 4;
pub(super) const NODE_DOMAIN: u32 = 7;

pub(super) static ATTRIBUTE: Message = Message {
    name: "attribute",
    size: size_of::<pb::AttributeProto>(),
    fields: &[
        (1, Kind::Name),
        (2, Kind::Float),
        (3, Kind::Integer),
        (4, Kind::Bytes),
        (5, Kind::Message(&TENSOR)),
        (6, Kind::Body),
        (7, Kind::Floats),
        (8, Kind::Integers(size_of::<i64>())),
        (9, Kind::Strings),
        (10, Kind::Messages(&TENSOR)),
        (11, Kind::Bodies),
        (13, Kind::Text),
        (15, Kind::Messages(&TYPE)),
        (20, Kind::Integer),
        (21, Kind::Name),
        (22, Kind::Refused("a sparse tensor")),
        (23, Kind::Refused("a sparse tensor")),
    ],
};

pub(super) static TENSOR: Message = Message {
    name: "tensor",
    size: size_of::<pb::TensorProto>(),
    fields: &[
        (1, Kind::Integers(size_of::<i64>())),
        (2, Kind::Integer),
        (3, Kind::Refused("a segmented tensor")),
        (4, Kind::Floats),
        (5, Kind::Integers(size_of::<i32>())),
        (6, Kind::Strings),
        (7, Kind::Integers(size_of::<i64>())),
        (8, Kind::Name),
        (9, Kind::Bytes),
        (10, Kind::Doubles),
        (11, Kind::Integers(size_of::<u64>())),
        (12, Kind::Text),
        (13, Kind::Refused("external data")),
        (14, Kind::Location),
    ],
};

static VALUE_INFO: Message = Message {
    name: "value description",
    size: size_of::<pb::ValueInfoProto>(),
    fields: &[(1, Kind::Name), (2, Kind::Message(&TYPE)), (3, Kind::Text)],
};

static TYPE: Message = Message {
    name: "type",
    size: size_of::<pb::TypeProto>(),
    fields: &[(1, Kind::Message(&TENSOR_TYPE)), (6, Kind::Text)],
};

static TENSOR_TYPE: Message = Message {
    name: "tensor type",
    size: size_of::<pb::type_proto::Tensor>(),
    fields: &[(1, Kind::Integer), (2, Kind::Message(&SHAPE))],
};

static SHAPE: Message = Message {
    name: "shape",
    size: size_of::<pb::TensorShapeProto>(),
    fields: &[(1, Kind::Messages(&DIMENSION))],
};

static DIMENSION: Message = Message {
    name: "dimension",
    size: size_of::<pb::tensor_shape_proto::Dimension>(),
    fields: &[(1, Kind::Integer), (2, Kind::Name), (3, Kind::Text)],
};

static ANNOTATION: Message = Message {
    name: "quantization annotation",
    size: size_of::<pb::TensorAnnotation>(),
    fields: &[(1, Kind::Name), (2, Kind::Messages(&ENTRY))],
};
