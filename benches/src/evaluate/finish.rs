//! The last steps of every run: metrics, report, circumstances, seal.

use std::path::PathBuf;
use std::time::Instant;

use sha2::{Digest as _, Sha256};

use super::description::Description;
use super::groups::subsets;
use super::one_to_many::OneToMany;
use super::one_to_one::OneToOne;
use super::output::Output;
use super::record::{
    ComparisonsRecord, Counts, Dataset, Demographic, Distribution, GallerySize, Kind, Metrics, PackRecord,
    QualityCurve, SCHEMA, SearchesRecord, Tool,
};
use crate::machine::Circumstances;
use crate::metrics::differential;

/// Bins of a distribution.
const BINS: usize = 80;

/// What a run found, before it is written.
pub struct Found {
    /// What was run.
    pub kind: Kind,
    /// On what.
    pub dataset: Dataset,
    /// With which algorithm.
    pub pack: Option<PackRecord>,
    /// Images and failures.
    pub counts: Counts,
    /// One-to-one.
    pub comparisons: Option<ComparisonsRecord>,
    /// One-to-many.
    pub searches: Option<SearchesRecord>,
    /// Differences between groups.
    pub demographics: Vec<Demographic>,
    /// Error versus discard.
    pub quality: Vec<QualityCurve>,
    /// Scores in bins.
    pub distribution: Option<Distribution>,
    /// SHA-256 of `scores.csv`.
    pub scores_digest: String,
    /// Steps of the run and their seconds, for the circumstances.
    pub steps: Vec<(String, f64)>,
}

/// Writes everything and seals the folder. Returns it with the metrics.
///
/// # Errors
/// When a file cannot be written.
pub fn finish(
    output: Output,
    description: &Description,
    mut circumstances: Circumstances,
    found: Found,
) -> anyhow::Result<(PathBuf, Metrics)> {
    let settings = description.settings_text()?;
    let mut sha = Sha256::new();
    sha.update(b"likeness-run-1\0");
    let pack_digest = found.pack.as_ref().map_or("", |pack| pack.digest.as_str());
    for part in [settings.as_str(), &found.dataset.digest, pack_digest, &found.scores_digest] {
        sha.update((part.len() as u64).to_le_bytes());
        sha.update(part.as_bytes());
    }
    let metrics = Metrics {
        schema: SCHEMA.to_owned(),
        tool: Tool { name: "likeness-bench".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        kind: found.kind,
        seed: description.seed,
        run_digest: hex::encode(sha.finalize()),
        dataset: found.dataset,
        pack: found.pack,
        confidence: description.evaluation.confidence,
        minimum_events: description.evaluation.minimum_events,
        counts: found.counts,
        comparisons: found.comparisons,
        searches: found.searches,
        demographics: found.demographics,
        quality: found.quality,
        distribution: found.distribution,
    };
    let mut text = serde_json::to_vec_pretty(&metrics)?;
    text.push(b'\n');
    output.write("metrics.json", &text)?;
    let began = Instant::now();
    // From the text that was written, not from what is in memory: the report is a function of `metrics.json`.
    let page = crate::report::page(&serde_json::from_slice(&text)?, &hex::encode(Sha256::digest(&text)))?;
    output.write("report.html", page.as_bytes())?;
    output.write("run.toml", description.to_toml()?.as_bytes())?;
    circumstances.end();
    let mut steps = found.steps;
    steps.push(("report".to_owned(), began.elapsed().as_secs_f64()));
    let around = serde_json::json!({
        "circumstances": circumstances,
        "resumed": output.resumed,
        "seconds_per_step": steps,
        "peak_memory_mib": crate::machine::peak_memory_mib(),
    });
    output.write("circumstances.json", (serde_json::to_string_pretty(&around)? + "\n").as_bytes())?;
    Ok((output.seal()?, metrics))
}

/// Differences between groups at each threshold, given with the reason for it: one-to-one.
#[must_use]
pub fn one_to_one_demographics(
    run: &OneToOne,
    description: &Description,
    thresholds: &[(f64, String)],
) -> Vec<Demographic> {
    demographics(run.groups.attributes(), description, thresholds, |by, at, mated| {
        run.by_group(by, at, mated)
    })
}

/// Differences between groups at each threshold: one-to-many.
#[must_use]
pub fn one_to_many_demographics(
    run: &OneToMany<'_>,
    description: &Description,
    thresholds: &[(f64, String)],
) -> Vec<Demographic> {
    demographics(run.groups.attributes(), description, thresholds, |by, at, mated| {
        run.by_group(by, at, mated)
    })
}

fn demographics(
    attributes: &[String],
    description: &Description,
    thresholds: &[(f64, String)],
    groups: impl Fn(&[usize], f64, bool) -> Vec<(Vec<String>, u64, u64)>,
) -> Vec<Demographic> {
    let mut found = Vec::new();
    for (threshold, why) in thresholds {
        for by in subsets(attributes) {
            let names: Vec<String> = by.iter().map(|&at| attributes[at].clone()).collect();
            for (measure, mated) in [("false_positive", false), ("false_negative", true)] {
                let counted = groups(&by, *threshold, mated);
                if counted.is_empty() {
                    continue;
                }
                let settings = &description.evaluation;
                found.push(Demographic {
                    measure: measure.to_owned(),
                    threshold: *threshold,
                    why: why.clone(),
                    differential: differential(&names, &counted, settings.minimum_cell, settings.confidence),
                });
            }
        }
    }
    found
}

/// Thresholds at which groups are compared: the supported operating points, else those that were asked for.
#[must_use]
pub fn operational(record: &ComparisonsRecord) -> Vec<(f64, String)> {
    let points = record
        .operating_points
        .iter()
        .filter_map(|point| Some((point.threshold?, format!("FMR {} over all", point.target_fmr?))));
    let at = record.at.iter().map(|at| (at.threshold, at.why.clone()));
    at.chain(points).collect()
}

/// The same for searches.
#[must_use]
pub fn operational_searches(size: &GallerySize) -> Vec<(f64, String)> {
    let points = size
        .operating_points
        .iter()
        .filter_map(|point| Some((point.threshold?, format!("FPIR {} over all", point.target_fpir?))));
    points.collect()
}

/// Scores in bins. `None` without scores.
#[must_use]
pub fn distribution(of: &str, mated: &[f64], non_mated: &[f64]) -> Option<Distribution> {
    let all = || mated.iter().chain(non_mated).copied();
    let (low, high) = (all().reduce(f64::min)?, all().reduce(f64::max)?);
    // Scores that hardly differ are one bin: finer ones would be below what numbers of their size can tell apart.
    let least = 1e-9_f64.max(low.abs().max(high.abs()) * 1e-9);
    let width = if high - low > least { (high - low) / BINS as f64 } else { 1.0 };
    let count = |scores: &[f64]| {
        let mut bins = vec![0_u64; BINS];
        for score in scores {
            bins[(((score - low) / width) as usize).min(BINS - 1)] += 1;
        }
        bins
    };
    Some(Distribution {
        of: of.to_owned(),
        low,
        high: low + width * BINS as f64,
        mated: count(mated),
        non_mated: count(non_mated),
    })
}
