//! ONNX bytes in, numbers out.
//!
//! [`Model::load`] admits untrusted bytes, reads their [`Signature`] and compiles a program;
//! a [`Scorer`] owns the buffers that one caller fills with rows and reads scores from.
//! This crate knows nothing of PostgreSQL and starts no thread.

pub mod admit;
pub mod batch;
pub mod error;
pub mod features;
pub mod limits;
pub mod model;
pub mod outputs;
pub mod probe;
pub mod scorer;
pub mod signature;

mod kernels;
mod ops;
mod program;

pub use admit::{OperatorUse, inspect};
pub use batch::{Batch, Value};
pub use error::{Error, Result};
pub use limits::Limits;
pub use model::Model;
pub use outputs::Outputs;
pub use probe::probe;
pub use scorer::{Scorer, Scores};
pub use signature::{Declaration, Feature, Kind, Missing, Signature, Task};
