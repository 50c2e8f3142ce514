//! Where the time of one analysis went.
use std::time::{Duration, Instant};

/// Wall-clock time of each stage of one analysis, the waiting inside a stage included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StageTimes {
    /// Waiting for a turn.
    pub wait: Duration,
    /// Bytes to pixels.
    pub decode: Duration,
    /// All scales, and merging them.
    pub detect: Duration,
    /// Choosing the face, and its points.
    pub landmarks: Duration,
    /// Cutting the chip.
    pub align: Duration,
    /// Measuring, and the policy.
    pub quality: Duration,
    /// The embedder.
    pub embed: Duration,
}

impl StageTimes {
    /// The stages with their names, in the order of the flow.
    #[must_use]
    pub fn stages(&self) -> [(&'static str, Duration); 7] {
        [
            ("wait", self.wait),
            ("decode", self.decode),
            ("detect", self.detect),
            ("landmarks", self.landmarks),
            ("align", self.align),
            ("quality", self.quality),
            ("embed", self.embed),
        ]
    }

    /// The sum of all stages.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.stages().iter().map(|(_, time)| *time).sum()
    }
}

/// Measures laps.
pub(super) struct Clock(Instant);

impl Clock {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start or the last lap.
    pub(super) fn lap(&mut self) -> Duration {
        let now = Instant::now();
        let lap = now.duration_since(self.0);
        self.0 = now;
        lap
    }
}
