//! `likeness-bench verify`: one-to-one, from pairs of images.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use likeness_datasets::protocol::{Protocol, Side, Trial, read_protocol};
use rayon::prelude::*;

use super::algorithm::{self, Algorithm, Role};
use super::description::{Description, Verify};
use super::extract::{Extracted, dataset_digest, extract};
use super::finish::{Found, distribution, finish, one_to_one_demographics, operational};
use super::groups::Groups;
use super::labels::Labels;
use super::one_to_one::{OneToOne, Scored};
use super::output::Output;
use super::raw_scores::{RawScores, ScoreRow};
use super::record::{Counts, Dataset, Kind, Metrics, Part, QualityCurve};
use super::{progress, quality_curves};
use crate::machine::Circumstances;

/// Runs a one-to-one evaluation.
///
/// # Errors
/// When the data set is not what it should be, the algorithm fails, or the folder cannot be written.
pub fn run(description: &Description, asked: &Verify, out: &Path) -> anyhow::Result<Metrics> {
    let circumstances = Circumstances::now(description.seed);
    let output = Output::open(out, &description.to_toml()?)?;
    let protocol = read_protocol(&asked.pairs, asked.images.as_deref(), asked.layout)?;
    let algorithm = algorithm::open(description)?;
    let began = Instant::now();
    let extracted =
        extract(algorithm.as_ref(), &protocol.images, Role::Reference, "templates", &output.work())?;
    let mut steps = vec![("templates".to_owned(), began.elapsed().as_secs_f64())];

    let began = Instant::now();
    let outcomes = compare(algorithm.as_ref(), &protocol, &extracted)?;
    steps.push(("comparisons".to_owned(), began.elapsed().as_secs_f64()));
    let run = gather(description, &protocol, &outcomes)?;
    let record = run.record(&description.evaluation, description.seed, algorithm.own_threshold())?;
    let at = operational(&record);
    let all = run.comparisons()?;
    let found = Found {
        kind: Kind::Verify,
        dataset: Dataset {
            name: description.dataset_name(),
            digest: digest(&protocol, &extracted),
            files: protocol.images.len() as u64,
            synthetic: description.synthetic,
        },
        pack: Some(algorithm.record().clone()),
        counts: counts(&protocol, &extracted),
        demographics: one_to_one_demographics(&run, description, &at),
        quality: quality(algorithm.as_ref(), &protocol, &extracted, &outcomes, &at),
        distribution: distribution("comparisons", all.mated(), all.non_mated()),
        comparisons: Some(record),
        searches: None,
        scores_digest: write_scores(&output, &protocol, &extracted, &outcomes)?,
        steps,
    };
    let (folder, metrics) = finish(output, description, circumstances, found)?;
    progress::done(&folder);
    Ok(metrics)
}

/// The score of each trial: the best over the images of both sides. `None` when one side has no template.
fn compare(
    algorithm: &dyn Algorithm,
    protocol: &Protocol,
    extracted: &[Extracted],
) -> anyhow::Result<Vec<Option<f64>>> {
    let templates = |side: u32| {
        let images = &protocol.sides[side as usize].images;
        images.iter().filter_map(|&image| extracted[image as usize].made.template.as_ref().ok())
    };
    let one = |trial: &Trial| {
        let mut best: Option<f64> = None;
        for probe in templates(trial.one) {
            for reference in templates(trial.other) {
                let score = algorithm.compare(probe, reference)?;
                best = Some(best.map_or(score, |best| best.max(score)));
            }
        }
        Ok(best)
    };
    protocol.trials.par_iter().map(one).collect()
}

fn gather(
    description: &Description,
    protocol: &Protocol,
    outcomes: &[Option<f64>],
) -> anyhow::Result<OneToOne> {
    let mut run = OneToOne { groups: labels(description, protocol)?, ..OneToOne::default() };
    for (trial, outcome) in protocol.trials.iter().zip(outcomes) {
        match (outcome, trial.mated) {
            (Some(score), mated) => {
                run.scored.push(Scored {
                    probe: trial.one,
                    reference: trial.other,
                    mated,
                    score: *score,
                    fold: trial.fold,
                });
            }
            (None, true) => run.mated_failed += 1,
            (None, false) => run.non_mated_failed += 1,
        }
    }
    Ok(run)
}

