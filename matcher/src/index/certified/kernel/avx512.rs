//! AVX-512 with VNNI: `vpdpbusd` multiplies 64 unsigned bytes (rows) with 64 signed bytes (a probe's step, the
//! same in every lane), and adds each group of four products to a 32-bit lane.
//!
//! The four products (each at most 255 * 127 in size) are summed exactly and added without saturation (`vpdpbusd`,
//! not `vpdpbusds`); sums that wrap would still be right modulo 2^32, and none leaves `i32` (see `Kernel::dots`).
//! The sums start at minus the offset, so nothing is left to correct at the end.

use std::arch::x86_64::{
    __m512i, _MM_HINT_T0, _mm_prefetch, _mm512_dpbusd_epi32, _mm512_load_si512, _mm512_set1_epi32,
    _mm512_storeu_si512,
};

use super::super::gate::Gate;
use super::super::layout::{Dots, Step, Tile, Weights};

/// Steps by which the prefetch runs ahead: 4 KiB, the page whose end stops the hardware's own.
const AHEAD: usize = 16;

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
pub(super) fn dots(tile: &Tile, band: &[Step], dots: &mut [Dots]) {
    match tile.probes() {
        1 => multiply::<1>(tile, band, dots),
        2 => multiply::<2>(tile, band, dots),
        3 => multiply::<3>(tile, band, dots),
        4 => multiply::<4>(tile, band, dots),
        5 => multiply::<5>(tile, band, dots),
        _ => multiply::<6>(tile, band, dots),
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
pub(super) fn passing(gate: &Gate, dots: &Dots, weights: &Weights) -> u64 {
    gate.passing(dots, weights)
}

/// 4 P sums stay in registers: 24 at the most of 32.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
#[inline]
fn multiply<const P: usize>(tile: &Tile, band: &[Step], dots: &mut [Dots]) {
    let mut sums: [[__m512i; 4]; P] = std::array::from_fn(|probe| {
        [_mm512_set1_epi32(tile.offsets.get(probe).map_or(0, |offset| -offset)); 4]
    });
    let (codes, _) = tile.codes.as_chunks::<P>();
    for (codes, step) in codes.iter().zip(band) {
        prefetch(step);
        let rows = load(step);
        for probe in 0..P {
            let codes = _mm512_set1_epi32(i32::from_ne_bytes(codes[probe].map(i8::cast_unsigned)));
            for lanes in 0..4 {
                sums[probe][lanes] = _mm512_dpbusd_epi32(sums[probe][lanes], rows[lanes], codes);
            }
        }
    }
    for (sums, dots) in sums.iter().zip(dots) {
        store(sums, dots);
    }
}

/// Prefetching is a hint and never faults, wherever it points.
#[target_feature(enable = "avx512f")]
#[inline]
fn prefetch(step: &Step) {
    let ahead = std::ptr::from_ref(step).wrapping_add(AHEAD).cast::<i8>();
    _mm_prefetch::<_MM_HINT_T0>(ahead);
    _mm_prefetch::<_MM_HINT_T0>(ahead.wrapping_add(64));
    _mm_prefetch::<_MM_HINT_T0>(ahead.wrapping_add(128));
    _mm_prefetch::<_MM_HINT_T0>(ahead.wrapping_add(192));
}

#[target_feature(enable = "avx512f")]
#[inline]
#[expect(unsafe_code, reason = "vector loads take raw pointers")]
fn load(step: &Step) -> [__m512i; 4] {
    let from = std::ptr::from_ref(step).cast::<__m512i>();
    // SAFETY: `step` is a borrowed, initialised array of 256 bytes, aligned to 64 by its type: four aligned loads
    // of 64 bytes stay inside. Any bit pattern is an integer vector.
    unsafe {
        [
            _mm512_load_si512(from),
            _mm512_load_si512(from.add(1)),
            _mm512_load_si512(from.add(2)),
            _mm512_load_si512(from.add(3)),
        ]
    }
}

#[target_feature(enable = "avx512f")]
#[inline]
#[expect(unsafe_code, reason = "vector stores take raw pointers")]
fn store(sums: &[__m512i; 4], dots: &mut Dots) {
    let to = dots.as_mut_ptr().cast::<__m512i>();
    // SAFETY: `dots` is an exclusively borrowed array of 64 32-bit integers, 256 bytes: four stores of 64 bytes
    // stay inside, and `storeu` asks for no alignment.
    unsafe {
        _mm512_storeu_si512(to, sums[0]);
        _mm512_storeu_si512(to.add(1), sums[1]);
        _mm512_storeu_si512(to.add(2), sums[2]);
        _mm512_storeu_si512(to.add(3), sums[3]);
    }
}
