//! The log read-only: beside a running service, or on a machine where none runs.

use super::{AuditError, AuditRead, Content, Head, Receipt, StoredEntry, content, read};
use crate::ids::EventId;
use crate::keys::{KeyStore, VerifierKey};
use crate::sqlite::open_read_only;
use rusqlite::Connection;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Reads the log in a folder without changing it.
pub struct AuditReader {
    log: Mutex<Connection>,
    content: Mutex<Connection>,
    verifier: VerifierKey,
    keys: Option<Arc<dyn KeyStore>>,
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
        })
    }

    fn log(&self) -> MutexGuard<'_, Connection> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

    fn open_intents(&self) -> Result<Vec<StoredEntry>, AuditError> {
        read::open_intents(&self.log())
    }
}
