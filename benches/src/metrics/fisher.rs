//! Whether a group's errors differ from the others' by more than chance.

/// Two-sided p-value of Fisher's exact test: the probability, with all totals fixed, of a split of the errors that is
/// no more likely than the one seen. Valid at any cell size, zero included; 1 when there is nothing to compare.
///
/// `errors` of `trials` in the group, `other_errors` of `other_trials` elsewhere.
#[must_use]
pub fn fisher_exact(errors: u64, trials: u64, other_errors: u64, other_trials: u64) -> f64 {
    let total_errors = errors + other_errors;
    let total = trials + other_trials;
    if trials == 0 || other_trials == 0 || total_errors == 0 || total_errors == total {
        return 1.0;
    }
    let least = total_errors.saturating_sub(other_trials);
    let most = total_errors.min(trials);
    // Weights relative to the likeliest split, by the ratio of neighbours: no large logarithms cancel, and what is too
    // unlikely to be a number is zero.
    let mode = mode(trials, total_errors, total).clamp(least, most);
    let up = |count: u64| {
        let (taken, left) = (count as f64, (other_trials + count) as f64 - total_errors as f64);
        (trials as f64 - taken) * (total_errors as f64 - taken) / ((taken + 1.0) * (left + 1.0))
    };
    let mut weights = vec![(mode, 1.0_f64)];
    let mut weight = 1.0;
    for count in mode..most {
        weight *= up(count);
        weights.push((count + 1, weight));
        if weight == 0.0 {
            break;
        }
    }
    weight = 1.0;
    for count in (least..mode).rev() {
        weight /= up(count);
        weights.push((count, weight));
        if weight == 0.0 {
            break;
        }
    }
    let seen = weights.iter().find(|(count, _)| *count == errors).map_or(0.0, |found| found.1);
    // Splits that are as likely as the one seen may differ from it in the last digits.
    let bound = seen * (1.0 + 1e-7);
    let all: f64 = weights.iter().map(|(_, weight)| weight).sum();
    let unlikely: f64 = weights.iter().map(|(_, weight)| weight).filter(|weight| **weight <= bound).sum();
    (unlikely / all).min(1.0)
}

/// Errors of the group in the likeliest split.
fn mode(trials: u64, errors: u64, total: u64) -> u64 {
    (u128::from(trials + 1) * u128::from(errors + 1) / u128::from(total + 2)) as u64
}
