//! How far the engine's `f32` scores can be from the truth, and what follows for a row that was not looked at.

use likeness_models::Metric;

/// Unit roundoff of `f32`: each operation is off by at most this share of its result.
const ROUNDOFF: f64 = 1.0 / (1 << 24) as f64;

/// How far a unit vector's squared length may be from 1 (see `geometry.rs`), twice.
const UNIT_SLACK: f64 = 2e-6;

/// Bounds similarities from the engine's scores: a squared distance (Euclidean) or an inner product (cosine).
#[derive(Clone, Copy)]
pub(super) struct Bound {
    metric: Metric,
    error: f64,
}

impl Bound {
    /// For a probe of length `probe` among templates of length at most `longest`.
    ///
    /// The engine sums `n` products in `f32`, in an order of its own choosing. Whatever the order, such a sum is
    /// off by at most `n u / (1 - n u)` times the sum of the absolute values (Higham, *Accuracy and Stability of
    /// Numerical Algorithms*, section 3.1). Directly, a squared distance sums to at most `(|p| + |t|)^2`. In large
    /// batches the engine computes `|p|^2 + |t|^2 - 2 p.t` instead, whose absolute values sum to no more than that
    /// either. 16 covers the few roundings besides the sum, the factor 2 the denominator and the `f64` side, and
    /// the last term results too small for `f32` to hold.
    pub(super) fn new(metric: Metric, dimension: usize, probe: f64, longest: f64) -> Self {
        let terms = dimension as f64 + 16.0;
        let largest = match metric {
            Metric::Euclidean => (probe + longest) * (probe + longest),
            Metric::Cosine => probe * longest,
        };
        let vanished = 4.0 * terms * f64::from(f32::MIN_POSITIVE);
        let slack = match metric {
            Metric::Euclidean => 0.0,
            Metric::Cosine => UNIT_SLACK,
        };
        Self { metric, error: 2.0 * terms * ROUNDOFF * largest + slack + vanished }
    }

    /// The largest similarity that a row can have whose score is this one or worse.
    pub(super) fn ceiling(self, score: f32) -> f64 {
        match self.metric {
            Metric::Euclidean => 1.0 - (f64::from(score) - self.error).max(0.0).sqrt(),
            Metric::Cosine => f64::from(score) + self.error,
        }
    }
}
