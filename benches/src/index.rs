//! How close is exact search to the speed of memory?
//!
//! For each size three things are built: an index of seeded templates ([`crate::gallery`]); the engine alone, FAISS
//! flat on the same templates asked for the same number of rows, without subjects, exact ties, or reproducible
//! similarities; and a piece of memory as large as the templates, whose reading by one thread is the limit of any
//! search that looks at every template in `f32`. The three take turns, probe by probe, so that whatever else the
//! machine does meets all of them. Half of the probes are mated (another capture of somebody enrolled), half not.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Args;
use likeness_matcher::embed::Embedding;
use likeness_matcher::index::{FlatIndex, IndexRead as _, IndexRow, IndexWrite as _, RowKey, SubjectKey};
use likeness_models::{Metric, SpaceId};
use rayon::prelude::*;
use serde::Serialize;

use crate::gallery::{Gallery, Reference, subjects};
use crate::machine::Circumstances;
use crate::run::{RunOptions, report};
use crate::timing::{Spread, timed};

mod engine;
mod memory;
mod tables;

use engine::Engine;
use memory::Memory;

/// References made and inserted at a time.
const BLOCK: u64 = 20_000;

/// The variables by which OpenBLAS and OpenMP, under FAISS, take their number of threads when the process starts.
/// (The index sees to OpenMP itself; the engine alone does not.)
const BLAS_THREADS: &str = "OPENBLAS_NUM_THREADS";
const OPENMP_THREADS: &str = "OMP_NUM_THREADS";

/// What to measure.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Templates in the index.
    #[arg(long, value_delimiter = ',', default_values_t = [100_000, 1_000_000])]
    rows: Vec<u64>,
    /// Dimensions: 128 is searched by Euclidean distance, all others by cosine.
    #[arg(long, value_delimiter = ',', default_values_t = [128, 512])]
    dimensions: Vec<usize>,
    /// Subjects asked for.
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Probes of each kind, mated and not, searched one at a time.
    #[arg(long, default_value_t = 50)]
    probes: u64,
    /// Batch sizes.
    #[arg(long, value_delimiter = ',', default_values_t = [16, 256])]
    batches: Vec<usize>,
    /// Threads that the linear algebra library uses within one large batch.
    #[arg(long, default_value_t = 1)]
    blas_threads: usize,
}

/// One size of index. Times in milliseconds.
#[derive(Debug, Serialize)]
struct Case {
    rows: u64,
    subjects: u64,
    dimension: usize,
    metric: Metric,
    limit: usize,
    template_bytes: u64,
    /// Reading as many bytes as the templates take, one thread.
    memory_read: Spread,
    one_mated: Spread,
    one_other: Spread,
    /// Mated probes whose subject is first.
    mated_first: f64,
    engine_one: Spread,
    batches: Vec<Batch>,
    threads: Vec<Threads>,
    insert_rows_per_s: f64,
    remove_one: Spread,
    remove_many_rows_per_s: f64,
}

#[derive(Debug, Serialize)]
struct Batch {
    probes: usize,
    ms_per_probe: f64,
    engine_ms_per_probe: f64,
}

#[derive(Debug, Serialize)]
struct Threads {
    threads: usize,
    searches_per_s: f64,
}

/// Runs the measurements.
///
/// # Errors
/// When the index refuses something, or the results cannot be written.
pub fn run(run: &RunOptions, options: &Options) -> anyhow::Result<()> {
    // The libraries read their variables before main: with other values in the environment, start again.
    let wanted = options.blas_threads.to_string();
    let is = |variable: &str, value: &str| std::env::var(variable).is_ok_and(|set| set == value);
    if !is(BLAS_THREADS, &wanted) || !is(OPENMP_THREADS, "1") {
        let mut again = std::process::Command::new(std::env::current_exe()?);
        again.args(std::env::args_os().skip(1)).env(BLAS_THREADS, &wanted).env(OPENMP_THREADS, "1");
        let status = again.status()?;
        ensure!(status.success(), "the measuring process ended with {status}");
        return Ok(());
    }
    let circumstances = Circumstances::now(run.seed);
    let mut cases = Vec::new();
    for &rows in &options.rows {
        for &dimension in &options.dimensions {
            eprintln!("index: {rows} x {dimension}");
            cases.push(case(Gallery::new(run.seed, dimension), rows, dimension, options)?);
        }
    }
    let tables = tables::tables(&cases);
    report(run, "index", circumstances, &cases, &tables)
}

