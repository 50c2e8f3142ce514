//! Exact similarities, several at a time.
//!
//! [`crate::embed::similarity`] adds up in order, so that it gives the same bits everywhere; each addition waits for
//! the one before. Several rows side by side fill the time: each is added up in that same order, to the same bits.

use likeness_models::Metric;

use crate::embed::similarity;

/// Rows scored side by side.
pub(super) const TOGETHER: usize = 4;

/// The similarity of the probe with each row: of `rows`, one after the other, each as long as the probe.
pub(super) fn similarities(probe: &[f32], rows: &[f32], metric: Metric) -> [f64; TOGETHER] {
    let length = probe.len();
    let mut scores = [f64::NEG_INFINITY; TOGETHER];
    if rows.len() == TOGETHER * length {
        let rows: [&[f32]; TOGETHER] = std::array::from_fn(|n| &rows[n * length..(n + 1) * length]);
        return match metric {
            Metric::Euclidean => euclidean(probe, rows),
            Metric::Cosine => cosine(probe, rows),
        };
    }
    for (score, row) in scores.iter_mut().zip(rows.chunks_exact(length)) {
        *score = similarity(probe, row, metric);
    }
    scores
}

fn euclidean(probe: &[f32], rows: [&[f32]; TOGETHER]) -> [f64; TOGETHER] {
    let mut sums = [0.0; TOGETHER];
    for (i, &value) in probe.iter().enumerate() {
        for (sum, row) in sums.iter_mut().zip(rows) {
            let difference = f64::from(value) - f64::from(row[i]);
            *sum += difference * difference;
        }
    }
    sums.map(|sum: f64| 1.0 - sum.sqrt())
}

fn cosine(probe: &[f32], rows: [&[f32]; TOGETHER]) -> [f64; TOGETHER] {
    let mut own = 0.0;
    let mut dots = [0.0; TOGETHER];
    let mut squares = [0.0; TOGETHER];
    for (i, &value) in probe.iter().enumerate() {
        let value = f64::from(value);
        own += value * value;
        for ((dot, square), row) in dots.iter_mut().zip(&mut squares).zip(rows) {
            let other = f64::from(row[i]);
            *dot += value * other;
            *square += other * other;
        }
    }
    std::array::from_fn(|n| {
        let norms: f64 = own * squares[n];
        if norms > 0.0 { dots[n] / norms.sqrt() } else { 0.0 }
    })
}
