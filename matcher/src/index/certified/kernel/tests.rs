//! Every kernel of this machine against sums written out by hand, for every length.
#![allow(clippy::unwrap_used, reason = "tests")]

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::super::gate::Gate;
use super::super::layout::{
    BAND_ROWS, Dots, QUARTERS, Step, TILE_PROBES, Tile, Weight, Weights, steps, write_row,
};
use super::super::quantise::Quantised;
use super::Kernel;
use crate::index::certified::tests::seed;

/// Miri is some thousand times slower.
const LENGTHS: usize = if cfg!(miri) { 9 } else { 600 };

#[derive(Clone, Copy)]
enum Fill {
    Any,
    Extremes,
    Largest,
}

fn codes(random: &mut ChaCha8Rng, length: usize, fill: Fill) -> Vec<i8> {
    let code = |random: &mut ChaCha8Rng| match fill {
        Fill::Any => random.random_range(-127..=127),
        Fill::Extremes => [-127, 127, 0, 1, -1][random.random_range(0..5)],
        Fill::Largest => 127,
    };
    (0..length).map(|_| code(random)).collect()
}

fn probe(codes: Vec<i8>) -> Quantised {
    Quantised { codes, scale: 1.0, residual: 0.0, norm: 0.0 }
}

fn by_hand(probe: &[i8], row: &[i8]) -> i32 {
    probe.iter().zip(row).map(|(&p, &r)| i32::from(p) * i32::from(r)).sum()
}

fn band(rows: &[Vec<i8>], length: usize) -> Vec<Step> {
    let mut band = vec![Step::ZERO; QUARTERS * steps(length)];
    for (row, codes) in rows.iter().enumerate() {
        write_row(&mut band, row, codes);
    }
    band
}

fn check(random: &mut ChaCha8Rng, length: usize, fill: Fill, before: usize) {
    let rows: Vec<Vec<i8>> = (0..BAND_ROWS).map(|_| codes(random, length, fill)).collect();
    // The band begins anywhere in its block: on each of the places that a cache line or a page may have it.
    let mut block = vec![Step::ZERO; before];
    block.extend(band(&rows, length));
    for width in 1..=TILE_PROBES {
        let probes: Vec<Quantised> = (0..width).map(|_| probe(codes(random, length, fill))).collect();
        let tile = Tile::new(&probes.iter().collect::<Vec<_>>());
        for kernel in Kernel::available() {
            let mut dots = [[i32::MIN; BAND_ROWS]; TILE_PROBES];
            kernel.dots(&tile, &block[before..], &mut dots);
            for (probe, dots) in probes.iter().zip(&dots) {
                let right: Vec<i32> = rows.iter().map(|row| by_hand(&probe.codes, row)).collect();
                assert_eq!(dots.as_slice(), right, "{kernel:?}, {width} probes of {length}");
            }
            assert!(dots[width..].iter().flatten().all(|&dot| dot == i32::MIN), "{kernel:?} wrote too far");
        }
    }
}

#[test]
fn kernels_multiply_exactly_at_every_length() {
    let mut random = ChaCha8Rng::seed_from_u64(seed());
    for length in 1..=LENGTHS {
        let fill = [Fill::Any, Fill::Extremes, Fill::Largest][length % 3];
        check(&mut random, length, fill, length % 5);
    }
}

#[test]
fn kernels_do_not_overflow_at_the_largest_dimension() {
    if cfg!(miri) {
        return;
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed());
    for fill in [Fill::Largest, Fill::Extremes] {
        check(&mut random, crate::index::MOST_DIMENSIONS, fill, 0);
    }
}

#[test]
fn kernels_let_through_what_the_gate_lets_through() {
    let mut random = ChaCha8Rng::seed_from_u64(seed());
    for _ in 0..if cfg!(miri) { 3 } else { 2000 } {
        let dots: Dots = std::array::from_fn(|_| random.random_range(-1_000_000..1_000_000));
        let mut weights = Weights {
            scale: [0.0; BAND_ROWS],
            residual: [f32::NEG_INFINITY; BAND_ROWS],
            norm: [f32::INFINITY; BAND_ROWS],
        };
        for row in 0..BAND_ROWS {
            if random.random_range(0..8) > 0 {
                let weight = Weight {
                    scale: random.random_range(0.0..1e-3),
                    residual: random.random_range(0.0..0.1),
                    norm: random.random_range(0.0..2.0),
                };
                weights.set(row, weight);
            }
        }
        let gates = [
            Gate::Cosine { scale: 1e-3, stretch: 1.01, line: random.random_range(-0.5..0.8) },
            Gate::Euclidean { twice_scale: 2e-3, norm: 1.0, reach: random.random_range(0.0..2.0) },
            Gate::Cosine { scale: 1e-3, stretch: 1.01, line: f32::NEG_INFINITY },
            Gate::Euclidean { twice_scale: 2e-3, norm: 1.0, reach: f32::INFINITY },
        ];
        for gate in gates {
            let right = gate.passing(&dots, &weights);
            for kernel in Kernel::available() {
                assert_eq!(kernel.passing(&gate, &dots, &weights), right, "{kernel:?} {gate:?}");
            }
        }
    }
}
