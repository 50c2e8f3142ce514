//! Is the log what it was? Recomputes everything from the files, beside the writer and without its help.
//!
//! Detects entries that were changed, removed, added, reordered or cut off, and says which is the first bad one; and
//! content that was changed or removed before its time. What it cannot see on its own is a whole folder put
//! back to an older state, checkpoint file included: for that, give it a checkpoint from any receipt issued since.

mod chain;
mod contents;
mod expired;
mod finding;
mod structure;
mod tree;
mod witness;

pub(super) use expired::Expired;
pub use finding::{Finding, FindingKind};
pub(super) use tree::{Growing, leaf};

use super::checkpoint_file::NAME as CHECKPOINT;
use super::note::Checkpoint;
use super::reader::{CONTENT, LOG};
use super::{NoteError, content, read};
use crate::keys::{KeyStore, VerifierKey};
use crate::sqlite::open_read_only;
use contents::Contents;
use finding::Findings;
use std::path::Path;
use witness::Witness;

/// What else to verify against.
#[derive(Default)]
pub struct VerifyOptions<'a> {
    /// Checkpoint notes from receipts: the log must still contain all that they signed.
    pub expected: Vec<String>,
    /// With keys, content is opened and compared with the digests in the entries.
    pub keys: Option<&'a dyn KeyStore>,
    /// Retention of entries that the log is to be held to, in days: a purge under a shorter one is a finding. `None`: the
    /// shortest that there may be ([`LEAST_METADATA_DAYS`](super::LEAST_METADATA_DAYS)).
    pub metadata_days: Option<u32>,
}

/// What was verified, and what was found.
#[derive(Clone, Debug, Default)]
pub struct VerifyReport {
    /// Entries read.
    pub entries: u64,
    /// Merkle tree hash over them, as recomputed.
    pub root: [u8; 32],
    /// Signed checkpoints that were compared with it.
    pub checkpoints: u64,
    /// Pieces of content whose digest was compared.
    pub contents_checked: u64,
    /// Entries whose content was purged, as the log itself says.
    pub contents_purged: u64,
    /// Entries whose content went with a person who was erased, as the log itself says.
    pub contents_erased: u64,
    /// Entries that are past their retention: their bodies are gone, their hashes are there.
    pub expired: u64,
    /// Intents without an outcome.
    pub open_intents: u64,
    /// What is wrong, the first bad entry first. At most 1,000; empty when the log is sound.
    pub findings: Vec<Finding>,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

/// The question itself was wrong.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// An expected checkpoint is not one of this log's.
    #[error("expected checkpoint {position} cannot be used: {source}")]
    Expected {
        /// Position in [`VerifyOptions::expected`], from 0.
        position: usize,
        /// What is wrong with it.
        source: NoteError,
    },
}

/// How often a log that grew while it was read is read again.
const ATTEMPTS: usize = 3;

/// Verifies the log in `folder` against the public key `key`.
///
/// May run beside the writing service: it sees the log as of one moment. A file that is missing or cannot be read is a
/// finding, not an error.
pub fn verify(
    folder: &Path,
    key: &VerifierKey,
    options: &VerifyOptions<'_>,
) -> Result<VerifyReport, VerifyError> {
    let mut expected = Vec::new();
    for (position, note) in options.expected.iter().enumerate() {
        let checkpoint =
            Checkpoint::open(note, key).map_err(|source| VerifyError::Expected { position, source })?;
        expected.push(Witness { source: "a checkpoint from a receipt", checkpoint });
    }
    let mut report = attempt(folder, key, options, &expected);
    for _ in 1..ATTEMPTS {
        if report.is_sound() {
            break;
        }
        // The log's files are not one file: content of the newest entries may become visible a moment after them,
        // and a purge may run in between. What is really wrong is still wrong on the next reading.
        std::thread::sleep(std::time::Duration::from_millis(200));
        let again = attempt(folder, key, options, &expected);
        let grew = again.entries > report.entries;
        report = again;
        if !grew {
            break;
        }
    }
    Ok(report)
}

fn attempt(
    folder: &Path,
    key: &VerifierKey,
    options: &VerifyOptions<'_>,
    expected: &[Witness],
) -> VerifyReport {
    let mut report = VerifyReport::default();
    let mut findings = Findings::default();
    // The file before the database: the database may only be ahead of it.
    let mut witnesses = expected.to_vec();
    match filed(folder, key) {
        Ok(witness) => witnesses.push(witness),
        Err(finding) => findings.add(finding),
    }
    // The entries are checked also when the content cannot be.
    let store = open_read_only(&folder.join(CONTENT), &content::FORMAT);
    let contents = match &store {
        Ok(store) => Contents::new(store, options.keys, &mut findings).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let mut contents = contents.map_err(|why| findings.add(Finding::of_log(FindingKind::Content, why))).ok();
    match open_read_only(&folder.join(LOG), &read::FORMAT) {
        Ok(log) => {
            let least = options.metadata_days;
            chain::check(&log, key, witnesses, contents.as_mut(), least, &mut report, &mut findings);
        }
        Err(error) => findings.add(Finding::of_log(FindingKind::Unreadable, error.to_string())),
    }
    if let Some(contents) = contents {
        contents.finish(&mut report, &mut findings);
    }
    report.findings = findings.sorted();
    report
}

fn filed(folder: &Path, key: &VerifierKey) -> Result<Witness, Finding> {
    let bad =
        |why: String| Finding::of_log(FindingKind::Checkpoint, format!("the file `{CHECKPOINT}`: {why}"));
    let note = std::fs::read(folder.join(CHECKPOINT)).map_err(|error| bad(error.to_string()))?;
    let note = String::from_utf8(note).map_err(|_| bad("it is not text".into()))?;
    let checkpoint = Checkpoint::open(&note, key).map_err(|error| bad(error.to_string()))?;
    Ok(Witness { source: "the file `checkpoint`", checkpoint })
}
