//! The folder of a run: made once, then never changed.
//!
//! | file | what |
//! |---|---|
//! | `run.toml` | the run's description; running it again repeats the run |
//! | `scores.csv`, `scores.parquet` | raw scores |
//! | `metrics.json` | what was found; its SHA-256 is the report id |
//! | `report.html` | the same for people, made of `metrics.json` alone |
//! | `circumstances.json` | when, on which hardware, how long; the only file that differs between repetitions |
//! | `SHA256SUMS` | digests of the others, written last: a folder without it is not complete |
//!
//! While a run works, `incomplete/` holds what it can go on from.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use sha2::{Digest as _, Sha256};

/// Written last.
pub const SUMS: &str = "SHA256SUMS";

const WORK: &str = "incomplete";
const RUN_FILE: &str = "run.toml";

/// A folder that a run may write into.
#[derive(Debug)]
pub struct Output {
    folder: PathBuf,
    /// True when an interrupted run is gone on with.
    pub resumed: bool,
}

impl Output {
    /// Makes the folder, or takes up the interrupted run in it.
    ///
    /// # Errors
    /// When it holds a complete run, another run, or anything else.
    pub fn open(folder: &Path, run_file: &str) -> anyhow::Result<Self> {
        let shown = folder.display();
        ensure!(
            !folder.join(SUMS).exists(),
            "`{shown}` holds a complete run, and runs are never changed; give another folder with --out"
        );
        fs::create_dir_all(folder).with_context(|| format!("cannot make `{shown}`"))?;
        let work = folder.join(WORK);
        let resumed = work.join(RUN_FILE).exists();
        if resumed {
            let known = fs::read_to_string(work.join(RUN_FILE))?;
            ensure!(
                known == run_file,
                "`{shown}` holds an interrupted run with other inputs or settings; give another folder, or remove it"
            );
        } else {
            let strange =
                fs::read_dir(folder)?.filter_map(Result::ok).find(|entry| entry.file_name() != WORK);
            if let Some(strange) = strange {
                bail!(
                    "`{shown}` is not empty (it holds `{}`); give a folder that is new or empty",
                    strange.file_name().to_string_lossy()
                );
            }
            fs::create_dir_all(&work).with_context(|| format!("cannot make `{}`", work.display()))?;
            fs::write(work.join(RUN_FILE), run_file)
                .with_context(|| format!("cannot write into `{}`", work.display()))?;
        }
        Ok(Self { folder: folder.to_path_buf(), resumed })
    }

    /// Where to keep what an interrupted run goes on from. Removed at the end.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.folder.join(WORK)
    }

    /// The folder itself.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes one of the files.
    ///
    /// # Errors
    /// When the disk is full or gone.
    pub fn write(&self, name: &str, content: &[u8]) -> anyhow::Result<()> {
        let path = self.folder.join(name);
        fs::write(&path, content).with_context(|| format!("cannot write `{}`", path.display()))
    }

    /// Removes the working folder, writes the digests and takes the right to write from every file.
    ///
    /// # Errors
    /// When a file cannot be read back or written.
    pub fn seal(self) -> anyhow::Result<PathBuf> {
        let work = self.work();
        fs::remove_dir_all(&work).with_context(|| format!("cannot remove `{}`", work.display()))?;
        let mut names: Vec<String> = fs::read_dir(&self.folder)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<std::io::Result<_>>()?;
        names.sort();
        let mut sums = String::new();
        for name in &names {
            sums.push_str(&format!("{}  {name}\n", file_digest(&self.folder.join(name))?));
        }
        self.write(SUMS, sums.as_bytes())?;
        for name in names.iter().map(String::as_str).chain([SUMS]) {
            let path = self.folder.join(name);
            let mut rights = fs::metadata(&path)?.permissions();
            rights.set_readonly(true);
            fs::set_permissions(&path, rights)
                .with_context(|| format!("cannot protect `{}`", path.display()))?;
        }
        Ok(self.folder)
    }
}

/// The metrics of a complete folder, after checking every digest.
///
/// # Errors
/// When the folder is not complete, or a file differs from its digest.
pub fn read_sealed(folder: &Path) -> anyhow::Result<super::record::Metrics> {
    let sums = fs::read_to_string(folder.join(SUMS)).with_context(|| {
        format!("`{}` is no complete run folder: it has no readable {SUMS}", folder.display())
    })?;
    for line in sums.lines() {
        let (digest, name) =
            line.split_once("  ").with_context(|| format!("{SUMS} has the line `{line}`"))?;
        let path = folder.join(name);
        let found = file_digest(&path)?;
        ensure!(
            found == digest,
            "`{}` was changed after the run; do not rely on this folder",
            path.display()
        );
    }
    let text = fs::read(folder.join("metrics.json"))?;
    let metrics: super::record::Metrics =
        serde_json::from_slice(&text).with_context(|| format!("`{}` has no metrics", folder.display()))?;
    ensure!(
        metrics.schema == super::record::SCHEMA,
        "the metrics have schema `{}`; this version reads `{}`",
        metrics.schema,
        super::record::SCHEMA
    );
    Ok(metrics)
}

/// SHA-256 of a file, in hexadecimal digits.
///
/// # Errors
/// When it cannot be read.
pub fn file_digest(path: &Path) -> anyhow::Result<String> {
    let mut sha = Sha256::new();
    let mut file = fs::File::open(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let mut block = vec![0; 1 << 20];
    loop {
        match std::io::Read::read(&mut file, &mut block)
            .with_context(|| format!("cannot read `{}`", path.display()))?
        {
            0 => return Ok(hex::encode(sha.finalize())),
            read => sha.update(&block[..read]),
        }
    }
}
