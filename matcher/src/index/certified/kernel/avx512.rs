//! AVX-512 with VNNI: `vpdpbusd` multiplies 64 unsigned bytes (rows) with 64 signed bytes (a probe's step, the
//! same in every lane), and adds each group of four products to a 32-bit lane.
//!
//! The four products (each at most 255 * 127 in size) are summed exactly and added without saturation (`vpdpbusd`,
//! not `vpdpbusds`); sums that wrap would still be right modulo 2^32, and none leaves `i32` (see `Kernel::dots`).
//! The sums start at minus the offset, so nothing is left to correct at the end.

use std::arch::x86_64::{
    __m512i, _MM_HINT_T1, _mm_prefetch, _mm512_dpbusd_epi32, _mm512_load_si512, _mm512_set1_epi32,
    _mm512_storeu_si512,
};

use super::super::gate::Gate;
use super::super::layout::{Dots, QUARTER_ROWS, QUARTERS, STEP_DIMENSIONS, Step, Tile, Weights};

/// Steps by which the prefetch runs ahead: 4 KiB, the page whose end stops the hardware's own.
const AHEAD: usize = 64;

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
pub(super) fn dots(tile: &Tile, band: &[Step], dots: &mut [Dots]) {
    match tile.probes() {
        1 => one(tile, band, dots),
        2 => several::<2>(tile, band, dots),
        3 => several::<3>(tile, band, dots),
        4 => several::<4>(tile, band, dots),
        5 => several::<5>(tile, band, dots),
        _ => several::<6>(tile, band, dots),
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
pub(super) fn passing(gate: &Gate, dots: &Dots, weights: &Weights) -> u64 {
    gate.passing(dots, weights)
}

/// One probe: one quarter after the other, in the order of memory.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
#[inline]
fn one(tile: &Tile, band: &[Step], dots: &mut [Dots]) {
    let (Some(dots), Some(offset)) = (dots.first_mut(), tile.offsets.first()) else { return };
    let (quarters, _) = dots.as_chunks_mut::<QUARTER_ROWS>();
    let start = _mm512_set1_epi32(-offset);
    for (quarter, dots) in band.chunks_exact(tile.codes.len()).zip(quarters) {
        let mut sum = start;
        for (codes, step) in tile.codes.iter().zip(quarter) {
            prefetch(step);
            sum = _mm512_dpbusd_epi32(sum, load(step), sixteen_times(*codes));
        }
        store(sum, dots);
    }
}

/// `P` probes with all four quarters side by side: 4 P sums stay in registers, 24 at the most of 32.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
#[inline]
fn several<const P: usize>(tile: &Tile, band: &[Step], dots: &mut [Dots]) {
    let mut sums: [[__m512i; QUARTERS]; P] = std::array::from_fn(|probe| {
        [_mm512_set1_epi32(tile.offsets.get(probe).map_or(0, |offset| -offset)); QUARTERS]
    });
    let (codes, _) = tile.codes.as_chunks::<P>();
    let (first, rest) = band.split_at(codes.len());
    let (second, rest) = rest.split_at(codes.len());
    let (third, fourth) = rest.split_at(codes.len());
    for ((((codes, first), second), third), fourth) in
        codes.iter().zip(first).zip(second).zip(third).zip(fourth)
    {
        let rows = [load(first), load(second), load(third), load(fourth)];
        for (sums, codes) in sums.iter_mut().zip(codes) {
            let codes = sixteen_times(*codes);
            for (sum, rows) in sums.iter_mut().zip(rows) {
                *sum = _mm512_dpbusd_epi32(*sum, rows, codes);
            }
        }
    }
    for (sums, dots) in sums.iter().zip(dots) {
        let (quarters, _) = dots.as_chunks_mut::<QUARTER_ROWS>();
        for (sum, dots) in sums.iter().zip(quarters) {
            store(*sum, dots);
        }
    }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn sixteen_times(codes: [i8; STEP_DIMENSIONS]) -> __m512i {
    _mm512_set1_epi32(i32::from_ne_bytes(codes.map(i8::cast_unsigned)))
}

/// Prefetching is a hint and never faults, wherever it points. Into the second-level cache: the first brings a line from
/// there in time by itself, and has its own queue for what comes from memory.
#[target_feature(enable = "avx512f")]
#[inline]
fn prefetch(step: &Step) {
    _mm_prefetch::<_MM_HINT_T1>(std::ptr::from_ref(step).wrapping_add(AHEAD).cast());
}

#[target_feature(enable = "avx512f")]
#[inline]
#[expect(unsafe_code, reason = "vector loads take raw pointers")]
fn load(step: &Step) -> __m512i {
    // SAFETY: `step` is a borrowed, initialised array of 64 bytes, aligned to 64 by its type. Any bit pattern is an
    // integer vector.
    unsafe { _mm512_load_si512(std::ptr::from_ref(step).cast()) }
}

#[target_feature(enable = "avx512f")]
#[inline]
#[expect(unsafe_code, reason = "vector stores take raw pointers")]
fn store(sum: __m512i, dots: &mut [i32; QUARTER_ROWS]) {
    // SAFETY: `dots` is an exclusively borrowed array of 16 32-bit integers, 64 bytes, and `storeu` asks for no
    // alignment.
    unsafe { _mm512_storeu_si512(dots.as_mut_ptr().cast(), sum) }
}
