//! AVX-512 with VNNI: `vpdpbusd` multiplies 64 unsigned bytes (rows) with 64 signed bytes (a probe's step, the
//! same in every lane), and adds each group of four products to a 32-bit lane.
//!
//! The four products (each at most 255 * 127 in size) are summed exactly and added without saturation (`vpdpbusd`,
//! not `vpdpbusds`); sums that wrap would still be right modulo 2^32, and none leaves `i32` (see `Kernel::dots`).
//! The sums start at minus the offset, so nothing is left to correct at the end.

use std::arch::x86_64::{
    __m512, __m512i, _CMP_GE_OQ, _CMP_LE_OQ, _MM_HINT_T0, _MM_HINT_T1, _mm_prefetch, _mm512_add_epi32,
    _mm512_add_ps, _mm512_and_si512, _mm512_cmp_ps_mask, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32,
    _mm512_fmadd_ps, _mm512_fnmadd_ps, _mm512_load_si512, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mul_ps,
    _mm512_reduce_add_epi32, _mm512_set1_epi8, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_si512,
    _mm512_shuffle_i32x4, _mm512_slli_epi32, _mm512_srli_epi32, _mm512_storeu_si512,
    _mm512_ternarylogic_epi32, _mm512_unpackhi_epi32, _mm512_unpackhi_epi64, _mm512_unpacklo_epi32,
    _mm512_unpacklo_epi64,
};

use super::super::gate::Gate;
use super::super::layout::{
    Dots, LowerProbe, QUARTER_ROWS, QUARTERS, STEP_DIMENSIONS, Step, Tile, WEIGHT_STEPS, Weights,
};

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

/// As [`Gate::passing`], sixteen rows at a time. The sums may be fused, which rounds less: the gate allows for either.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
pub(super) fn passing(gate: &Gate, dots: &Dots, weights: &Weights) -> u64 {
    let (dots, _) = dots.as_chunks::<QUARTER_ROWS>();
    let (scales, _) = weights.scale.as_chunks::<QUARTER_ROWS>();
    let (residuals, _) = weights.residual.as_chunks::<QUARTER_ROWS>();
    let (norms, _) = weights.norm.as_chunks::<QUARTER_ROWS>();
    let mut passing = 0;
    match *gate {
        Gate::Cosine { scale, stretch, line } => {
            let (scale, stretch, line) =
                (_mm512_set1_ps(scale), _mm512_set1_ps(stretch), _mm512_set1_ps(line));
            for (quarter, ((dots, scales), residuals)) in dots.iter().zip(scales).zip(residuals).enumerate() {
                let product = _mm512_mul_ps(integers(dots), _mm512_mul_ps(floats(scales), scale));
                let upper = _mm512_fmadd_ps(floats(residuals), stretch, product);
                let reach = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(upper, line);
                passing |= u64::from(reach) << (quarter * QUARTER_ROWS);
            }
        }
        Gate::Euclidean { twice_scale, norm, reach } => {
            let (scale, norm, reach) =
                (_mm512_set1_ps(twice_scale), _mm512_set1_ps(norm), _mm512_set1_ps(reach));
            for (quarter, (((dots, scales), residuals), norms)) in
                dots.iter().zip(scales).zip(residuals).zip(norms).enumerate()
            {
                let lengths = _mm512_add_ps(floats(norms), norm);
                let squared = _mm512_fnmadd_ps(integers(dots), _mm512_mul_ps(floats(scales), scale), lengths);
                let reach = _mm512_add_ps(floats(residuals), reach);
                let near = _mm512_cmp_ps_mask::<_CMP_LE_OQ>(squared, _mm512_mul_ps(reach, reach));
                passing |= u64::from(near) << (quarter * QUARTER_ROWS);
            }
        }
    }
    passing
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
            prefetch(std::ptr::from_ref(step));
            sum = _mm512_dpbusd_epi32(sum, load(step), sixteen_times(*codes));
        }
        store(sum, dots);
    }
    prefetch_behind_weights(band);
}

