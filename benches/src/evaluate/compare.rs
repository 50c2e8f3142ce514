//! `compare` and `report`: what to do with complete run folders.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};

use super::output::{file_digest, read_sealed};

/// Writes one page about two runs.
///
/// # Errors
/// When a folder is not complete, the runs are not on the same data, or the page cannot be written.
pub fn run(champion: &Path, challenger: &Path, out: &Path) -> anyhow::Result<()> {
    let (one, other) = (read_sealed(champion)?, read_sealed(challenger)?);
    ensure!(one.kind == other.kind, "the runs are of two kinds; compare two of one kind");
    ensure!(
        one.dataset.digest == other.dataset.digest,
        "the runs are on different data (digests {} and {}); differences would be of the data",
        one.dataset.digest,
        other.dataset.digest
    );
    let id = |folder: &Path| file_digest(&folder.join("metrics.json"));
    let (first, second) = (id(champion)?, id(challenger)?);
    let page = crate::report::compare::page((&one, &first), (&other, &second))?;
    write_new(out, page.as_bytes())?;
    println!("{}", out.display());
    Ok(())
}

/// Checks a folder, and writes its report anew where that is asked for.
///
/// # Errors
/// When the folder is not complete or was changed, or the page cannot be written.
pub fn report(folder: &Path, out: Option<&Path>) -> anyhow::Result<()> {
    let metrics = read_sealed(folder)?;
    let id = file_digest(&folder.join("metrics.json"))?;
    println!("report {id}: complete and unchanged");
    println!("run digest {}", metrics.run_digest);
    match out {
        None => super::progress::done(folder),
        Some(out) => {
            write_new(out, crate::report::page(&metrics, &id)?.as_bytes())?;
            println!("{}", out.display());
        }
    }
    Ok(())
}

/// Writes a file that must not exist yet.
pub(super) fn write_new(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .with_context(|| format!("cannot make `{}`; give a new name", path.display()))?;
    std::io::Write::write_all(&mut file, content)
        .with_context(|| format!("cannot write `{}`", path.display()))
}
