//! The public key of the audit log, in the form that other checkers of signed notes read
//! (C2SP signed-note: `<name>+<key id>+<base64 of algorithm and key>`).

use base64::prelude::{BASE64_STANDARD, Engine};
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};

/// Ed25519 in signed notes.
const ALGORITHM: u8 = 1;

/// Verifies checkpoints of one audit log. The name is also the log's origin line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key: VerifyingKey,
}

/// The text is not a verifier key.
#[derive(Debug, thiserror::Error)]
#[error("not a verifier key: {0}; expected one line such as in `keys/audit.pub`")]
pub struct VerifierKeyError(&'static str);

impl VerifierKey {
    /// A key with its name. `None` when the name is empty or holds a blank, a plus sign or a control character.
    pub fn new(name: &str, key: [u8; 32]) -> Option<Self> {
        let clean = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
        let key = VerifyingKey::from_bytes(&key).ok()?;
        (!name.is_empty() && name.chars().all(clean)).then(|| Self { name: name.to_owned(), key })
    }

    /// The key's name, which is the log's origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// First four bytes of SHA-256 over name, line feed, algorithm and key: hints at the key in a signature line.
    pub fn id(&self) -> [u8; 4] {
        let digest = Sha256::new()
            .chain_update(self.name.as_bytes())
            .chain_update([b'\n', ALGORITHM])
            .chain_update(self.key.as_bytes())
            .finalize();
        [digest[0], digest[1], digest[2], digest[3]]
    }

    /// Whether `signature` is this key's over `message`. Strict: no weak keys, one form per signature.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.key.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

impl std::fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut bytes = vec![ALGORITHM];
        bytes.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id()), BASE64_STANDARD.encode(bytes))
    }
}

impl std::str::FromStr for VerifierKey {
    type Err = VerifierKeyError;

    fn from_str(text: &str) -> Result<Self, VerifierKeyError> {
        let mut parts = text.trim_end_matches('\n').splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(VerifierKeyError("it has not three parts"));
        };
        let bytes = BASE64_STANDARD.decode(key).map_err(|_| VerifierKeyError("the key is not base64"))?;
        let key: [u8; 32] = match bytes.split_first() {
            Some((&ALGORITHM, key)) => {
                key.try_into().map_err(|_| VerifierKeyError("the key is not 32 bytes"))?
            }
            _ => return Err(VerifierKeyError("the algorithm is not Ed25519")),
        };
        let verifier = Self::new(name, key).ok_or(VerifierKeyError("the name or the key is not valid"))?;
        if hex::encode(verifier.id()) != id {
            return Err(VerifierKeyError("the key id does not belong to name and key"));
        }
        Ok(verifier)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn reads_the_key_of_the_published_example() {
        // The example of Go's `golang.org/x/mod/sumdb/note` documentation.
        let text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let key: VerifierKey = text.parse().unwrap();
        assert_eq!((key.name(), key.to_string().as_str()), ("PeterNeumann", text));
        let signature = BASE64_STANDARD.decode(
            "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=",
        );
        let signature: [u8; 64] = signature.unwrap()[4..].try_into().unwrap();
        let message = b"If you think cryptography is the answer to your problem,\n\
            then you don't know what your problem is.\n";
        assert!(key.verify(message, &signature));
        assert!(!key.verify(b"something else\n", &signature));
    }

    #[test]
    fn refuses_what_is_not_a_key() {
        for bad in [
            "",
            "a+b",
            "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumann+c74f20a3+ARpc",
            "PeterNeumann+c74f20a3+AhpcQcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW=",
        ] {
            assert!(bad.parse::<VerifierKey>().is_err(), "{bad}");
        }
    }
}
