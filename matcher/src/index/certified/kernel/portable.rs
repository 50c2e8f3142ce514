//! The definition: plain integers, one row after the other.

use super::super::layout::{Dots, OFFSET, QUARTER_ROWS, QUARTERS, STEP_DIMENSIONS, Step, Tile};

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
