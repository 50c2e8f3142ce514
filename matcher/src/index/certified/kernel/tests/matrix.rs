//! The matrix unit against sums by hand.

use super::super::super::layout::MATRIX_PROBES;
use super::*;

/// A matrix unit, where there is one: every length that it takes, every number of probes, and codes at both ends.
#[test]
fn a_matrix_multiplies_exactly() {
    let mut random = ChaCha8Rng::seed_from_u64(seed());
    let wide = |kernel: &Kernel| kernel.tile_probes(MATRIX_PROBES, steps(64)) == MATRIX_PROBES;
    let kernels: Vec<Kernel> = Kernel::available().into_iter().filter(wide).collect();
    if kernels.is_empty() {
        println!("skipped: this machine, or who interprets it, has no kernel with a matrix unit");
    }
    for kernel in &kernels {
        assert!((0..=TILE_PROBES).all(|group| kernel.tile_probes(group, steps(64)) == TILE_PROBES));
        assert_eq!(kernel.tile_probes(MATRIX_PROBES, steps(65)), TILE_PROBES);
    }
    let lengths =
        (61..=64).chain(125..=128).chain((192..=2048).step_by(64)).chain([crate::index::MOST_DIMENSIONS]);
    for (turn, length) in lengths.enumerate() {
        let fills = [FILLS[turn % FILLS.len()], FILLS[turn / FILLS.len() % FILLS.len()]];
        let rows: Vec<Vec<i8>> = (0..BAND_ROWS).map(|_| codes(&mut random, length, fills[0])).collect();
        let block = block(&rows, length, turn);
        let probes: Vec<Quantised> =
            (0..MATRIX_PROBES).map(|_| probe(codes(&mut random, length, fills[1]))).collect();
        for count in [1, 2, 7, 15, 16, 17, 31, 32] {
            let probes: Vec<&Quantised> = probes.iter().take(count).collect();
            let mut tile = Tile::for_matrix(&probes, Form::Whole);
            assert!(tile.is_for_matrix() && tile.probes() == count);
            tile.matrix.shrink_to_fit();
            for kernel in &kernels {
                // In the middle of memory: what is written beyond either end shows.
                let mut room = vec![i32::MIN; turn % 17 + MATRIX_PROBES * BAND_ROWS + 64].into_boxed_slice();
                let (_, middle) = room.split_at_mut(turn % 17);
                let (dots, beyond) = middle.split_at_mut(MATRIX_PROBES * BAND_ROWS);
                let (dots, _) = dots.as_chunks_mut::<BAND_ROWS>();
                kernel.dots(&tile, &block[turn..], dots);
                for (number, (probe, dots)) in probes.iter().zip(&*dots).enumerate() {
                    for (row, dot) in rows.iter().zip(dots) {
                        let right = by_hand(&probe.codes, row);
                        assert_eq!(*dot, right, "{kernel:?}, probe {number} of {count}, {length}");
                    }
                }
                assert!(beyond.iter().all(|&dot| dot == i32::MIN), "{kernel:?} wrote too far");
                assert!(room[..turn % 17].iter().all(|&dot| dot == i32::MIN), "{kernel:?} wrote too early");
            }
        }
    }
}
