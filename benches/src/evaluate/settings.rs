//! What is asked of an evaluation, besides its inputs.

use serde::{Deserialize, Serialize};

use crate::metrics::{Interval, MINIMUM_EVENTS};

/// The `[evaluation]` table of a run file. Every key may be left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Coverage of intervals. More than 0.5, less than 1.
    pub confidence: f64,
    /// How intervals are made.
    pub interval: Interval,
    /// Errors to be expected at a target before an operating point is printed.
    pub minimum_events: u64,
    /// Trials that a demographic group needs to enter a ratio.
    pub minimum_cell: u64,
    /// False match rates to find thresholds for.
    pub target_fmr: Vec<f64>,
    /// False positive identification rates to find thresholds for.
    pub target_fpir: Vec<f64>,
    /// Thresholds to state rates at, besides the pack's own.
    pub thresholds: Vec<f64>,
    /// Candidates per search.
    pub list_length: u32,
    /// Smallest gallery size that is measured on its own.
    pub smallest_gallery: u64,
    /// Samples of the subject-level bootstrap; 0 switches it off.
    pub replicates: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            confidence: 0.95,
            interval: Interval::ClopperPearson,
            minimum_events: MINIMUM_EVENTS,
            minimum_cell: 30,
            target_fmr: vec![0.1, 0.01, 0.001, 0.0001, 0.00001, 0.000_001],
            target_fpir: vec![0.1, 0.03, 0.01, 0.003, 0.001],
            thresholds: Vec::new(),
            list_length: 50,
            smallest_gallery: 64,
            replicates: 1_000,
        }
    }
}

impl Settings {
    /// Refuses what cannot be evaluated.
    ///
    /// # Errors
    /// Names the key and what is allowed.
    pub fn check(&self) -> anyhow::Result<()> {
        let rates = self.target_fmr.iter().chain(&self.target_fpir);
        anyhow::ensure!(
            self.confidence > 0.5 && self.confidence < 1.0,
            "`evaluation.confidence` is {}; it has to be more than 0.5 and less than 1",
            self.confidence
        );
        for rate in rates {
            anyhow::ensure!(
                *rate > 0.0 && *rate < 1.0,
                "a target rate of {rate} was asked for; targets are more than 0 and less than 1"
            );
        }
        anyhow::ensure!(
            self.thresholds.iter().all(|t| t.is_finite()),
            "`evaluation.thresholds` holds no number"
        );
        anyhow::ensure!(
            (1..=10_000).contains(&self.list_length),
            "`evaluation.list_length` is {}; it has to be 1 to 10,000",
            self.list_length
        );
        anyhow::ensure!(self.minimum_events >= 1, "`evaluation.minimum_events` has to be at least 1");
        anyhow::ensure!(self.replicates <= 100_000, "`evaluation.replicates` is at most 100,000");
        Ok(())
    }
}
