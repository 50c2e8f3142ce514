//! The default pack's detector, its first layers computed by a kernel of our own, the rest by ONNX Runtime.
//!
//! The first layers see the image at its largest. ONNX Runtime computes them one after the other and writes what
//! is between them to memory; the kernel goes through the image once, a few rows at a time, and keeps what is between the layers
//! in the cache. Sums are the same in another order: results agree to rounding, as between two machines.
use likeness_models::FirstLayers;

use super::{Inference, Output, SessionPool, Side, Tensor};
use crate::{
    fault::{Fault, Network},
    spare,
};

mod kernel;

pub(crate) use kernel::is_possible;
use kernel::{Layers, STEP, WIDE};

/// A detector in two parts.
pub(crate) struct SplitDetector {
    layers: Box<Layers>,
    rest: SessionPool,
    input: [Side; 4],
}

impl SplitDetector {
    /// The first layers, and the rest as it was loaded. Nothing when the layers are not whole or this machine lacks the
    /// instructions.
    pub(crate) fn new(first: &FirstLayers, rest: SessionPool) -> Option<Self> {
        let layers = Box::new(Layers::new(first)?);
        Some(Self { layers, rest, input: [Some(1), Some(3), None, None] })
    }
}

impl Inference for SplitDetector {
    fn input(&self) -> &[Side] {
        &self.input
    }

    fn run(&self, input: &Tensor) -> Result<Vec<Output>, Fault> {
        let reason =
            || format!("its input is 1 x 3 x rows x columns, multiples of {STEP}, not {:?}", input.shape());
        let [1, 3, rows, columns] = *input.shape() else {
            return Err(Fault::Inference { network: Network::Detector, reason: reason() });
        };
        if rows == 0 || columns == 0 || rows % STEP != 0 || columns % STEP != 0 {
            return Err(Fault::Inference { network: Network::Detector, reason: reason() });
        }
        let (tall, wide) = (rows / 4, columns / 4);
        let mut values = spare::floats(WIDE * tall * wide);
        self.layers.run(input.values(), [rows, columns], &mut values);
        self.rest.run(&Tensor { shape: vec![1, WIDE, tall, wide], values })
    }
}
