//! `likeness-bench score`: metrics from scores that somebody else made.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use likeness_datasets::scores::{ScoreFile, read_scores};

use super::algorithm::pack_record;
use super::description::{Description, Score, SearchesIn};
use super::finish::{
    Found, distribution, finish, one_to_many_demographics, one_to_one_demographics, operational,
    operational_searches,
};
use super::groups::Groups;
use super::one_to_many::{Candidate, OneToMany, Search, TIE_RULE};
use super::one_to_one::{OneToOne, Scored};
use super::output::{Output, file_digest};
use super::progress;
use super::raw_scores::{RawScores, ScoreRow};
use super::record::{Counts, Dataset, Kind, Metrics, Part, SearchesRecord};
use super::settings::Settings;
use crate::machine::Circumstances;

/// Reads the scores, computes, writes the folder.
///
/// # Errors
/// When the file is not what it should be, or the folder cannot be written.
pub fn run(description: &Description, asked: &Score, out: &Path) -> anyhow::Result<Metrics> {
    let circumstances = Circumstances::now(description.seed);
    let output = Output::open(out, &description.to_toml()?)?;
    let began = Instant::now();
    let bar = progress::counter("reading scores");
    let file = read_scores(&asked.scores, || bar.inc(1))?;
    bar.finish_and_clear();
    check_labels(&file)?;
    let mut steps = vec![("read".to_owned(), began.elapsed().as_secs_f64())];

    let began = Instant::now();
    let one_to_one = comparisons(&file);
    let settings = &description.evaluation;
    let record = one_to_one.record(settings, description.seed, None)?;
    let mut demographics = one_to_one_demographics(&one_to_one, description, &operational(&record));
    let all = one_to_one.comparisons()?;
    let distribution = distribution("comparisons", all.mated(), all.non_mated());
    let searches = match searches(&file, asked) {
        None => None,
        Some(found) => {
            let run = found.at_full_size();
            // Every comparison is known, so the list is as long as the gallery.
            let whole = Settings { list_length: run.subjects, ..settings.clone() };
            let size = run.record(&whole, description.seed)?;
            demographics.extend(one_to_many_demographics(&run, description, &operational_searches(&size)));
            Some(SearchesRecord {
                list_length: whole.list_length,
                gallery: "consolidated".to_owned(),
                tie_rule: TIE_RULE.to_owned(),
                sizes: vec![size],
            })
        }
    };
    steps.push(("metrics".to_owned(), began.elapsed().as_secs_f64()));

    let began = Instant::now();
    let mut raw = RawScores::create(output.folder())?;
    for row in &file.rows {
        raw.push(&ScoreRow {
            probe: &file.probes.names[row.probe as usize],
            reference: Some(&file.references.names[row.reference as usize]),
            mated: Some(row.mated),
            score: row.score,
            ..ScoreRow::default()
        })?;
    }
    let scores_digest = raw.finish()?;
    steps.push(("write scores".to_owned(), began.elapsed().as_secs_f64()));
    let pack = description.pack.as_deref().map(pack_record).transpose()?;
    let found = Found {
        kind: Kind::Score,
        dataset: Dataset {
            name: description.dataset_name(),
            digest: file_digest(&asked.scores)?,
            files: 1,
            synthetic: description.synthetic,
        },
        pack,
        counts: counts(&file),
        comparisons: Some(record),
        searches,
        demographics,
        quality: Vec::new(),
        distribution,
        scores_digest,
        steps,
    };
    let (folder, metrics) = finish(output, description, circumstances, found)?;
    progress::done(&folder);
    Ok(metrics)
}

/// Refuses a pair that is called mated in one row and not mated in another: one of the rows is wrong.
fn check_labels(file: &ScoreFile) -> anyhow::Result<()> {
    let mut pairs: Vec<(u32, u32, bool)> =
        file.rows.iter().map(|row| (row.probe, row.reference, row.mated)).collect();
    pairs.sort_unstable();
    let both =
        pairs.windows(2).find(|two| (two[0].0, two[0].1) == (two[1].0, two[1].1) && two[0].2 != two[1].2);
    match both {
        None => Ok(()),
        Some(two) => anyhow::bail!(
            "probe `{}` and reference `{}` are mated in one row and not mated in another; correct the labels",
            file.probes.names[two[0].0 as usize],
            file.references.names[two[0].1 as usize]
        ),
    }
}

