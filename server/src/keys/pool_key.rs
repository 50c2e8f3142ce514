//! The key of one pool, and the value that says whether it is the right one.

use super::PoolName;
use crate::ids::SubjectId;
use crate::seal::{LookupDigest, SealError, SealKey, associated};

/// The key of one pool: wraps the keys of its subjects and makes its lookup digests.
///
/// Only a [`KeyStore`](super::KeyStore) makes one.
#[derive(Clone, Debug)]
pub struct PoolKey {
    pool: PoolName,
    wrap: SealKey,
    lookup: SealKey,
    check: KeyCheck,
}

impl PoolKey {
    pub(super) fn new(pool: PoolName, key: &SealKey) -> Self {
        let check = KeyCheck(*key.derive("check").digest(&[pool.as_bytes()]).as_bytes());
        Self { wrap: key.derive("wrap"), lookup: key.derive("lookup"), check, pool }
    }

    /// Whose key this is.
    pub fn pool(&self) -> &PoolName {
        &self.pool
    }

    /// The value to store beside the pool's records; tells nothing about the key.
    pub fn check(&self) -> KeyCheck {
        self.check
    }

    /// A digest to find `parts` by within this pool. The same parts give another digest in another pool, so two
    /// pools cannot be joined on it.
    pub fn lookup_digest(&self, parts: &[&[u8]]) -> LookupDigest {
        self.lookup.digest(parts)
    }

    pub(super) fn wrap(&self, subject: SubjectId, key: &SealKey) -> Result<Vec<u8>, SealError> {
        self.wrap.seal(&self.associated(subject), key.expose())
    }

    pub(super) fn unwrap(&self, subject: SubjectId, wrapped: &[u8]) -> Result<SealKey, SealError> {
        unwrap(&self.wrap, &self.associated(subject), wrapped)
    }

    fn associated(&self, subject: SubjectId) -> Vec<u8> {
        associated(&[b"subject key", self.pool.as_bytes(), subject.as_bytes()])
    }
}

/// Opens a key that was sealed under another one.
pub(super) fn unwrap(key: &SealKey, aad: &[u8], wrapped: &[u8]) -> Result<SealKey, SealError> {
    let plain = key.open(aad, wrapped)?;
    let bytes = plain.as_slice().try_into().map_err(|_| SealError::Refused)?;
    Ok(SealKey::from_bytes(bytes))
}

/// Identifies a pool's key without revealing it: 32 bytes, shown as hex.
#[derive(Copy, Clone, PartialEq, Eq, Hash)]
pub struct KeyCheck([u8; 32]);

impl KeyCheck {
    /// The value with these bytes, as stored.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Display for KeyCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::fmt::Debug for KeyCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyCheck({self})")
    }
}

impl std::str::FromStr for KeyCheck {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, hex::FromHexError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}
