//! The definition: plain integers, one row after the other.

use super::super::layout::{
    Dots, LowerProbe, OFFSET, QUARTER_ROWS, QUARTERS, STEP_DIMENSIONS, Step, Tile, lower,
};

pub(super) fn dots(tile: &Tile, band: &[Step], dots: &mut [Dots]) {
    let probes = tile.probes();
    for dots in dots.iter_mut().take(probes) {
        dots.fill(0);
    }
    for (number, quarter) in band.chunks_exact((band.len() / QUARTERS).max(1)).enumerate() {
        for (codes, step) in tile.codes.chunks_exact(probes.max(1)).zip(quarter) {
            for (probe, dots) in codes.iter().zip(dots.iter_mut()) {
                let probe = probe.map(i32::from);
                let (rows, _) = step.0.as_chunks::<STEP_DIMENSIONS>();
                for (row, dot) in rows.iter().zip(&mut dots[number * QUARTER_ROWS..]) {
                    // Nothing wraps (see `Kernel::dots`); saying so lets the compiler use vectors where it can.
                    for (&stored, code) in row.iter().zip(probe) {
                        let row = i32::from(stored).wrapping_sub(i32::from(OFFSET));
                        *dot = dot.wrapping_add(row.wrapping_mul(code));
                    }
                }
            }
        }
    }
}

pub(super) fn upper_dots(tile: &Tile, band: &[Step], dots: &mut [Dots]) {
    let probes = tile.probes();
    for dots in dots.iter_mut().take(probes) {
        dots.fill(0);
    }
    for (number, quarter) in band.chunks_exact((band.len() / QUARTERS).max(1)).enumerate() {
        for (codes, step) in tile.codes.chunks_exact((2 * probes).max(1)).zip(quarter) {
            let (rows, _) = step.0.as_chunks::<STEP_DIMENSIONS>();
            let (first, second) = codes.split_at(probes);
            for ((first, second), dots) in first.iter().zip(second).zip(dots.iter_mut()) {
                for (row, dot) in rows.iter().zip(&mut dots[number * QUARTER_ROWS..]) {
                    *dot = dot.wrapping_add(of_halves(*row, *first, *second, 15, 2));
                }
            }
        }
    }
}

pub(super) fn lower_dot(probe: &LowerProbe, row: &[Step]) -> i32 {
    let mut dot = 0_i32;
    for ([first, second], step) in probe.codes.iter().zip(row) {
        let (bytes, _) = step.0.as_chunks::<STEP_DIMENSIONS>();
        let (first, _) = first.0.as_chunks::<STEP_DIMENSIONS>();
        let (second, _) = second.0.as_chunks::<STEP_DIMENSIONS>();
        for ((byte, first), second) in bytes.iter().zip(first).zip(second) {
            let (first, second) = (first.map(u8::cast_signed), second.map(u8::cast_signed));
            dot = dot.wrapping_add(of_halves(*byte, first, second, 8, 1));
        }
    }
    dot
}

/// `sum((times * half - middle) * code)` of eight halves in four bytes: `first` is multiplied with their lower four bits,
/// `second` with their upper ones.
fn of_halves(
    bytes: [u8; STEP_DIMENSIONS],
    first: [i8; STEP_DIMENSIONS],
    second: [i8; STEP_DIMENSIONS],
    middle: i32,
    times: i32,
) -> i32 {
    let product = |half: u8, code: i8| (times * i32::from(half) - middle) * i32::from(code);
    let pairs = bytes.iter().zip(first.iter().zip(&second));
    pairs.map(|(byte, (&first, &second))| product(byte & 0x0F, first) + product(byte >> 4, second)).sum()
}

pub(super) fn join(band: &[Step], aside: &[Step], whole: &mut [Step]) {
    let steps = band.len() / QUARTERS;
    let quarters = band.chunks_exact(steps.max(1)).zip(whole.chunks_exact_mut((2 * steps).max(1)));
    for (number, (upper, whole)) in quarters.enumerate() {
        for row in 0..QUARTER_ROWS {
            let words = lower(aside, number * QUARTER_ROWS + row)
                .iter()
                .flat_map(|step| step.0.as_chunks::<STEP_DIMENSIONS>().0);
            let (pairs, _) = whole.as_chunks_mut::<2>();
            for ((upper, lower), pair) in upper.iter().zip(words).zip(pairs) {
                let (uppers, _) = upper.0.as_chunks::<STEP_DIMENSIONS>();
                let [first, second] = pair.each_mut().map(|step| step.0.as_chunks_mut::<STEP_DIMENSIONS>().0);
                let both = uppers[row].iter().zip(lower).zip(first[row].iter_mut().zip(&mut second[row]));
                for ((upper, lower), (first, second)) in both {
                    *first = upper << 4 | lower & 0x0F;
                    *second = upper & 0xF0 | lower >> 4;
                }
            }
        }
    }
}
