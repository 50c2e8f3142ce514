//! What became of a key: kept, destroyed, or never there.
//!
//! [`KeyStore::subject_key`](super::KeyStore::subject_key) gives no key for a destroyed and for an unknown one. After a restore the two
//! must not be confused: the first says that its subject is erased, the second that this is not the key store of these records.

use super::{FileKeyStore, KeyError, PoolKey, subjects};
use crate::ids::SubjectId;

/// What a key store knows of a subject's key.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It is there.
    Kept,
    /// It was destroyed; a tombstone stands for it. The subject is erased.
    Destroyed,
    /// There is not even a tombstone: the key was never made in this store.
    Unknown,
}

/// Asking for the state of keys without opening them.
pub trait KeyStates {
    /// The states of these subjects' keys, in the order given.
    fn key_states(&self, pool: &PoolKey, subjects: &[SubjectId]) -> Result<Vec<KeyState>, KeyError>;
}

impl KeyStates for FileKeyStore {
    fn key_states(&self, pool: &PoolKey, subjects: &[SubjectId]) -> Result<Vec<KeyState>, KeyError> {
        subjects::states(self.subjects(pool.pool())?.as_ref(), subjects)
    }
}