fn case(gallery: Gallery, rows: u64, dimension: usize, options: &Options) -> anyhow::Result<Case> {
    let metric = if dimension == 128 { Metric::Euclidean } else { Metric::Cosine };
    let template_bytes = rows * dimension as u64 * 4;
    let index = FlatIndex::new(space()?, dimension, metric)?;
    let inserting = fill(&index, gallery, rows)?;
    let rivals = Rivals {
        index,
        engine: Engine::build(gallery, rows, dimension, metric, options.limit)?,
        memory: Memory::of(template_bytes),
        limit: options.limit,
    };

    let enrolled = subjects(rows);
    // Spread over the whole index, by a stride that shares no factor with its size in practice.
    let of = |number: u64| number.wrapping_mul(7_368_787) % enrolled;
    let mated: Vec<Embedding> =
        (0..options.probes).map(|n| embedding(gallery.mated_probe(of(n)))).collect::<Result<_, _>>()?;
    let others: Vec<Embedding> =
        (0..options.probes).map(|n| embedding(gallery.other_probe(n))).collect::<Result<_, _>>()?;
    rivals.turns(&mated[..mated.len().min(2)])?;
    let on_mated = rivals.turns(&mated)?;
    let on_others = rivals.turns(&others)?;
    let first =
        (0..).zip(&on_mated.first).filter(|&(n, subject)| *subject == Some(SubjectKey(of(n)))).count();

    let mixed: Vec<&Embedding> =
        mated.iter().zip(&others).flat_map(|(mated, other)| [mated, other]).collect();
    let batches = options.batches.iter().map(|&size| rivals.batch(&mixed, size)).collect::<Result<_, _>>()?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut threads = vec![rivals.concurrent(&mixed, 1)?];
    if cores > 1 {
        threads.push(rivals.concurrent(&mixed, cores)?);
    }
    let (remove_one, remove_many_rows_per_s) = removals(&rivals.index, rows)?;
    Ok(Case {
        rows,
        subjects: enrolled,
        dimension,
        metric,
        limit: options.limit,
        template_bytes,
        memory_read: Spread::of(&[on_mated.memory, on_others.memory].concat()).context("nothing was read")?,
        one_mated: Spread::of(&on_mated.index).context("no probes")?,
        one_other: Spread::of(&on_others.index).context("no probes")?,
        mated_first: first as f64 / mated.len().max(1) as f64,
        engine_one: Spread::of(&[on_mated.engine, on_others.engine].concat()).context("no probes")?,
        batches,
        threads,
        insert_rows_per_s: rows as f64 / inserting.as_secs_f64(),
        remove_one,
        remove_many_rows_per_s,
    })
}

/// What is compared, built of the same templates.
struct Rivals {
    index: FlatIndex,
    engine: Engine,
    memory: Memory,
    limit: usize,
}

/// Times of the three on each probe, and the first subject of each list.
#[derive(Default)]
struct Turns {
    memory: Vec<Duration>,
    engine: Vec<Duration>,
    index: Vec<Duration>,
    first: Vec<Option<SubjectKey>>,
}

impl Rivals {
    fn turns(&self, probes: &[Embedding]) -> anyhow::Result<Turns> {
        let mut turns = Turns::default();
        for probe in probes {
            turns.memory.push(timed(|| self.memory.read()).1);
            let (done, took) = timed(|| self.engine.search(probe.values()));
            done?;
            turns.engine.push(took);
            let (hits, took) = timed(|| self.index.search(probe, self.limit));
            turns.index.push(took);
            turns.first.push(hits?.first().map(|hit| hit.subject));
        }
        Ok(turns)
    }

