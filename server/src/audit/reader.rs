//! The log read-only: beside a running service, or on a machine where none runs.

use super::tree_file::{PIECE, TreeFile};
use super::{
    AuditError, AuditRead, Consistency, Content, Head, Inclusion, Naming, Receipt, StoredEntry, Stub,
    content, expiry, naming, read,
};
use crate::durable::FileError;
use crate::ids::EventId;
use crate::keys::{KeyStore, VerifierKey};
use crate::sqlite::open_read_only;
use jiff::Timestamp;
use rusqlite::Connection;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Reads the log in a folder without changing it.
pub struct AuditReader {
    log: Mutex<Connection>,
    content: Mutex<Connection>,
    verifier: VerifierKey,
    keys: Option<Arc<dyn KeyStore>>,
    tree: Mutex<TreeFile>,
}

impl AuditReader {
    /// Opens the folder. Without keys entries can be read, and [`AuditRead::content`] is refused.
    pub fn open(
        folder: &Path,
        verifier: VerifierKey,
        keys: Option<Arc<dyn KeyStore>>,
    ) -> Result<Self, AuditError> {
        Ok(Self {
            log: Mutex::new(open_read_only(&folder.join(LOG), &read::FORMAT)?),
            content: Mutex::new(open_read_only(&folder.join(CONTENT), &content::FORMAT)?),
            verifier,
            keys,
            // Nothing is written into the folder: the tree is built in a file without a name.
            tree: Mutex::new(tempfile::tempfile().and_then(TreeFile::over).map_err(scratch)?),
        })
    }

    fn log(&self) -> MutexGuard<'_, Connection> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn scratch(source: std::io::Error) -> AuditError {
    FileError::Io { action: "use", path: std::env::temp_dir(), source }.into()
}

/// Name of the log's file in the audit folder.
pub(super) const LOG: &str = "audit.sqlite";
/// Name of the content store's file.
pub(super) const CONTENT: &str = "content.sqlite";

impl AuditRead for AuditReader {
    fn head(&self) -> Result<Head, AuditError> {
        read::head(&self.log(), &self.verifier)
    }

    fn entry(&self, event: EventId) -> Result<Option<StoredEntry>, AuditError> {
        read::entry(&self.log(), event)
    }

    fn entries(&self, from: u64, limit: usize) -> Result<Vec<StoredEntry>, AuditError> {
        read::entries(&self.log(), from, limit)
    }

    fn stubs(&self, from: u64, limit: usize) -> Result<Vec<Stub>, AuditError> {
        expiry::stubs(&self.log(), from, limit)
    }

    fn position(&self, event: EventId) -> Result<Option<u64>, AuditError> {
        read::position(&self.log(), event)
    }

    fn receipt(&self, event: EventId) -> Result<Option<Receipt>, AuditError> {
        read::receipt(&self.log(), event)
    }

    fn content(&self, event: EventId) -> Result<Option<Content>, AuditError> {
        let keys = self
            .keys
            .as_ref()
            .ok_or(AuditError::Invalid("content cannot be opened without the key store"))?;
        read::content(&self.content.lock().unwrap_or_else(PoisonError::into_inner), &**keys, event)
    }

    fn probe_digest(&self, event: EventId, sha256: &[u8; 32]) -> Result<Option<String>, AuditError> {
        let keys =
            self.keys.as_ref().ok_or(AuditError::Invalid("digests cannot be made without the key store"))?;
        read::probe_digest(&**keys, event, sha256)
    }

    fn span(&self, from: Option<Timestamp>, until: Option<Timestamp>) -> Result<Range<u64>, AuditError> {
        read::span(&self.log(), from, until)
    }

    fn checkpoint(&self, size: u64) -> Result<Option<String>, AuditError> {
        read::checkpoint(&self.log(), size)
    }

    fn inclusion(&self, index: u64, size: u64) -> Result<Inclusion, AuditError> {
        if index >= size {
            return Err(AuditError::Invalid("the entry is not in a tree of this size"));
        }
        let log = self.log();
        let root = read::signed_root(&log, &self.verifier, size)?;
        let leaves = |from| read::hashes(&log, from, PIECE);
        self.tree.lock().unwrap_or_else(PoisonError::into_inner).inclusion(index, size, root, &leaves)
    }

    fn consistency(&self, first: u64, second: u64) -> Result<Consistency, AuditError> {
        if first == 0 || first > second {
            return Err(AuditError::Invalid("the earlier tree is empty or larger than the later one"));
        }
        let log = self.log();
        let root = |size| read::signed_root(&log, &self.verifier, size);
        let (sizes, roots) = ([first, second], [root(first)?, root(second)?]);
        let leaves = |from| read::hashes(&log, from, PIECE);
        self.tree.lock().unwrap_or_else(PoisonError::into_inner).consistency(sizes, roots, &leaves)
    }

    fn walk(&self, naming: &mut Naming, limit: usize) -> Result<bool, AuditError> {
        naming::walk(&self.log(), naming, limit)
    }

    fn open_intents(&self) -> Result<Vec<StoredEntry>, AuditError> {
        read::open_intents(&self.log())
    }
}
