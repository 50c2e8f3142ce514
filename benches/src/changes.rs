//! What does a search notice of a bulk insertion, and of a bulk erasure?
//!
//! One thread searches without a pause while another does nothing; then while it inserts and erases the same rows, over and
//! over; then while it erases rows from all over the index in one call. What is inserted was made beforehand, so that the
//! other thread does nothing but write. A search counts as one beside erasure when it began or ended during one.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Args;
use likeness_matcher::embed::Embedding;
use likeness_matcher::index::{IndexWrite as _, RowKey};
use serde::{Deserialize, Serialize};

use crate::gallery::{Gallery, embedding, space};
use crate::machine::Circumstances;
use crate::run::{RunOptions, report};
use crate::search::{Batch, Ours, Tier};
use crate::table::Table;
use crate::timing::{Spread, timed};

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
    /// Seconds of searching while nobody writes, and while rows come and go.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
}

#[derive(Deserialize, Serialize)]
struct Job {
    rows: u64,
    dimension: usize,
    changed: u64,
    seconds: f64,
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
            seconds: options.seconds,
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

    let lasting = Duration::from_secs_f64(job.seconds);
    eprintln!("changes: measuring");
    let mut found = beside(&ours, &probes, &[NOTHING], |_| {
        std::thread::sleep(lasting);
        Ok(())
    })?;
    let new_rows: Vec<RowKey> = (job.rows..job.rows + job.changed).map(RowKey).collect();
    found.extend(beside(&ours, &probes, &[INSERTING, ERASING], |phase| {
        let began = Instant::now();
        while began.elapsed() < lasting {
            let insert = || fresh.iter().try_for_each(|batch| batch.insert(index));
            phase.during(INSERTING, job.changed, insert)?;
            let erase =
                || new_rows.chunks(CALL as usize).try_for_each(|rows| Ok(index.remove(rows).map(drop)?));
            phase.during(ERASING, job.changed, erase)?;
        }
        Ok(())
    })?);
    found.extend(beside(&ours, &probes, &[SCATTERED], |phase| {
        let apart = usize::try_from(job.rows / job.changed)?.max(1);
        let rows: Vec<RowKey> = (0..job.rows).step_by(apart).map(RowKey).collect();
        phase.during(SCATTERED, rows.len() as u64, || Ok(index.remove(&rows).map(drop)?))
    })?);
    crate::child::answer(&Changes { rows: job.rows, dimension: job.dimension, beside: found })
}

/// What the writing thread does, by number.
const NAMES: [&str; 5] = [
    "nothing",
    "insertion, 1,000 rows a call",
    "erasure, 1,000 rows a call",
    "erasure of scattered rows, one call",
    "",
];
const NOTHING: u8 = 0;
const INSERTING: u8 = 1;
const ERASING: u8 = 2;
const SCATTERED: u8 = 3;
const OVER: u8 = 4;

/// What the writing thread does now, and what it did: rows and time, by phase.
struct Phase {
    now: AtomicU8,
    done: Mutex<[(u64, Duration); NAMES.len()]>,
}

impl Phase {
    fn during(&self, phase: u8, rows: u64, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
        self.now.store(phase, Ordering::Release);
        let (worked, took) = timed(work);
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = &mut done[usize::from(phase)];
        *sum = (sum.0 + rows, sum.1 + took);
        worked
    }
}

/// Searches until the work is done, and tells the times of the searches by what was done meanwhile, of these phases. A search that
/// was begun in one phase and ended in another belongs to the later one in the list, or to none at the end of all.
fn beside(
    ours: &Ours,
    probes: &[Embedding],
    wanted: &[u8],
    work: impl FnOnce(&Phase) -> anyhow::Result<()> + Send,
) -> anyhow::Result<Vec<Beside>> {
    ours.search(&[&probes[0]], 50)?;
    let phase = Phase { now: AtomicU8::new(NOTHING), done: Mutex::default() };
    let mut taken = [const { Vec::<Duration>::new() }; NAMES.len()];
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let worked = work(&phase);
            phase.now.store(OVER, Ordering::Release);
            worked
        });
        for probe in probes.iter().cycle() {
            let before = phase.now.load(Ordering::Acquire);
            if before == OVER {
                break;
            }
            let (answered, took) = timed(|| ours.search(&[probe], 50));
            answered?;
            let after = phase.now.load(Ordering::Acquire);
            taken[usize::from(if after == OVER { before } else { before.max(after) })].push(took);
        }
        writing.join().map_err(|_| anyhow::anyhow!("the writing thread panicked"))?
    })?;
    let done = phase.done.into_inner().unwrap_or_else(PoisonError::into_inner);
    let each = taken.iter().zip(NAMES).zip(done);
    Ok(each
        .enumerate()
        .filter(|(phase, _)| wanted.iter().any(|wanted| usize::from(*wanted) == *phase))
        .filter_map(|(_, ((taken, change), (rows, took)))| {
            let search = Spread::of(taken)?;
            let rows_per_s = (rows > 0).then(|| rows as f64 / took.as_secs_f64());
            Some(Beside { change: change.to_owned(), search, rows_per_s })
        })
        .collect())
}
