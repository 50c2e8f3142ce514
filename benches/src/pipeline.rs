//! How close is the pipeline to its floor, and how far ahead of what a Python user would write?
//!
//! The floor is what ONNX Runtime needs for these networks: the bare sessions on the pack's files, run on ready-made
//! tensors. To make it the *same* work, every tensor that the pipeline hands to a network is recorded once, and
//! the floor replays exactly those, in that order, with the same session options and as many threads. It runs in a
//! process of its own (a process has one ONNX Runtime environment). The pipeline may come out below it: on machines with
//! AVX-512 it computes the first layers of the default pack's detector with a kernel of its own, the floor does not. So the
//! same tensors are also given to the networks as the pipeline runs them: its share of those says what everything but
//! the networks costs.
//!
//! The Python peer (`benches/peers/pipeline.py`: onnxruntime, OpenCV, numpy) takes the same steps with the same network
//! files, one process per thread; that it computes the same embeddings is checked and told. All three take turns, round
//! by round, so that whatever else the machine does meets all of them.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::Args;
use likeness_matcher::pipeline::Models;
use likeness_matcher::runtime::PoolSize;
use likeness_matcher::{Matcher, MatcherOptions, QualityPolicy, Selection};
use likeness_models::{Home, Pack};
use serde::{Deserialize, Serialize};

use crate::machine::Circumstances;
use crate::run::{RunOptions, report};
use crate::timing::Spread;
use crate::{images, table::Table};

pub mod floor;
mod peer;
mod sizes;
mod tables;
mod tape;
mod turns;

use peer::Peers;
pub use sizes::Size;

/// What to measure.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Sizes of synthetic images.
    #[arg(long, value_delimiter = ',', value_enum, default_values = ["small", "portrait", "large"])]
    sizes: Vec<Size>,
    /// Images of each size; by default 48, or 12 large ones.
    #[arg(long)]
    images: Option<usize>,
    /// Measure these images instead of synthetic ones (subfolders included).
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Model pack.
    #[arg(long, default_value = likeness_models::DEFAULT_PACK)]
    pack: String,
    /// Turns of everybody.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds that each takes in a turn.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Python with the packages of `benches/peers`, made by `scripts/bench-peers`; left out when it is not there.
    #[arg(long, default_value = "target/peers/bin/python", value_name = "PROGRAM")]
    python: PathBuf,
    /// The Python peer.
    #[arg(long, default_value = "benches/peers/pipeline.py", value_name = "FILE")]
    peer: PathBuf,
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

/// Everything that was measured.
#[derive(Debug, Deserialize, Serialize)]
pub struct Results {
    /// Model pack.
    pub pack: String,
    /// One entry per size.
    pub sizes: Vec<Measured>,
}

/// One size of image.
#[derive(Debug, Deserialize, Serialize)]
pub struct Measured {
    /// The size, or that they come from a folder.
    pub source: String,
    /// Images that were accepted, and worked through.
    pub images: usize,
    /// Images that were refused.
    pub refused: usize,
    /// Median length of a file.
    pub median_bytes: usize,
    /// Runs of networks per image.
    pub runs_per_image: f64,
    /// By number of threads.
    pub threads: Vec<Threads>,
    /// On one thread; the order of the flow.
    pub stages: Vec<Stage>,
    /// How far the peer's embeddings are from ours: Euclidean distances, median and largest; absent without a peer.
    pub peer_distance: Option<[f64; 2]>,
    /// Images in which the peer found no face, though the pipeline did.
    pub peer_missed: usize,
}

/// Rates with so many threads; medians over the rounds.
#[derive(Debug, Deserialize, Serialize)]
pub struct Threads {
    /// How many.
    pub threads: usize,
    /// The pipeline's images per second.
    pub pipeline: f64,
    /// The floor's.
    pub floor: f64,
    /// The Python peer's.
    pub peer: Option<f64>,
    /// Pipeline by floor.
    pub share_of_floor: f64,
    /// Pipeline by peer.
    pub times_peer: Option<f64>,
    /// Images per second of the pipeline's own networks on the same tensors, its kernel among them; absent from older
    /// runs.
    #[serde(default)]
    pub networks: Option<f64>,
    /// Pipeline by its own networks: what decoding, scaling, aligning and quality leave.
    #[serde(default)]
    pub share_of_networks: Option<f64>,
    /// Pipeline, floor, peer.
    pub rounds: Vec<(Rate, Rate, Option<Rate>)>,
}

/// Time of one stage per image.
#[derive(Debug, Deserialize, Serialize)]
pub struct Stage {
    /// Name.
    pub name: String,
    /// Time.
    pub time: Spread,
    /// Mean time of the bare sessions of this stage, per image.
    pub floor_ms: Option<f64>,
}

