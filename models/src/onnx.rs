//! The little of ONNX that this crate needs: writing a graph, and reading what a graph takes and gives.

mod build;
mod interface;
mod requirements;
mod schema;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub(crate) use build::{GraphBuilder, Size, Tensor, Value, Window};
pub use interface::InterfaceError;
pub(crate) use requirements::check;
