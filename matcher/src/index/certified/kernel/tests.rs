//! Every kernel of this machine against sums written out by hand: for every length, number of probes, row, kind of codes
//! and place in memory. `scripts/kernels` runs them where a byte too far is seen.
#![allow(clippy::unwrap_used, reason = "tests")]

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::super::gate::Gate;
use super::super::layout::{
    BAND_ROWS, Form, QUARTERS, STEP_DIMENSIONS, Step, TILE_PROBES, Tile, Weight, Weights, erase_row, steps,
    write_row,
};
use super::super::quantise::Quantised;
use super::{Ground, Kernel, Shape};
use crate::index::certified::tests::seed;

mod halves;
mod matrix;

/// Lengths that are tried: all up to well beyond the widest turn of any kernel, those of models and their neighbours. Miri
/// is some thousand times slower.
fn lengths() -> Vec<usize> {
    if cfg!(miri) {
        return vec![1, 7, 17];
    }
    let models = [512_usize, 768, 1024, 2048].into_iter().flat_map(|length| length - 1..=length + 1);
    (1..=320).chain(models).collect()
}

/// Steps of a small page. A band may begin at any step of one.
const PAGE_STEPS: usize = 4096 / size_of::<Step>();

#[derive(Clone, Copy, Debug)]
enum Fill {
    Any,
    Extremes,
    /// 127 and -127 by turns: neighbours cancel, or add up, when they come together wrongly.
    Alternating,
    Largest,
    Smallest,
    Zero,
}

const FILLS: [Fill; 6] =
    [Fill::Any, Fill::Extremes, Fill::Alternating, Fill::Largest, Fill::Smallest, Fill::Zero];

fn codes(random: &mut ChaCha8Rng, length: usize, fill: Fill) -> Vec<i8> {
    let first = random.random_range(0..2);
    let code = |at: usize| match fill {
        Fill::Any => random.random_range(-127..=127),
        Fill::Extremes => [-127, 127, 0, 1, -1][random.random_range(0..5)],
        Fill::Alternating => [127, -127][(at + first) % 2],
        Fill::Largest => 127,
        Fill::Smallest => -127,
        Fill::Zero => 0,
    };
    (0..length).map(code).collect()
}

fn probe(codes: Vec<i8>) -> Quantised {
    Quantised { codes, scale: 1.0, residual: 0.0, upper_residual: 0.0, norm: 0.0 }
}

fn by_hand(probe: &[i8], row: &[i8]) -> i32 {
    probe.iter().zip(row).map(|(&p, &r)| i32::from(p) * i32::from(r)).sum()
}

/// Rows, in memory that begins `before` steps earlier and ends with them: a sanitizer sees a load beyond either end. What
/// lies before them is no row's, and shows in the sums when it is read.
fn block(rows: &[Vec<i8>], length: usize, before: usize) -> Box<[Step]> {
    let mut block =
        vec![Step([0xA5; size_of::<Step>()]); before + QUARTERS * steps(length)].into_boxed_slice();
    let band = &mut block[before..];
    for (row, codes) in rows.iter().enumerate() {
        write_row(band, row, codes);
    }
    block
}

/// Multiplies with every kernel, into sums that begin `shift` integers into their memory and end where it ends.
fn multiply(probes: &[Quantised], band: &[Step], rows: &[Vec<i8>], surplus: usize, shift: usize) {
    let mut tile = Tile::new(&probes.iter().collect::<Vec<_>>(), Form::Whole);
    tile.codes.shrink_to_fit();
    tile.offsets.shrink_to_fit();
    let right: Vec<i32> =
        probes.iter().flat_map(|probe| rows.iter().map(|row| by_hand(&probe.codes, row))).collect();
    for kernel in Kernel::available() {
        let sums = (probes.len() + surplus) * BAND_ROWS;
        let mut room = vec![i32::MIN; shift + sums].into_boxed_slice();
        let (dots, rest) = room[shift..].as_chunks_mut::<BAND_ROWS>();
        assert!(rest.is_empty());
        kernel.dots(&tile, band, dots);
        let (found, beyond) = room[shift..].split_at(right.len());
        assert_eq!(found, right, "{kernel:?}, {} probes of {}", probes.len(), probes[0].codes.len());
        assert!(beyond.iter().all(|&dot| dot == i32::MIN), "{kernel:?} wrote too far");
        assert!(room[..shift].iter().all(|&dot| dot == i32::MIN), "{kernel:?} wrote too early");
    }
}

