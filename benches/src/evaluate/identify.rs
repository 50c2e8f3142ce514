//! `likeness-bench identify`: one-to-many, open set.
//!
//! The gallery goes through memory block by block, and of each search only the best candidates are kept, so that memory
//! does not grow with probes times references. Sizes: the searches are complete for each smaller gallery on the way to
//! the whole one, so that all are measured in one pass.

mod from_images;
mod from_templates;

use std::path::Path;
use std::time::Instant;

use super::algorithm::{self, Algorithm, Templates, pack_record};
use super::description::{Description, Identify};
use super::finish::{Found, distribution, finish, one_to_many_demographics, operational_searches};
use super::gallery_plan::{Plan, sizes};
use super::one_to_many::{Candidate, OneToMany, Search, TIE_RULE};
use super::output::Output;
use super::progress;
use super::quality_curves;
use super::raw_scores::{RawScores, ScoreRow};
use super::record::{Dataset, GallerySize, Kind, Metrics, PackRecord, QualityCurve, SearchesRecord};
use crate::machine::Circumstances;

/// References that are searched among at a time.
const BLOCK: usize = 65_536;

/// What compares.
enum Searcher {
    Algorithm(Box<dyn Algorithm>),
    Templates(Templates),
}

impl Searcher {
    fn search(
        &self,
        added: &[(u32, Vec<u8>)],
        probes: &[Option<Vec<u8>>],
        limit: usize,
        done: &(dyn Fn(u64) + Sync),
    ) -> anyhow::Result<Vec<Vec<Candidate>>> {
        match self {
            Self::Algorithm(algorithm) => algorithm.search(added, probes, limit, done),
            Self::Templates(templates) => templates.search(added, probes, limit, done),
        }
    }

    fn compare(&self, probe: &[u8], reference: &[u8]) -> anyhow::Result<f64> {
        match self {
            Self::Algorithm(algorithm) => algorithm.compare(probe, reference),
            Self::Templates(templates) => templates.compare(probe, reference),
        }
    }
}

/// Runs a one-to-many evaluation.
///
/// # Errors
/// When the data set is not what it should be, the algorithm fails, or the folder cannot be written.
pub fn run(description: &Description, asked: &Identify, out: &Path) -> anyhow::Result<Metrics> {
    let circumstances = Circumstances::now(description.seed);
    let output = Output::open(out, &description.to_toml()?)?;
    let began = Instant::now();
    let (plan, searcher, pack) = prepare(description, asked, &output)?;
    let mut steps = vec![("templates".to_owned(), began.elapsed().as_secs_f64())];

    let began = Instant::now();
    let (searches, records) = search(description, &plan, &searcher)?;
    steps.push(("searches and metrics".to_owned(), began.elapsed().as_secs_f64()));
    let whole = at_size(&plan, plan.subjects.len() as u32, &searches);
    let at = records.last().map(operational_searches).unwrap_or_default();
    let counted = whole.counted()?;
    let found = Found {
        kind: Kind::Identify,
        dataset: Dataset {
            name: description.dataset_name(),
            digest: plan.digest.clone(),
            files: plan.files,
            synthetic: description.synthetic || plan.synthetic,
        },
        pack,
        counts: plan.counts.clone(),
        comparisons: None,
        demographics: one_to_many_demographics(&whole, description, &at),
        searches: Some(SearchesRecord {
            list_length: description.evaluation.list_length,
            gallery: "consolidated".to_owned(),
            tie_rule: TIE_RULE.to_owned(),
            sizes: records,
        }),
        quality: quality(&plan, &searches, &at),
        distribution: distribution(
            "the best candidate of each non-mated search",
            &mate_scores(&plan, &searcher)?,
            counted.tops(),
        ),
        scores_digest: write_scores(&output, &plan, &searches)?,
        steps,
    };
    let (folder, metrics) = finish(output, description, circumstances, found)?;
    progress::done(&folder);
    Ok(metrics)
}

fn prepare(
    description: &Description,
    asked: &Identify,
    output: &Output,
) -> anyhow::Result<(Plan, Searcher, Option<PackRecord>)> {
    if asked.gallery.extension().is_some_and(|ending| ending == "npy") {
        let (plan, templates) = from_templates::plan(description, asked)?;
        let pack = description.pack.as_deref().map(pack_record).transpose()?;
        return Ok((plan, Searcher::Templates(templates), pack));
    }
    let algorithm = algorithm::open(description)?;
    let plan = from_images::plan(description, asked, algorithm.as_ref(), output)?;
    let pack = algorithm.record().clone();
    Ok((plan, Searcher::Algorithm(algorithm), Some(pack)))
}

