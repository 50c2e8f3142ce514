//! The first layers in a kernel of our own: numbers in the order in which it reads them, and who may call it.
//!
//! `unsafe` lies in this file's dispatch and in the files under `kernel/`. The kernel stands alone, so that
//! `scripts/kernels` can run its tests under the address sanitizer and under Miri.
use likeness_models::FirstLayers;

#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(test)]
mod tests;

/// Channels between the first layers; one register of sixteen numbers.
const NARROW: usize = 16;
/// Channels that the rest takes.
pub(super) const WIDE: usize = 2 * NARROW;
/// Sides are multiples of this, as the rest of the network needs.
pub(super) const STEP: usize = 32;

/// The numbers of the first layers, those of all channels of a place side by side.
///
/// INVARIANT: a value exists only where the kernel's instructions exist: made by [`Layers::new`] alone.
pub(super) struct Layers {
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
    /// Nothing when a number is missing, or the kernel's instructions are.
    pub(super) fn new(from: &FirstLayers) -> Option<Self> {
        let full = [
            (&from.filters, NARROW * 27),
            (&from.bias, NARROW),
            (&from.depthwise, NARROW * 9),
            (&from.pointwise, WIDE * NARROW),
            (&from.pointwise_bias, WIDE),
        ];
        if full.iter().any(|(values, length)| values.len() != *length) || !is_possible() {
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

    /// Three planes of `rows` x `columns` (multiples of [`STEP`]) become [`WIDE`] planes of a quarter of the rows and
    /// columns. `planes` and `results` are as long as that says.
    pub(super) fn run(&self, planes: &[f32], size: [usize; 2], results: &mut [f32]) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the invariant of `Layers`: `new` saw the features that the function enables. Lengths are no matter of
        // safety: the function indexes slices.
        #[expect(unsafe_code, reason = "calls a function compiled for detected instructions")]
        unsafe {
            avx512::first_layers(self, planes, size, results);
        }
        // No value exists here.
        #[cfg(not(target_arch = "x86_64"))]
        let _ = (planes, size, results);
    }
}

/// Whether this machine has the kernel's instructions.
pub(crate) fn is_possible() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx512f");
    #[cfg(not(target_arch = "x86_64"))]
    false
}
