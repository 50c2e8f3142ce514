//! Who asked what, why, and what they were shown: the log without which no answer leaves.
//!
//! An entry counts when it is durable, and only then is there a [`Receipt`]; no receipt, no answer. Entries hold
//! digests, never content: the probe, the request and the exact response lie sealed in a content store, each event
//! under its own key, so that they can be forgotten while the entry stays.
//!
//! Each entry names the hash of the one before it, and all are leaves of an RFC 6962 Merkle tree whose head is signed
//! with every commit. [`verify`](verify::verify) recomputes all of it and shares no code with the writer that matters.

pub mod anomaly;
pub mod bundle;
mod canonical;
mod checkpoint_file;
mod content;
mod copy;
mod entry;
mod expiry;
mod file_log;
mod merkle;
mod moment;
mod naming;
mod note;
pub mod operations;
mod prepare;
pub mod proof;
mod queue;
mod read;
mod reader;
mod receipt;
mod recover;
#[cfg(test)]
mod tests;
mod tree_file;
pub mod verify;
mod writer;

pub use content::{Content, ContentDigests, Part};
pub(crate) use copy::{FILES, copy};
pub use entry::{
    Actor, Authorisation, Candidate, Change, Entry, Operation, Outcome, Phase, PoolTouched, Probe, Recipient,
    Withheld,
};
pub use expiry::{LEAST_DAYS as LEAST_METADATA_DAYS, MetadataPurge, MetadataPurged, Stub};
pub use file_log::{AuditOptions, FileAudit};
pub use naming::Naming;
pub use note::{Checkpoint, NoteError};
pub use proof::{Consistency, Inclusion};
pub use reader::AuditReader;
pub use receipt::Receipt;
pub use recover::Recovery;

use crate::durable::FileError;
use crate::ids::EventId;
use crate::keys::KeyError;
use crate::seal::SealError;
use crate::sqlite::DatabaseError;
use jiff::Timestamp;
use std::ops::Range;
use std::time::Duration;

/// An entry to append, with the content that belongs to it.
#[derive(Debug)]
pub struct Submission {
    /// The entry. Its `content` is filled in by the log.
    pub entry: Entry,
    /// What goes sealed into the content store; may be empty.
    pub content: Content,
}

impl From<Entry> for Submission {
    fn from(entry: Entry) -> Self {
        Self { entry, content: Content::default() }
    }
}

/// An entry as the log keeps it.
#[derive(Clone, Debug)]
pub struct StoredEntry {
    /// Position in the log, from 0, without gaps.
    pub index: u64,
    /// RFC 6962 leaf hash: SHA-256 over a zero byte and `body`.
    pub hash: [u8; 32],
    /// Leaf hash of the entry before; 32 zero bytes for the first.
    pub previous: [u8; 32],
    /// The entry in canonical JSON: the bytes that are hashed.
    pub body: Vec<u8>,
    /// The entry, read from `body`.
    pub entry: Entry,
}

/// The newest state of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of entries.
    pub size: u64,
    /// RFC 6962 Merkle tree hash over all of them.
    pub root: [u8; 32],
    /// Signed note that says so.
    pub checkpoint: String,
}

/// What a purge of old content removed.
#[derive(Debug)]
pub struct Purged {
    /// Content keys destroyed.
    pub keys: u64,
    /// Pieces of sealed content removed.
    pub parts: u64,
    /// Receipt of the entry that records it.
    pub receipt: Receipt,
}

/// What an erasure removed from the content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ErasedContent {
    /// Content keys destroyed.
    pub keys: u64,
    /// Pieces of sealed content removed.
    pub parts: u64,
}

/// Reading the log. What is returned was durable before the call.
pub trait AuditRead: Send + Sync {
    /// The newest state.
    fn head(&self) -> Result<Head, AuditError>;

    /// The entry of this event.
    fn entry(&self, event: EventId) -> Result<Option<StoredEntry>, AuditError>;

    /// Up to `limit` entries from index `from` on, ascending.
    fn entries(&self, from: u64, limit: usize) -> Result<Vec<StoredEntry>, AuditError>;

    /// What is left of forgotten entries: up to `limit` stubs from index `from` on, ascending. They stand at the beginning of the
    /// log; [`AuditRead::entry`] and [`AuditRead::entries`] do not have them.
    fn stubs(&self, from: u64, limit: usize) -> Result<Vec<Stub>, AuditError>;

    /// The position of this event, whether or not its entry is forgotten.
    fn position(&self, event: EventId) -> Result<Option<u64>, AuditError>;

    /// The very receipt that was issued for the event, bit for bit: `content.response` followed by the encoded
    /// receipt is what was sent.
    fn receipt(&self, event: EventId) -> Result<Option<Receipt>, AuditError>;

    /// The content of the event. `None`: it had none, or it was purged.
    fn content(&self, event: EventId) -> Result<Option<Content>, AuditError>;

    /// The keyed digest under which the event recorded a probe with this SHA-256. `None`: it has no content, or it was purged.
    fn probe_digest(&self, event: EventId, sha256: &[u8; 32]) -> Result<Option<String>, AuditError>;

