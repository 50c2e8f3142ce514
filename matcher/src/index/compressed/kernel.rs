//! Estimates for a band of rows: and, count, add.
//!
//! Compiled for several generations of processors by the `multiversion` crate, without `unsafe` of ours. All give the
//! same numbers: counts are whole, and the few operations in `f32` are the same ones in the same order.

use super::code::{Bits, Factor, ProbeCode};
use crate::index::blocks::BAND_ROWS;

/// One word of one plane of all rows of a band.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Lanes(pub(super) [u64; BAND_ROWS]);

impl Lanes {
    pub(super) const ZERO: Self = Self([0; BAND_ROWS]);
}

/// The factors of a band.
#[derive(Clone, Copy)]
pub(super) struct Factors {
    pub(super) scale: [f32; BAND_ROWS],
    pub(super) norm: [f32; BAND_ROWS],
}

impl Factors {
    pub(super) const ZERO: Self = Self { scale: [0.0; BAND_ROWS], norm: [0.0; BAND_ROWS] };

    pub(super) fn set(&mut self, row: usize, factor: Factor) {
        self.scale[row] = factor.scale;
        self.norm[row] = factor.norm;
    }
}

/// Estimates how near each row of a band is to the probe, and tells, as a bit per row, which are at the gate or above.
///
/// The band holds its rows side by side, plane by plane and word by word. What is estimated is `|p|^2 - |p - x|^2`
/// (Euclidean) or twice the cosine times `|p|`: the larger, the more alike.
#[multiversion::multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512vl+avx512dq+avx512vpopcntdq",
    "x86_64+avx2+popcnt",
    "x86_64+popcnt"
))]
pub(super) fn estimate(
    band: &[Lanes],
    factors: &Factors,
    probe: &ProbeCode,
    gate: f32,
    nearness: &mut [f32; BAND_ROWS],
) -> u64 {
    let products = match probe.bits {
        Bits::One => products::<{ Bits::One.of_probe() }>(band, probe),
        Bits::Two => products::<{ Bits::Two.of_probe() }>(band, probe),
        Bits::Four => products::<{ Bits::Four.of_probe() }>(band, probe),
    };
    for row in 0..BAND_ROWS {
        // The true number fits; what wraps is the way there.
        let product = (products[row] as u32).cast_signed().wrapping_mul(2).wrapping_sub(probe.offset);
        nearness[row] = factors.scale[row] * (probe.step * product as f32) - factors.norm[row];
    }
    let mut passing = 0;
    for (row, near) in nearness.iter().enumerate() {
        passing |= u64::from(*near >= gate) << row;
    }
    passing
}

/// The inner product of the numbers of the rows' levels with the probe's numbers, which have `PLANES` bits; modulo 2^64.
///
/// Inlined, so that it is compiled for the same processor as its caller. The innermost loop runs over rows: it is the one
/// that a compiler turns into vectors without gathering.
#[inline(always)]
fn products<const PLANES: usize>(band: &[Lanes], probe: &ProbeCode) -> [u64; BAND_ROWS] {
    let words = probe.words;
    let mut products = [0_u64; BAND_ROWS];
    for (bit, plane) in band.chunks_exact(words).enumerate() {
        let mut sums = [0_u64; BAND_ROWS];
        for (word, lanes) in plane.iter().enumerate() {
            let of_probe: [u64; PLANES] = std::array::from_fn(|plane| probe.planes[plane * words + word]);
            for (sum, lane) in sums.iter_mut().zip(&lanes.0) {
                let count = |plane: usize| u64::from((lane & of_probe[plane]).count_ones());
                // Horner's rule; the highest plane counts negative.
                let mut counted = count(PLANES - 1).wrapping_neg();
                for plane in (0..PLANES - 1).rev() {
                    counted = counted.wrapping_add(counted).wrapping_add(count(plane));
                }
                *sum = sum.wrapping_add(counted);
            }
        }
        for (product, sum) in products.iter_mut().zip(sums) {
            *product = product.wrapping_add(sum << (bit & 63));
        }
    }
    products
}
