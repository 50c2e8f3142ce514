//! Error versus discard: how the miss rate falls when the worst images are set aside.

use serde::{Deserialize, Serialize};

/// One point of the curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DiscardPoint {
    /// Share of mated comparisons set aside, those of lowest quality first. 0 to below 1.
    pub discarded: f64,
    /// Mated comparisons left.
    pub left: u64,
    /// Of them, how many are below the threshold.
    pub below: u64,
    /// What the share would be if quality predicted every error: misses go first.
    pub ideal: f64,
}

/// The curve for mated comparisons given as (quality, score), at a fixed threshold, in `steps` steps up to `most`.
///
/// Comparisons of equal quality are set aside in the order of their scores, larger first, which flatters nobody: the
/// curve is the highest that the qualities allow. The quality of a comparison is the lower of its two images'.
#[must_use]
pub fn error_versus_discard(
    pairs: &[(f64, f64)],
    threshold: f64,
    steps: u32,
    most: f64,
) -> Vec<DiscardPoint> {
    let mut ordered = pairs.to_vec();
    ordered.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let misses = ordered.iter().filter(|pair| pair.1 < threshold).count();
    (0..=steps)
        .map(|step| f64::from(step) / f64::from(steps.max(1)) * most)
        .map(|discarded| {
            let aside = ((discarded * ordered.len() as f64).floor() as usize).min(ordered.len());
            let left = &ordered[aside..];
            let still = misses.saturating_sub(aside);
            DiscardPoint {
                discarded,
                left: left.len() as u64,
                below: left.iter().filter(|pair| pair.1 < threshold).count() as u64,
                ideal: if left.is_empty() { 0.0 } else { still as f64 / left.len() as f64 },
            }
        })
        .collect()
}
