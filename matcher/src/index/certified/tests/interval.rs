//! The bound itself: the interval holds the similarity, and the gate stops nothing that reaches the line.

use rand::SeedableRng as _;

use super::super::bound::ProbeBound;
use super::super::layout::{BAND_ROWS, UPPER_UNIT, Weight, Weights};
use super::super::quantise::{Quantised, above, below, upper_of};
use super::*;
use crate::embed::similarity;
use crate::index::score::{TOGETHER, similarities};

fn dot(left: &Quantised, right: &Quantised) -> i32 {
    left.codes.iter().zip(&right.codes).map(|(&l, &r)| i32::from(l) * i32::from(r)).sum()
}

/// With the upper halves of the row.
fn upper_dot(probe: &Quantised, row: &Quantised) -> i32 {
    let unit = i32::from(UPPER_UNIT);
    probe.codes.iter().zip(&row.codes).map(|(&p, &r)| i32::from(p) * i32::from(upper_of(r)) / unit).sum()
}

#[test]
fn intervals_hold_and_gates_stop_nothing_that_reaches_the_line() {
    let mut random = ChaCha8Rng::seed_from_u64(seed());
    let rounds = unless_miri(60_000, 20);
    let mut vacant = Weights { scale: [0.0; BAND_ROWS], residual: [0.0; BAND_ROWS], norm: [0.0; BAND_ROWS] };
    for _ in 0..rounds {
        let metric = [Metric::Euclidean, Metric::Cosine][random.random_range(0..2)];
        let dimension = [1, 2, 3, 5, 16, 127, 128, 512][random.random_range(0..8)];
        let geometry = Geometry::new(home(), dimension, metric).unwrap();
        let (p, x) = (KINDS[random.random_range(0..7)], KINDS[random.random_range(0..7)]);
        let (p, x) = (vector(&mut random, p, dimension, metric), vector(&mut random, x, dimension, metric));
        let (Ok(probe), Ok(row)) = (geometry.template(&p), geometry.template(&x)) else { continue };
        let truth = similarity(&probe.values, &row.values, metric);

        let (probe, row) = (Quantised::new(&probe.values, metric), Quantised::new(&row.values, metric));
        let bound = ProbeBound::new(&probe, metric);
        let weight = Weight::of(&row);
        let mut looks = vec![(weight, weight, dot(&probe, &row), false)];
        if metric == Metric::Cosine {
            let halved = Weight::of_halves(&row);
            looks.push((halved, halved.upper(), upper_dot(&probe, &row), true));
            looks.push((halved.whole(), halved.whole(), dot(&probe, &row), false));
        }
        for (stored, weight, dot, upper) in looks {
            let range = bound.range(weight, dot);
            assert!(
                range.lower <= truth && truth <= range.upper,
                "{truth} is not in {range:?}: {metric:?} {dimension}, {stored:?}"
            );

            vacant.set(0, stored);
            let mut dots = [0; BAND_ROWS];
            dots[0] = dot;
            let gate = |line| if upper { bound.gate(line).of_upper() } else { bound.gate(line) };
            for line in [truth, truth.next_down(), truth - 1e-6, truth - 0.1, -1e300, f64::NEG_INFINITY] {
                let gate = gate(Some(line));
                for kernel in Kernel::available() {
                    let passing = kernel.passing(&gate, &dots, &vacant) & 1;
                    assert_eq!(passing, 1, "{kernel:?} stopped at {line}: {truth} {range:?} {gate:?}");
                }
            }
            for kernel in Kernel::available() {
                assert_eq!(kernel.passing(&gate(None), &dots, &vacant) & 1, 1);
            }
        }
    }
}

/// On templates as models make them the interval is narrow, and a gate just above it stops the row: otherwise the
/// index would be right and slow.
#[test]
fn intervals_are_narrow_on_ordinary_templates() {
    let mut random = ChaCha8Rng::seed_from_u64(seed());
    for (metric, dimension, most) in [(Metric::Cosine, 512, 0.04), (Metric::Euclidean, 128, 0.05)] {
        let geometry = Geometry::new(home(), dimension, metric).unwrap();
        let mut draw = || {
            let spread = (3.0 / dimension as f32).sqrt();
            at(&(0..dimension).map(|_| random.random_range(-spread..spread)).collect::<Vec<_>>())
        };
        for _ in 0..unless_miri(200, 2) {
            let (p, x) = (draw(), draw());
            let (p, x) = (geometry.template(&p).unwrap(), geometry.template(&x).unwrap());
            let (probe, row) = (Quantised::new(&p.values, metric), Quantised::new(&x.values, metric));
            let bound = ProbeBound::new(&probe, metric);
            let range = bound.range(Weight::of(&row), dot(&probe, &row));
            assert!(range.upper - range.lower < most, "{range:?}");
            let mut weights =
                Weights { scale: [0.0; BAND_ROWS], residual: [0.0; BAND_ROWS], norm: [0.0; BAND_ROWS] };
            weights.set(0, Weight::of(&row));
            let mut dots = [0; BAND_ROWS];
            dots[0] = dot(&probe, &row);
            assert_eq!(bound.gate(Some(range.upper + 1e-3)).passing(&dots, &weights) & 1, 0);
            if metric == Metric::Cosine {
                let (halved, dot) = (Weight::of_halves(&row), upper_dot(&probe, &row));
                let range = bound.range(halved.upper(), dot);
                assert!(range.upper - range.lower < 8.0 * most, "{range:?}");
                weights.set(0, halved);
                dots[0] = dot;
                let gate = bound.gate(Some(range.upper + 1e-3)).of_upper();
                assert_eq!(gate.passing(&dots, &weights) & 1, 0);
            }
        }
    }
}

#[test]
fn rounding_goes_the_stated_way() {
    let mut random = ChaCha8Rng::seed_from_u64(seed());
    let ends = [0.0, -0.0, 1e300, -1e300, 1e-300, -1e-300, f64::INFINITY, f64::NEG_INFINITY, 1e-45, 3.5e38];
    let any = (0..unless_miri(10_000, 100))
        .map(|_| random.random_range(-1.0..1.0) * 10_f64.powi(random.random_range(-50..40)));
    for value in ends.into_iter().chain(any) {
        assert!(f64::from(above(value)) >= value && f64::from(below(value)) <= value, "{value}");
        assert!(f64::from(above(value).next_down()) < value || value == f64::NEG_INFINITY, "{value}");
    }
}

#[test]
fn scores_side_by_side_are_those_of_one_to_one() {
    let mut random = ChaCha8Rng::seed_from_u64(seed());
    for round in 0..unless_miri(3000, 4) {
        let metric = [Metric::Euclidean, Metric::Cosine][round % 2];
        let dimension = random.random_range(1..140);
        let kind = KINDS[random.random_range(0..7)];
        let mut draw = || vector(&mut random, kind, dimension, metric).values().to_vec();
        let probe = draw();
        for count in 0..=TOGETHER {
            let rows: Vec<Vec<f32>> = (0..count).map(|_| draw()).collect();
            let scores = similarities(&probe, &rows.concat(), metric);
            for (row, score) in rows.iter().zip(scores) {
                assert_eq!(score.to_bits(), similarity(&probe, row, metric).to_bits());
            }
        }
    }
}