    fn batch(&self, probes: &[&Embedding], size: usize) -> anyhow::Result<Batch> {
        let batch: Vec<&Embedding> = probes.iter().copied().cycle().take(size).collect();
        let values: Vec<f32> = batch.iter().flat_map(|probe| probe.values()).copied().collect();
        let (mut ours, mut engines) = (Vec::new(), Vec::new());
        for _ in 0..6 {
            let (done, took) = timed(|| self.engine.search(&values));
            done?;
            engines.push(took);
            let (done, took) = timed(|| self.index.search_batch(&batch, self.limit, None));
            done?;
            ours.push(took);
        }
        // The first of each touches buffers of this size for the first time.
        let per_probe = |taken: &[Duration]| {
            Spread::of(&taken[1..]).map(|spread| spread.median_ms / size as f64).context("no batches")
        };
        Ok(Batch { probes: size, ms_per_probe: per_probe(&ours)?, engine_ms_per_probe: per_probe(&engines)? })
    }

    fn concurrent(&self, probes: &[&Embedding], threads: usize) -> anyhow::Result<Threads> {
        let search = || probes.iter().try_for_each(|probe| self.index.search(probe, self.limit).map(drop));
        let (answered, took) = timed(|| {
            std::thread::scope(|scope| {
                let working: Vec<_> = (0..threads).map(|_| scope.spawn(search)).collect();
                working.into_iter().all(|thread| matches!(thread.join(), Ok(Ok(()))))
            })
        });
        ensure!(answered, "a searching thread failed");
        Ok(Threads { threads, searches_per_s: (probes.len() * threads) as f64 / took.as_secs_f64() })
    }
}

/// Any space will do: the benchmark makes its own templates.
fn space() -> anyhow::Result<SpaceId> {
    Ok("be".repeat(32).parse()?)
}

fn embedding(values: Vec<f32>) -> anyhow::Result<Embedding> {
    let dimension = values.len();
    Ok(Embedding::from_stored(space()?, values, dimension)?)
}

/// Makes references in parallel, in order, block by block.
fn each_block(
    gallery: Gallery,
    rows: u64,
    mut take: impl FnMut(u64, Vec<Reference>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    for first in (0..rows).step_by(usize::try_from(BLOCK)?) {
        let end = (first + BLOCK).min(rows);
        let starts: Vec<u64> = (first..end).step_by(1000).collect();
        let parts: Vec<Vec<Reference>> =
            starts.into_par_iter().map(|start| gallery.references(start..(start + 1000).min(end))).collect();
        take(first, parts.into_iter().flatten().collect())?;
    }
    Ok(())
}

/// Inserts every reference; the time is that of the inserts alone.
fn fill(index: &FlatIndex, gallery: Gallery, rows: u64) -> anyhow::Result<Duration> {
    let mut taken = Duration::ZERO;
    each_block(gallery, rows, |first, references| {
        let mut whose = Vec::with_capacity(references.len());
        let mut templates = Vec::with_capacity(references.len());
        for reference in references {
            whose.push(SubjectKey(reference.subject));
            templates.push(embedding(reference.values)?);
        }
        let rows: Vec<IndexRow<'_>> = (first..)
            .zip(whose.iter().zip(&templates))
            .map(|(row, (&subject, embedding))| IndexRow { row: RowKey(row), subject, embedding })
            .collect();
        let (inserted, took) = timed(|| index.insert(&rows));
        inserted?;
        taken += took;
        Ok(())
    })?;
    Ok(taken)
}

/// Removes single rows, then a twentieth of the index in one call.
fn removals(index: &FlatIndex, rows: u64) -> anyhow::Result<(Spread, f64)> {
    let mut taken = Vec::new();
    for row in (0..rows).step_by(usize::try_from(rows / 50 + 1)?) {
        let (removed, took) = timed(|| index.remove(&[RowKey(row)]));
        removed?;
        taken.push(took);
    }
    let many: Vec<RowKey> = (0..rows).filter(|row| row % 20 == 7).map(RowKey).collect();
    let (removed, took) = timed(|| index.remove(&many));
    Ok((Spread::of(&taken).context("no rows")?, removed? as f64 / took.as_secs_f64()))
}
