//! Typed rows of one batch: a row-major block per graph input.

// API (kept as is; bodies by the engine's author):
// pub struct Batch
//   Batch::new(&Signature, capacity: usize) -> Result<Batch>         allocates every block for `capacity` rows
//   rows() -> usize; capacity() -> usize; clear()                     clear keeps the memory, text arenas included
//   push_row() -> Result<()>                                           begins a row; all features start as missing (policy applied by finish_row)
//   set_float(feature, f64) -> Result<()>, set_integer(feature, i64), set_bool(feature, bool), set_text(feature, &str)
//       into the current row; converts to the feature's kind (i64 -> f32 directly, not over f64);
//       NaN into a feature that does not handle NaN and has policy Error: Error::NanFeature;
//       a kind that cannot take the value (float into Text ..): Error::Invalid naming feature and kinds (row.rs checks at binding, so never per row)
//   set_null(feature) -> Result<()>                                    applies the feature's policy: NaN, Error::NullFeature, constant
