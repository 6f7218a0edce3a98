//! LSTM, GRU and RNN: all steps of a block of rows, the weights packed once and read from the cache.
//!
//! Formulas and the order of gates are those of the operators' specifications. A cell is a bias, plus the products with the
//! inputs in their order, plus those with the hidden state in their order, each added with one rounding: so a row's numbers do not depend
//! on the rows beside it, nor on the width of the vectors.

mod activation;
#[allow(unsafe_code)]
mod cell;

pub use activation::Function;
pub use cell::{Cell, Direction, Outputs};
