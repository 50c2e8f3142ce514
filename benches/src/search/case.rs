//! One size of pool: everybody is built of the same templates, and takes turns.

use std::path::PathBuf;

use anyhow::Context as _;
use likeness_matcher::embed::Embedding;
use likeness_models::Metric;
use serde::{Deserialize, Serialize};

use super::Measure;
use super::contestants::{self, Built, Contestant};
use super::memory::Memory;
use super::oracle::{Oracle, Right};
use super::ours::{Batch, Ours};
use super::turns::{Cell, Turns};
use super::writes::{self, Removal};
use crate::gallery::{Gallery, embedding, space, subjects};

/// Probes: half of them mated.
pub(super) const PROBES: u64 = 256;

/// What one process measures.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Job {
    pub(super) rows: u64,
    pub(super) dimension: usize,
    pub(super) seed: u64,
    pub(super) tier: super::TierChoice,
    pub(super) folder: PathBuf,
    pub(super) measure: Measure,
}

/// What came out.
#[derive(Debug, Deserialize, Serialize)]
pub struct Case {
    /// Templates.
    pub rows: u64,
    /// Whose they are.
    pub subjects: u64,
    /// Values per template.
    pub dimension: usize,
    /// How they compare.
    pub metric: Metric,
    /// Length of the list.
    pub limit: usize,
    /// Where our full-precision templates lie.
    pub tier: String,
    /// Instructions of our kernel.
    pub kernel: String,
    /// Compiler flags of FAISS.
    pub faiss_flags: String,
    /// How memory was read.
    pub read_way: String,
    /// How much of it: as much as our codes take.
    pub read_bytes: usize,
    /// Everybody, ourselves first, the limit second.
    pub contestants: Vec<Entry>,
    /// Who was left out, and why.
    pub left_out: Vec<String>,
    /// Our answers that were compared with the right ones.
    pub compared: usize,
    /// Those that differed.
    pub differences: usize,
    /// Rows looked at in full precision per mated probe, and per probe that is not.
    pub scored: [f64; 2],
    /// Mated probes whose subject leads the list.
    pub mated_first: f64,
}

/// One contestant.
#[derive(Debug, Deserialize, Serialize)]
pub struct Entry {
    /// Name.
    pub name: String,
    /// Seconds that the insertions took; training included.
    pub build_seconds: f64,
    /// Resident memory that the insertions added, per template.
    pub bytes_per_template: f64,
    /// Times.
    pub cells: Vec<Cell>,
    /// Share of the right rows that are in its list: of the first 10 and 50, for mated probes and others. Not for ours,
    /// whose every answer is compared.
    pub recall: Option<[f64; 4]>,
    /// How fast it forgets.
    pub removal: Option<Removal>,
}

