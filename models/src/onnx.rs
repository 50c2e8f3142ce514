//! The little of ONNX that this crate needs: writing a graph, reading what a graph takes and gives, and taking one of ours apart.

mod build;
mod interface;
mod requirements;
mod schema;
mod split;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub(crate) use build::{GraphBuilder, Size, Tensor, Value, Window};
pub use interface::InterfaceError;
pub(crate) use requirements::check;
pub use split::FirstLayers;
pub(crate) use split::split;
