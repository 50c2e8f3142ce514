//! Proof that an event is on record.

use super::StoredEntry;
use crate::ids::EventId;
use jiff::Timestamp;
use std::sync::Arc;

/// An entry is durable, and this is where. Only the log makes one, after the sync: whoever holds a receipt may answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    event_id: EventId,
    occurred_at: Timestamp,
    entry_index: u64,
    entry_hash: [u8; 32],
    tree_size: u64,
    checkpoint: Arc<str>,
}

impl Receipt {
    /// The one maker. Called by the writer after all commits returned, and by the reader for what it found committed.
    pub(super) fn of_durable(
        event_id: EventId,
        occurred_at: Timestamp,
        entry_index: u64,
        entry_hash: [u8; 32],
        tree_size: u64,
        checkpoint: Arc<str>,
    ) -> Self {
        Self { event_id, occurred_at, entry_index, entry_hash, tree_size, checkpoint }
    }

    /// The receipt of an entry read from the log, with the checkpoint it was committed under.
    pub(super) fn of_stored(stored: &StoredEntry, tree_size: u64, checkpoint: Arc<str>) -> Self {
        let entry = &stored.entry;
        Self::of_durable(entry.event_id, entry.occurred_at, stored.index, stored.hash, tree_size, checkpoint)
    }

    /// The event.
    pub fn event_id(&self) -> EventId {
        self.event_id
    }

    /// When it occurred, to the millisecond.
    pub fn occurred_at(&self) -> Timestamp {
        self.occurred_at
    }

    /// Position of the entry in the log, from 0.
    pub fn entry_index(&self) -> u64 {
        self.entry_index
    }

    /// RFC 6962 leaf hash of the entry.
    pub fn entry_hash(&self) -> &[u8; 32] {
        &self.entry_hash
    }

    /// Entries under the checkpoint.
    pub fn tree_size(&self) -> u64 {
        self.tree_size
    }

    /// Signed note of the log's head after the commit that holds the entry. A log that is cut short later cannot
    /// honour it: give it to `verify` as an expected checkpoint.
    pub fn checkpoint(&self) -> &str {
        &self.checkpoint
    }
}
