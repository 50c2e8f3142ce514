//! A tester's run, as `likeness-bench` leaves it: what of `metrics.json` gives a threshold its meaning.
//!
//! The folder must be complete and unchanged: `SHA256SUMS` is written last, and every file it names is read again.
use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// The form of `metrics.json` that this program reads.
const SCHEMA: &str = "likeness-metrics-1";
/// A curve has some hundred steps per gallery size and group.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// Why a run folder cannot be used.
#[derive(Debug, Error)]
pub enum RunError {
    /// A file is missing or cannot be read.
    #[error("cannot read `{}`: {source}; a run folder is complete when it has `SHA256SUMS`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file is not what it was when the run ended.
    #[error("`{}` was changed since the run ended; run it again", .0.display())]
    Changed(PathBuf),
    /// `SHA256SUMS` is not in the form of sha256sum.
    #[error("line {line} of `{}` is not `<64 digits>  <file>`", path.display())]
    Sums {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
    },
    /// `metrics.json` is not what this program reads.
    #[error("`{}` is not a `{SCHEMA}`: {source}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Line and field.
        source: serde_json::Error,
    },
    /// It is of another version.
    #[error("`{}` has the schema `{found}`; this program reads `{SCHEMA}`", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// As written.
        found: String,
    },
}

/// A run that was read and found unchanged.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    pub(super) report_id: String,
    pub(super) metrics: Metrics,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Metrics {
    schema: String,
    pub(super) tool: Tool,
    pub(super) run_digest: String,
    pub(super) dataset: Dataset,
    pub(super) pack: Option<Pack>,
    pub(super) confidence: f64,
    pub(super) minimum_events: u64,
    pub(super) searches: Option<Searches>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Tool {
    pub(super) name: String,
    pub(super) version: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Dataset {
    pub(super) name: String,
    pub(super) digest: String,
    pub(super) synthetic: bool,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Pack {
    pub(super) name: String,
    pub(super) version: String,
    /// Absent for a matcher behind a process: nobody but itself can read its templates.
    pub(super) space_id: Option<String>,
    pub(super) digest: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Searches {
    pub(super) list_length: u64,
    pub(super) sizes: Vec<Size>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Size {
    pub(super) subjects: u64,
    pub(super) references: u64,
    pub(super) mated_searches: u64,
    pub(super) non_mated_searches: u64,
    pub(super) rows: Vec<Row>,
    #[serde(default)]
    pub(super) cells: Vec<Cell>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub(super) struct Row {
    pub(super) threshold: f64,
    pub(super) non_mated_with_candidate: u64,
    pub(super) mated_missed: u64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Cell {
    pub(super) by: Vec<String>,
    pub(super) values: Vec<String>,
    pub(super) mated_searches: u64,
    pub(super) non_mated_searches: u64,
    pub(super) rows: Vec<Row>,
}

impl Run {
    /// Reads a complete run folder.
    ///
    /// # Errors
    /// [`RunError`] for a folder that is incomplete, was changed, or is of another version.
    pub fn read(folder: &Path) -> Result<Run, RunError> {
        check_sums(folder)?;
        let path = folder.join("metrics.json");
        let bytes = read(&path)?;
        let malformed = |source| RunError::Malformed { path: path.clone(), source };
        // The schema first: another version may well have other fields.
        #[derive(Deserialize)]
        struct Head {
            schema: String,
        }
        let head: Head = serde_json::from_slice(&bytes).map_err(malformed)?;
        if head.schema != SCHEMA {
            return Err(RunError::Schema { path, found: head.schema.chars().take(64).collect() });
        }
        let metrics: Metrics = serde_json::from_slice(&bytes).map_err(malformed)?;
        Ok(Run { report_id: hex::encode(Sha256::digest(&bytes)), metrics })
    }

    /// SHA-256 of `metrics.json`, hex.
    pub fn report_id(&self) -> &str {
        &self.report_id
    }
}

fn read(path: &Path) -> Result<Vec<u8>, RunError> {
    let failed = |source| RunError::Read { path: path.to_path_buf(), source };
    if fs::metadata(path).map_err(failed)?.len() > MOST_BYTES {
        return Err(failed(std::io::Error::other("it is larger than any metrics file")));
    }
    fs::read(path).map_err(failed)
}

/// Every file that `SHA256SUMS` names is there and unchanged, `metrics.json` among them.
fn check_sums(folder: &Path) -> Result<(), RunError> {
    let path = folder.join("SHA256SUMS");
    let text = String::from_utf8_lossy(&read(&path)?).into_owned();
    let mut named = false;
    for (line, number) in text.lines().zip(1..) {
        let wrong = || RunError::Sums { path: path.clone(), line: number };
        let (digest, file) = line.split_once("  ").or_else(|| line.split_once(" *")).ok_or_else(wrong)?;
        let plain = Path::new(file).components().all(|part| matches!(part, Component::Normal(_)));
        if digest.len() != 64 || file.is_empty() || !plain {
            return Err(wrong());
        }
        named |= file == "metrics.json";
        let file = folder.join(file);
        if digest_of(&file)? != digest {
            return Err(RunError::Changed(file));
        }
    }
    if named { Ok(()) } else { Err(RunError::Sums { path, line: 0 }) }
}

/// SHA-256 of a file of any size, hex.
fn digest_of(path: &Path) -> Result<String, RunError> {
    let failed = |source| RunError::Read { path: path.to_path_buf(), source };
    let mut file = fs::File::open(path).map_err(failed)?;
    let mut sha = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match std::io::Read::read(&mut file, &mut buffer).map_err(failed)? {
            0 => return Ok(hex::encode(sha.finalize())),
            count => sha.update(&buffer[..count]),
        }
    }
}
