//! `metrics.json`: what a run found, for programs. Every rate comes with the counts it is made of.
//!
//! Fields may be added under the same schema name; none changes its meaning.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::metrics::{Differential, DiscardPoint, Folds, Rate};

/// The schema that this program writes and reads.
pub const SCHEMA: &str = "likeness-metrics-1";

/// The whole file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// [`SCHEMA`].
    pub schema: String,
    /// What made the file.
    pub tool: Tool,
    /// What was run.
    pub kind: Kind,
    /// Seed of everything random.
    pub seed: u64,
    /// SHA-256 over the settings and the digests of data set, pack and raw scores: what was measured, in 64 digits.
    pub run_digest: String,
    /// On what.
    pub dataset: Dataset,
    /// With which algorithm. Absent for score files without one.
    pub pack: Option<PackRecord>,
    /// Coverage of every interval: 0.95.
    pub confidence: f64,
    /// An operating point at rate f is printed only with at least `minimum_events / f` trials.
    pub minimum_events: u64,
    /// Images, and failures to make a template of one.
    pub counts: Counts,
    /// One-to-one.
    pub comparisons: Option<ComparisonsRecord>,
    /// One-to-many.
    pub searches: Option<SearchesRecord>,
    /// Differences between groups, at the thresholds of operation.
    pub demographics: Vec<Demographic>,
    /// Miss rate when the images of lowest quality are set aside.
    pub quality: Vec<QualityCurve>,
    /// Scores in bins.
    pub distribution: Option<Distribution>,
}

/// Program and version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// `likeness-bench`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// What was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Images against images, one to one.
    Verify,
    /// Probes against a gallery.
    Identify,
    /// Scores that somebody else made.
    Score,
}

/// On what was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dataset {
    /// Its name: for people; says nothing about its place.
    pub name: String,
    /// SHA-256 over every file's label and digest.
    pub digest: String,
    /// Files in it.
    pub files: u64,
    /// True when it was made by a generator: such rates say nothing about people.
    pub synthetic: bool,
}

/// With which algorithm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackRecord {
    /// Name of the pack, or of the external matcher.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Space of its embeddings. Absent for an external matcher.
    pub space_id: Option<String>,
    /// SHA-256 of the manifest, which holds the digests of all models; of an external matcher: of its program file.
    pub digest: String,
    /// How embeddings compare: `euclidean` or `cosine`. Absent for an external matcher.
    pub metric: Option<String>,
}

/// What was given, and what could not be used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Gallery; for pairs and score files: images on the reference side.
    pub references: Option<Part>,
    /// Probes of people in the gallery; for pairs and score files: images on the probe side.
    pub mated_probes: Option<Part>,
    /// Probes of people not in the gallery.
    pub non_mated_probes: Option<Part>,
    /// Images by the code of their refusal.
    pub refusals: BTreeMap<String, u64>,
}

/// One part of the data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Images.
    pub images: u64,
    /// People; 0 where the data do not tell.
    pub subjects: u64,
    /// Images without a template: failures to acquire.
    pub images_failed: u64,
    /// People without any template: failures to enrol.
    pub subjects_failed: u64,
}

/// One-to-one results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparisonsRecord {
    /// Mated comparisons that gave a score.
    pub mated: u64,
    /// Non-mated comparisons that gave a score.
    pub non_mated: u64,
    /// Mated comparisons without a score, because an image gave no template.
    pub mated_failed: u64,
    /// The same, non-mated.
    pub non_mated_failed: u64,
    /// Ascending by threshold.
    pub rows: Vec<ComparisonRow>,
    /// FNMR at target FMRs.
    pub operating_points: Vec<OperatingPoint>,
    /// At thresholds that were asked for, the pack's own among them.
    pub at: Vec<ComparisonsAt>,
    /// Cross validation, where the protocol has folds.
    #[serde(default)]
    pub folds: Option<Folds>,
    /// Groups: mated comparisons by the probe's group, non-mated ones within a group only.
    pub cells: Vec<CellTable>,
}

/// Counts at one threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparisonRow {
    /// `score >= threshold` counts as at or above.
    pub threshold: f64,
    /// False matches.
    pub non_mated_at_or_above: u64,
    /// False non-matches.
    pub mated_below: u64,
}

/// Rates at one threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparisonsAt {
    /// The threshold.
    pub threshold: f64,
    /// Why this one.
    pub why: String,
    /// False match rate.
    pub fmr: Rate,
    /// False non-match rate.
    pub fnmr: Rate,
    /// False accept rate: failures to acquire included.
    pub far: Rate,
    /// False reject rate: failures to acquire included.
    pub frr: Rate,
}

