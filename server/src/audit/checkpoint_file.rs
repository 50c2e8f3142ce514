//! The newest checkpoint as a file beside the database: a log put back to an older state contradicts it.
//!
//! Written by a thread of its own and not waited for: receipts rest on the database, which holds every checkpoint.

use super::queue::Queue;
use crate::durable;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Name of the file in the audit folder.
pub(super) const NAME: &str = "checkpoint";
/// Time between two writings, so that their syncs do not compete with those of the log.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Default)]
struct Slot {
    newest: Option<Arc<str>>,
    closed: bool,
}

/// Hands checkpoints from the writer to the publishing thread; only the newest counts.
#[derive(Default)]
pub(super) struct Publisher {
    slot: Mutex<Slot>,
    changed: Condvar,
}

impl Publisher {
    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a checkpoint to be written soon.
    pub fn publish(&self, note: Arc<str>) {
        self.lock().newest = Some(note);
        self.changed.notify_all();
    }

    /// Writes what is left, then ends.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Runs until closed. A checkpoint that cannot be written closes the log: its state can no longer be witnessed.
    pub fn run(&self, folder: &Path, queue: &Queue) {
        let file: PathBuf = folder.join(NAME);
        while let Some(note) = self.next() {
            if let Err(error) = durable::replace_file(&file, note.as_bytes()) {
                tracing::error!(%error, "audit checkpoint cannot be written: the audit log is closed");
                queue.fail(&error.to_string());
                return;
            }
            let slot = self.lock();
            if !slot.closed {
                drop(self.changed.wait_timeout_while(slot, PAUSE, |slot| !slot.closed));
            }
        }
    }

    fn next(&self) -> Option<Arc<str>> {
        let mut slot = self.lock();
        loop {
            match slot.newest.take() {
                Some(note) => return Some(note),
                None if slot.closed => return None,
                None => slot = self.changed.wait(slot).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}
