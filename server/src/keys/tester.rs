//! The key with which an algorithm tester signs operating points: a file of the tester's own, apart from every service.

use super::{KeyError, VerifierKey, key_file};
use crate::durable;
use crate::seal::{self, SealKey};
use ed25519_dalek::{Signer, SigningKey};
use std::path::{Path, PathBuf};

const ROLE: &str = "tester";

/// Signs what a tester measured (Ed25519). The public half lies beside the key file, as `<file>.pub`.
pub struct TesterKey {
    signing: SigningKey,
    verifier: VerifierKey,
}

impl std::fmt::Debug for TesterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TesterKey").field("verifier", &self.verifier.to_string()).finish_non_exhaustive()
    }
}

impl TesterKey {
    /// Makes a key in `file` and its public half in `<file>.pub`; refuses to replace either.
    ///
    /// # Errors
    /// [`KeyError`] when a file is there already or cannot be written.
    pub fn create(file: &Path) -> Result<Self, KeyError> {
        let public = public_file(file);
        if public.exists() {
            return Err(crate::durable::FileError::Exists(public).into());
        }
        let key = SealKey::generate()?;
        key_file::create(file, ROLE, &key)?;
        // Random, so that two testers' keys never share a name.
        let name = format!("likeness-tester-{}", hex::encode(seal::random::<8>()?));
        let signing = SigningKey::from_bytes(key.expose());
        let verifier = VerifierKey::new(&name, signing.verifying_key().to_bytes()).ok_or_else(malformed)?;
        durable::create_file(&public, format!("{verifier}\n").as_bytes())?;
        Ok(TesterKey { signing, verifier })
    }

    /// Opens the key in `file`; its name comes from the public half beside it.
    ///
    /// # Errors
    /// [`KeyError`] when a file is missing, open to other users, or not of the same key.
    pub fn open(file: &Path) -> Result<Self, KeyError> {
        let signing = SigningKey::from_bytes(key_file::read(file, ROLE)?.expose());
        let text = durable::read_private(&public_file(file))?;
        let verifier: VerifierKey =
            std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok()).ok_or_else(malformed)?;
        let expected = VerifierKey::new(verifier.name(), signing.verifying_key().to_bytes());
        if expected.as_ref() != Some(&verifier) {
            return Err(malformed());
        }
        Ok(TesterKey { signing, verifier })
    }

    /// The public half: what an approver gets from the tester.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// A signature over exactly these bytes.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.signing.sign(message).to_bytes()
    }
}

/// `<file>.pub`.
fn public_file(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_os_string();
    name.push(".pub");
    name.into()
}

fn malformed() -> KeyError {
    KeyError::Malformed { file: "the tester's .pub file".into(), why: "it is not the public half of the key" }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_key_signs_after_reopening_and_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tester.key");
        let made = TesterKey::create(&file).unwrap();
        let opened = TesterKey::open(&file).unwrap();
        assert_eq!(made.verifier(), opened.verifier());
        assert!(made.verifier().verify(b"text", &opened.sign(b"text")));
        assert!(!made.verifier().verify(b"other", &opened.sign(b"text")));
        assert!(TesterKey::create(&file).is_err());
        std::fs::remove_file(&file).unwrap();
        assert!(TesterKey::create(&file).is_err(), "a public half is left");
    }

    #[test]
    fn halves_of_different_keys_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        TesterKey::create(&one).unwrap();
        TesterKey::create(&two).unwrap();
        std::fs::copy(public_file(&two), public_file(&one)).unwrap();
        assert!(TesterKey::open(&one).is_err());
    }
}
