//! Under which circumstances a number was measured. Nothing that names a host or a person.

use std::process::Command;
use std::{env, fs};

use serde::Serialize;

/// Machine, source and command of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Circumstances {
    /// When the run began, UTC.
    pub began: jiff::Timestamp,
    /// Model name of the processor, or the architecture where the system does not tell.
    pub processor: String,
    /// Logical processors this process may use.
    pub cores: usize,
    /// Main memory in GiB, rounded; 0 where the system does not tell.
    pub memory_gib: u64,
    /// Load average over one minute when the run began: other work on the machine. Absent where not told.
    pub load_before: Option<f64>,
    /// The same when it ended; includes the run's own work.
    pub load_after: Option<f64>,
    /// Commit of the source tree; `none` without one; ends in `+changes` when files differ from it.
    pub commit: String,
    /// Seed of everything random.
    pub seed: u64,
    /// The arguments that repeat the run.
    pub command: Vec<String>,
}

impl Circumstances {
    /// Looks around.
    #[must_use]
    pub fn now(seed: u64) -> Self {
        Self {
            began: jiff::Timestamp::now(),
            processor: from_table("/proc/cpuinfo", "model name")
                .unwrap_or_else(|| env::consts::ARCH.to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gib: memory_gib(),
            load_before: load(),
            load_after: None,
            commit: commit(),
            seed,
            command: env::args().skip(1).collect(),
        }
    }

    /// Notes the load at the end.
    pub fn end(&mut self) {
        self.load_after = load();
    }
}

/// Value of a `key : value` line of a system file.
fn from_table(path: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// Memory that could be taken without harm to others, in bytes; nothing where the system does not tell.
#[must_use]
pub fn available_bytes() -> Option<u64> {
    Some(kibibytes(&from_table("/proc/meminfo", "MemAvailable")?)? * 1024)
}

/// Resident memory of this process in bytes; 0 where the system does not tell.
#[must_use]
pub fn resident_bytes() -> u64 {
    from_table("/proc/self/status", "VmRSS").and_then(|told| kibibytes(&told)).unwrap_or(0) * 1024
}

fn kibibytes(told: &str) -> Option<u64> {
    told.split_whitespace().next()?.parse().ok()
}

fn memory_gib() -> u64 {
    let total = from_table("/proc/meminfo", "MemTotal").unwrap_or_default();
    let kib: u64 = total.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0);
    (kib + (1 << 19)) >> 20
}

fn load() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) else { return "none".to_owned() };
    // The runs themselves are files of the tree: they do not make a build differ from its commit.
    match git(&["status", "--porcelain", "--", ".", ":!benches/runs", ":!benches/README.md"]) {
        Some(changes) if changes.is_empty() => commit,
        Some(_) | None => commit + "+changes",
    }
}

/// Most main memory that this process has held so far, MiB; absent where the system does not tell.
#[must_use]
pub fn peak_memory_mib() -> Option<u64> {
    let kib: u64 = from_table("/proc/self/status", "VmHWM")?.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1024)
}
