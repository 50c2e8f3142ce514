//! From candidate lists to the record of a one-to-many evaluation.

use std::collections::BTreeMap;

use super::groups::{Groups, subsets};
use super::record::{CellRow, CellTable, CmcPoint, GallerySize, OperatingPoint, SearchRow};
use super::settings::Settings;
use crate::metrics::{
    Cluster, MatedSearch, NonMatedSearch, NotFinite, Rate, Searches, bootstrap, thresholds,
};

/// Rows of a group's table.
const CELL_ROWS: usize = 40;

/// Ranks that the cumulative match characteristic is tabulated at.
const RANKS: [u32; 12] = [1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 40, 50];

/// What ties do, for the record.
pub const TIE_RULE: &str = "a candidate whose score equals the mate's is ranked before the mate; a threshold whose ties would push FPIR above the target moves to the next larger score";

/// A candidate of a search: a subject by its number, and its best score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// The subject's place in the order of enrolment.
    pub subject: u32,
    /// Larger is more alike.
    pub score: f64,
}

/// One probe and what came back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Search {
    /// Number of the person on the probe: draws of the bootstrap, and labels.
    pub person: u32,
    /// The mate's place in the order of enrolment; `None` when the person is not enrolled.
    pub mate: Option<u32>,
    /// False when the probe gave no template.
    pub acquired: bool,
    /// At most as many as the list is long, best first.
    pub candidates: Vec<Candidate>,
}

impl Search {
    /// Adds candidates: the best of each subject stays, the best `limit` of all.
    pub fn merge(&mut self, more: impl IntoIterator<Item = Candidate>, limit: usize) {
        for candidate in more {
            match self.candidates.iter_mut().find(|known| known.subject == candidate.subject) {
                Some(known) if known.score >= candidate.score => {}
                Some(known) => known.score = candidate.score,
                None => self.candidates.push(candidate),
            }
        }
        self.candidates.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.subject.cmp(&b.subject)));
        self.candidates.truncate(limit);
    }

    fn as_mated(&self, mate: u32) -> MatedSearch {
        let found = self.candidates.iter().find(|candidate| candidate.subject == mate);
        let before = |score: f64| {
            self.candidates.iter().filter(|other| other.subject != mate && other.score >= score).count()
                as u32
        };
        MatedSearch { mate: found.map(|found| (before(found.score) + 1, found.score)) }
    }

    fn as_non_mated(&self) -> NonMatedSearch {
        NonMatedSearch { scores: self.candidates.iter().map(|candidate| candidate.score).collect() }
    }
}

/// The searches in a gallery of one size.
pub struct OneToMany<'a> {
    /// N: subjects enrolled so far; a mate at or beyond this place is not enrolled yet.
    pub subjects: u32,
    /// Images enrolled so far.
    pub references: u64,
    /// Subjects among the N without a template.
    pub subjects_failed: u64,
    /// All probes. Those whose mate is not enrolled yet take no part.
    pub searches: &'a [Search],
    /// Labels by person.
    pub groups: &'a Groups,
}

