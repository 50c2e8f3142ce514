//! Error rates of face comparison and search, as the field defines them. Pure: counts in, counts and rates out.
//!
//! One rule runs through all of it: **a score at the threshold is above it** (`score >= threshold`). NIST words the
//! false match rate as "at or above" and the false non-match rate as "below".
//!
//! | name | definition |
//! |---|---|
//! | FMR(T) | non-mated comparisons with score >= T, of all non-mated comparisons |
//! | FNMR(T) | mated comparisons with score < T, of all mated comparisons |
//! | FPIR(N, T) | non-mated searches with at least one candidate >= T, of all non-mated searches |
//! | FNIR(N, R, T) | mated searches whose mate is outside the first R or scored below T, of all mated searches |
//! | TPIR(N, R, T) | 1 - FNIR(N, R, T) |
//! | CMC(N, R) | 1 - FNIR(N, R, no threshold) |
//! | SEL(N, T) | candidates >= T over all non-mated searches, by non-mated searches; can exceed 1 |
//!
//! Failures count as NIST counts them (NISTIR 8271): a probe without a template is a miss when mated and a search
//! without candidates when not; a subject without a template stays in N and its mates are missed. FMR and FNMR leave
//! failures out and state them (ISO/IEC 19795-1 has FAR and FRR for the other way).

mod beta;
mod bootstrap;
mod comparisons;
mod differential;
mod discard;
mod fisher;
mod folds;
mod operating_point;
mod rate;
mod searches;
mod sweep;
#[cfg(test)]
mod tests;

pub use beta::clopper_pearson;
pub use bootstrap::{Bootstrap, Cluster, bootstrap};
pub use comparisons::{Comparison, Comparisons};
pub use differential::{Cell, Differential, differential};
pub use discard::{DiscardPoint, error_versus_discard};
pub use fisher::fisher_exact;
pub use folds::{Folds, folds};
pub use operating_point::{MINIMUM_EVENTS, Refused, Support, threshold_for};
pub use rate::{Interval, Rate, wilson};
pub use searches::{MatedSearch, NonMatedSearch, Searches};
pub use sweep::thresholds;

/// Largest score on either side of zero: beyond it, differences of scores lose their digits or overflow.
pub const MOST_SCORE: f64 = 1e15;

/// A score that cannot be ordered, or is out of all range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a score is not a number, or out of range; every score has to lie between -1e15 and 1e15")]
pub struct NotFinite;

/// Sorts scores, smaller first, after checking that all are finite.
pub(crate) fn ascending(mut scores: Vec<f64>) -> Result<Vec<f64>, NotFinite> {
    if scores.iter().any(|score| !score.is_finite() || score.abs() > MOST_SCORE) {
        return Err(NotFinite);
    }
    // Adding zero makes -0 and 0 one number, as they are for `>=`.
    scores.iter_mut().for_each(|score| *score += 0.0);
    scores.sort_unstable_by(f64::total_cmp);
    Ok(scores)
}

/// How many of these ascending scores are at or above the threshold.
pub(crate) fn at_or_above(ascending: &[f64], threshold: f64) -> u64 {
    (ascending.len() - below(ascending, threshold) as usize) as u64
}

/// How many of these ascending scores are below the threshold.
pub(crate) fn below(ascending: &[f64], threshold: f64) -> u64 {
    ascending.partition_point(|&score| score < threshold) as u64
}