/// The weights, which come next, are read too: what lies as far behind them has to be asked for as well.
#[target_feature(enable = "avx512f")]
#[inline]
fn prefetch_behind_weights(band: &[Step]) {
    if let Some(last) = band.last() {
        for line in 1..=WEIGHT_STEPS {
            prefetch(std::ptr::from_ref(last).wrapping_add(line));
        }
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

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
pub(super) fn upper_dots(tile: &Tile, band: &[Step], dots: &mut [Dots]) {
    match tile.probes() {
        1 => upper_of_one(tile, band, dots),
        2 => upper_of_several::<2>(tile, band, dots),
        3 => upper_of_several::<3>(tile, band, dots),
        4 => upper_of_several::<4>(tile, band, dots),
        5 => upper_of_several::<5>(tile, band, dots),
        _ => upper_of_several::<6>(tile, band, dots),
    }
}

/// As [`one`]. Two sums, so that neither waits for the other.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
#[inline]
fn upper_of_one(tile: &Tile, band: &[Step], dots: &mut [Dots]) {
    let (Some(dots), Some(sum)) = (dots.first_mut(), tile.sums().next()) else { return };
    let (quarters, _) = dots.as_chunks_mut::<QUARTER_ROWS>();
    let (codes, _) = tile.codes.as_chunks::<2>();
    for (quarter, dots) in band.chunks_exact(codes.len()).zip(quarters) {
        let mut sums = [_mm512_setzero_si512(); 2];
        for ([first, second], step) in codes.iter().zip(quarter) {
            prefetch(std::ptr::from_ref(step));
            let both = load(step);
            sums[0] = _mm512_dpbusd_epi32(sums[0], low_halves(both), sixteen_times(*first));
            sums[1] = _mm512_dpbusd_epi32(sums[1], high_halves(both), sixteen_times(*second));
        }
        store(centred(_mm512_add_epi32(sums[0], sums[1]), sum), dots);
    }
    prefetch_behind_weights(band);
}

/// As [`several`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
#[inline]
fn upper_of_several<const P: usize>(tile: &Tile, band: &[Step], dots: &mut [Dots]) {
    let mut sums = [[_mm512_setzero_si512(); QUARTERS]; P];
    let (codes, _) = tile.codes.as_chunks::<P>();
    let (codes, _) = codes.as_chunks::<2>();
    let (first, rest) = band.split_at(codes.len());
    let (second, rest) = rest.split_at(codes.len());
    let (third, fourth) = rest.split_at(codes.len());
    for ((((codes, first), second), third), fourth) in
        codes.iter().zip(first).zip(second).zip(third).zip(fourth)
    {
        let rows = [load(first), load(second), load(third), load(fourth)];
        let (low, high) = (rows.map(|rows| low_halves(rows)), rows.map(|rows| high_halves(rows)));
        for (codes, rows) in codes.iter().zip([low, high]) {
            for (sums, codes) in sums.iter_mut().zip(codes) {
                let codes = sixteen_times(*codes);
                for (sum, rows) in sums.iter_mut().zip(rows) {
                    *sum = _mm512_dpbusd_epi32(*sum, rows, codes);
                }
            }
        }
    }
    for ((sums, dots), sum) in sums.iter().zip(dots).zip(tile.sums()) {
        let (quarters, _) = dots.as_chunks_mut::<QUARTER_ROWS>();
        for (dot, dots) in sums.iter().zip(quarters) {
            store(centred(*dot, sum), dots);
        }
    }
}

/// `2 * dot - 15 * sum`.
#[target_feature(enable = "avx512f")]
#[inline]
fn centred(dot: __m512i, sum: i32) -> __m512i {
    _mm512_add_epi32(_mm512_slli_epi32::<1>(dot), _mm512_set1_epi32(-15 * sum))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
pub(super) fn lower_dot(probe: &LowerProbe, row: &[Step]) -> i32 {
    let mut sums = [_mm512_setzero_si512(); 2];
    for ([first, second], step) in probe.codes.iter().zip(row) {
        let both = load(step);
        sums[0] = _mm512_dpbusd_epi32(sums[0], low_halves(both), load(first));
        sums[1] = _mm512_dpbusd_epi32(sums[1], high_halves(both), load(second));
    }
    _mm512_reduce_add_epi32(_mm512_add_epi32(sums[0], sums[1])) - 8 * probe.sum
}

/// Sixteen rows at a time: the lower halves, which lie row by row, are turned so that each lane has those of one row, as the
/// upper ones have.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
pub(super) fn join(band: &[Step], aside: &[Step], whole: &mut [Step]) {
    let steps = band.len() / QUARTERS;
    let (pairs, _) = whole.as_chunks_mut::<2>();
    let high = _mm512_set1_epi8(0xF0_u8.cast_signed());
    for (number, (band, pairs)) in
        band.chunks_exact(steps.max(1)).zip(pairs.chunks_exact_mut(steps.max(1))).enumerate()
    {
        let aside = aside.get(number * steps..).unwrap_or_default();
        let sixteen = band.chunks_exact(QUARTER_ROWS).zip(pairs.chunks_exact_mut(QUARTER_ROWS));
        for (place, (uppers, pairs)) in sixteen.enumerate() {
            // Asked for in the order of memory, and not in that in which it is read.
            for step in aside.iter().skip(place * QUARTER_ROWS).take(QUARTER_ROWS) {
                prefetch(std::ptr::from_ref(step));
            }
            let row = |row: usize| aside.get(row * (steps / QUARTER_ROWS) + place).unwrap_or(&Step::ZERO);
            let rows: [__m512i; QUARTER_ROWS] = std::array::from_fn(|number| load(row(number)));
            for ((upper, lower), pair) in uppers.iter().zip(turned(rows)).zip(pairs) {
                prefetch(std::ptr::from_ref(upper));
                let upper = load(upper);
                let [first, second] = pair;
                // Of the first operand where the mask has a one, else of the second. What the shifts carry from one byte
                // into the next is masked away.
                let low = _mm512_ternarylogic_epi32::<0xCA>(high, _mm512_slli_epi32::<4>(upper), lower);
                let up = _mm512_ternarylogic_epi32::<0xCA>(high, upper, _mm512_srli_epi32::<4>(lower));
                store_step(low, first);
                store_step(up, second);
            }
        }
    }
    prefetch_behind_weights(band);
}

/// Turns sixteen vectors of sixteen lanes: lane `i` of vector `j` becomes lane `j` of vector `i`.
#[target_feature(enable = "avx512f")]
#[inline]
fn turned(rows: [__m512i; 16]) -> [__m512i; 16] {
    // Within each 128 bits: four vectors' lanes of 32 bits.
    let mut fours = [_mm512_setzero_si512(); 16];
    for four in 0..4 {
        let [a, b, c, d] = std::array::from_fn(|i| rows[4 * four + i]);
        let (ab, cd) = (_mm512_unpacklo_epi32(a, b), _mm512_unpacklo_epi32(c, d));
        let (above, below) = (_mm512_unpackhi_epi32(a, b), _mm512_unpackhi_epi32(c, d));
        fours[four] = _mm512_unpacklo_epi64(ab, cd);
        fours[4 + four] = _mm512_unpackhi_epi64(ab, cd);
        fours[8 + four] = _mm512_unpacklo_epi64(above, below);
        fours[12 + four] = _mm512_unpackhi_epi64(above, below);
    }
    // Then the 128 bits of four vectors.
    let mut turned = [_mm512_setzero_si512(); 16];
    for lane in 0..4 {
        let [a, b, c, d] = std::array::from_fn(|i| fours[4 * lane + i]);
        let (even_ab, odd_ab) = (_mm512_shuffle_i32x4::<0x88>(a, b), _mm512_shuffle_i32x4::<0xDD>(a, b));
        let (even_cd, odd_cd) = (_mm512_shuffle_i32x4::<0x88>(c, d), _mm512_shuffle_i32x4::<0xDD>(c, d));
        turned[lane] = _mm512_shuffle_i32x4::<0x88>(even_ab, even_cd);
        turned[8 + lane] = _mm512_shuffle_i32x4::<0xDD>(even_ab, even_cd);
        turned[4 + lane] = _mm512_shuffle_i32x4::<0x88>(odd_ab, odd_cd);
        turned[12 + lane] = _mm512_shuffle_i32x4::<0xDD>(odd_ab, odd_cd);
    }
    turned
}

/// The lower four bits of each byte.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn low_halves(bytes: __m512i) -> __m512i {
    _mm512_and_si512(bytes, _mm512_set1_epi8(0x0F))
}

/// The upper four bits of each byte.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn high_halves(bytes: __m512i) -> __m512i {
    low_halves(_mm512_srli_epi32::<4>(bytes))
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
fn prefetch(step: *const Step) {
    _mm_prefetch::<_MM_HINT_T1>(step.wrapping_add(AHEAD).cast());
}

#[target_feature(enable = "avx512f")]
pub(super) fn prefetch_all(steps: &[Step]) {
    for step in steps {
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(step).cast());
    }
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

#[target_feature(enable = "avx512f")]
#[inline]
#[expect(unsafe_code, reason = "vector stores take raw pointers")]
fn store_step(codes: __m512i, step: &mut Step) {
    // SAFETY: `step` is an exclusively borrowed array of 64 bytes, and `storeu` asks for no alignment.
    unsafe { _mm512_storeu_si512(std::ptr::from_mut(step).cast(), codes) }
}

#[target_feature(enable = "avx512f")]
#[inline]
#[expect(unsafe_code, reason = "vector loads take raw pointers")]
fn floats(values: &[f32; QUARTER_ROWS]) -> __m512 {
    // SAFETY: `values` is a borrowed, initialised array of 16 numbers of 32 bits, 64 bytes, and `loadu` asks for no
    // alignment.
    unsafe { _mm512_loadu_ps(values.as_ptr()) }
}

/// Rounded to the nearest, as `as f32` does.
#[target_feature(enable = "avx512f")]
#[inline]
#[expect(unsafe_code, reason = "vector loads take raw pointers")]
fn integers(dots: &[i32; QUARTER_ROWS]) -> __m512 {
    // SAFETY: as in `floats`.
    _mm512_cvtepi32_ps(unsafe { _mm512_loadu_si512(dots.as_ptr().cast()) })
}
