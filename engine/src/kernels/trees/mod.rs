//! Tree ensembles: packed nodes, branch-free walks of fixed depth, sums in the order of the trees.

mod blocks;
mod build;
mod ensemble;
mod floats;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod lanes;
#[allow(unsafe_code)]
mod masks;
mod node;
mod operator;
mod payload;
#[cfg(test)]
mod tests;
#[allow(unsafe_code)]
mod walk;

pub use build::{Branch, Mode, Source, Vertex, Weight};
pub use ensemble::Aggregate;
pub use operator::{Labelling, TreeClassifier, TreeRegressor, Trees};

/// True where the processor runs the kernels over AVX-512 registers.
fn has_vectors() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512cd")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}
