//! Sealing: bytes that only the holder of a key can read, or change unnoticed.
//!
//! XChaCha20-Poly1305 with a random 24-byte nonce in front (long enough to draw at random for every message), and
//! HMAC-SHA256 for digests that can be compared without being guessed. What a sealed value *is* goes in as
//! associated data, so that a sealed template cannot be passed off as a sealed image, or as another subject's.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use serde::{Serialize, de::DeserializeOwned};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Bytes of nonce in front of a sealed value.
const NONCE: usize = 24;
/// Bytes by which a sealed value is longer than the plain one: nonce and tag.
pub const OVERHEAD: usize = NONCE + 16;

/// Why something could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Wrong key, other associated data, or changed bytes: which of them cannot be told.
    #[error(
        "sealed data cannot be opened: it was changed, belongs to something else, or the key is another one"
    )]
    Refused,
    /// Sealing failed; only possible for a message of more than 256 GiB.
    #[error("data cannot be sealed: it is too long")]
    TooLong,
    /// The operating system gave no random bytes.
    #[error("no random bytes from the operating system: {0}")]
    Random(String),
    /// What was inside is not of the expected form. The content is not repeated here.
    #[error(
        "sealed data has an unexpected form at line {line}, column {column}; it may come from another version"
    )]
    Form {
        /// Line of the first difference, from 1.
        line: usize,
        /// Column of the first difference, from 1.
        column: usize,
    },
}

/// A 256-bit key. Wiped from memory when dropped; never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SealKey([u8; 32]);

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey(..)")
    }
}

impl SealKey {
    /// A fresh random key.
    pub fn generate() -> Result<Self, SealError> {
        Ok(Self(random()?))
    }

    /// The key with these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes of the key, for wrapping under another key or for a key file. Nothing else.
    pub(crate) fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seals `plain`; `aad` says what it is and must be given again to open it.
    pub fn seal(&self, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let nonce: [u8; NONCE] = random()?;
        let cipher = XChaCha20Poly1305::new(&self.0.into());
        let sealed = cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad })
            .map_err(|_| SealError::TooLong)?;
        let mut out = Vec::with_capacity(NONCE + sealed.len());
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        Ok(out)
    }

    /// Opens what [`SealKey::seal`] made with the same key and `aad`.
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE>().ok_or(SealError::Refused)?;
        let cipher = XChaCha20Poly1305::new(&self.0.into());
        let plain = cipher.decrypt(&XNonce::from(*nonce), Payload { msg: body, aad });
        plain.map(Zeroizing::new).map_err(|_| SealError::Refused)
    }

    /// Seals a value as JSON.
    pub fn seal_json<T: Serialize>(&self, aad: &[u8], value: &T) -> Result<Vec<u8>, SealError> {
        let plain = Zeroizing::new(serde_json::to_vec(value).map_err(form)?);
        self.seal(aad, &plain)
    }

    /// Opens a value that [`SealKey::seal_json`] sealed.
    pub fn open_json<T: DeserializeOwned>(&self, aad: &[u8], sealed: &[u8]) -> Result<T, SealError> {
        serde_json::from_slice(&self.open(aad, sealed)?).map_err(form)
    }

    /// Another key for another use, from which this one cannot be computed.
    pub fn derive(&self, label: &str) -> SealKey {
        Self(self.hmac(&[b"derive", label.as_bytes()]))
    }

    /// A keyed digest of `parts`: equal for equal parts, and not to be guessed without the key.
    ///
    /// Parts are delimited by their length, so `["ab", "c"]` and `["a", "bc"]` differ.
    pub fn digest(&self, parts: &[&[u8]]) -> LookupDigest {
        LookupDigest(self.derive("digest").hmac(parts))
    }

    fn hmac(&self, parts: &[&[u8]]) -> [u8; 32] {
        // HMAC pads a short key with zeroes to the hash's block; done here, no length is left to go wrong.
        let mut block = Zeroizing::new([0; 64]);
        block[..32].copy_from_slice(&self.0);
        let mut mac = <Hmac<Sha256> as KeyInit>::new((&*block).into());
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

/// A keyed digest, 32 bytes: says whether two things are equal, and nothing else to whoever lacks the key.
#[derive(Copy, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LookupDigest([u8; 32]);

impl LookupDigest {
    /// The digest with these bytes, as stored.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Display for LookupDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::fmt::Debug for LookupDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LookupDigest({self})")
    }
}

/// Joins `parts` into associated data that no other parts give: each is preceded by its length.
pub fn associated(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        out.extend_from_slice(&(part.len() as u64).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N], SealError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| SealError::Random(error.to_string()))?;
    Ok(bytes)
}

fn form(error: serde_json::Error) -> SealError {
    // Only the position: serde's message can repeat a value, and values here are personal.
    SealError::Form { line: error.line(), column: error.column() }
}

#[cfg(test)]
mod tests;