    /// Positions of the entries made at or after `from` and before `until`, as far as event ids tell: from the first of them to one
    /// past the last.
    fn span(&self, from: Option<Timestamp>, until: Option<Timestamp>) -> Result<Range<u64>, AuditError>;

    /// The signed head of exactly this size, if there was a commit at it.
    fn checkpoint(&self, size: u64) -> Result<Option<String>, AuditError>;

    /// The hashes that prove entry `index` in the tree of the first `size` entries, from the leaf up (RFC 6962 section 2.1.1).
    ///
    /// [`AuditError::Invalid`] unless `index < size` and `size` is at most the log's.
    fn inclusion(&self, index: u64, size: u64) -> Result<Inclusion, AuditError>;

    /// The hashes that prove the tree of `second` entries to extend that of `first` (RFC 6962 section 2.1.2).
    ///
    /// [`AuditError::Invalid`] unless `1 <= first <= second` and `second` is at most the log's size.
    fn consistency(&self, first: u64, second: u64) -> Result<Consistency, AuditError>;

    /// Goes on with a walk over the log by up to `limit` entries; `true` when it has reached the end.
    fn walk(&self, naming: &mut Naming, limit: usize) -> Result<bool, AuditError>;

    /// Intents for which no outcome is recorded, oldest first. At start these are operations cut short by a crash.
    fn open_intents(&self) -> Result<Vec<StoredEntry>, AuditError>;
}

/// Writing the log. There is one writer; it fails closed.
///
/// Dropping a log waits for appends that were accepted, and loses nothing.
pub trait AuditLog: AuditRead {
    /// Appends entries (at most 512) and their content; blocks until all of it is durable. Receipts are in the order given.
    ///
    /// After [`AuditError::Busy`], [`AuditError::Invalid`] and [`AuditError::TooLarge`] nothing was recorded. After
    /// any other error something may have been, and no answer may leave. After a write error every later call is
    /// refused with [`AuditError::Failed`] until the log is opened again.
    ///
    /// An entry whose phase is [`Phase::Outcome`] must name an open intent in `related`, and closes it.
    fn append(&self, submissions: Vec<Submission>) -> Result<Vec<Receipt>, AuditError>;

    /// Forgets the content of all events before `before`: records the intent, destroys the keys, removes the sealed
    /// bytes, records the outcome. `by` says who asked and why. Entries stay.
    fn purge_content(&self, before: Timestamp, by: Entry) -> Result<Purged, AuditError>;

    /// Forgets the content of these events: destroys their keys and removes the sealed bytes. An entry that names them in
    /// [`Entry::content_erased`] must be in the log before, or a verifier reports them as missing. Idempotent.
    fn erase_content(&self, events: &[EventId]) -> Result<ErasedContent, AuditError>;

    /// Forgets the entries made before `before`, which is `days` days ago or longer: records the intent, removes their bodies,
    /// records the outcome. Their hashes stay, and with them every head and proof. `None`: there was nothing to forget, and
    /// nothing was recorded.
    ///
    /// [`AuditError::Invalid`] for fewer days than [`LEAST_METADATA_DAYS`], or a time that is not that long ago.
    fn purge_metadata(
        &self,
        before: Timestamp,
        days: u32,
        by: Entry,
    ) -> Result<Option<MetadataPurged>, AuditError>;
}

/// What went wrong with the audit log. None of it may be answered with anything but a refusal.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The queue is full; nothing was recorded. The same call may succeed later.
    #[error("the audit log is busy; nothing was recorded, try again")]
    Busy,
    /// An earlier write failed, or the log is closing. It refuses everything until it is opened again.
    #[error(
        "the audit log refuses to write since an error: {reason}; restart the service when it is repaired"
    )]
    Failed {
        /// The first error.
        reason: String,
    },
    /// The entry was accepted and did not become durable in time. It may become so later.
    #[error("the audit log did not answer within {} ms; whether the entry is recorded is not known", .0.as_millis())]
    TimedOut(Duration),
    /// The entry is longer than an entry may be.
    #[error("an audit entry of {bytes} bytes is longer than {limit}; shorten lists or texts")]
    TooLarge {
        /// Bytes of the entry.
        bytes: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The entry cannot be recorded as it is: a defect of the caller.
    #[error("audit entry refused: {0}")]
    Invalid(&'static str),
    /// The files contradict each other, or were changed.
    #[error("the audit log is not sound: {0}; run `likeness audit verify`, keep the files as they are")]
    Unsound(String),
    /// A file could not be read or written.
    #[error("audit log: {0}")]
    File(#[from] FileError),
    /// A database could not be read or written.
    #[error("audit log: {0}")]
    Database(#[from] DatabaseError),
    /// The key store could not keep or give a content key, or could not sign.
    #[error("audit log: {0}")]
    Keys(#[from] KeyError),
    /// Content could not be sealed or opened.
    #[error("audit content: {0}")]
    Seal(#[from] SealError),
    /// A thread of the log could not be started.
    #[error("audit log: cannot start a thread: {0}")]
    Thread(String),
}

impl From<rusqlite::Error> for AuditError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.into())
    }
}
