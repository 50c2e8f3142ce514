//! The first layers with AVX-512: a register holds the sixteen channels of one place.
//!
//! Rows of the first layer's result are made when the second layer needs them, in three lines that are used again and
//! again. Both leaky ReLUs come after the maximum, which gives the same (they rise) and is a quarter of the work.

use std::arch::x86_64::{
    __m512, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_max_ps, _mm512_mul_ps, _mm512_set1_ps,
    _mm512_setzero_ps, _mm512_storeu_ps,
};

use super::{Layers, NARROW, WIDE};

/// The channels of one place.
type Place = [f32; NARROW];

/// Places of the first layer's result made at a time, from twice as many columns.
const FIRST: usize = 4;
/// Places of the second layer made at a time.
const SECOND: usize = 8;

/// See the parent. Sides are multiples of 32, `planes` and `results` as long as they say.
#[target_feature(enable = "avx512f")]
pub(super) fn first_layers(
    layers: &Layers,
    planes: &[f32],
    [rows, columns]: [usize; 2],
    results: &mut [f32],
) {
    // The first maximum halves what the first convolution leaves of the image, two rows and columns less.
    let (tall, wide) = (rows / 2 - 1, columns / 2 - 1);
    let zero: Place = [0.0; NARROW];
    // A place of zeros before the first and after the last, as padding.
    let line = vec![zero; wide + 2];
    let mut lines = [line.clone(), line.clone(), line.clone()];
    let mut made = 0;
    let mut filtered = vec![zero; wide];
    let mut mixed = [vec![[zero; 2]; wide], vec![[zero; 2]; wide]];
    let mut best = vec![[zero; 2]; columns / 4];
    for row in 0..rows / 4 {
        let pair = [2 * row, 2 * row + 1];
        for (half, at) in pair.into_iter().enumerate().filter(|&(_, at)| at < tall) {
            while made < tall && made <= at + 1 {
                shrunk_row(layers, planes, [rows, columns], made, &mut lines[made % 3][1..=wide]);
                made += 1;
            }
            let around = [at.checked_sub(1), Some(at), Some(at + 1).filter(|&below| below < tall)]
                .map(|at| at.map_or(&line, |at| &lines[at % 3]));
            filtered_row(layers, around, &mut filtered);
            mixed_row(layers, &filtered, &mut mixed[half]);
        }
        let [upper, lower] = &mixed;
        // The last row is alone, and so is the last column.
        best_of(layers.slope, upper, if pair[1] < tall { lower } else { upper }, &mut best);
        let plane = rows / 4 * best.len();
        for (channel, plane) in results.chunks_exact_mut(plane).enumerate().take(WIDE) {
            let results = &mut plane[row * best.len()..(row + 1) * best.len()];
            for (result, place) in results.iter_mut().zip(&best) {
                *result = place[channel / NARROW][channel % NARROW];
            }
        }
    }
}

/// Row `row` of the first layer: convolution, maximum, leaky ReLU.
#[target_feature(enable = "avx512f")]
fn shrunk_row(layers: &Layers, planes: &[f32], [rows, columns]: [usize; 2], row: usize, line: &mut [Place]) {
    let last = line.len() - FIRST;
    for first in (0..last).step_by(FIRST).chain([last]) {
        let mut sums = [[load(&layers.bias); 2 * FIRST]; 2];
        for (plane, filters) in planes.chunks_exact(rows * columns).zip(&layers.filters) {
            let filters = loaded(filters);
            let from = |below: usize| -> &[f32; 2 * FIRST + 2] {
                let start = (2 * row + below) * columns + 2 * first;
                // Two columns more than are filtered remain to the right of every place.
                plane[start..].first_chunk().unwrap_or(&[0.0; 2 * FIRST + 2])
            };
            let from = [from(0), from(1), from(2), from(3)];
            for down in 0..3 {
                for across in 0..3 {
                    for (below, sums) in sums.iter_mut().enumerate() {
                        for (place, sum) in sums.iter_mut().enumerate() {
                            let value = _mm512_set1_ps(from[below + down][place + across]);
                            *sum = _mm512_fmadd_ps(value, filters[down * 3 + across], *sum);
                        }
                    }
                }
            }
        }
        for (place, result) in line[first..first + FIRST].iter_mut().enumerate() {
            let best = |sums: &[__m512]| _mm512_max_ps(sums[2 * place], sums[2 * place + 1]);
            store(leaky(_mm512_max_ps(best(&sums[0]), best(&sums[1])), layers.slope), result);
        }
    }
}

