//! The threshold that keeps errors on strangers at or below a target, and when there are too few trials to say.

use serde::{Deserialize, Serialize};

use super::at_or_above;

/// Errors that have to be expected at a target before a threshold for it is printed. With 30, the true rate lies
/// within about a third of the measured one (the "rule of 30" of Doddington and others, *The NIST speaker recognition
/// evaluation*, 2000): FPIR 0.003 takes 10,000 non-mated searches.
pub const MINIMUM_EVENTS: u64 = 30;

/// Why a target has no threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refused {
    /// Trials there are.
    pub have: u64,
    /// Trials there would have to be.
    pub needed: u64,
    /// In words.
    pub reason: String,
}

/// A threshold for a target.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Support {
    /// The threshold: `score >= threshold` counts.
    pub threshold: f64,
    /// Scores equal to the k-th largest, itself included. When they would push the rate above the target, the threshold
    /// is the next larger score instead, so that the measured rate never exceeds the target.
    pub tied: u64,
}

/// The threshold at which at most `target` of these non-mated scores (or top scores of non-mated searches) are at
/// or above: the k-th largest score, k = floor(target * trials). Trials without a score (no candidate, no template)
/// count as below everything.
///
/// Without any score the threshold is the smallest number there is.
///
/// Ties: when several scores equal the k-th largest so that more than k are at or above it, the next larger score that
/// was seen is taken, and just above the largest when there is none.
///
/// # Errors
/// [`Refused`] when fewer than `minimum_events / target` trials were made.
pub fn threshold_for(
    target: f64,
    ascending: &[f64],
    trials: u64,
    minimum_events: u64,
) -> Result<Support, Refused> {
    let needed = needed(target, minimum_events);
    if trials < needed {
        return Err(Refused {
            have: trials,
            needed,
            reason: format!(
                "a rate of {target} cannot be measured with {trials} non-mated trials: {needed} are needed to expect \
                 {minimum_events} errors"
            ),
        });
    }
    // The product may fall short of a whole number by rounding alone: 0.29 * 100 is 28.999999999999996.
    let wanted = (target * trials as f64 * (1.0 + 1e-12)).floor() as u64;
    Ok(strictest(wanted, ascending))
}

/// How many trials it takes to expect `minimum_events` errors at a rate.
#[must_use]
pub fn needed(target: f64, minimum_events: u64) -> u64 {
    if target <= 0.0 {
        return u64::MAX;
    }
    // As above, the other way round: 30 / 0.003 is 10000.000000000002 in some orders of evaluation.
    (minimum_events.max(1) as f64 / target * (1.0 - 1e-12)).ceil() as u64
}

/// The smallest observed threshold with at most `wanted` scores at or above it.
fn strictest(wanted: u64, ascending: &[f64]) -> Support {
    let Some((&largest, count)) = ascending.last().map(|last| (last, ascending.len() as u64)) else {
        return Support { threshold: f64::MIN, tied: 0 };
    };
    if wanted == 0 {
        return Support { threshold: largest.next_up(), tied: 0 };
    }
    let kth = ascending[(count - wanted.min(count)) as usize];
    let tied = at_or_above(ascending, kth) - at_or_above(ascending, kth.next_up());
    if at_or_above(ascending, kth) <= wanted {
        return Support { threshold: kth, tied };
    }
    let above = ascending.partition_point(|&score| score <= kth);
    let threshold = ascending.get(above).copied().unwrap_or_else(|| largest.next_up());
    Support { threshold, tied }
}
