//! How close is the pipeline to its floor?
//!
//! The floor is what cannot be saved with these networks on this runtime: the bare ONNX sessions, run on ready-made
//! tensors. To make it the *same* work, every tensor that the pipeline hands to a network is recorded once, and
//! the floor replays exactly those, in that order, with the same session options and as many threads. It runs in a
//! process of its own (a process has one ONNX Runtime environment), and both take turns, round by round, so that
//! whatever else the machine does meets both.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Args;
use likeness_matcher::{Matcher, MatcherOptions, QualityPolicy, Selection, StageTimes};
use likeness_models::{Home, Pack};
use serde::{Deserialize, Serialize};

use crate::machine::Circumstances;
use crate::run::{RunOptions, report};
use crate::timing::Spread;
use crate::{images, table::Table};

pub mod floor;
mod tables;
mod tape;

/// What to measure.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Images: synthetic ones, or the first ones of `--folder`.
    #[arg(long, default_value_t = 48)]
    images: usize,
    /// Measure these images instead of synthetic ones (subfolders included).
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Model pack.
    #[arg(long, default_value = likeness_models::DEFAULT_PACK)]
    pack: String,
    /// Turns of pipeline and floor.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds that each takes in a turn.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
}

/// Images worked through in a turn.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Rate {
    /// How many.
    pub images: usize,
    /// In how many seconds.
    pub seconds: f64,
}

impl Rate {
    fn per_second(self) -> f64 {
        self.images as f64 / self.seconds
    }
}

#[derive(Debug, Serialize)]
struct Results {
    pack: String,
    source: &'static str,
    images: usize,
    refused: usize,
    median_bytes: usize,
    runs_per_image: f64,
    threads: Vec<Threads>,
    /// On one thread; the order of the flow.
    stages: Vec<Stage>,
}

#[derive(Debug, Serialize)]
struct Threads {
    threads: usize,
    pipeline_images_per_s: f64,
    floor_images_per_s: f64,
    /// Median over the rounds of pipeline rate by floor rate.
    share_of_floor: f64,
    rounds: Vec<(Rate, Rate)>,
}

#[derive(Debug, Serialize)]
struct Stage {
    name: &'static str,
    time: Spread,
    /// Mean time of the bare sessions of this stage, per image.
    floor_ms: Option<f64>,
}

/// Runs the measurements.
///
/// # Errors
/// When the model pack is not installed, no image is accepted, or the results cannot be written.
pub fn run(run: &RunOptions, options: &Options) -> anyhow::Result<()> {
    let circumstances = Circumstances::now(run.seed);
    let home = Home::locate()?;
    let pack = Pack::open(&home, &options.pack)?;
    let library = home.runtime_library()?;
    let given = match &options.folder {
        Some(folder) => images::from_folder(folder, options.images)?,
        None => images::synthetic(run.seed, 0..options.images as u64, 0)?,
    };
    let recorded = tape::record(&pack, &library, &given)?;
    ensure!(!recorded.accepted.is_empty(), "none of the {} images was accepted", given.len());
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("tape");
    recorded.write(&file)?;

    let mut threads = Vec::new();
    let mut stages = Vec::new();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for count in [1, cores].into_iter().take(cores.min(2)) {
        eprintln!("pipeline: {count} thread(s)");
        let matcher =
            Matcher::open(&pack, &library, &MatcherOptions { sessions: count, ..MatcherOptions::default() })?;
        let mut rounds = Vec::new();
        let mut times = Vec::new();
        let mut networks = Vec::new();
        for _ in 0..options.rounds {
            let floor = floor::in_a_process_of_its_own(&options.pack, &file, count, options.seconds)?;
            let (rate, stage_times) = work(&matcher, &recorded.accepted, count, options.seconds)?;
            rounds.push((rate, floor.rate));
            networks.push(floor.ms_per_image);
            times.extend(stage_times);
        }
        if count == 1 {
            stages = by_stage(&times, &networks)?;
        }
        let median = |of: &dyn Fn(&(Rate, Rate)) -> f64| {
            let mut values: Vec<f64> = rounds.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied().context("no rounds")
        };
        threads.push(Threads {
            threads: count,
            pipeline_images_per_s: median(&|round| round.0.per_second())?,
            floor_images_per_s: median(&|round| round.1.per_second())?,
            share_of_floor: median(&|round| round.0.per_second() / round.1.per_second())?,
            rounds: rounds.clone(),
        });
    }
    let mut sizes: Vec<usize> = recorded.accepted.iter().map(Vec::len).collect();
    sizes.sort_unstable();
    let results = Results {
        pack: options.pack.clone(),
        source: if options.folder.is_some() { "folder" } else { "synthetic persons, plain captures" },
        images: recorded.accepted.len(),
        refused: given.len() - recorded.accepted.len(),
        median_bytes: sizes[sizes.len() / 2],
        runs_per_image: recorded.runs() as f64 / recorded.accepted.len() as f64,
        threads,
        stages,
    };
    let tables: Vec<Table> = tables::tables(&results);
    report(run, "pipeline", circumstances, &results, &tables)
}

/// Works through the images, again and again, with so many threads, for so long; a begun image is finished.
fn work(
    matcher: &Matcher,
    images: &[Vec<u8>],
    threads: usize,
    seconds: f64,
) -> anyhow::Result<(Rate, Vec<StageTimes>)> {
    let next = AtomicUsize::new(0);
    let began = Instant::now();
    let until = began + Duration::from_secs_f64(seconds);
    let one_thread = || -> anyhow::Result<Vec<StageTimes>> {
        let mut times = Vec::new();
        while Instant::now() < until {
            let image = &images[next.fetch_add(1, Ordering::Relaxed) % images.len()];
            times.push(matcher.analyse_timed(image, &Selection::Largest, &QualityPolicy::default())?.1);
        }
        Ok(times)
    };
    let times = std::thread::scope(|scope| {
        let working: Vec<_> = (0..threads).map(|_| scope.spawn(one_thread)).collect();
        let mut all = Vec::new();
        for thread in working {
            all.extend(thread.join().map_err(|_| anyhow::anyhow!("a working thread panicked"))??);
        }
        anyhow::Ok(all)
    })?;
    Ok((Rate { images: times.len(), seconds: began.elapsed().as_secs_f64() }, times))
}

fn by_stage(times: &[StageTimes], networks: &[[f64; 3]]) -> anyhow::Result<Vec<Stage>> {
    let Some(first) = times.first() else { return Ok(Vec::new()) };
    let floor =
        |network: usize| networks.iter().map(|ms| ms[network]).sum::<f64>() / networks.len().max(1) as f64;
    let names = first.stages().map(|(name, _)| name);
    let stages = names.into_iter().enumerate().map(|(place, name)| {
        let taken: Vec<Duration> = times.iter().map(|times| times.stages()[place].1).collect();
        let floor_ms = match name {
            "detect" => Some(floor(0)),
            "landmarks" => Some(floor(1)),
            "embed" => Some(floor(2)),
            _ => None,
        };
        Ok(Stage { name, time: Spread::of(&taken).context("no times")?, floor_ms })
    });
    stages.collect()
}