impl OneToMany<'_> {
    fn mated(&self) -> impl Iterator<Item = (&Search, MatedSearch)> {
        self.searches
            .iter()
            .filter_map(|search| search.mate.filter(|&mate| mate < self.subjects).map(|mate| (search, mate)))
            .map(|(search, mate)| (search, search.as_mated(mate)))
    }

    fn non_mated(&self) -> impl Iterator<Item = (&Search, NonMatedSearch)> {
        let outside = |search: &&Search| search.mate.is_none();
        self.searches.iter().filter(outside).map(|search| (search, search.as_non_mated()))
    }

    /// The searches, ready to be counted.
    ///
    /// # Errors
    /// [`NotFinite`].
    pub fn counted(&self) -> Result<Searches, NotFinite> {
        let non_mated: Vec<_> = self.non_mated().map(|(_, search)| search).collect();
        Searches::new(self.mated().map(|(_, search)| search).collect(), &non_mated)
    }

    /// The record of this gallery size.
    ///
    /// # Errors
    /// [`NotFinite`].
    pub fn record(&self, settings: &Settings, seed: u64) -> Result<GallerySize, NotFinite> {
        let all = self.counted()?;
        let mut mates: Vec<f64> = all.mate_scores().collect();
        mates.sort_unstable_by(f64::total_cmp);
        let chosen = thresholds(all.tops(), &mates);
        let rows = chosen.iter().map(|&threshold| SearchRow {
            threshold,
            non_mated_with_candidate: all.false_positives(threshold),
            candidates: all.candidates(threshold),
            mated_missed: all.misses(None, Some(threshold)),
        });
        let longest = settings.list_length;
        let mut ranks: Vec<u32> = RANKS.into_iter().filter(|&rank| rank < longest).collect();
        ranks.push(longest);
        let cmc = ranks.into_iter().map(|rank| {
            let missed = all.misses(Some(rank), None);
            CmcPoint {
                rank,
                missed,
                fnir: Rate::with(settings.interval, missed, all.mated(), settings.confidence),
            }
        });
        Ok(GallerySize {
            subjects: u64::from(self.subjects),
            references: self.references,
            subjects_failed: self.subjects_failed,
            mated_searches: all.mated(),
            non_mated_searches: all.non_mated(),
            rows: rows.collect(),
            cmc: cmc.collect(),
            operating_points: settings
                .target_fpir
                .iter()
                .map(|&target| self.operating_point(&all, target, settings, seed))
                .collect(),
            cells: self.cells(&chosen)?,
        })
    }

    fn operating_point(&self, all: &Searches, target: f64, settings: &Settings, seed: u64) -> OperatingPoint {
        let point = OperatingPoint { target_fpir: Some(target), ..OperatingPoint::default() };
        match all.threshold_for_fpir(target, settings.minimum_events) {
            Ok(support) => {
                let at = support.threshold;
                OperatingPoint {
                    supported: true,
                    threshold: Some(at),
                    fpir: Some(self.rate(all.false_positives(at), false, at, settings, seed)),
                    fnir: Some(self.rate(all.misses(None, Some(at)), true, at, settings, seed)),
                    selectivity: all.selectivity(at),
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

    /// A rate with both kinds of bounds: the second where people have several probes.
    fn rate(&self, count: u64, mated: bool, threshold: f64, settings: &Settings, seed: u64) -> Rate {
        let mut clusters: BTreeMap<u32, Cluster> = BTreeMap::new();
        let mut add = |person: u32, error: bool| {
            let cluster = clusters.entry(person).or_default();
            cluster.trials += 1;
            cluster.errors += u64::from(error);
        };
        if mated {
            self.mated().for_each(|(search, outcome)| add(search.person, missed(&outcome, threshold)));
        } else {
            self.non_mated().for_each(|(search, outcome)| add(search.person, alarmed(&outcome, threshold)));
        }
        let clusters: Vec<Cluster> = clusters.into_values().collect();
        let of = clusters.iter().map(|cluster| cluster.trials).sum();
        let rate = Rate::with(settings.interval, count, of, settings.confidence);
        // Samples of nothing but right decisions, or nothing but errors, are all alike: they bound nothing.
        let certain = count == 0 || count == of;
        if certain || clusters.iter().all(|cluster| cluster.trials < 2) {
            return rate;
        }
        Rate { bootstrap: bootstrap(&clusters, settings.replicates, settings.confidence, seed), ..rate }
    }

    fn cells(&self, chosen: &[f64]) -> Result<Vec<CellTable>, NotFinite> {
        let step = chosen.len().div_ceil(CELL_ROWS).max(1);
        // From the strict end: that is where operating points lie.
        let mut few: Vec<f64> = chosen.iter().rev().step_by(step).copied().collect();
        few.reverse();
        let mut tables = Vec::new();
        for by in subsets(self.groups.attributes()) {
            let mut members: BTreeMap<Vec<String>, (Vec<MatedSearch>, Vec<NonMatedSearch>)> = BTreeMap::new();
            for (search, outcome) in self.mated() {
                if let Some(values) = self.groups.values(search.person, &by) {
                    members.entry(values).or_default().0.push(outcome);
                }
            }
            for (search, outcome) in self.non_mated() {
                if let Some(values) = self.groups.values(search.person, &by) {
                    members.entry(values).or_default().1.push(outcome);
                }
            }
            for (values, (mated, non_mated)) in members {
                let cell = Searches::new(mated, &non_mated)?;
                let rows = few.iter().map(|&threshold| CellRow {
                    threshold,
                    non_mated_with_candidate: cell.false_positives(threshold),
                    mated_missed: cell.misses(None, Some(threshold)),
                });
                tables.push(CellTable {
                    by: by.iter().map(|&at| self.groups.attributes()[at].clone()).collect(),
                    values,
                    mated_searches: cell.mated(),
                    non_mated_searches: cell.non_mated(),
                    rows: rows.collect(),
                });
            }
        }
        Ok(tables)
    }

    /// Errors and trials of each group at a threshold: `mated` for misses, otherwise for false positives.
    #[must_use]
    pub fn by_group(&self, by: &[usize], threshold: f64, mated: bool) -> Vec<(Vec<String>, u64, u64)> {
        let mut groups: BTreeMap<Vec<String>, (u64, u64)> = BTreeMap::new();
        let mut add = |person: u32, error: bool| {
            if let Some(values) = self.groups.values(person, by) {
                let (errors, trials) = groups.entry(values).or_default();
                *errors += u64::from(error);
                *trials += 1;
            }
        };
        if mated {
            self.mated().for_each(|(search, outcome)| add(search.person, missed(&outcome, threshold)));
        } else {
            self.non_mated().for_each(|(search, outcome)| add(search.person, alarmed(&outcome, threshold)));
        }
        groups.into_iter().map(|(values, (errors, trials))| (values, errors, trials)).collect()
    }
}

fn missed(search: &MatedSearch, threshold: f64) -> bool {
    search.mate.is_none_or(|(_, score)| score < threshold)
}

fn alarmed(search: &NonMatedSearch, threshold: f64) -> bool {
    search.scores.iter().any(|&score| score >= threshold)
}
