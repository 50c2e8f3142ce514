//! Is every answer of the certified index the right one? Thousands of probes, each answer compared to the last bit of
//! similarity with one that was found another way (see `search/oracle.rs`).

use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use likeness_matcher::embed::Embedding;
use likeness_models::Metric;
use serde::{Deserialize, Serialize};

use crate::gallery::{Gallery, embedding, space};
use crate::machine::Circumstances;
use crate::run::{RunOptions, report};
use crate::search::{Batch, Oracle, Ours, Tier, differences};
use crate::table::Table;
use crate::timing::timed;

/// Probes in a call.
const BATCH: usize = 256;

/// Probes that are also asked one at a time.
const SINGLE: usize = 2000;

/// What to compare.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Templates.
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// Dimensions: up to 128 are searched by Euclidean distance, more by cosine.
    #[arg(long, value_delimiter = ',', default_values_t = [128, 512])]
    dimensions: Vec<usize>,
    /// Probes, half of them mated.
    #[arg(long, default_value_t = 10_000)]
    probes: u64,
    /// Subjects asked for.
    #[arg(long, default_value_t = 50)]
    limit: usize,
}

#[derive(Deserialize, Serialize)]
struct Job {
    rows: u64,
    dimension: usize,
    probes: u64,
    limit: usize,
    threads: usize,
    seed: u64,
}

/// What came out for one size.
#[derive(Debug, Deserialize, Serialize)]
pub struct Agreement {
    /// Templates.
    pub rows: u64,
    /// Values per template.
    pub dimension: usize,
    /// How they compare.
    pub metric: Metric,
    /// Probes in all.
    pub probes: usize,
    /// Answers to batches that differ from the right ones.
    pub differences: usize,
    /// Probes that were also asked alone, with all threads.
    pub asked_alone: usize,
    /// Those whose answers differ.
    pub differences_alone: usize,
    /// Probes whose right answer rounding left undecided; they count as differences.
    pub undecided: usize,
    /// Mean rows compared in full precision per probe.
    pub scored: f64,
    /// Seconds that the index took for all probes, in batches.
    pub seconds: f64,
    /// Seconds that finding the right answers took.
    pub oracle_seconds: f64,
}

/// Compares.
///
/// # Errors
/// When an index refuses something, or the results cannot be written.
pub fn run(run: &RunOptions, options: &Options) -> anyhow::Result<()> {
    let circumstances = Circumstances::now(run.seed);
    let mut found = Vec::new();
    for &dimension in &options.dimensions {
        let job = Job {
            rows: options.rows,
            dimension,
            probes: options.probes,
            limit: options.limit,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            seed: run.seed,
        };
        found.push(crate::child::in_a_process_of_its_own::<_, Agreement>("agreement-case", &job)?);
    }
    let mut table = Table::new(
        "Answers compared with brute force, to the last bit of similarity",
        &["templates", "d", "metric", "probes", "differences", "asked alone", "differences", "undecided"],
    );
    for one in &found {
        table.row(vec![
            one.rows.to_string(),
            one.dimension.to_string(),
            format!("{:?}", one.metric).to_lowercase(),
            one.probes.to_string(),
            one.differences.to_string(),
            one.asked_alone.to_string(),
            one.differences_alone.to_string(),
            one.undecided.to_string(),
        ]);
    }
    report(run, "agreement", circumstances, &found, &[table])
}

/// The comparing process.
///
/// # Errors
/// When an index refuses something.
pub fn run_case() -> anyhow::Result<()> {
    let job: Job = crate::child::job()?;
    let gallery = Gallery::new(job.seed, job.dimension);
    let space = space()?;
    let probes: Vec<Embedding> = gallery
        .probes(0..job.probes, job.rows)
        .into_iter()
        .map(|(values, _)| embedding(space, values))
        .collect::<Result<_, _>>()?;
    let mut ours = Ours::new(&gallery, Tier::Memory, &std::env::temp_dir())?;
    ours.use_threads(job.threads);
    let mut oracle = Oracle::new(&gallery, &probes);
    let mut looking = Duration::ZERO;
    gallery.each_block(0..job.rows, |first, references| {
        if first % 200_000 == 0 {
            eprintln!("agreement: {first} of {} x {}", job.rows, job.dimension);
        }
        let (looked, took) = timed(|| oracle.look_at(first, references));
        looked?;
        looking += took;
        Batch::of(first, references)?.insert(ours.index()?)
    })?;
    let (right, took) = timed(|| oracle.answers(job.limit));
    looking += took;

    let (mut wrong, mut scored, mut searching) = (0, 0, Duration::ZERO);
    for (probes, right) in probes.chunks(BATCH).zip(right.chunks(BATCH)) {
        let asked: Vec<&Embedding> = probes.iter().collect();
        let (answered, took) = timed(|| ours.search(&asked, job.limit));
        let answered = answered?;
        searching += took;
        scored += answered.scored;
        wrong += differences(answered.lists.iter().map(Vec::as_slice), right);
    }
    let mut wrong_alone = 0;
    let alone = probes.iter().zip(&right).take(SINGLE);
    let asked_alone = alone.len();
    for (probe, right) in alone {
        let list = ours.search(&[probe], job.limit)?.lists.pop().context("no answer")?;
        wrong_alone += differences([list.as_slice()], [right]);
    }
    crate::child::answer(&Agreement {
        rows: job.rows,
        dimension: job.dimension,
        metric: gallery.metric(),
        probes: probes.len(),
        differences: wrong,
        asked_alone,
        differences_alone: wrong_alone,
        undecided: right.iter().filter(|right| right.hits.is_none()).count(),
        scored: scored as f64 / probes.len().max(1) as f64,
        seconds: searching.as_secs_f64(),
        oracle_seconds: looking.as_secs_f64(),
    })
}
