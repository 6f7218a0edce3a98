//! Bytes to an admitted graph: wire pre-scan, decode, operator allow-list, structure of the graph.

// pub fn admit(bytes: &[u8], limits: &Limits) -> Result<tract_onnx::pb::ModelProto>
// pub struct OperatorUse { op: String, domain: String, uses: usize, supported: bool, note: String }
// pub fn inspect(bytes: &[u8], limits: &Limits) -> Result<Vec<OperatorUse>>   what is not supported and why, without compiling