fn at_size<'a>(plan: &'a Plan, size: u32, searches: &'a [Search]) -> OneToMany<'a> {
    let rows = &plan.rows[..plan.rows.partition_point(|row| row.0 < size)];
    let enrolled = rows.chunk_by(|one, other| one.0 == other.0).count() as u64;
    OneToMany {
        subjects: size,
        references: rows.len() as u64,
        subjects_failed: u64::from(size) - enrolled,
        searches,
        groups: &plan.groups,
    }
}

/// Enrols block by block, searches in each, and takes the record whenever a size is complete.
fn search(
    description: &Description,
    plan: &Plan,
    searcher: &Searcher,
) -> anyhow::Result<(Vec<Search>, Vec<GallerySize>)> {
    let settings = &description.evaluation;
    let limit = settings.list_length as usize;
    let probes: Vec<Option<Vec<u8>>> = plan.probes.iter().map(|probe| probe.template.clone()).collect();
    let mut searches: Vec<Search> = plan
        .probes
        .iter()
        .map(|probe| Search {
            person: probe.person,
            mate: probe.mate,
            acquired: probe.template.is_some(),
            candidates: Vec::new(),
        })
        .collect();
    let bar = progress::bar("searching", plan.rows.len() as u64 * probes.len() as u64);
    let mut records = Vec::new();
    let mut from = 0;
    for size in sizes(plan.subjects.len() as u32, settings.smallest_gallery) {
        let to = plan.rows.partition_point(|row| row.0 < size);
        // A subject's templates may fall into two blocks; merging keeps the better one.
        for block in plan.rows[from..to].chunks(BLOCK) {
            let load = |&(subject, row): &(u32, usize)| Ok((subject, plan.store.template(row)?));
            let added: Vec<(u32, Vec<u8>)> = block.iter().map(load).collect::<anyhow::Result<_>>()?;
            let lists =
                searcher.search(&added, &probes, limit, &|probes| bar.inc(probes * block.len() as u64))?;
            for (search, list) in searches.iter_mut().zip(lists) {
                search.merge(list, limit);
            }
        }
        from = to;
        records.push(at_size(plan, size, &searches).record(settings, description.seed)?);
    }
    bar.finish_and_clear();
    Ok((searches, records))
}

/// Misses when the worst probes are set aside. A mate that was not listed counts as below every threshold.
fn quality(plan: &Plan, searches: &[Search], at: &[(f64, String)]) -> Vec<QualityCurve> {
    let mated = plan.probes.iter().zip(searches).filter_map(|(probe, search)| {
        let mate = probe.mate.filter(|_| !probe.quality.is_empty())?;
        let found = search.candidates.iter().find(|candidate| candidate.subject == mate);
        Some((
            probe.quality.as_slice(),
            probe.quality.as_slice(),
            found.map_or(f64::MIN, |found| found.score),
        ))
    });
    quality_curves::curves(&plan.quality_names, &mated.collect::<Vec<_>>(), at)
}

/// Best score of each mated probe with its mate, listed or not.
fn mate_scores(plan: &Plan, searcher: &Searcher) -> anyhow::Result<Vec<f64>> {
    let mut scores = Vec::new();
    for probe in &plan.probes {
        let (Some(mate), Some(template)) = (probe.mate, &probe.template) else { continue };
        let from = plan.rows.partition_point(|row| row.0 < mate);
        let mut best: Option<f64> = None;
        for &(_, row) in plan.rows[from..].iter().take_while(|row| row.0 == mate) {
            let score = searcher.compare(template, &plan.store.template(row)?)?;
            best = Some(best.map_or(score, |best| best.max(score)));
        }
        scores.extend(best);
    }
    Ok(scores)
}

fn write_scores(output: &Output, plan: &Plan, searches: &[Search]) -> anyhow::Result<String> {
    let mut raw = RawScores::create(output.folder())?;
    for (probe, search) in plan.probes.iter().zip(searches) {
        if search.candidates.is_empty() {
            let refusal = probe.refusal.as_deref().or(Some("no_candidates"));
            raw.push(&ScoreRow { probe: &probe.name, mated: None, refusal, ..ScoreRow::default() })?;
        }
        for (rank, candidate) in (1..).zip(&search.candidates) {
            raw.push(&ScoreRow {
                probe: &probe.name,
                reference: Some(&plan.subjects[candidate.subject as usize]),
                mated: Some(probe.mate == Some(candidate.subject)),
                score: Some(candidate.score),
                rank: Some(rank),
                refusal: None,
            })?;
        }
    }
    raw.finish()
}
