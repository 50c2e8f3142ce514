//! What a Python user would write: `benches/peers/pipeline.py`, a process per thread that it is compared with.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, ensure};
use serde::de::DeserializeOwned;

use super::Rate;

/// The processes.
pub(super) struct Peers(Vec<Peer>);

struct Peer {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Peers {
    /// Starts so many, on the networks of `pack` and the images of a folder, which they load.
    pub(super) fn start(
        python: &Path,
        script: &Path,
        pack: &Path,
        images: &Path,
        processes: usize,
    ) -> anyhow::Result<Self> {
        let start = || {
            let mut child = Command::new(python)
                .arg(script)
                .args([pack, images])
                .env("OMP_NUM_THREADS", "1")
                .env("OPENBLAS_NUM_THREADS", "1")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .with_context(|| format!("cannot start `{}`", python.display()))?;
            let input = child.stdin.take().context("the process has no input")?;
            let output = BufReader::new(child.stdout.take().context("the process has no output")?);
            Ok(Peer { child, input, output })
        };
        (0..processes).map(|_| start()).collect::<anyhow::Result<_>>().map(Self)
    }

    /// All work through the images for so long, each from a place of its own.
    pub(super) fn rate(&mut self, seconds: f64, images: usize) -> anyhow::Result<Rate> {
        let processes = self.0.len();
        for (at, peer) in self.0.iter_mut().enumerate() {
            peer.ask(&format!("rate {seconds} {}", at * images / processes))?;
        }
        let mut all = Rate { images: 0, seconds: 0.0 };
        for peer in &mut self.0 {
            let rate: Rate = peer.answer()?;
            all.images += rate.images;
            all.seconds = all.seconds.max(rate.seconds);
        }
        Ok(all)
    }

    /// The embeddings of all images, in the order of their names.
    pub(super) fn embeddings(&mut self) -> anyhow::Result<Vec<Option<Vec<f32>>>> {
        let peer = self.0.first_mut().context("there is no Python process")?;
        peer.ask("embed")?;
        peer.answer()
    }
}

impl Peer {
    fn ask(&mut self, command: &str) -> anyhow::Result<()> {
        writeln!(self.input, "{command}")?;
        Ok(self.input.flush()?)
    }

    fn answer<T: DeserializeOwned>(&mut self) -> anyhow::Result<T> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        ensure!(!line.is_empty(), "the Python process ended; see its message above");
        serde_json::from_str(&line).context("the Python process answered something else")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It holds nothing that could be lost.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes the images into a folder, named in their order.
pub(super) fn write(images: &[Vec<u8>], folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (at, image) in images.iter().enumerate() {
        std::fs::write(folder.join(format!("{at:05}")), image)?;
    }
    Ok(())
}