fn check(random: &mut ChaCha8Rng, length: usize, fills: [Fill; 2], before: usize) {
    let rows: Vec<Vec<i8>> = (0..BAND_ROWS).map(|_| codes(random, length, fills[0])).collect();
    let block = block(&rows, length, before);
    for width in 1..=TILE_PROBES {
        let probes: Vec<Quantised> = (0..width).map(|_| probe(codes(random, length, fills[1]))).collect();
        // With no room for more sums than are asked for, and with some.
        let surplus = [0, TILE_PROBES - width][before % 2];
        multiply(&probes, &block[before..], &rows, surplus, (before + width) % 17);
    }
}

/// Every length with every number of probes, row and kind of codes; the places in memory take turns.
#[test]
fn kernels_multiply_exactly_at_every_length() {
    println!("report: kernels of the index, compared with sums by hand: {:?}", Kernel::available());
    let mut random = ChaCha8Rng::seed_from_u64(seed());
    let mut turn = 0;
    for length in lengths() {
        for fill in if cfg!(miri) { &FILLS[..1] } else { &FILLS } {
            let other = FILLS[(turn + length) % FILLS.len()];
            check(&mut random, length, [*fill, other], turn % (PAGE_STEPS + 1));
            turn += 1;
        }
    }
}

/// Every place that a band may have in a page of memory, whatever the page: at some lengths of each remainder.
#[test]
fn kernels_multiply_exactly_at_every_place() {
    let mut random = ChaCha8Rng::seed_from_u64(seed());
    for length in if cfg!(miri) { &[6][..] } else { &[1, 6, 31, 128, 192][..] } {
        let rows: Vec<Vec<i8>> = (0..BAND_ROWS).map(|_| codes(&mut random, *length, Fill::Any)).collect();
        let probes: Vec<Quantised> =
            (0..TILE_PROBES).map(|_| probe(codes(&mut random, *length, Fill::Any))).collect();
        let band = block(&rows, *length, 0);
        let mut room = vec![Step([0x5A; size_of::<Step>()]); 2 * PAGE_STEPS + band.len()];
        let page = room.iter().position(|step| std::ptr::from_ref(step).addr() % 4096 == 0).unwrap_or(0);
        for place in (page..page + PAGE_STEPS).step_by(if cfg!(miri) { 21 } else { 1 }) {
            room[place..place + band.len()].copy_from_slice(&band);
            for width in [1, 2, TILE_PROBES] {
                multiply(&probes[..width], &room[place..place + band.len()], &rows, 0, place % 16);
            }
            room[place..place + band.len()].fill(Step([0x5A; size_of::<Step>()]));
        }
    }
}

/// The memory that the index has: the first and the last band of small blocks and of those that fill pages.
#[test]
fn kernels_multiply_exactly_in_the_memory_of_a_block() {
    let mut random = ChaCha8Rng::seed_from_u64(seed());
    let empty = Weights { scale: [0.0; BAND_ROWS], residual: [0.0; BAND_ROWS], norm: [f32::NAN; BAND_ROWS] };
    let blocks: &[(usize, usize)] =
        if cfg!(miri) { &[(2, 6)] } else { &[(1, 1), (2, 3), (3, 128), (5, 510), (62, 512), (234, 128)] };
    for (&(count, length), spare) in blocks.iter().flat_map(|block| [(block, 0), (block, 1)]) {
        // A block of full size, that others follow, and one that has its memory for itself.
        let mut ground = Ground::new(count + spare, Shape { steps: steps(length), aside: 0 });
        let mut bands = ground.cut(count, empty);
        let rows: Vec<Vec<i8>> =
            (0..BAND_ROWS * count).map(|_| codes(&mut random, length, Fill::Any)).collect();
        for (band, rows) in rows.chunks(BAND_ROWS).enumerate() {
            for (row, codes) in rows.iter().enumerate() {
                write_row(bands.codes_mut(band), row, codes);
            }
        }
        let probes: Vec<Quantised> =
            (0..TILE_PROBES).map(|_| probe(codes(&mut random, length, Fill::Extremes))).collect();
        for (band, rows) in rows.chunks(BAND_ROWS).enumerate() {
            for width in [1, 2, 3, TILE_PROBES] {
                multiply(&probes[..width], bands.codes(band), rows, 0, 0);
            }
        }
    }
}

