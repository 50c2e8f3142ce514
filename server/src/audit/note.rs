//! Checkpoints: the signed head of the log as a text note (C2SP tlog-checkpoint and signed-note).
//!
//! ```text
//! likeness-audit-0123456789abcdef
//! 42
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//! commit 17
//!
//! — likeness-audit-0123456789abcdef Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
//! ```
//!
//! The fourth line is an extension: checkpoints are numbered, so that a missing one is noticed.

use crate::keys::{KeyError, KeyStore, VerifierKey};
use base64::prelude::{BASE64_STANDARD, Engine};

/// What stands before the number of the checkpoint.
const EXTENSION: &str = "commit ";

/// What a checkpoint says: this log had `size` entries, and their Merkle tree hash was `root`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: the name of its key.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// RFC 6962 Merkle tree hash.
    pub root: [u8; 32],
    /// Number of the checkpoint, from 0: one per commit.
    pub commit: u64,
}

/// Why a note is not a checkpoint of this log.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It is no checkpoint at all.
    #[error("it is not a checkpoint: {0}")]
    Form(&'static str),
    /// It is a checkpoint of another log.
    #[error("it is a checkpoint of another log")]
    Origin,
    /// It is not signed by the log's key, or was changed afterwards.
    #[error("its signature does not verify")]
    Signature,
}

impl Checkpoint {
    fn text(&self) -> String {
        let root = BASE64_STANDARD.encode(self.root);
        format!("{}\n{}\n{root}\n{EXTENSION}{}\n", self.origin, self.size, self.commit)
    }

    /// Signs the checkpoint with the log's key.
    pub(super) fn sign(&self, keys: &dyn KeyStore) -> Result<String, KeyError> {
        let text = self.text();
        let key = keys.audit_key();
        let mut signature = key.id().to_vec();
        signature.extend_from_slice(&keys.sign_checkpoint(text.as_bytes())?);
        Ok(format!("{text}\n\u{2014} {} {}\n", key.name(), BASE64_STANDARD.encode(signature)))
    }

    /// Reads a note and verifies its signature. Further lines of the text are signed and ignored.
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self, NoteError> {
        let split = note.rfind("\n\n").ok_or(NoteError::Form("it has no signature"))?;
        let (text, signatures) = (&note[..=split], &note[split + 2..]);
        let mut lines = text.lines();
        let (Some(origin), Some(size), Some(root), Some(commit)) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(NoteError::Form("it has fewer than four lines"));
        };
        if origin != key.name() {
            return Err(NoteError::Origin);
        }
        // One spelling per number: no sign, no leading zero.
        let number = |text: &str| text.parse::<u64>().ok().filter(|number| number.to_string() == text);
        let root = BASE64_STANDARD.decode(root).ok().and_then(|root| <[u8; 32]>::try_from(root).ok());
        let commit = commit.strip_prefix(EXTENSION).and_then(number);
        let (Some(size), Some(root), Some(commit)) = (number(size), root, commit) else {
            return Err(NoteError::Form("its size, root or commit cannot be read"));
        };
        // Signatures by other keys, such as witnesses', are allowed; ours must be among them.
        let prefix = format!("\u{2014} {} ", key.name());
        let ours = signatures.lines().filter_map(|line| line.strip_prefix(prefix.as_str()));
        let verifies = |encoded: &str| {
            let bytes = BASE64_STANDARD.decode(encoded).unwrap_or_default();
            let (id, signature) = bytes.split_at_checked(4).unwrap_or_default();
            id == key.id()
                && signature.try_into().is_ok_and(|signature| key.verify(text.as_bytes(), signature))
        };
        if !ours.into_iter().any(verifies) {
            return Err(NoteError::Signature);
        }
        Ok(Self { origin: origin.to_owned(), size, root, commit })
    }
}
