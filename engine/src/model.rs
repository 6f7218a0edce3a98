//! A loaded model: signature and program, immutable, shared by scorers.

// pub struct Model
//   Model::load(bytes: &[u8], limits: &Limits) -> Result<Model>                      = load_as with Declaration::default()
//   Model::load_as(bytes: &[u8], declaration: &Declaration, limits: &Limits) -> Result<Model>
//   signature() -> &Signature; memory() -> usize (bytes held); is_tabular() -> bool
