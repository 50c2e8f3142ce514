//! The log as it is at one moment, for a backup.

use std::path::Path;
use std::time::{Duration, Instant};

use super::reader::{CONTENT, LOG};
use super::writer::BATCH_ENTRIES;
use super::{AuditError, Head, checkpoint_file, content, read};
use crate::durable;
use crate::keys::VerifierKey;
use crate::sqlite::{Snapshot, open_read_only};

/// The files of a log that is not in use; `tree`, a cache, is not among them. The last is the checkpoint.
pub(crate) const FILES: [&str; 3] = [LOG, CONTENT, checkpoint_file::NAME];

/// Longest wait for the content of the newest entries: the writer is committing it.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(10);

/// Copies the log in `from` into the folder `to`, beside the writer. The checkpoint file says what the copy's newest one says.
///
/// Every entry in the copy has its content there, unless it was purged. Content of later entries may be there, too; it is removed when
/// the copy is opened, as after a crash.
pub(crate) fn copy(from: &Path, to: &Path, key: &VerifierKey) -> Result<Head, AuditError> {
    let log = Snapshot::take(&from.join(LOG))?;
    let head = read::head(log.connection(), key)?;
    // Entries and their content are committed side by side, so that of the newest entries may be a moment behind.
    let store = wait_for_content(&log, head.size, &from.join(CONTENT))?;
    log.write_to(&to.join(LOG))?;
    store.write_to(&to.join(CONTENT))?;
    durable::create_file(&to.join(checkpoint_file::NAME), head.checkpoint.as_bytes())?;
    // What was written is what will be read.
    read::head(&open_read_only(&to.join(LOG), &read::FORMAT)?, key)
}

fn wait_for_content(log: &Snapshot, size: u64, file: &Path) -> Result<Snapshot, AuditError> {
    // One commit at most is under way.
    let newest = read::entries(log.connection(), size.saturating_sub(BATCH_ENTRIES as u64), BATCH_ENTRIES)?;
    let began = Instant::now();
    loop {
        let store = Snapshot::take(file)?;
        // Entries that say that their content is lost, or that it was purged, wait for nothing.
        let Some(last) = newest.iter().rev().find_map(|stored| {
            let digests = stored.entry.content.as_ref()?;
            digests.0.keys().next().map(|part| (stored.entry.event_id, *part))
        }) else {
            return Ok(store);
        };
        // Content of one commit becomes visible in one step: the last stands for all.
        if content::get(store.connection(), last.0, last.1)?.is_some() || began.elapsed() > PATIENCE {
            return Ok(store);
        }
        drop(store);
        std::thread::sleep(PAUSE);
    }
}
