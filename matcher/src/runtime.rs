//! Runtime: who multiplies the matrices. Only `runtime/session.rs` knows ONNX Runtime.
//!
//! ONNX Runtime is a library of the process, loaded once from the path given to [`SessionPool::start`]: never
//! from a search path, never from an environment variable.

mod pool;
mod session;
pub(crate) mod split;

pub use pool::{PoolSize, SessionPool};

use crate::{fault::Fault, spare};

/// A dense array of 32-bit floats in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Tensor {
    /// A tensor of this shape, or nothing when the number of values does not fit it.
    #[must_use]
    pub fn new(shape: Vec<usize>, values: Vec<f32>) -> Option<Self> {
        let expected = shape.iter().try_fold(1_usize, |product, &side| product.checked_mul(side))?;
        (expected == values.len()).then_some(Self { shape, values })
    }

    /// `count` images of three planes. Missing values are 0 and surplus ones are dropped, so that the shape holds.
    pub(crate) fn images(count: usize, rows: usize, columns: usize, mut values: Vec<f32>) -> Self {
        values.resize(count * 3 * rows * columns, 0.0);
        Self { shape: vec![count, 3, rows, columns], values }
    }

    /// Length of each dimension, outermost first.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The values, last dimension fastest.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

impl Drop for Tensor {
    /// The next tensor of this thread takes the place of this one.
    fn drop(&mut self) {
        spare::give_floats(std::mem::take(&mut self.values));
    }
}

/// A named tensor that a network gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// The name in the model file.
    pub name: String,
    /// The values.
    pub tensor: Tensor,
}

/// A dimension of a network's input: fixed, or free to choose.
pub type Side = Option<usize>;

/// Runs one network: one tensor in, named tensors out.
///
/// Calls from several threads run side by side as far as the implementation has sessions; a call waits for a session
/// for a bounded time and then fails with [`Fault::Deadline`], and fails at once with [`Fault::Busy`] when too many
/// wait. The outputs are those of the model file, in its order. Equal inputs give equal outputs on one machine; across machines they agree to rounding.
pub trait Inference: Send + Sync {
    /// The input's dimensions as the model file declares them: batch, channels, rows, columns.
    fn input(&self) -> &[Side];

    /// Runs the network once.
    ///
    /// # Errors
    /// [`Fault::Inference`] when the network fails, [`Fault::Busy`] or [`Fault::Deadline`].
    fn run(&self, input: &Tensor) -> Result<Vec<Output>, Fault>;
}
