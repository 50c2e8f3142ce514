//! Timings and what is said about them: medians and percentiles, never a mean alone.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// A set of durations, summarised. Milliseconds.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Spread {
    /// How many were taken.
    pub count: usize,
    /// Shortest.
    pub least_ms: f64,
    /// Half are shorter.
    pub median_ms: f64,
    /// 95 of 100 are shorter.
    pub p95_ms: f64,
    /// 99 of 100 are shorter.
    pub p99_ms: f64,
    /// Longest.
    pub most_ms: f64,
}

impl Spread {
    /// Summarises durations (nearest-rank percentiles); `None` when there are none.
    ///
    /// ```
    /// use std::time::Duration;
    /// use likeness_bench::timing::Spread;
    ///
    /// let taken: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
    /// let spread = Spread::of(&taken).unwrap();
    /// assert_eq!((spread.median_ms, spread.p95_ms, spread.most_ms), (50.0, 95.0, 100.0));
    /// assert_eq!(Spread::of(&[]), None);
    /// ```
    #[must_use]
    pub fn of(durations: &[Duration]) -> Option<Self> {
        let mut sorted: Vec<f64> = durations.iter().map(|taken| taken.as_secs_f64() * 1e3).collect();
        sorted.sort_by(f64::total_cmp);
        let rank = |percent: usize| (sorted.len() * percent).div_ceil(100).max(1) - 1;
        Some(Self {
            count: sorted.len(),
            least_ms: *sorted.first()?,
            median_ms: sorted[rank(50)],
            p95_ms: sorted[rank(95)],
            p99_ms: sorted[rank(99)],
            most_ms: *sorted.last()?,
        })
    }
}

/// Runs something and says how long it took.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    let done = work();
    (done, began.elapsed())
}
