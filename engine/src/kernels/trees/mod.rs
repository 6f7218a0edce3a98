//! Tree ensembles: packed nodes, branch-free walks of fixed depth, sums in the order of the trees.

mod build;
mod ensemble;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod masks;
mod node;
mod operator;
#[allow(unsafe_code)]
mod walk;

pub use build::{Branch, Mode, Source, Vertex, Weight};
pub use ensemble::Aggregate;
pub use operator::{Labelling, TreeClassifier, TreeRegressor, Trees};
