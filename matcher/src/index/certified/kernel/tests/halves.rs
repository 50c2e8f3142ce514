//! Codes in halves: multiplied apart, and put together again.

use super::super::super::layout::{LowerProbe, UPPER_UNIT, erase_halves, lower, write_halves};
use super::super::super::quantise::upper_of;
use super::*;

/// Rows in halves, each half in memory that begins `before` steps earlier and ends with it.
fn halves(rows: &[Vec<i8>], length: usize, before: usize) -> [Box<[Step]>; 2] {
    let room = |steps| vec![Step([0xA5; size_of::<Step>()]); before + steps].into_boxed_slice();
    let mut upper = room(QUARTERS * Form::Halved.steps(length));
    let mut aside = room(Form::Halved.aside(length));
    for (row, codes) in rows.iter().enumerate() {
        write_halves(&mut upper[before..], &mut aside[before..], row, codes);
    }
    [upper, aside]
}

fn check_halves(random: &mut ChaCha8Rng, length: usize, fills: [Fill; 2], before: usize) {
    let rows: Vec<Vec<i8>> = (0..BAND_ROWS).map(|_| codes(random, length, fills[0])).collect();
    let [upper, aside] = halves(&rows, length, before);
    let (upper, aside) = (&upper[before..], &aside[before..]);
    let middles: Vec<Vec<i32>> =
        rows.iter().map(|row| row.iter().map(|&code| i32::from(upper_of(code))).collect()).collect();
    // What a search does with them, and whole codes put together again, padded as the probes are.
    let width = 4 * Form::Halved.probe_steps(length);
    let padded: Vec<Vec<i8>> = rows
        .iter()
        .map(|row| row.iter().copied().chain(std::iter::repeat(0)).take(width).collect())
        .collect();
    let right = block(&padded, width, 0);
    for kernel in Kernel::available() {
        let mut whole = vec![Step([0x77; size_of::<Step>()]); right.len()].into_boxed_slice();
        kernel.join(upper, aside, &mut whole);
        assert!(whole.iter().zip(&right).all(|(one, other)| one.0 == other.0), "{kernel:?}, {length}");
        kernel.prefetch(aside);
    }
    for width in if cfg!(miri) { 1..=2 } else { 1..=TILE_PROBES } {
        let probes: Vec<Quantised> = (0..width).map(|_| probe(codes(random, length, fills[1]))).collect();
        let mut tile = Tile::new(&probes.iter().collect::<Vec<_>>(), Form::Halved);
        tile.codes.shrink_to_fit();
        for kernel in Kernel::available() {
            let shift = (before + width) % 17;
            let mut room = vec![i32::MIN; shift + width * BAND_ROWS].into_boxed_slice();
            let (dots, _) = room[shift..].as_chunks_mut::<BAND_ROWS>();
            kernel.upper_dots(&tile, upper, dots);
            for (probe, dots) in probes.iter().zip(&*dots) {
                let mut own = LowerProbe::new(probe);
                own.codes.shrink_to_fit();
                for (row, (codes, middles)) in rows.iter().zip(&middles).enumerate() {
                    let middle: i64 =
                        probe.codes.iter().zip(middles).map(|(&p, &m)| i64::from(p) * i64::from(m)).sum();
                    let unit = i64::from(UPPER_UNIT);
                    assert_eq!(unit * i64::from(dots[row]), middle, "{kernel:?}, {length}, row {row}");
                    let whole = i32::from(UPPER_UNIT) * dots[row] + kernel.lower_dot(&own, lower(aside, row));
                    assert_eq!(whole, by_hand(&probe.codes, codes), "{kernel:?}, {length}, row {row}");
                }
            }
            assert!(room[..shift].iter().all(|&dot| dot == i32::MIN), "{kernel:?} wrote too early");
        }
    }
}

/// As for whole codes: every length with every number of probes, row and kind of codes.
#[test]
fn kernels_multiply_halves_exactly_at_every_length() {
    let mut random = ChaCha8Rng::seed_from_u64(seed());
    let mut turn = 0;
    // Halved rows are as long as a multiple of 128, so one length is as slow as another there.
    for length in if cfg!(miri) { vec![7] } else { lengths() } {
        for fill in &FILLS {
            // Each length with some kinds, each kind with many lengths: joined bands are compared byte by byte besides.
            if (turn + length).is_multiple_of(if cfg!(miri) { 6 } else { 3 }) {
                let other = FILLS[(turn + length) % FILLS.len()];
                check_halves(&mut random, length, [*fill, other], turn % (PAGE_STEPS + 1));
            }
            turn += 1;
        }
    }
    // As long as an index takes: sums come near the ends of what 32 bits hold.
    if !cfg!(miri) {
        for fills in [[Fill::Largest; 2], [Fill::Smallest, Fill::Largest]] {
            check_halves(&mut random, crate::index::MOST_DIMENSIONS, fills, 1);
        }
    }
}

/// A row in halves that was taken away leaves the others as they were, and nothing of itself.
#[test]
fn an_erased_row_in_halves_leaves_the_others() {
    let mut random = ChaCha8Rng::seed_from_u64(seed());
    let length = 200;
    let rows: Vec<Vec<i8>> = (0..BAND_ROWS).map(|_| codes(&mut random, length, Fill::Any)).collect();
    let [mut upper, mut aside] = halves(&rows, length, 0);
    let one = probe(codes(&mut random, length, Fill::Any));
    let (tile, own) = (Tile::new(&[&one], Form::Halved), LowerProbe::new(&one));
    let mut left: Vec<usize> = (0..BAND_ROWS).collect();
    while !left.is_empty() {
        let row = left.swap_remove(random.random_range(0..left.len()));
        erase_halves(&mut upper, &mut aside, row);
        assert!(lower(&aside, row).iter().all(|step| step.0 == Step::ZERO.0));
        if cfg!(miri) && !left.len().is_multiple_of(63) {
            continue;
        }
        let mut dots = [[0; BAND_ROWS]];
        Kernel::best().upper_dots(&tile, &upper, &mut dots);
        for &row in &left {
            let dot =
                i32::from(UPPER_UNIT) * dots[0][row] + Kernel::best().lower_dot(&own, lower(&aside, row));
            assert_eq!(dot, by_hand(&one.codes, &rows[row]));
        }
    }
    assert!(upper.iter().chain(&aside).all(|step| step.0 == Step::ZERO.0));
}
