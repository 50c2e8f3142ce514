//! From scored comparisons to the record of a one-to-one evaluation.

use std::collections::BTreeMap;

use super::groups::{Groups, subsets};
use super::record::{CellRow, CellTable, ComparisonRow, ComparisonsAt, ComparisonsRecord, OperatingPoint};
use super::settings::Settings;
use crate::metrics::{Cluster, Comparison, Comparisons, NotFinite, Rate, bootstrap, folds, thresholds};

/// Probes beyond which no bootstrap is made: each sample draws as many, and the interval for independent trials is
/// narrow by then.
const MOST_CLUSTERS: usize = 50_000;

/// Rows of a group's table.
const CELL_ROWS: usize = 60;

/// One comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// Whose probe it is, or which: trials of one cluster are drawn together by the bootstrap.
    pub probe: u32,
    /// The other side.
    pub reference: u32,
    /// Both show one person.
    pub mated: bool,
    /// Larger is more alike.
    pub score: f64,
    /// Fold of cross validation; 0 without folds.
    pub fold: u16,
}

/// Everything a one-to-one evaluation looks at.
#[derive(Clone, Debug, Default)]
pub struct OneToOne {
    /// Comparisons that gave a score.
    pub scored: Vec<Scored>,
    /// Mated comparisons that gave none.
    pub mated_failed: u64,
    /// Non-mated comparisons that gave none.
    pub non_mated_failed: u64,
    /// Labels by the number of the probe and of the reference.
    pub groups: Groups,
}

impl OneToOne {
    /// The scores alone.
    ///
    /// # Errors
    /// [`NotFinite`].
    pub fn comparisons(&self) -> Result<Comparisons, NotFinite> {
        let one = |scored: &Scored| Comparison { mated: scored.mated, score: scored.score };
        let mut comparisons = Comparisons::new(self.scored.iter().map(one))?;
        comparisons.mated_failed = self.mated_failed;
        comparisons.non_mated_failed = self.non_mated_failed;
        Ok(comparisons)
    }

    /// The record. `own` is the pack's published threshold, when there is one.
    ///
    /// # Errors
    /// [`NotFinite`].
    pub fn record(
        &self,
        settings: &Settings,
        seed: u64,
        own: Option<f64>,
    ) -> Result<ComparisonsRecord, NotFinite> {
        let all = self.comparisons()?;
        let chosen = thresholds(all.non_mated(), all.mated());
        let rows = chosen.iter().map(|&threshold| ComparisonRow {
            threshold,
            non_mated_at_or_above: all.false_matches(threshold),
            mated_below: all.false_non_matches(threshold),
        });
        let asked = settings.thresholds.iter().map(|&at| (at, "asked for".to_owned()));
        let own = own.map(|at| (at, "the pack's own threshold".to_owned()));
        let at = own.into_iter().chain(asked).map(|(threshold, why)| ComparisonsAt {
            threshold,
            why,
            fmr: self.with_bootstrap(
                all.fmr(threshold, settings.confidence),
                false,
                threshold,
                settings,
                seed,
            ),
            fnmr: self.with_bootstrap(
                all.fnmr(threshold, settings.confidence),
                true,
                threshold,
                settings,
                seed,
            ),
            far: all.far(threshold, settings.confidence),
            frr: all.frr(threshold, settings.confidence),
        });
        Ok(ComparisonsRecord {
            mated: all.mated().len() as u64,
            non_mated: all.non_mated().len() as u64,
            mated_failed: all.mated_failed,
            non_mated_failed: all.non_mated_failed,
            rows: rows.collect(),
            operating_points: settings
                .target_fmr
                .iter()
                .map(|&target| self.operating_point(&all, target, settings, seed))
                .collect(),
            at: at.collect(),
            folds: folds(&self.scored.iter().map(|one| (one.fold, one.mated, one.score)).collect::<Vec<_>>()),
            cells: self.cells(&chosen)?,
        })
    }

