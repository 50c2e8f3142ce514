//! Measurements in processes of their own: what one leaves in memory does not help or hinder the next, and libraries
//! take their number of threads from the environment when a process starts.

use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The environment of a measuring process. OpenMP and OpenBLAS, under FAISS, work on the calling thread alone: who
/// measures decides about threads. Large pieces of memory go back to the system when they are freed, so that the
/// process's resident memory tells what is in use.
const ENVIRONMENT: [(&str, &str); 4] = [
    ("OMP_NUM_THREADS", "1"),
    ("OPENBLAS_NUM_THREADS", "1"),
    ("MALLOC_MMAP_THRESHOLD_", "1048576"),
    ("MALLOC_TRIM_THRESHOLD_", "1048576"),
];

/// Runs this program again with a subcommand that takes its job from standard input and prints its answer as JSON.
///
/// # Errors
/// When it ends in failure, or answers something else.
pub fn in_a_process_of_its_own<Job: Serialize, Answer: DeserializeOwned>(
    subcommand: &str,
    job: &Job,
) -> anyhow::Result<Answer> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg(subcommand)
        .envs(ENVIRONMENT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    // Dropped at the end of the statement: the process sees the end of its input.
    child.stdin.take().context("the process has no input")?.write_all(&serde_json::to_vec(job)?)?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "`{subcommand}` ended with {}", output.status);
    serde_json::from_slice(&output.stdout).with_context(|| format!("`{subcommand}` answered something else"))
}

/// The job of this process.
///
/// # Errors
/// When standard input holds something else.
pub fn job<Job: DeserializeOwned>() -> anyhow::Result<Job> {
    serde_json::from_reader(std::io::stdin().lock())
        .context("this subcommand is used by others, which give it a job on standard input")
}

/// Gives the answer of this process.
///
/// # Errors
/// When it cannot be written.
pub fn answer<Answer: Serialize>(answer: &Answer) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string(answer)?);
    Ok(())
}