/// One row of the second layer's 3x3 filters, of three lines with a place more at either end.
#[target_feature(enable = "avx512f")]
fn filtered_row(layers: &Layers, around: [&Vec<Place>; 3], row: &mut [Place]) {
    let filters = loaded(&layers.depthwise);
    let last = row.len() - SECOND;
    for first in (0..last).step_by(SECOND).chain([last]) {
        let mut sums = [_mm512_setzero_ps(); SECOND];
        for (line, filters) in around.iter().zip(filters.as_chunks::<3>().0) {
            let places = &line[first..first + SECOND + 2];
            for (across, filter) in filters.iter().enumerate() {
                for (place, sum) in sums.iter_mut().enumerate() {
                    *sum = _mm512_fmadd_ps(load(&places[place + across]), *filter, *sum);
                }
            }
        }
        for (sum, result) in sums.into_iter().zip(&mut row[first..first + SECOND]) {
            store(sum, result);
        }
    }
}

/// The mix of channels at each place of a row, before its leaky ReLU.
#[target_feature(enable = "avx512f")]
fn mixed_row(layers: &Layers, filtered: &[Place], row: &mut [[Place; 2]]) {
    let bias = loaded(&layers.pointwise_bias);
    let last = row.len() - SECOND;
    for first in (0..last).step_by(SECOND).chain([last]) {
        let mut sums = [bias; SECOND];
        let Some(places) = filtered[first..].first_chunk::<SECOND>() else { return };
        for (channel, weights) in layers.pointwise.iter().enumerate() {
            let weights = loaded(weights);
            for (place, sums) in sums.iter_mut().enumerate() {
                let value = _mm512_set1_ps(places[place][channel]);
                sums[0] = _mm512_fmadd_ps(value, weights[0], sums[0]);
                sums[1] = _mm512_fmadd_ps(value, weights[1], sums[1]);
            }
        }
        for (sums, result) in sums.into_iter().zip(&mut row[first..first + SECOND]) {
            store(sums[0], &mut result[0]);
            store(sums[1], &mut result[1]);
        }
    }
}

/// The maximum of each two by two places of two rows, the last column being alone, and its leaky ReLU.
#[target_feature(enable = "avx512f")]
fn best_of(slope: f32, upper: &[[Place; 2]], lower: &[[Place; 2]], best: &mut [[Place; 2]]) {
    let last = upper.len() - 1;
    for (place, best) in best.iter_mut().enumerate() {
        let (left, right) = (2 * place, (2 * place + 1).min(last));
        for (half, best) in best.iter_mut().enumerate() {
            let of = |row: &[[Place; 2]]| _mm512_max_ps(load(&row[left][half]), load(&row[right][half]));
            store(leaky(_mm512_max_ps(of(upper), of(lower)), slope), best);
        }
    }
}

/// Numbers below 0 become smaller in size: `slope` is above 0 and below 1.
#[target_feature(enable = "avx512f")]
#[inline]
fn leaky(values: __m512, slope: f32) -> __m512 {
    _mm512_max_ps(values, _mm512_mul_ps(values, _mm512_set1_ps(slope)))
}

#[target_feature(enable = "avx512f")]
#[inline]
fn loaded<const N: usize>(places: &[Place; N]) -> [__m512; N] {
    let mut loaded = [_mm512_setzero_ps(); N];
    for (values, place) in loaded.iter_mut().zip(places) {
        *values = load(place);
    }
    loaded
}

#[target_feature(enable = "avx512f")]
#[inline]
fn load(place: &Place) -> __m512 {
    // SAFETY: reads sixteen floats where there are sixteen; no alignment is asked for.
    #[expect(unsafe_code, reason = "the load takes a pointer")]
    unsafe {
        _mm512_loadu_ps(place.as_ptr())
    }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn store(values: __m512, place: &mut Place) {
    // SAFETY: writes sixteen floats where there are sixteen; no alignment is asked for.
    #[expect(unsafe_code, reason = "the store takes a pointer")]
    unsafe {
        _mm512_storeu_ps(place.as_mut_ptr(), values);
    }
}