    fn operating_point(
        &self,
        all: &Comparisons,
        target: f64,
        settings: &Settings,
        seed: u64,
    ) -> OperatingPoint {
        let point = OperatingPoint { target_fmr: Some(target), ..OperatingPoint::default() };
        match all.threshold_for_fmr(target, settings.minimum_events) {
            Ok(support) => {
                let at = support.threshold;
                let (fmr, fnmr) = (all.fmr(at, settings.confidence), all.fnmr(at, settings.confidence));
                OperatingPoint {
                    supported: true,
                    threshold: Some(at),
                    fmr: Some(self.with_bootstrap(fmr, false, at, settings, seed)),
                    fnmr: Some(self.with_bootstrap(fnmr, true, at, settings, seed)),
                    tied: Some(support.tied),
                    ..point
                }
            }
            Err(refused) => OperatingPoint {
                have: Some(refused.have),
                needed: Some(refused.needed),
                reason: Some(refused.reason),
                ..point
            },
        }
    }

    /// Adds bounds that allow for repeated probes, where probes repeat.
    fn with_bootstrap(
        &self,
        rate: Rate,
        mated: bool,
        threshold: f64,
        settings: &Settings,
        seed: u64,
    ) -> Rate {
        let rate = Rate::with(settings.interval, rate.count, rate.of, settings.confidence);
        let outcomes = self.scored.iter().filter(|scored| scored.mated == mated);
        let mut outcomes: Vec<(u32, bool)> =
            outcomes.map(|scored| (scored.probe, (scored.score >= threshold) != mated)).collect();
        outcomes.sort_unstable();
        let clusters: Vec<Cluster> = outcomes
            .chunk_by(|one, other| one.0 == other.0)
            .map(|of| Cluster {
                errors: of.iter().filter(|outcome| outcome.1).count() as u64,
                trials: of.len() as u64,
            })
            .collect();
        let repeats = clusters.iter().any(|cluster| cluster.trials > 1);
        // Samples of nothing but right decisions, or nothing but errors, are all alike: they bound nothing.
        let certain = rate.count == 0 || rate.count == rate.of;
        if !repeats || certain || clusters.len() > MOST_CLUSTERS {
            return rate;
        }
        let bounds = bootstrap(&clusters, settings.replicates, settings.confidence, seed);
        Rate { bootstrap: bounds, ..rate }
    }

    /// A table for each group of each attribute and intersection.
    fn cells(&self, chosen: &[f64]) -> Result<Vec<CellTable>, NotFinite> {
        let step = chosen.len().div_ceil(CELL_ROWS).max(1);
        // From the strict end: that is where operating points lie.
        let mut few: Vec<f64> = chosen.iter().rev().step_by(step).copied().collect();
        few.reverse();
        let mut tables = Vec::new();
        for by in subsets(self.groups.attributes()) {
            let mut members: BTreeMap<Vec<String>, Vec<Comparison>> = BTreeMap::new();
            for scored in &self.scored {
                let Some(values) = self.groups.values(scored.probe, &by) else { continue };
                // Strangers of another group are easy: only pairs within a group tell how its members are confused.
                if !scored.mated && self.groups.values(scored.reference, &by).as_ref() != Some(&values) {
                    continue;
                }
                let one = Comparison { mated: scored.mated, score: scored.score };
                members.entry(values).or_default().push(one);
            }
            for (values, comparisons) in members {
                let cell = Comparisons::new(comparisons)?;
                let rows = few.iter().map(|&threshold| CellRow {
                    threshold,
                    non_mated_with_candidate: cell.false_matches(threshold),
                    mated_missed: cell.false_non_matches(threshold),
                });
                tables.push(CellTable {
                    by: by.iter().map(|&at| self.groups.attributes()[at].clone()).collect(),
                    values,
                    mated_searches: cell.mated().len() as u64,
                    non_mated_searches: cell.non_mated().len() as u64,
                    rows: rows.collect(),
                });
            }
        }
        Ok(tables)
    }

    /// Errors and trials of each group at a threshold: `mated` for misses, otherwise for false matches.
    #[must_use]
    pub fn by_group(&self, by: &[usize], threshold: f64, mated: bool) -> Vec<(Vec<String>, u64, u64)> {
        let mut groups: BTreeMap<Vec<String>, (u64, u64)> = BTreeMap::new();
        for scored in self.scored.iter().filter(|scored| scored.mated == mated) {
            let Some(values) = self.groups.values(scored.probe, by) else { continue };
            if !mated && self.groups.values(scored.reference, by).as_ref() != Some(&values) {
                continue;
            }
            let (errors, trials) = groups.entry(values).or_default();
            *errors += u64::from((scored.score >= threshold) != mated);
            *trials += 1;
        }
        groups.into_iter().map(|(values, (errors, trials))| (values, errors, trials)).collect()
    }
}
