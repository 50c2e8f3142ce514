//! The log outside the service: a folder of three text files that anybody can check with the public key alone.
//!
//! | file | what |
//! |---|---|
//! | `entries.jsonl` | the canonical JSON of every entry, one per line, in order |
//! |  | of an entry past its retention: `{"expired":"<its event id>"}` |
//! | `leaves` | the leaf hash of every entry, hex, one per line: SHA-256 over a zero byte and the line above, without its line feed |
//! | `checkpoint` | the signed note whose root is the RFC 6962 tree hash over the leaves |
//!
//! Nothing else is in the folder, and no byte of the three is without meaning: every change to them is found.

mod check;
mod signed;

pub use check::{BundleReport, verify_bundle, verify_bundle_under};

use crate::durable::{self, FileError};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// The line of an entry of which only a stub is left. Its hash is that of the entry as it was, not of this line.
fn stub_line(event: &str) -> String {
    format!("{{\"expired\":\"{event}\"}}")
}

/// Names of the three files.
const ENTRIES: &str = "entries.jsonl";
const LEAVES: &str = "leaves";
const CHECKPOINT: &str = "checkpoint";

/// Writes a bundle. It is one only when [`BundleWriter::finish`] returned.
pub struct BundleWriter {
    folder: PathBuf,
    entries: BufWriter<File>,
    leaves: BufWriter<File>,
    count: u64,
}

impl BundleWriter {
    /// Makes the folder and its files, readable by the owner only; refuses a folder that has them.
    ///
    /// # Errors
    /// [`FileError`] when a file is there or cannot be made.
    pub fn create(folder: &Path) -> Result<Self, FileError> {
        durable::create_dir(folder)?;
        let make = |name: &str| {
            let path = folder.join(name);
            durable::create_file(&path, b"")?;
            let file = File::options().append(true).open(&path);
            file.map(BufWriter::new).map_err(|source| FileError::Io { action: "write", path, source })
        };
        Ok(Self { entries: make(ENTRIES)?, leaves: make(LEAVES)?, folder: folder.into(), count: 0 })
    }

    /// Adds the next entry.
    ///
    /// # Errors
    /// [`FileError`] when it cannot be written.
    pub fn push(&mut self, body: &[u8], hash: &[u8]) -> Result<(), FileError> {
        self.count += 1;
        let entry = self.entries.write_all(body).and_then(|()| self.entries.write_all(b"\n"));
        entry.map_err(self.failed(ENTRIES))?;
        writeln!(self.leaves, "{}", hex::encode(hash)).map_err(self.failed(LEAVES))
    }

    /// Adds the next entry, of which only a stub is left.
    ///
    /// # Errors
    /// [`FileError`] when it cannot be written.
    pub fn push_stub(&mut self, event: &str, hash: &[u8]) -> Result<(), FileError> {
        self.push(stub_line(event).as_bytes(), hash)
    }

    /// Entries so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Adds the signed head and makes everything durable.
    ///
    /// # Errors
    /// [`FileError`] when it cannot be written.
    pub fn finish(mut self, checkpoint: &str) -> Result<(), FileError> {
        let entries = self.entries.flush().and_then(|()| self.entries.get_ref().sync_all());
        entries.map_err(self.failed(ENTRIES))?;
        let leaves = self.leaves.flush().and_then(|()| self.leaves.get_ref().sync_all());
        leaves.map_err(self.failed(LEAVES))?;
        durable::create_file(&self.folder.join(CHECKPOINT), checkpoint.as_bytes())
    }

    fn failed(&self, name: &str) -> impl FnOnce(io::Error) -> FileError + use<> {
        let path = self.folder.join(name);
        move |source| FileError::Io { action: "write", path, source }
    }
}