fn counts(file: &ScoreFile) -> Counts {
    let side = |names: &[String], of: &[u32]| Part {
        images: names.len() as u64,
        subjects: of.iter().collect::<BTreeSet<_>>().len() as u64,
        ..Part::default()
    };
    Counts {
        references: Some(side(&file.references.names, &file.references.subjects)),
        mated_probes: Some(side(&file.probes.names, &file.probes.subjects)),
        non_mated_probes: None,
        refusals: BTreeMap::new(),
    }
}

/// The rows as comparisons. Numbers of references follow those of the probes, so that both can be labelled.
fn comparisons(file: &ScoreFile) -> OneToOne {
    let mut groups = Groups::new(file.attributes.clone());
    let mut run = OneToOne::default();
    // A subject with several probes is one cluster; without subjects every probe is.
    let clusters = file.subjects.len() as u32;
    let offset = clusters + file.probes.names.len() as u32;
    let cluster = |probe: u32| file.probes.subjects.get(probe as usize).copied().unwrap_or(clusters + probe);
    for (number, labels) in (0..).zip(&file.probes.labels) {
        groups.label(cluster(number), labels);
    }
    for (number, labels) in (0..).zip(&file.references.labels) {
        groups.label(offset + number, labels);
    }
    for row in &file.rows {
        match (row.score, row.mated) {
            (Some(score), mated) => run.scored.push(Scored {
                probe: cluster(row.probe),
                reference: offset + row.reference,
                mated,
                score,
                fold: 0,
            }),
            (None, true) => run.mated_failed += 1,
            (None, false) => run.non_mated_failed += 1,
        }
    }
    run.groups = groups;
    run
}

/// Searches that the rows make up.
struct FromRows {
    subjects: u32,
    references: u64,
    searches: Vec<Search>,
    groups: Groups,
}

impl FromRows {
    fn at_full_size(&self) -> OneToMany<'_> {
        OneToMany {
            subjects: self.subjects,
            references: self.references,
            subjects_failed: 0,
            searches: &self.searches,
            groups: &self.groups,
        }
    }
}

/// Whether every probe was compared with every reference, itself excepted.
fn complete(file: &ScoreFile) -> bool {
    let (probes, references) = (file.probes.names.len(), file.references.names.len());
    // Cheap before exact: too few rows can never be all.
    if references < 2 || file.rows.len() + probes < probes * references {
        return false;
    }
    let mut pairs: Vec<(u32, u32)> = file.rows.iter().map(|row| (row.probe, row.reference)).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let known: BTreeSet<&str> = file.references.names.iter().map(String::as_str).collect();
    pairs.chunk_by(|one, other| one.0 == other.0).all(|of| {
        let own = usize::from(known.contains(file.probes.names[of[0].0 as usize].as_str()));
        of.len() == references || of.len() + own == references
    })
}

fn searches(file: &ScoreFile, asked: &Score) -> Option<FromRows> {
    if asked.searches == SearchesIn::None || !complete(file) {
        return None;
    }
    // Without subjects each reference is its own, and mates are told by the column alone: all mated references of a
    // probe then count as one subject.
    let mut number_of = BTreeMap::new();
    let mut of_reference = |reference: u32| {
        let subject = file.references.subjects.get(reference as usize).copied().unwrap_or(reference);
        let next = number_of.len() as u32;
        *number_of.entry(subject).or_insert(next)
    };
    let mut groups = Groups::new(file.attributes.clone());
    let mut found: Vec<Search> = (0..)
        .zip(&file.probes.names)
        .map(|(number, _)| Search {
            person: file.probes.subjects.get(number as usize).copied().unwrap_or(number),
            ..Search::default()
        })
        .collect();
    for (number, labels) in file.probes.labels.iter().enumerate() {
        groups.label(found[number].person, labels);
    }
    let mut rows: Vec<Vec<Candidate>> = vec![Vec::new(); found.len()];
    for row in &file.rows {
        let search = &mut found[row.probe as usize];
        let mut subject = of_reference(row.reference);
        if row.mated {
            subject = *search.mate.get_or_insert(subject);
        }
        if let Some(score) = row.score {
            search.acquired = true;
            rows[row.probe as usize].push(Candidate { subject, score });
        }
    }
    for (search, mut candidates) in found.iter_mut().zip(rows) {
        // The best row of each subject, then the best subjects; the whole list is kept, whatever its length.
        candidates.sort_by(|a, b| a.subject.cmp(&b.subject).then(b.score.total_cmp(&a.score)));
        candidates.dedup_by_key(|candidate| candidate.subject);
        candidates.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.subject.cmp(&b.subject)));
        search.candidates = candidates;
    }
    Some(FromRows {
        subjects: number_of.len() as u32,
        references: file.references.names.len() as u64,
        searches: found,
        groups,
    })
}