/// Runs the measurements.
///
/// # Errors
/// When the model pack is not installed, no image is accepted, or the results cannot be written.
pub fn run(run: &RunOptions, options: &Options) -> anyhow::Result<()> {
    let circumstances = Circumstances::now(run.seed);
    let home = Home::locate()?;
    let setting = Setting {
        pack: Pack::open(&home, &options.pack)?,
        folder: home.path().join("packs").join(&options.pack),
        library: home.runtime_library()?,
        options,
    };
    let mut measured = Vec::new();
    if let Some(folder) = &options.folder {
        let given = images::from_folder(folder, options.images.unwrap_or(48))?;
        measured.push(setting.measure("folder".to_owned(), &given)?);
    } else {
        for size in &options.sizes {
            eprintln!("pipeline: rendering, {}", size.name());
            let given = size.images(run.seed, options.images.unwrap_or_else(|| size.usual_number()))?;
            measured.push(setting.measure(size.name().to_owned(), &given)?);
        }
    }
    let results = Results { pack: options.pack.clone(), sizes: measured };
    let tables: Vec<Table> = tables::tables(&results);
    report(run, "pipeline", circumstances, &results, &tables)
}

/// What all sizes are measured with.
struct Setting<'a> {
    pack: Pack,
    folder: PathBuf,
    library: PathBuf,
    options: &'a Options,
}

impl Setting<'_> {
    fn measure(&self, source: String, given: &[Vec<u8>]) -> anyhow::Result<Measured> {
        let recorded = tape::record(&self.pack, &self.library, given)?;
        ensure!(!recorded.accepted.is_empty(), "none of the {} images was accepted", given.len());
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("tape");
        recorded.write(&file)?;
        let images = folder.path().join("images");
        peer::write(&recorded.accepted, &images)?;

        let mut threads = Vec::new();
        let mut stages = Vec::new();
        let mut distance = None;
        let mut missed = 0;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        for count in [1, cores].into_iter().take(cores.min(2)) {
            eprintln!("pipeline: {source}, {count} thread(s)");
            let options = MatcherOptions { sessions: count, ..MatcherOptions::default() };
            let matcher = Matcher::open(&self.pack, &self.library, &options)?;
            let size = PoolSize { sessions: count, queue: options.queue, wait: options.wait };
            let models = Models::load(&self.pack, &self.library, size)?;
            let networks = [Some(models.detector), models.landmarks, Some(models.embedder)];
            let mut peers = self.peers(&images, count)?;
            if let Some(peers) = peers.as_mut().filter(|_| count == 1) {
                let (found, absent) = distances(&matcher, &recorded.accepted, &peers.embeddings()?)?;
                (distance, missed) = (Some(found), absent);
            }
            let turns = turns::Turns {
                matcher: &matcher,
                images: &recorded.accepted,
                pack: &self.options.pack,
                tape: &file,
                networks: &networks,
                asked: &recorded.asked,
                threads: count,
                seconds: self.options.seconds,
            };
            let (rates, by_stage) = turns.run(self.options.rounds, peers.as_mut())?;
            if count == 1 {
                stages = by_stage;
            }
            threads.push(rates);
        }
        let mut sizes: Vec<usize> = recorded.accepted.iter().map(Vec::len).collect();
        sizes.sort_unstable();
        Ok(Measured {
            source,
            images: recorded.accepted.len(),
            refused: given.len() - recorded.accepted.len(),
            median_bytes: sizes[sizes.len() / 2],
            runs_per_image: recorded.runs() as f64 / recorded.accepted.len() as f64,
            threads,
            stages,
            peer_distance: distance,
            peer_missed: missed,
        })
    }

    fn peers(&self, images: &Path, count: usize) -> anyhow::Result<Option<Peers>> {
        let Options { python, peer, .. } = self.options;
        if !python.is_file() || !peer.is_file() {
            eprintln!(
                "pipeline: without the Python peer: `{}` is not there; run `scripts/bench-peers`",
                python.display()
            );
            return Ok(None);
        }
        Peers::start(python, peer, &self.folder, images, count).map(Some)
    }
}

/// Median and largest distance of the peer's embeddings from ours, and how many it has not.
fn distances(
    matcher: &Matcher,
    images: &[Vec<u8>],
    theirs: &[Option<Vec<f32>>],
) -> anyhow::Result<([f64; 2], usize)> {
    ensure!(images.len() == theirs.len(), "the Python peer answered for another number of images");
    let mut distances = Vec::new();
    for (image, theirs) in images.iter().zip(theirs) {
        let Some(theirs) = theirs else { continue };
        let ours = matcher.analyse(image, &Selection::Largest, &QualityPolicy::default())?.embedding;
        let squares = ours.values().iter().zip(theirs).map(|(a, b)| f64::from(a - b).powi(2));
        distances.push(squares.sum::<f64>().sqrt());
    }
    distances.sort_by(f64::total_cmp);
    let largest = *distances.last().context("the Python peer found no face at all")?;
    Ok(([distances[distances.len() / 2], largest], images.len() - distances.len()))
}