/// A row that was taken away leaves the sums of the others as they were, whatever its own then are.
#[test]
fn an_erased_row_changes_no_other_at_any_place() {
    let mut random = ChaCha8Rng::seed_from_u64(seed());
    let length = if cfg!(miri) { 5 } else { 130 };
    let rows: Vec<Vec<i8>> = (0..BAND_ROWS).map(|_| codes(&mut random, length, Fill::Extremes)).collect();
    let probes: Vec<Quantised> =
        (0..TILE_PROBES).map(|_| probe(codes(&mut random, length, Fill::Largest))).collect();
    let tile = Tile::new(&probes.iter().collect::<Vec<_>>(), Form::Whole);
    for gone in (0..BAND_ROWS).step_by(if cfg!(miri) { 13 } else { 1 }) {
        let mut band = block(&rows, length, 0);
        erase_row(&mut band, gone);
        // No code is stored as 0, so these are the bytes of one row.
        let zeros = band.iter().flat_map(|step| step.0).filter(|&stored| stored == 0).count();
        assert_eq!(zeros, steps(length) * STEP_DIMENSIONS);
        for kernel in Kernel::available() {
            let mut dots = [[0; BAND_ROWS]; TILE_PROBES];
            kernel.dots(&tile, &band, &mut dots);
            for (probe, dots) in probes.iter().zip(&dots) {
                for (row, dot) in dots.iter().enumerate().filter(|(row, _)| *row != gone) {
                    assert_eq!(*dot, by_hand(&probe.codes, &rows[row]), "{kernel:?}, {gone} gone, row {row}");
                }
            }
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "millions of products")]
fn kernels_do_not_overflow_at_the_largest_dimension() {
    let mut random = ChaCha8Rng::seed_from_u64(seed());
    for fills in [[Fill::Largest; 2], [Fill::Largest, Fill::Smallest], [Fill::Extremes; 2]] {
        check(&mut random, crate::index::MOST_DIMENSIONS, fills, 0);
    }
}

/// Whether rounding alone decides: a kernel may round less often than another.
fn on_the_line(gate: &Gate, dot: i32, weight: Weight) -> bool {
    let of = |value: f32| f64::from(value);
    let (left, right, size) = match *gate {
        Gate::Cosine { scale, stretch, line } => {
            let (product, more) =
                (f64::from(dot) * of(weight.scale) * of(scale), of(weight.residual) * of(stretch));
            (product + more, of(line), product.abs() + more.abs())
        }
        Gate::Euclidean { twice_scale, norm, reach } => {
            let product = f64::from(dot) * of(weight.scale) * of(twice_scale);
            let (norms, reach) = (of(weight.norm) + of(norm), of(reach) + of(weight.residual));
            (norms - product, reach * reach, norms + product.abs() + reach * reach)
        }
    };
    (left - right).abs() <= size * 4.0 * of(f32::EPSILON)
}

#[test]
fn kernels_let_through_what_the_gate_lets_through() {
    let mut random = ChaCha8Rng::seed_from_u64(seed());
    for round in 0..if cfg!(miri) { 3 } else { 2000 } {
        let most = [1_000_000, i32::MAX][round % 2];
        // The sums begin anywhere and end where their memory does.
        let mut room: Box<[i32]> =
            (0..round % 17 + BAND_ROWS).map(|_| random.random_range(-most..most)).collect();
        let (_, dots) = room.as_rchunks_mut::<BAND_ROWS>();
        let dots = &mut dots[0];
        (dots[0], dots[BAND_ROWS - 1]) = [(i32::MIN, i32::MAX), (0, 0), (i32::MAX, -1)][round % 3];
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
            let right = gate.passing(dots, &weights);
            for kernel in Kernel::available() {
                let other = kernel.passing(&gate, dots, &weights) ^ right;
                for row in (0..BAND_ROWS).filter(|row| other >> row & 1 == 1) {
                    assert!(
                        on_the_line(&gate, dots[row], weights.get(row)),
                        "{kernel:?} {gate:?}, row {row}"
                    );
                }
            }
        }
    }
}
