//! Accuracy by cross validation, as LFW's protocol has it: the threshold of a fold comes from the other folds only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Shares of right decisions, fold by fold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Folds {
    /// One per fold, in their order.
    pub accuracy: Vec<f64>,
    /// Mean over the folds.
    pub mean: f64,
    /// Standard error of the mean.
    pub standard_error: f64,
}

/// Cross validation over comparisons given as (fold, mated, score). The threshold for a fold is the smallest score of the
/// others that gives them the most right decisions. `None` with fewer than two folds.
#[must_use]
pub fn folds(comparisons: &[(u16, bool, f64)]) -> Option<Folds> {
    let mut by_fold: BTreeMap<u16, Vec<(bool, f64)>> = BTreeMap::new();
    for &(fold, mated, score) in comparisons {
        by_fold.entry(fold).or_default().push((mated, score));
    }
    if by_fold.len() < 2 {
        return None;
    }
    let accuracy: Vec<f64> = by_fold
        .iter()
        .map(|(fold, tested)| {
            let others =
                by_fold.iter().filter(|(other, _)| *other != fold).flat_map(|(_, of)| of.iter().copied());
            let threshold = best_threshold(others.collect());
            let right = tested.iter().filter(|(mated, score)| (*score >= threshold) == *mated).count();
            right as f64 / tested.len() as f64
        })
        .collect();
    let count = accuracy.len() as f64;
    let mean = accuracy.iter().sum::<f64>() / count;
    let variance = accuracy.iter().map(|one| (one - mean) * (one - mean)).sum::<f64>() / (count - 1.0);
    Some(Folds { accuracy, mean, standard_error: (variance / count).sqrt() })
}

fn best_threshold(mut scores: Vec<(bool, f64)>) -> f64 {
    scores.sort_unstable_by(|a, b| a.1.total_cmp(&b.1));
    // Below every score everything is accepted: right are the mated.
    let mut right = scores.iter().filter(|(mated, _)| *mated).count() as i64;
    let (mut best, mut threshold) = (right, scores.first().map_or(0.0, |first| first.1));
    for group in scores.chunk_by(|one, other| one.1 == other.1) {
        // The threshold moves above this score: these are rejected from now on.
        right += group.iter().map(|(mated, _)| if *mated { -1 } else { 1 }).sum::<i64>();
        if right > best {
            (best, threshold) = (right, group[0].1.next_up());
        }
    }
    threshold
}
