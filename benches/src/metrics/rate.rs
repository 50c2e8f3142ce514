//! A share of trials, with how sure one may be of it.

use serde::{Deserialize, Serialize};

use super::beta::clopper_pearson;
use super::bootstrap::Bootstrap;

/// How the bounds of a rate were found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interval {
    /// Exact binomial interval; never too narrow when trials are independent.
    #[default]
    ClopperPearson,
    /// Wilson's score interval; close to the stated coverage on average.
    Wilson,
}

/// `count` of `of`, as a rate with its bounds. Never a rate without its counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Events.
    pub count: u64,
    /// Trials.
    pub of: u64,
    /// `count / of`; absent without trials.
    pub rate: Option<f64>,
    /// Lower bound of the interval; absent without trials.
    pub low: Option<f64>,
    /// Upper bound of the interval; absent without trials.
    pub high: Option<f64>,
    /// How the bounds were found: they hold for independent trials.
    pub method: Interval,
    /// Bounds that allow for several trials by one subject, where that was asked for.
    #[serde(default)]
    pub bootstrap: Option<Bootstrap>,
}

impl Rate {
    /// The rate with its Clopper-Pearson interval.
    #[must_use]
    pub fn new(count: u64, of: u64, confidence: f64) -> Self {
        Self::with(Interval::ClopperPearson, count, of, confidence)
    }

    /// The rate with an interval of choice.
    #[must_use]
    pub fn with(method: Interval, count: u64, of: u64, confidence: f64) -> Self {
        let bounds = (of > 0).then(|| match method {
            Interval::ClopperPearson => clopper_pearson(count, of, confidence),
            Interval::Wilson => wilson(count, of, confidence),
        });
        Self {
            count,
            of,
            rate: (of > 0).then(|| count as f64 / of as f64),
            low: bounds.map(|bounds| bounds.0),
            high: bounds.map(|bounds| bounds.1),
            method,
            bootstrap: None,
        }
    }
}

/// Wilson's score interval (1927). (0, 1) when `of` is 0.
///
/// ```
/// let (low, high) = likeness_bench::metrics::wilson(10, 100, 0.95);
/// assert!((low - 0.05522914).abs() < 1e-8 && (high - 0.17436566).abs() < 1e-8);
/// ```
#[must_use]
pub fn wilson(count: u64, of: u64, confidence: f64) -> (f64, f64) {
    if of == 0 {
        return (0.0, 1.0);
    }
    let (n, p) = (of as f64, count.min(of) as f64 / of as f64);
    let z = normal_quantile(f64::midpoint(1.0, confidence));
    let square = z * z;
    let centre = (p + square / (2.0 * n)) / (1.0 + square / n);
    let half = z / (1.0 + square / n) * (p * (1.0 - p) / n + square / (4.0 * n * n)).sqrt();
    let low = if count == 0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if count >= of { 1.0 } else { (centre + half).min(1.0) };
    (low, high)
}

/// The standard normal distribution's quantile, by bisection on the error function.
fn normal_quantile(probability: f64) -> f64 {
    let (mut low, mut high) = (-40.0_f64, 40.0_f64);
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if libm::erfc(-middle / std::f64::consts::SQRT_2) / 2.0 < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}
