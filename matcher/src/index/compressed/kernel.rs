//! Estimates for a band of rows: and, count, add.
//!
//! Compiled for several generations of processors by the `multiversion` crate, without `unsafe` of ours. All give the
//! same numbers: counts are whole, and the few operations in `f32` are the same ones in the same order.

use super::code::{Factor, ProbeCode};
use crate::index::blocks::BAND_ROWS;

/// Rows side by side: a word of each fills a cache line.
pub(super) const LANES: usize = 8;

/// One word of one plane of eight rows.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Lanes(pub(super) [u64; LANES]);

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
/// The band holds its rows in groups of eight: of each group, plane by plane and word by word. What is estimated is
/// `|p|^2 - |p - x|^2` (Euclidean) or twice the cosine times `|p|`: the larger, the more alike.
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
    let words = probe.words;
    let last = probe.planes.len() / words - 1;
    let mut products = [0_i32; BAND_ROWS];
    for (group, products) in
        band.chunks_exact(probe.bits.count() * words).zip(products.chunks_exact_mut(LANES))
    {
        let mut totals = [0_u64; LANES];
        for (row_bit, rows) in group.chunks_exact(words).enumerate() {
            for (probe_bit, plane) in probe.planes.chunks_exact(words).enumerate() {
                let mut counts = [0_u64; LANES];
                for (lanes, word) in rows.iter().zip(plane) {
                    for (count, lane) in counts.iter_mut().zip(&lanes.0) {
                        *count = count.wrapping_add(u64::from((lane & word).count_ones()));
                    }
                }
                for (total, count) in totals.iter_mut().zip(counts) {
                    let weighed = count << ((row_bit + probe_bit) & 63);
                    *total = if probe_bit == last {
                        total.wrapping_sub(weighed)
                    } else {
                        total.wrapping_add(weighed)
                    };
                }
            }
        }
        for (product, total) in products.iter_mut().zip(totals) {
            // The true sum fits; what wraps is the way there.
            *product = (total as u32).cast_signed();
        }
    }
    for row in 0..BAND_ROWS {
        let product = products[row].wrapping_mul(2).wrapping_sub(probe.offset);
        nearness[row] = factors.scale[row] * (probe.step * product as f32) - factors.norm[row];
    }
    let mut passing = 0;
    for (row, near) in nearness.iter().enumerate() {
        passing |= u64::from(*near >= gate) << row;
    }
    passing
}
