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

#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(test)]
mod tests;

/// Channels between the first layers; one register of sixteen numbers.
const NARROW: usize = 16;
/// Channels that the rest takes.
const WIDE: usize = 2 * NARROW;
/// Sides are multiples of this, as the rest of the network needs.
const STEP: usize = 32;

/// The numbers of the first layers, those of all channels of a place side by side.
struct Layers {
    /// By channel in, and place in the 3x3 window.
    filters: [[[f32; NARROW]; 9]; 3],
    bias: [f32; NARROW],
    /// By place in the window.
    depthwise: [[f32; NARROW]; 9],
    /// By channel in, and half of the channels out.
    pointwise: [[[f32; NARROW]; 2]; NARROW],
    pointwise_bias: [[f32; NARROW]; 2],
    slope: f32,
}

impl Layers {
    /// Nothing when a number is missing.
    fn new(from: &FirstLayers) -> Option<Self> {
        let full = [
            (&from.filters, NARROW * 27),
            (&from.bias, NARROW),
            (&from.depthwise, NARROW * 9),
            (&from.pointwise, WIDE * NARROW),
            (&from.pointwise_bias, WIDE),
        ];
        if full.iter().any(|(values, length)| values.len() != *length) {
            return None;
        }
        let lanes = |of: &dyn Fn(usize) -> f32| -> [f32; NARROW] { std::array::from_fn(of) };
        Some(Self {
            filters: std::array::from_fn(|input| {
                std::array::from_fn(|place| lanes(&|output| from.filters[(output * 3 + input) * 9 + place]))
            }),
            bias: lanes(&|channel| from.bias[channel]),
            depthwise: std::array::from_fn(|place| lanes(&|channel| from.depthwise[channel * 9 + place])),
            pointwise: std::array::from_fn(|input| {
                std::array::from_fn(|half| {
                    lanes(&|output| from.pointwise[(half * NARROW + output) * NARROW + input])
                })
            }),
            pointwise_bias: std::array::from_fn(|half| {
                lanes(&|channel| from.pointwise_bias[half * NARROW + channel])
            }),
            slope: from.slope,
        })
    }
}

/// Whether this machine has the kernel's instructions.
pub(crate) fn is_possible() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx512f");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// A detector in two parts.
///
/// INVARIANT: exists only on machines that [`is_possible`] accepts.
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
        is_possible().then_some(Self { layers, rest, input: [Some(1), Some(3), None, None] })
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
        first_layers(&self.layers, input.values(), [rows, columns], &mut values);
        self.rest.run(&Tensor { shape: vec![1, WIDE, tall, wide], values })
    }
}

/// Three planes of `rows` x `columns` (multiples of [`STEP`]) become 32 planes of a quarter of the rows and columns.
#[cfg(target_arch = "x86_64")]
fn first_layers(layers: &Layers, planes: &[f32], size: [usize; 2], results: &mut [f32]) {
    // SAFETY: the invariant of `SplitDetector`: `is_possible` saw the features that the function enables.
    #[expect(unsafe_code, reason = "calls a function compiled for detected instructions")]
    unsafe {
        avx512::first_layers(layers, planes, size, results);
    }
}

/// No [`SplitDetector`] exists here.
#[cfg(not(target_arch = "x86_64"))]
fn first_layers(_: &Layers, _: &[f32], _: [usize; 2], _: &mut [f32]) {}
