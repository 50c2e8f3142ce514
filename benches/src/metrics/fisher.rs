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
    let fixed = choose(total, total_errors);
    let log_probability =
        |count: u64| choose(trials, count) + choose(other_trials, total_errors - count) - fixed;
    let seen = log_probability(errors);
    // Splits that are as likely as the one seen may differ from it in the last digits.
    let bound = seen + 1e-7;
    let sum: f64 = (least..=most).map(log_probability).filter(|&value| value <= bound).map(f64::exp).sum();
    sum.min(1.0)
}

/// Logarithm of the binomial coefficient.
fn choose(from: u64, take: u64) -> f64 {
    let log_factorial = |number: u64| libm::lgamma(number as f64 + 1.0);
    log_factorial(from) - log_factorial(take) - log_factorial(from - take)
}
