//! The buffers of one caller: rows in, scores out, nothing allocated per row.

// pub struct Scorer                                                    owns Arc<Model>, Batch, scratch, Scores
//   Scorer::new(Arc<Model>, capacity: usize) -> Result<Scorer>
//   model() -> &Arc<Model>; batch() -> &mut Batch
//   run(&mut self, interrupted: &dyn Fn() -> bool) -> Result<&Scores>   scores all rows of the batch; a failed run leaves the Scorer reusable
// pub struct Scores
//   rows() -> usize
//   score(row) -> Result<f64>          positive class's probability, or the regression's value; Error::AmbiguousOutput for several classes without output
//   label(row) -> Option<&str>         None for a regression
//   probabilities(row) -> &[f64]       one per label; the value itself for a regression
