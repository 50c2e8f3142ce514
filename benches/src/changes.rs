//! What does a search notice of a bulk insertion, and of a bulk erasure?
//!
//! One thread searches without a pause while another does nothing, inserts, or erases. What is inserted was made
//! beforehand, so that the other thread does nothing but write.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use likeness_matcher::embed::Embedding;
use likeness_matcher::index::{IndexWrite as _, RowKey};
use serde::{Deserialize, Serialize};

use crate::gallery::{Gallery, embedding, space};
use crate::machine::Circumstances;
use crate::run::{RunOptions, report};
use crate::search::{Batch, Ours, Tier};
use crate::table::Table;
use crate::timing::Spread;

/// Rows of a write call.
const CALL: u64 = 1_000;

/// What to measure.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Templates in the index.
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// Dimensions.
    #[arg(long, value_delimiter = ',', default_values_t = [128, 512])]
    dimensions: Vec<usize>,
    /// Rows inserted, and then erased, beside the searches.
    #[arg(long, default_value_t = 100_000)]
    changed: u64,
    /// Seconds of searching while nobody writes.
    #[arg(long, default_value_t = 5.0)]
    idle_seconds: f64,
}

#[derive(Deserialize, Serialize)]
struct Job {
    rows: u64,
    dimension: usize,
    changed: u64,
    idle_seconds: f64,
    seed: u64,
}

/// Searches beside one kind of change.
#[derive(Debug, Deserialize, Serialize)]
pub struct Beside {
    /// What the other thread did.
    pub change: String,
    /// Times of the searches.
    pub search: Spread,
    /// Rows per second of the other thread.
    pub rows_per_s: Option<f64>,
}

/// One size.
#[derive(Debug, Deserialize, Serialize)]
pub struct Changes {
    /// Templates.
    pub rows: u64,
    /// Values per template.
    pub dimension: usize,
    /// Idle, and beside each change.
    pub beside: Vec<Beside>,
}

/// Runs the measurements.
///
/// # Errors
/// When the index refuses something, or the results cannot be written.
pub fn run(run: &RunOptions, options: &Options) -> anyhow::Result<()> {
    let circumstances = Circumstances::now(run.seed);
    let mut found = Vec::new();
    for &dimension in &options.dimensions {
        let job = Job {
            rows: options.rows,
            dimension,
            changed: options.changed,
            idle_seconds: options.idle_seconds,
            seed: run.seed,
        };
        found.push(crate::child::in_a_process_of_its_own::<_, Changes>("changes-case", &job)?);
    }
    let mut table = Table::new(
        "One search after the other on one thread (ms), while another thread writes",
        &["templates", "d", "meanwhile", "searches", "median", "p95", "p99", "most", "rows/s"],
    );
    for one in &found {
        for beside in &one.beside {
            let search = &beside.search;
            let mut cells = vec![one.rows.to_string(), one.dimension.to_string(), beside.change.clone()];
            cells.push(search.count.to_string());
            let times = [search.median_ms, search.p95_ms, search.p99_ms, search.most_ms];
            cells.extend(times.map(|ms| format!("{ms:.2}")));
            cells.push(beside.rows_per_s.map_or_else(String::new, |rate| format!("{rate:.0}")));
            table.row(cells);
        }
    }
    report(run, "changes", circumstances, &found, &[table])
}

/// The measuring process.
///
/// # Errors
/// When the index refuses something.
pub fn run_case() -> anyhow::Result<()> {
    let job: Job = crate::child::job()?;
    let gallery = Gallery::new(job.seed, job.dimension);
    let space = space()?;
    let probes: Vec<Embedding> = gallery
        .probes(0..64, job.rows)
        .into_iter()
        .map(|(values, _)| embedding(space, values))
        .collect::<Result<_, _>>()?;
    let ours = Ours::new(&gallery, Tier::Memory, &std::env::temp_dir())?;
    let index = ours.index()?;
    eprintln!("changes: building {} x {}", job.rows, job.dimension);
    gallery.each_block(0..job.rows, |first, references| Batch::of(first, references)?.insert(index))?;
    let mut fresh = Vec::new();
    gallery.each_block(job.rows..job.rows + job.changed, |first, references| {
        for (call, references) in references.chunks(CALL as usize).enumerate() {
            fresh.push(Batch::of(first + call as u64 * CALL, references)?);
        }
        Ok(())
    })?;

    let beside = |change: &str, work: &(dyn Fn() -> anyhow::Result<u64> + Sync)| {
        eprintln!("changes: {change}");
        beside(&ours, &probes, change, work)
    };
    let idle = Duration::from_secs_f64(job.idle_seconds);
    let new_rows = job.rows..job.rows + job.changed;
    let found = vec![
        beside("nothing", &|| {
            std::thread::sleep(idle);
            Ok(0)
        })?,
        beside("insertion, 1,000 rows a call", &|| {
            fresh.iter().try_for_each(|batch| batch.insert(index))?;
            Ok(job.changed)
        })?,
        beside("erasure, 1,000 rows a call", &|| {
            let rows: Vec<RowKey> = new_rows.clone().map(RowKey).collect();
            rows.chunks(CALL as usize).try_for_each(|rows| index.remove(rows).map(drop))?;
            Ok(job.changed)
        })?,
        beside("erasure of scattered rows, one call", &|| {
            let share = (job.rows / job.changed).max(1);
            let rows: Vec<RowKey> = (0..job.rows).filter(|row| row % share == 0).map(RowKey).collect();
            Ok(index.remove(&rows)? as u64)
        })?,
    ];
    crate::child::answer(&Changes { rows: job.rows, dimension: job.dimension, beside: found })
}

/// Searches until the work is done. Only searches that began before its end are counted.
fn beside(
    ours: &Ours,
    probes: &[Embedding],
    change: &str,
    work: &(dyn Fn() -> anyhow::Result<u64> + Sync),
) -> anyhow::Result<Beside> {
    ours.search(&[&probes[0]], 50)?;
    let done = AtomicBool::new(false);
    let began = Instant::now();
    let (taken, written) = std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let written = work();
            done.store(true, Ordering::Release);
            (written, began.elapsed())
        });
        let mut taken = Vec::new();
        for probe in probes.iter().cycle() {
            if done.load(Ordering::Acquire) {
                break;
            }
            let (answered, took) = crate::timing::timed(|| ours.search(&[probe], 50));
            answered?;
            taken.push(took);
        }
        let written = writing.join().map_err(|_| anyhow::anyhow!("the writing thread panicked"))?;
        anyhow::Ok((taken, written))
    })?;
    let (rows, took) = (written.0?, written.1);
    Ok(Beside {
        change: change.to_owned(),
        search: Spread::of(&taken).context("the change was over before a search was")?,
        rows_per_s: (rows > 0).then(|| rows as f64 / took.as_secs_f64()),
    })
}
