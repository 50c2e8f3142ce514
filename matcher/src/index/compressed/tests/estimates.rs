//! What codes say of similarities, against what is so.

use super::super::code::{Code, ProbeCode};
use super::super::kernel::{Factors, Lanes, estimate};
use super::super::rotate::Rotation;
use super::*;
use crate::index::blocks::BAND_ROWS;

/// A band of codes, as a block lays it out.
fn band(codes: &[Code]) -> (Vec<Lanes>, Factors) {
    let words = codes[0].planes.len();
    let mut lanes = vec![Lanes::ZERO; words];
    let mut factors = Factors::ZERO;
    for (row, code) in codes.iter().enumerate() {
        for (word, value) in code.planes.iter().enumerate() {
            lanes[word].0[row] = *value;
        }
        factors.set(row, code.factor);
    }
    (lanes, factors)
}

/// Levels and numbers, unpacked from their planes.
fn unpacked(planes: &[u64], bits: usize, signed: bool) -> Vec<i64> {
    let words = planes.len() / bits;
    (0..words * 64)
        .map(|i| {
            (0..bits)
                .map(|bit| {
                    let value = (planes[bit * words + i / 64] >> (i % 64) & 1) as i64;
                    if signed && bit == bits - 1 { -(value << bit) } else { value << bit }
                })
                .sum()
        })
        .collect()
}

/// The kernel against the sum written out, coordinate by coordinate.
#[test]
fn counting_bits_is_multiplying_levels() {
    let mut random = ChaCha8Rng::seed_from_u64(seed());
    for bits in [Bits::One, Bits::Two, Bits::Four] {
        for padded in [64, 128, 512] {
            let mut draw = || -> Vec<f64> {
                let scale = 10_f64.powi(random.random_range(-3..4));
                (0..padded).map(|_| random.random_range(-1.0..1.0) * scale).collect()
            };
            let codes: Vec<Code> =
                (0..BAND_ROWS).map(|_| Code::new(&draw(), Metric::Euclidean, bits)).collect();
            let probe = ProbeCode::new(&draw(), bits);
            let numbers = unpacked(&probe.planes, probe.planes.len() / probe.words, true);
            let (lanes, factors) = band(&codes);
            let mut nearness = [0.0; BAND_ROWS];
            let all = estimate(&lanes, &factors, &probe, f32::NEG_INFINITY, &mut nearness);
            assert_eq!(all, u64::MAX);
            let largest = (1 << bits.count()) - 1;
            for (code, near) in codes.iter().zip(nearness) {
                let levels = unpacked(&code.planes, bits.count(), false);
                let product: i64 =
                    levels.iter().zip(&numbers).map(|(level, number)| (2 * level - largest) * number).sum();
                let right = code.factor.scale * (probe.step * product as f32) - code.factor.norm;
                assert_eq!(near.to_bits(), right.to_bits());
            }
            let gate = nearness[17];
            let passing = estimate(&lanes, &factors, &probe, gate, &mut nearness);
            for (row, near) in nearness.iter().enumerate() {
                assert_eq!(passing >> row & 1 == 1, *near >= gate);
            }
        }
    }
}

#[test]
fn the_rotation_keeps_lengths_and_products_and_spreads_spikes() {
    let mut random = ChaCha8Rng::seed_from_u64(seed());
    for dimension in [1, 2, 63, 64, 65, 192, 512] {
        let rotation = Rotation::new(dimension);
        let mut draw = || -> Vec<f32> { (0..dimension).map(|_| random.random_range(-1.0..1.0)).collect() };
        let (left, right) = (draw(), draw());
        let product: f64 =
            left.iter().zip(&right).map(|(left, right)| f64::from(*left) * f64::from(*right)).sum();
        let rotated =
            rotation.apply(&left).iter().zip(rotation.apply(&right)).map(|(a, b)| a * b).sum::<f64>();
        assert!((product - rotated).abs() < 1e-9, "{dimension}: {product} became {rotated}");
        let mut spike = vec![0.0; dimension];
        spike[dimension / 2] = 1.0;
        let largest = rotation.apply(&spike).into_iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
        assert!(largest < 6.0 / (rotation.padded() as f64).sqrt(), "{dimension}: {largest}");
    }
}

/// Twenty thousand pairs: the mean error is no more than chance leaves of it, and the spread is what the module
/// documentation says.
#[test]
fn estimates_are_unbiased_and_as_accurate_as_stated() {
    for (bits, tangent) in [(Bits::One, 0.75), (Bits::Two, 0.37), (Bits::Four, 0.10)] {
        for (metric, dimension) in [(Metric::Cosine, 512), (Metric::Euclidean, 128)] {
            let mut persons = Persons::new(dimension);
            let rotation = Rotation::new(dimension);
            let rows = persons.rows(20 * BAND_ROWS as u64);
            let probes: Vec<Embedding> = (0..16)
                .map(|_| {
                    let person = persons.person();
                    persons.image(&person)
                })
                .collect();
            let (mut sum, mut squares, mut across, mut count) = (0.0, 0.0, 0.0, 0.0);
            for rows in rows.chunks(BAND_ROWS) {
                let codes: Vec<Code> = rows
                    .iter()
                    .map(|(_, _, row)| Code::new(&rotation.apply(row.values()), metric, bits))
                    .collect();
                let (lanes, factors) = band(&codes);
                for probe in &probes {
                    let code = ProbeCode::new(&rotation.apply(probe.values()), bits);
                    let mut nearness = [0.0; BAND_ROWS];
                    estimate(&lanes, &factors, &code, 0.0, &mut nearness);
                    for ((_, _, row), (near, code)) in rows.iter().zip(nearness.iter().zip(&codes)) {
                        let product: f64 = probe
                            .values()
                            .iter()
                            .zip(row.values())
                            .map(|(probe, row)| f64::from(*probe) * f64::from(*row))
                            .sum();
                        let error = f64::from((near + code.factor.norm) / 2.0) - product;
                        sum += error;
                        squares += error * error;
                        // All lengths are 1.
                        across += 1.0 - product * product;
                        count += 1.0;
                    }
                }
            }
            let (mean, spread) = (sum / count, f64::sqrt(squares / count));
            let stated = tangent * f64::sqrt(across / count) / (dimension as f64).sqrt();
            println!(
                "report: {bits:?} {metric:?} {dimension}: mean error {mean:.5}, spread {spread:.5}, stated {stated:.5}"
            );
            // Errors of one row with several probes, and of one probe with several rows, are not independent: the
            // mean is allowed what a hundredth as many independent ones would show.
            assert!(mean.abs() < 4.0 * spread / (count / 100.0).sqrt(), "biased: {mean} of {spread}");
            assert!(spread < 1.25 * stated && spread > 0.7 * stated, "{spread}, stated {stated}");
        }
    }
}
