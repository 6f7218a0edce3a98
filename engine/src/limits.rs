//! What a model may cost before it is refused.

/// Bounds that admission and compilation hold a model to. Bytes unless named otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Length of the ONNX file.
    pub model_size: usize,
    /// Memory that decoding the file may take: the sum over protobuf fields of count times decoded size.
    pub decode_memory: usize,
    /// Memory of all tensors of one evaluation at the largest batch.
    pub tensor_memory: usize,
    /// Nodes of the graph, bodies of nested graphs included.
    pub nodes: usize,
    /// Attributes of all nodes.
    pub attributes: usize,
    /// Initialisers of the graph.
    pub initializers: usize,
    /// Features a caller supplies per row.
    pub features: usize,
    /// Cells of all inputs per row, those of sequences and images included.
    pub cells: usize,
    /// Steps of the optimiser on one graph.
    pub optimizer_steps: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            model_size: 16 << 20,
            decode_memory: 256 << 20,
            tensor_memory: 64 << 20,
            nodes: 5_000,
            attributes: 50_000,
            initializers: 2_000,
            features: 1_600,
            cells: 16_384,
            optimizer_steps: 10_000,
        }
    }
}
