//! One-to-many, open set: what came back from searches for people who are enrolled, and for people who are not.

use super::{NotFinite, Rate, Refused, Support, ascending, at_or_above, threshold_for};

/// A search for somebody who is in the gallery.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MatedSearch {
    /// Rank from 1 and score of the mate in the candidate list. `None`: not in the list, or no template was made of the
    /// probe, or none of any of the mate's references. All are misses.
    pub mate: Option<(u32, f64)>,
}

/// A search for somebody who is not in the gallery.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NonMatedSearch {
    /// Scores of the candidates, best first. Empty: no template was made of the probe, or the gallery was empty.
    pub scores: Vec<f64>,
}

/// All searches of a run in one gallery of a certain size, ready to be counted at any threshold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Searches {
    mated: Vec<MatedSearch>,
    non_mated: u64,
    /// Best score of each non-mated search that had a candidate, smaller first.
    tops: Vec<f64>,
    /// Scores of all candidates of all non-mated searches, smaller first.
    candidates: Vec<f64>,
    /// Scores of mates by rank: `mates[r]` are those at rank r + 1, smaller first.
    mates: Vec<Vec<f64>>,
}

impl Searches {
    /// Sorts the scores.
    ///
    /// # Errors
    /// [`NotFinite`] when a score cannot be ordered.
    pub fn new(mated: Vec<MatedSearch>, non_mated: &[NonMatedSearch]) -> Result<Self, NotFinite> {
        let mut mates: Vec<Vec<f64>> = Vec::new();
        for (rank, score) in mated.iter().filter_map(|search| search.mate) {
            let at = rank.max(1) as usize - 1;
            if mates.len() <= at {
                mates.resize(at + 1, Vec::new());
            }
            mates[at].push(score);
        }
        let top = |search: &NonMatedSearch| search.scores.iter().copied().reduce(f64::max);
        let all = non_mated.iter().flat_map(|search| search.scores.iter().copied()).collect();
        Ok(Self {
            mated,
            non_mated: non_mated.len() as u64,
            tops: ascending(non_mated.iter().filter_map(top).collect())?,
            candidates: ascending(all)?,
            mates: mates.into_iter().map(ascending).collect::<Result<_, _>>()?,
        })
    }

    /// Mated searches, failures included.
    #[must_use]
    pub fn mated(&self) -> u64 {
        self.mated.len() as u64
    }

    /// Non-mated searches, failures included.
    #[must_use]
    pub fn non_mated(&self) -> u64 {
        self.non_mated
    }

    /// Best scores of the non-mated searches that had a candidate, smaller first.
    #[must_use]
    pub fn tops(&self) -> &[f64] {
        &self.tops
    }

    /// Scores of the mates that were listed, in no order.
    pub fn mate_scores(&self) -> impl Iterator<Item = f64> + '_ {
        self.mated.iter().filter_map(|search| search.mate).map(|(_, score)| score)
    }

    /// Non-mated searches with at least one candidate at or above the threshold.
    #[must_use]
    pub fn false_positives(&self, threshold: f64) -> u64 {
        at_or_above(&self.tops, threshold)
    }

    /// Candidates at or above the threshold, over all non-mated searches.
    #[must_use]
    pub fn candidates(&self, threshold: f64) -> u64 {
        at_or_above(&self.candidates, threshold)
    }

    /// Mated searches whose mate is outside the first `rank` or scored below the threshold. `rank` `None`: anywhere in
    /// the list. `threshold` `None`: investigation mode, NIST's T = 0.
    #[must_use]
    pub fn misses(&self, rank: Option<u32>, threshold: Option<f64>) -> u64 {
        let ranks = rank.map_or(self.mates.len(), |rank| self.mates.len().min(rank as usize));
        let found: u64 = self.mates[..ranks]
            .iter()
            .map(|scores| threshold.map_or(scores.len() as u64, |threshold| at_or_above(scores, threshold)))
            .sum();
        self.mated() - found
    }

    /// FPIR(N, T) with its interval.
    #[must_use]
    pub fn fpir(&self, threshold: f64, confidence: f64) -> Rate {
        Rate::new(self.false_positives(threshold), self.non_mated, confidence)
    }

    /// FNIR(N, R, T) with its interval. See [`Searches::misses`].
    #[must_use]
    pub fn fnir(&self, rank: Option<u32>, threshold: Option<f64>, confidence: f64) -> Rate {
        Rate::new(self.misses(rank, threshold), self.mated(), confidence)
    }

    /// TPIR(N, R, T) with its interval.
    #[must_use]
    pub fn tpir(&self, rank: Option<u32>, threshold: Option<f64>, confidence: f64) -> Rate {
        Rate::new(self.mated() - self.misses(rank, threshold), self.mated(), confidence)
    }

    /// SEL(N, T): false candidates a reviewer of an average non-mated search has to reject. Absent without searches.
    #[must_use]
    pub fn selectivity(&self, threshold: f64) -> Option<f64> {
        (self.non_mated > 0).then(|| self.candidates(threshold) as f64 / self.non_mated as f64)
    }

    /// The threshold for FPIR = `target`: see [`threshold_for`].
    ///
    /// # Errors
    /// [`Refused`] when there are too few non-mated searches.
    pub fn threshold_for_fpir(&self, target: f64, minimum_events: u64) -> Result<Support, Refused> {
        threshold_for(target, &self.tops, self.non_mated, minimum_events)
    }
}