/// One-to-many results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchesRecord {
    /// Candidates per search.
    pub list_length: u32,
    /// `consolidated`: one best reference per subject; N counts subjects.
    pub gallery: String,
    /// What happens when scores are equal.
    pub tie_rule: String,
    /// One per gallery size, ascending; the last is the whole gallery.
    pub sizes: Vec<GallerySize>,
}

/// One gallery size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GallerySize {
    /// N: people, those that failed to enrol included.
    pub subjects: u64,
    /// Images enrolled.
    pub references: u64,
    /// People without a template.
    pub subjects_failed: u64,
    /// Mated searches: probes whose mate is among the N.
    pub mated_searches: u64,
    /// Non-mated searches.
    pub non_mated_searches: u64,
    /// Ascending by threshold.
    pub rows: Vec<SearchRow>,
    /// Investigation mode, no threshold.
    pub cmc: Vec<CmcPoint>,
    /// FNIR at target FPIRs.
    pub operating_points: Vec<OperatingPoint>,
    /// Groups of the probe's subject.
    pub cells: Vec<CellTable>,
}

/// Counts at one threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchRow {
    /// `score >= threshold` counts as at or above.
    pub threshold: f64,
    /// Non-mated searches with a candidate at or above.
    pub non_mated_with_candidate: u64,
    /// Candidates at or above, over all non-mated searches.
    pub candidates: u64,
    /// Mated searches whose mate is not in the list, or below.
    pub mated_missed: u64,
}

/// Misses at one list length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CmcPoint {
    /// Length of the list that is looked at.
    pub rank: u32,
    /// Mated searches whose mate is not in it.
    pub missed: u64,
    /// FNIR(N, rank, no threshold).
    pub fnir: Rate,
}

/// A target for errors on strangers, and what it costs on mates; or why it cannot be stated.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OperatingPoint {
    /// Target FMR, one-to-one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub target_fmr: Option<f64>,
    /// Target FPIR, one-to-many.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub target_fpir: Option<f64>,
    /// False: too few trials; then only `have`, `needed` and `reason` follow.
    pub supported: bool,
    /// Threshold.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub threshold: Option<f64>,
    /// Measured FMR at the threshold: at most the target.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fmr: Option<Rate>,
    /// FNMR at the threshold.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fnmr: Option<Rate>,
    /// Measured FPIR at the threshold: at most the target.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fpir: Option<Rate>,
    /// FNIR at the threshold, whole list.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fnir: Option<Rate>,
    /// Candidates per non-mated search at the threshold.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub selectivity: Option<f64>,
    /// Scores equal to the k-th largest.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tied: Option<u64>,
    /// Trials there are.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub have: Option<u64>,
    /// Trials there would have to be.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub needed: Option<u64>,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
}

/// One demographic group and its counts by threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellTable {
    /// Attributes that make the group.
    pub by: Vec<String>,
    /// Their values.
    pub values: Vec<String>,
    /// Mated searches or comparisons.
    pub mated_searches: u64,
    /// Non-mated searches or comparisons.
    pub non_mated_searches: u64,
    /// Ascending by threshold; the same thresholds for every group.
    pub rows: Vec<CellRow>,
}

/// Counts of one group at one threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellRow {
    /// The threshold.
    pub threshold: f64,
    /// False positives.
    pub non_mated_with_candidate: u64,
    /// False negatives.
    pub mated_missed: u64,
}

/// How groups differ at one threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Demographic {
    /// `false_positive` (FMR or FPIR) or `false_negative` (FNMR or FNIR).
    pub measure: String,
    /// The threshold: one for all groups.
    pub threshold: f64,
    /// Why this one.
    pub why: String,
    /// Groups and summary measures.
    pub differential: Differential,
}

/// Miss rate when images of low quality are set aside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QualityCurve {
    /// Quality component; `lowest` is the lowest of all.
    pub component: String,
    /// Threshold of the miss rate.
    pub threshold: f64,
    /// Why this one.
    pub why: String,
    /// Points, by share set aside.
    pub points: Vec<DiscardPoint>,
}

/// Scores in bins of equal width.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// What `non_mated` counts: comparisons, or the best candidates of searches.
    pub of: String,
    /// Lower end of the first bin.
    pub low: f64,
    /// Upper end of the last bin.
    pub high: f64,
    /// Mated scores per bin.
    pub mated: Vec<u64>,
    /// Non-mated scores per bin.
    pub non_mated: Vec<u64>,
}