/// Measures.
pub(super) fn measure(job: &Job) -> anyhow::Result<Case> {
    let gallery = Gallery::new(job.seed, job.dimension);
    let space = space()?;
    let made = gallery.probes(0..PROBES, job.rows);
    let mates: Vec<Option<u64>> = made.iter().map(|(_, mate)| *mate).collect();
    let probes: Vec<Embedding> =
        made.into_iter().map(|(values, _)| embedding(space, values)).collect::<Result<_, _>>()?;

    let (tier, mut left_out) = contestants::choose_tier(job)?;
    let (rivals, others) = contestants::choose(job, gallery.metric(), tier)?;
    left_out.extend(others);
    // Before anybody is built: the limit gets the best pages that the system has.
    let memory = Memory::of(job.rows * job.dimension as u64);
    let mut ours = Ours::new(&gallery, tier, &job.folder)?;
    let (built, right, rivals) = build(job, &gallery, &probes, &ours, rivals)?;
    let kernel = ours.index()?.kernel();
    eprintln!("search: measuring");

    let mut turns = Turns::new(&probes, &right, job.dimension, &job.measure);
    turns.run(&mut ours, &memory, &rivals)?;
    let mut entries = vec![
        Entry {
            name: contestants::OURS.to_owned(),
            build_seconds: built[0].took.as_secs_f64(),
            bytes_per_template: built[0].bytes as f64 / job.rows as f64,
            cells: turns.take_cells(0),
            recall: None,
            removal: Some(writes::of_ours(&ours, job.rows)?),
        },
        Entry {
            name: contestants::LIMIT.to_owned(),
            build_seconds: 0.0,
            bytes_per_template: job.dimension as f64,
            cells: turns.take_cells(1),
            recall: None,
            removal: None,
        },
    ];
    for (at, mut contestant) in rivals.into_iter().enumerate() {
        entries.push(Entry {
            build_seconds: built[at + 1].took.as_secs_f64(),
            bytes_per_template: built[at + 1].bytes as f64 / job.rows as f64,
            cells: turns.take_cells(at + 2),
            recall: Some(recall(&contestant, &probes, &right, job)?),
            removal: Some(writes::of_rival(&mut *contestant.rival, job.rows)?),
            name: contestant.name,
        });
    }
    let wanted: Vec<usize> = (0..probes.len()).filter(|&at| mates[at].is_some()).collect();
    let first = wanted
        .iter()
        .filter(|&&at| {
            right[at].hits.as_ref().and_then(|hits| hits.first()).map(|hit| hit.subject.0) == mates[at]
        })
        .count();
    Ok(Case {
        rows: job.rows,
        subjects: subjects(job.rows),
        dimension: job.dimension,
        metric: gallery.metric(),
        limit: job.measure.limit,
        tier: tier.name().to_owned(),
        kernel,
        faiss_flags: contestants::FAISS_FLAGS.unwrap_or("not known").to_owned(),
        read_way: memory.way.to_string(),
        read_bytes: memory.bytes(),
        contestants: entries,
        left_out,
        compared: turns.compared,
        differences: turns.differences,
        scored: turns.scored(),
        mated_first: first as f64 / wanted.len() as f64,
    })
}

/// Everybody gets the same blocks, one after the other; each one's time and growth of memory are added up. The right
/// answers are found on the way.
fn build(
    job: &Job,
    gallery: &Gallery,
    probes: &[Embedding],
    ours: &Ours,
    mut rivals: Vec<Contestant>,
) -> anyhow::Result<(Vec<Built>, Vec<Right>, Vec<Contestant>)> {
    let index = ours.index()?;
    let mut built = vec![Built::default(); rivals.len() + 1];
    let mut oracle = Oracle::new(gallery, probes);
    gallery.each_block(0..job.rows, |first, references| {
        if first % 1_000_000 == 0 {
            eprintln!("search: {first} of {} x {} built", job.rows, job.dimension);
        }
        oracle.look_at(first, references)?;
        let batch = Batch::of(first, references)?;
        built[0].add(|| batch.insert(index))?;
        let values: Vec<f32> = references.iter().flat_map(|reference| &reference.values).copied().collect();
        for (built, contestant) in built[1..].iter_mut().zip(&mut rivals) {
            if first == 0 {
                built.add(|| contestant.rival.train(&values))?;
            }
            built.add(|| contestant.rival.add(first, &values))?;
        }
        Ok(())
    })?;
    Ok((built, oracle.answers(job.measure.limit), rivals))
}

fn recall(
    contestant: &Contestant,
    probes: &[Embedding],
    right: &[Right],
    job: &Job,
) -> anyhow::Result<[f64; 4]> {
    // Every rival answered some probes already; here each answers the same 64.
    let mut shares = [const { Vec::<f64>::new() }; 4];
    for (at, probe) in probes.iter().enumerate().take(64) {
        let found = contestant.rival.search(probe.values(), job.measure.limit)?.pop().context("no answer")?;
        for (place, length) in [10, 50].into_iter().enumerate() {
            shares[at % 2 * 2 + place].push(right[at].recall(&found, length));
        }
    }
    Ok(shares.map(|shares| shares.iter().sum::<f64>() / shares.len().max(1) as f64))
}