/// Labels of the sides: from the file that the run names, else from the protocol itself.
fn labels(description: &Description, protocol: &Protocol) -> anyhow::Result<Groups> {
    let Some(asked) = &description.demographics else {
        let mut groups = Groups::new(protocol.attributes.clone());
        for (number, side) in (0..).zip(&protocol.sides) {
            groups.label(number, &side.labels);
        }
        return Ok(groups);
    };
    let known = Labels::read(asked)?;
    let mut groups = Groups::new(known.attributes().to_vec());
    for (number, side) in (0..).zip(&protocol.sides) {
        let names = [Some(side.name.as_str()), side.subject.as_deref()];
        if let Some(values) = names.into_iter().flatten().find_map(|name| known.of(name)) {
            groups.label(number, values);
        }
    }
    Ok(groups)
}

fn digest(protocol: &Protocol, extracted: &[Extracted]) -> String {
    let images = protocol.images.iter().map(|image| image.name.clone()).zip(extracted);
    let images = dataset_digest(images);
    // The same images in other pairs are another data set.
    let mut text = images;
    for Trial { one, other, mated, fold } in &protocol.trials {
        text.push_str(&format!("\n{one} {other} {} {fold}", u8::from(*mated)));
    }
    likeness_models::Digest::of(text.as_bytes()).to_string()
}

fn counts(protocol: &Protocol, extracted: &[Extracted]) -> Counts {
    let mut refusals = BTreeMap::new();
    for code in extracted.iter().filter_map(|image| image.made.template.as_ref().err()) {
        *refusals.entry(code.clone()).or_insert(0) += 1;
    }
    let subjects: std::collections::BTreeSet<&String> =
        protocol.sides.iter().filter_map(|side| side.subject.as_ref()).collect();
    let made =
        |side: &&Side| side.images.iter().any(|&image| extracted[image as usize].made.template.is_ok());
    Counts {
        references: Some(Part {
            images: protocol.images.len() as u64,
            subjects: subjects.len() as u64,
            images_failed: refusals.values().sum(),
            subjects_failed: protocol.sides.iter().filter(|side| !made(side)).count() as u64,
        }),
        mated_probes: None,
        non_mated_probes: None,
        refusals,
    }
}

/// Error versus discard for each quality measure, over mated comparisons of single images.
fn quality(
    algorithm: &dyn Algorithm,
    protocol: &Protocol,
    extracted: &[Extracted],
    outcomes: &[Option<f64>],
    at: &[(f64, String)],
) -> Vec<QualityCurve> {
    let of = |side: u32| match protocol.sides[side as usize].images.as_slice() {
        [image] => {
            Some(extracted[*image as usize].made.quality.as_slice()).filter(|quality| !quality.is_empty())
        }
        _ => None,
    };
    let mated = protocol.trials.iter().zip(outcomes).filter(|(trial, _)| trial.mated);
    let pairs: Vec<_> =
        mated.filter_map(|(trial, outcome)| Some((of(trial.one)?, of(trial.other)?, (*outcome)?))).collect();
    quality_curves::curves(&algorithm.quality_names(), &pairs, at)
}

fn write_scores(
    output: &Output,
    protocol: &Protocol,
    extracted: &[Extracted],
    outcomes: &[Option<f64>],
) -> anyhow::Result<String> {
    let mut raw = RawScores::create(output.folder())?;
    for (trial, outcome) in protocol.trials.iter().zip(outcomes) {
        let sides = [trial.one, trial.other].map(|side| &protocol.sides[side as usize]);
        let refusals = sides.iter().flat_map(|side| &side.images);
        let refusal =
            refusals.filter_map(|&image| extracted[image as usize].made.template.as_ref().err()).next();
        raw.push(&ScoreRow {
            probe: &sides[0].name,
            reference: Some(&sides[1].name),
            mated: Some(trial.mated),
            score: *outcome,
            rank: None,
            refusal: outcome.is_none().then_some(refusal).flatten().map(String::as_str),
        })?;
    }
    raw.finish()
}
