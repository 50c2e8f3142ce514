//! Which keys exist, and which no longer do.
//!
//! Every subject has a data key of its own, wrapped by the key of its pool; every audit event has a content key,
//! wrapped by the root key. They live here only, apart from every database and every backup of one: what a
//! key had sealed is gone when the key is destroyed.

mod content;
mod file;
mod key_file;
mod pool_key;
mod pool_name;
mod statement;
mod states;
mod subjects;
mod tester;
#[cfg(test)]
mod tests;
mod verifier;

pub use file::FileKeyStore;
pub use pool_key::{KeyCheck, PoolKey};
pub use pool_name::{PoolName, PoolNameError};
pub use statement::{StatementError, verify as verify_statement};
pub use states::{KeyState, KeyStates};
pub use tester::TesterKey;
pub use verifier::{VerifierKey, VerifierKeyError};

use crate::durable::FileError;
use crate::ids::{EventId, SubjectId};
use crate::seal::{SealError, SealKey};
use crate::sqlite::DatabaseError;
use jiff::Timestamp;
use std::collections::HashMap;

/// Keeps keys. What `Ok` says is durable: a created key survives a power cut, a destroyed one does not come back.
///
/// Dropping a store neither creates nor destroys anything.
pub trait KeyStore: KeyStates + Send + Sync {
    /// Makes the key of a new pool. [`KeyError::PoolExists`] when there is one: it is never replaced.
    fn create_pool(&self, pool: &PoolName) -> Result<PoolKey, KeyError>;

    /// The pool's key, if its check value is the `expected` one that was stored with the pool's records.
    ///
    /// [`KeyError::WrongPoolKey`] for another pool's key, [`KeyError::UnknownPool`] for none.
    fn open_pool(&self, pool: &PoolName, expected: &KeyCheck) -> Result<PoolKey, KeyError>;

    /// Destroys the pool's key and with it everything that was sealed in the pool. Other pools' files stay
    /// byte-identical.
    fn destroy_pool(&self, pool: &PoolName) -> Result<(), KeyError>;

    /// One key per subject, in the order given; makes the missing ones in one durable step.
    ///
    /// [`KeyError::Destroyed`] when a subject's key was destroyed earlier: an erased subject is not revived.
    fn create_subject_keys(
        &self,
        pool: &PoolKey,
        subjects: &[SubjectId],
        now: Timestamp,
    ) -> Result<Vec<SealKey>, KeyError>;

    /// The subject's key; `None` when it was never made or is destroyed.
    fn subject_key(&self, pool: &PoolKey, subject: SubjectId) -> Result<Option<SealKey>, KeyError>;

    /// All keys of the pool, for rebuilding its index.
    fn subject_keys(&self, pool: &PoolKey) -> Result<HashMap<SubjectId, SealKey>, KeyError>;

    /// Destroys the keys of these subjects, in one durable step; their ids stay as tombstones. Says how many keys there were.
    ///
    /// Subjects that never had a key get a tombstone too: a key that an older copy of this store brings back for one of them
    /// could otherwise not be told from a rightful one.
    fn destroy_subject_keys(
        &self,
        pool: &PoolKey,
        subjects: &[SubjectId],
        now: Timestamp,
    ) -> Result<u64, KeyError>;

    /// Keeps the keys of new audit events, all in one durable step.
    fn put_content_keys(&self, keys: &[(EventId, SealKey)]) -> Result<(), KeyError>;

    /// The key of an event's content; `None` when it had none or it is destroyed.
    fn content_key(&self, event: EventId) -> Result<Option<SealKey>, KeyError>;

    /// The events whose keys were kept last, newest first, at most `limit`.
    fn newest_content_keys(&self, limit: usize) -> Result<Vec<EventId>, KeyError>;

    /// Destroys the keys of these events; says how many there were.
    fn destroy_content_keys(&self, events: &[EventId]) -> Result<u64, KeyError>;

    /// Destroys the keys of all events made before `before`; says how many there were.
    fn destroy_content_keys_before(&self, before: Timestamp) -> Result<u64, KeyError>;

    /// With which key the audit log's checkpoints can be verified.
    fn audit_key(&self) -> VerifierKey;

    /// Signs a checkpoint of the audit log (Ed25519 over exactly these bytes). Used for nothing else.
    fn sign_checkpoint(&self, message: &[u8]) -> Result<[u8; 64], KeyError>;

    /// Signs a statement of this service, a certificate of an erasure for example, as a signed note (C2SP signed-note) that
    /// [`KeyStore::audit_key`] verifies.
    ///
    /// The statement is a JSON object and so starts with `{`: it cannot be taken for a checkpoint, whose first line is the
    /// log's origin.
    fn sign_statement(&self, json: &str) -> Result<String, KeyError>;

    /// Signs the statement about a deletion list (Ed25519 over exactly these bytes), which [`KeyStore::audit_key`] verifies.
    ///
    /// It starts with `likeness deletion list `, and so is neither a checkpoint nor a JSON object: what does not is refused.
    fn sign_list(&self, statement: &str) -> Result<[u8; 64], KeyError>;
}

/// What went wrong with keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The pool has a key already.
    #[error("pool `{pool}` has a key already; it was left as it is")]
    PoolExists {
        /// The pool.
        pool: PoolName,
    },
    /// The key store has no key for the pool.
    #[error("there is no key for pool `{pool}`; restore the key store, or create the pool")]
    UnknownPool {
        /// The pool.
        pool: PoolName,
    },
    /// The key is not the one the pool's records were sealed with.
    #[error(
        "the key kept for pool `{pool}` is not the key its records are sealed with; put the right key file back"
    )]
    WrongPoolKey {
        /// The pool.
        pool: PoolName,
    },
    /// The key file says that it belongs to something else.
    #[error("key file `{file}` holds the key of `{found}`, not of `{wanted}`")]
    WrongRole {
        /// Name of the file.
        file: String,
        /// What it says it is.
        found: String,
        /// What it should be.
        wanted: String,
    },
    /// The key file is not in the known format.
    #[error("key file `{file}` cannot be understood: {why}")]
    Malformed {
        /// Name of the file.
        file: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The subject's key was destroyed: the subject is erased.
    #[error("the key of subject `{subject}` was destroyed; an erased subject cannot be written to")]
    Destroyed {
        /// The erased subject.
        subject: SubjectId,
    },
    /// What was to be signed is no statement.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// A key file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A key database could not be read or written.
    #[error("key store: {0}")]
    Database(#[from] DatabaseError),
    /// A wrapped key does not open: the store was changed, or belongs to another root or pool key.
    #[error("key store: {0}")]
    Seal(#[from] SealError),
}

impl From<rusqlite::Error> for KeyError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.into())
    }
}
