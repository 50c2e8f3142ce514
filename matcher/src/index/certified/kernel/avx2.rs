//! AVX2, for machines without VNNI.
//!
//! `vpmaddubsw` multiplies unsigned with signed bytes and *saturates* the sum of each pair at 16 bits, which rows
//! stored with their offset would exceed (255 * 127 * 2). So the offset is taken off, and the sign moved from the
//! row to the probe: `|row| * (probe with the row's sign)`. Codes are -127 to 127, so a pair sums to at most
//! 2 * 127 * 127 = 32,258, below the limit of 32,767: nothing saturates, and `|-128|` does not occur. A vacant
//! row is stored as zeros, which is the code -128: its sums may saturate, and nobody reads them.

use std::arch::x86_64::{
    __m256i, _mm256_abs_epi8, _mm256_add_epi32, _mm256_load_si256, _mm256_madd_epi16, _mm256_maddubs_epi16,
    _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_sign_epi8,
    _mm256_storeu_si256, _mm256_xor_si256,
};

use super::super::gate::Gate;
use super::super::layout::{Dots, OFFSET, QUARTERS, STEP_DIMENSIONS, Step, Tile, Weights};

#[target_feature(enable = "avx2")]
pub(super) fn passing(gate: &Gate, dots: &Dots, weights: &Weights) -> u64 {
    gate.passing(dots, weights)
}

/// Two probes at a time, two quarters at a time: eight sums, of sixteen registers.
#[target_feature(enable = "avx2")]
pub(super) fn dots(tile: &Tile, band: &[Step], dots: &mut [Dots]) {
    let probes = tile.probes().min(dots.len());
    for probe in (0..probes).step_by(2) {
        for half in 0..2 {
            if probe + 1 < probes {
                multiply::<2>(tile, probe, half, band, &mut dots[probe..]);
            } else {
                multiply::<1>(tile, probe, half, band, &mut dots[probe..]);
            }
        }
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn multiply<const P: usize>(tile: &Tile, first: usize, half: usize, band: &[Step], dots: &mut [Dots]) {
    let offset = _mm256_set1_epi8(OFFSET.cast_signed());
    let ones = _mm256_set1_epi16(1);
    let mut sums: [[__m256i; 4]; P] = [[_mm256_setzero_si256(); 4]; P];
    let steps = band.len() / QUARTERS;
    let (left, right) = band[half * 2 * steps..].split_at(steps);
    for ((codes, left), right) in tile.codes.chunks_exact(tile.probes()).zip(left).zip(right) {
        let codes: [__m256i; P] = std::array::from_fn(|probe| four_times_eight(codes[first + probe]));
        let [one, two] = load(left);
        let [three, four] = load(right);
        for (lanes, stored) in [one, two, three, four].into_iter().enumerate() {
            let rows = _mm256_xor_si256(stored, offset);
            let sizes = _mm256_abs_epi8(rows);
            for (sums, &codes) in sums.iter_mut().zip(&codes) {
                let pairs = _mm256_maddubs_epi16(sizes, _mm256_sign_epi8(codes, rows));
                sums[lanes] = _mm256_add_epi32(sums[lanes], _mm256_madd_epi16(pairs, ones));
            }
        }
    }
    for (sums, dots) in sums.iter().zip(dots) {
        for (lanes, &sum) in sums.iter().enumerate() {
            store(sum, dots, half * 4 + lanes);
        }
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn four_times_eight(codes: [i8; STEP_DIMENSIONS]) -> __m256i {
    _mm256_set1_epi32(i32::from_ne_bytes(codes.map(i8::cast_unsigned)))
}

/// The first and the last eight rows of a step.
#[target_feature(enable = "avx2")]
#[inline]
#[expect(unsafe_code, reason = "vector loads take raw pointers")]
fn load(step: &Step) -> [__m256i; 2] {
    let from = std::ptr::from_ref(step).cast::<__m256i>();
    // SAFETY: `step` is a borrowed, initialised array of 64 bytes, aligned to 64 by its type: two aligned loads of 32
    // bytes stay inside. Any bit pattern is an integer vector.
    unsafe { [_mm256_load_si256(from), _mm256_load_si256(from.add(1))] }
}

#[target_feature(enable = "avx2")]
#[inline]
#[expect(unsafe_code, reason = "vector stores take raw pointers")]
fn store(sum: __m256i, dots: &mut Dots, eighth: usize) {
    let (vectors, _) = dots.as_chunks_mut::<8>();
    // SAFETY: `vectors[eighth]` is an exclusively borrowed array of eight 32-bit integers, 32 bytes, and
    // `storeu` asks for no alignment.
    unsafe { _mm256_storeu_si256(vectors[eighth].as_mut_ptr().cast(), sum) }
}
