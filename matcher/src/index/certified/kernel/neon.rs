//! NEON, as every 64-bit Arm has it.
//!
//! `smull` multiplies eight signed bytes into 16 bits (at most 128 * 127 in size), `sadalp` adds neighbouring pairs
//! to 32-bit lanes: each row has two lanes, for its first and last two dimensions of a step, added up at the end.

use std::arch::aarch64::{
    int8x16_t, int32x4_t, vdupq_n_s32, vdupq_n_u8, veorq_u8, vget_low_s8, vld1q_u8, vmull_high_s8, vmull_s8,
    vpadalq_s16, vpaddq_s32, vreinterpretq_s8_s32, vreinterpretq_s8_u8, vst1q_s32,
};

use super::super::layout::{Dots, OFFSET, QUARTERS, Step, Tile};

/// Vectors of four rows in a quarter of a band, whose sums stay in registers together: four, two sums each.
const TOGETHER: usize = 4;

#[target_feature(enable = "neon")]
pub(super) fn dots(tile: &Tile, band: &[Step], dots: &mut [Dots]) {
    for (probe, dots) in dots.iter_mut().take(tile.probes()).enumerate() {
        for (number, quarter) in band.chunks_exact(band.len() / QUARTERS).enumerate() {
            multiply(tile, probe, number, quarter, dots);
        }
    }
}

#[target_feature(enable = "neon")]
#[inline]
fn multiply(tile: &Tile, probe: usize, number: usize, quarter: &[Step], dots: &mut Dots) {
    let mut sums = [[vdupq_n_s32(0); 2]; TOGETHER];
    for (codes, step) in tile.codes.chunks_exact(tile.probes()).zip(quarter) {
        let codes = i32::from_ne_bytes(codes[probe].map(i8::cast_unsigned));
        let codes = vreinterpretq_s8_s32(vdupq_n_s32(codes));
        for (vector, sums) in sums.iter_mut().enumerate() {
            let rows = load(step, vector);
            sums[0] = vpadalq_s16(sums[0], vmull_s8(vget_low_s8(rows), vget_low_s8(codes)));
            sums[1] = vpadalq_s16(sums[1], vmull_high_s8(rows, codes));
        }
    }
    for (vector, sums) in sums.iter().enumerate() {
        store(vpaddq_s32(sums[0], sums[1]), dots, number * TOGETHER + vector);
    }
}

/// The codes of four rows: 16 bytes of a step, without their offset.
#[target_feature(enable = "neon")]
#[inline]
#[expect(unsafe_code, reason = "vector loads take raw pointers")]
fn load(step: &Step, vector: usize) -> int8x16_t {
    let (vectors, _) = step.0.as_chunks::<16>();
    // SAFETY: `vectors[vector]` is a borrowed, initialised array of 16 bytes, and the load asks for no alignment.
    let stored = unsafe { vld1q_u8(vectors[vector].as_ptr()) };
    vreinterpretq_s8_u8(veorq_u8(stored, vdupq_n_u8(OFFSET)))
}

#[target_feature(enable = "neon")]
#[inline]
#[expect(unsafe_code, reason = "vector stores take raw pointers")]
fn store(sum: int32x4_t, dots: &mut Dots, vector: usize) {
    let (vectors, _) = dots.as_chunks_mut::<4>();
    // SAFETY: `vectors[vector]` is an exclusively borrowed array of four 32-bit integers.
    unsafe { vst1q_s32(vectors[vector].as_mut_ptr(), sum) }
}
