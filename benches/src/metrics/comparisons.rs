//! One-to-one: scores of mated and of non-mated comparisons.

use super::{NotFinite, Rate, Refused, Support, ascending, at_or_above, below, threshold_for};

/// One comparison that gave a score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// True when both images show one person.
    pub mated: bool,
    /// Larger is more alike.
    pub score: f64,
}

/// All comparisons of a run, ready to be counted at any threshold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparisons {
    mated: Vec<f64>,
    non_mated: Vec<f64>,
    /// Mated comparisons without a score, because one side made no template. Not in FNMR; in FRR.
    pub mated_failed: u64,
    /// The same of non-mated comparisons. Not in FMR; in FAR they count as rejected.
    pub non_mated_failed: u64,
}

impl Comparisons {
    /// Sorts the scores.
    ///
    /// # Errors
    /// [`NotFinite`] when a score cannot be ordered.
    pub fn new(comparisons: impl IntoIterator<Item = Comparison>) -> Result<Self, NotFinite> {
        let (mut mated, mut non_mated) = (Vec::new(), Vec::new());
        for comparison in comparisons {
            let list = if comparison.mated { &mut mated } else { &mut non_mated };
            list.push(comparison.score);
        }
        Ok(Self {
            mated: ascending(mated)?,
            non_mated: ascending(non_mated)?,
            mated_failed: 0,
            non_mated_failed: 0,
        })
    }

    /// Scores of mated comparisons, smaller first.
    #[must_use]
    pub fn mated(&self) -> &[f64] {
        &self.mated
    }

    /// Scores of non-mated comparisons, smaller first.
    #[must_use]
    pub fn non_mated(&self) -> &[f64] {
        &self.non_mated
    }

    /// Non-mated comparisons at or above the threshold.
    #[must_use]
    pub fn false_matches(&self, threshold: f64) -> u64 {
        at_or_above(&self.non_mated, threshold)
    }

    /// Mated comparisons below the threshold.
    #[must_use]
    pub fn false_non_matches(&self, threshold: f64) -> u64 {
        below(&self.mated, threshold)
    }

    /// FMR(T) with its interval.
    #[must_use]
    pub fn fmr(&self, threshold: f64, confidence: f64) -> Rate {
        Rate::new(self.false_matches(threshold), self.non_mated.len() as u64, confidence)
    }

    /// FNMR(T) with its interval.
    #[must_use]
    pub fn fnmr(&self, threshold: f64, confidence: f64) -> Rate {
        Rate::new(self.false_non_matches(threshold), self.mated.len() as u64, confidence)
    }

    /// FAR(T), failures to acquire included (ISO/IEC 19795-1): a failed comparison accepts nobody.
    #[must_use]
    pub fn far(&self, threshold: f64, confidence: f64) -> Rate {
        let of = self.non_mated.len() as u64 + self.non_mated_failed;
        Rate::new(self.false_matches(threshold), of, confidence)
    }

    /// FRR(T), failures to acquire included: a failed mated comparison is a rejection.
    #[must_use]
    pub fn frr(&self, threshold: f64, confidence: f64) -> Rate {
        let of = self.mated.len() as u64 + self.mated_failed;
        Rate::new(self.false_non_matches(threshold) + self.mated_failed, of, confidence)
    }

    /// The threshold for FMR = `target`: see [`threshold_for`].
    ///
    /// # Errors
    /// [`Refused`] when there are too few non-mated comparisons.
    pub fn threshold_for_fmr(&self, target: f64, minimum_events: u64) -> Result<Support, Refused> {
        threshold_for(target, &self.non_mated, self.non_mated.len() as u64, minimum_events)
    }
}
