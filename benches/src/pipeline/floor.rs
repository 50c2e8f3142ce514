//! The floor: bare ONNX sessions on ready-made tensors.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Args;
use likeness_models::{Home, Pack};
use ort::environment::Environment;
use ort::session::{Session, builder::GraphOptimizationLevel};
use ort::value::TensorRef;
use serde::{Deserialize, Serialize};

use super::Rate;
use super::tape::{self, Asked};

/// What the floor's own process is told.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Model pack.
    #[arg(long)]
    pack: String,
    /// Recorded tensors.
    #[arg(long)]
    tape: PathBuf,
    /// Threads, each with its own sessions.
    #[arg(long)]
    threads: usize,
    /// How long to work.
    #[arg(long)]
    seconds: f64,
}

/// What the floor's own process answers.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Floor {
    /// Images replayed.
    pub rate: Rate,
    /// Mean time of the runs of detector, landmarks and embedder for one image, in milliseconds.
    pub ms_per_image: [f64; 3],
}

/// Measures in a child process, which is this program again.
pub(super) fn in_a_process_of_its_own(
    pack: &str,
    tape: &Path,
    threads: usize,
    seconds: f64,
) -> anyhow::Result<Floor> {
    let output = Command::new(std::env::current_exe()?)
        .args([
            "floor",
            "--pack",
            pack,
            "--threads",
            &threads.to_string(),
            "--seconds",
            &seconds.to_string(),
            "--tape",
        ])
        .arg(tape)
        .output()?;
    ensure!(
        output.status.success(),
        "the floor ended with {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).context("the floor answered something else")
}

/// The child process: replays the recorded tensors and prints a [`Floor`].
///
/// # Errors
/// When the pack cannot be loaded or a run fails.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let home = Home::locate()?;
    let pack = Pack::open(&home, &options.pack)?;
    let environment =
        ort::init_from(home.runtime_library()?)?.with_name("floor").with_telemetry(false).build()?;
    let images = tape::read(&options.tape)?;
    let mut sessions: Vec<Networks> =
        (0..options.threads).map(|_| Networks::load(&environment, &pack)).collect::<Result<_, _>>()?;
    // Buffers for every shape are made on the first runs.
    for networks in &mut sessions {
        networks.replay(&images[0])?;
        networks.taken = [Duration::ZERO; 3];
    }
    let next = AtomicUsize::new(0);
    let began = Instant::now();
    let until = began + Duration::from_secs_f64(options.seconds);
    let work = |mut networks: Networks| -> anyhow::Result<[Duration; 3]> {
        while Instant::now() < until {
            networks.replay(&images[next.fetch_add(1, Ordering::Relaxed) % images.len()])?;
        }
        Ok(networks.taken)
    };
    let work = &work;
    let taken = std::thread::scope(|scope| {
        let working: Vec<_> =
            sessions.into_iter().map(|networks| scope.spawn(move || work(networks))).collect();
        let mut all = Vec::new();
        for thread in working {
            all.push(thread.join().map_err(|_| anyhow::anyhow!("a working thread panicked"))??);
        }
        anyhow::Ok(all)
    })?;
    let rate = Rate { images: next.into_inner(), seconds: began.elapsed().as_secs_f64() };
    let ms = |network: usize| {
        taken.iter().map(|taken| taken[network].as_secs_f64() * 1e3).sum::<f64>() / rate.images as f64
    };
    println!("{}", serde_json::to_string(&Floor { rate, ms_per_image: [ms(0), ms(1), ms(2)] })?);
    Ok(())
}

/// The sessions of one thread, and how long each network took so far.
struct Networks {
    sessions: [Option<Session>; 3],
    taken: [Duration; 3],
}

impl Networks {
    fn load(environment: &Environment, pack: &Pack) -> anyhow::Result<Self> {
        // The options of `matcher/src/runtime/session.rs`.
        let load = |onnx: &[u8]| -> ort::Result<Session> {
            Session::builder(environment)?
                .with_optimization_level(GraphOptimizationLevel::All)?
                .with_intra_threads(1)?
                .with_inter_threads(1)?
                .with_intra_op_spinning(false)?
                .with_inter_op_spinning(false)?
                .commit_from_memory(onnx)
        };
        let landmarks = pack.landmarks_onnx().map(load).transpose()?;
        let sessions = [Some(load(pack.detector_onnx())?), landmarks, Some(load(pack.embedder_onnx())?)];
        Ok(Self { sessions, taken: [Duration::ZERO; 3] })
    }

    fn replay(&mut self, asked: &[Asked]) -> anyhow::Result<()> {
        for Asked { network, input } in asked {
            let network = usize::from(*network);
            let session = self.sessions[network].as_mut().context("the pack lacks a recorded network")?;
            let began = Instant::now();
            let value = TensorRef::from_array_view((input.shape(), input.values()))?;
            drop(session.run(ort::inputs![value])?);
            self.taken[network] += began.elapsed();
        }
        Ok(())
    }
}
