//! What is signed about a list: a note (C2SP signed-note) of six lines.
//!
//! ```text
//! likeness deletion list 1
//! dl-0123456789abcdef
//! force Test Force
//! made on 2026-01-31, 42 lines
//! json sha256 <64 hexadecimal digits>
//! csv sha256 <64 hexadecimal digits>
//!
//! — NAME BASE64(key id, signature)
//! ```
use base64::prelude::{BASE64_STANDARD, Engine as _};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::{DeletionList, ListError};

/// Longest note that is read, in bytes.
const MOST_BYTES: usize = 4096;

/// Why a note, or what came with it, is not to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StatementError {
    /// No statement.
    #[error("it is not a signed statement about a deletion list")]
    Form,
    /// Not signed by this key, or changed since.
    #[error("its signature does not verify; ask the service for the list and its public key again")]
    Signature,
    /// The list is another one.
    #[error("the list is not the one that was signed; use the files that came with the statement")]
    OtherList,
}

/// A statement about a list whose signature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    text: String,
}

impl DeletionList {
    /// The bytes that are signed.
    ///
    /// # Errors
    /// As [`DeletionList::csv`].
    pub fn statement(&self) -> Result<String, ListError> {
        let csv = Sha256::digest(self.csv()?.as_bytes());
        Ok(format!(
            "likeness deletion list {}\n{}\nforce {}\nmade on {}, {} lines\njson sha256 {}\ncsv sha256 {}\n",
            super::FORMAT,
            self.id(),
            self.force,
            self.made_on,
            self.lines.len(),
            hex::encode(self.digest()),
            hex::encode(csv)
        ))
    }

    /// The statement as a signed note: `name` and `key_id` are those of the key, `sign` makes its signature.
    ///
    /// # Errors
    /// What `sign` returns; [`ListError`] turned into `E` as [`DeletionList::csv`].
    pub fn signed<E: From<ListError>>(
        &self,
        name: &str,
        key_id: [u8; 4],
        sign: impl FnOnce(&[u8]) -> Result<[u8; 64], E>,
    ) -> Result<String, E> {
        let text = self.statement()?;
        let mut signature = key_id.to_vec();
        signature.extend_from_slice(&sign(text.as_bytes())?);
        Ok(format!("{text}\n\u{2014} {name} {}\n", BASE64_STANDARD.encode(signature)))
    }
}

impl Statement {
    /// Reads a note whose signature `verifies` accepts, by the key with this name and id.
    ///
    /// # Errors
    /// [`StatementError`]: nothing of it is to be believed then.
    pub fn open(
        note: &str,
        name: &str,
        key_id: [u8; 4],
        verifies: impl Fn(&[u8], &[u8; 64]) -> bool,
    ) -> Result<Self, StatementError> {
        if note.len() > MOST_BYTES || !note.starts_with("likeness deletion list ") {
            return Err(StatementError::Form);
        }
        let split = note.rfind("\n\n").ok_or(StatementError::Form)?;
        let (text, signatures) = (&note[..=split], &note[split + 2..]);
        let prefix = format!("\u{2014} {name} ");
        let good = |encoded: &str| {
            let bytes = BASE64_STANDARD.decode(encoded).unwrap_or_default();
            let (id, signature) = bytes.split_at_checked(4).unwrap_or_default();
            id == key_id && signature.try_into().is_ok_and(|signature| verifies(text.as_bytes(), signature))
        };
        if signatures.lines().filter_map(|line| line.strip_prefix(prefix.as_str())).any(good) {
            Ok(Self { text: text.to_owned() })
        } else {
            Err(StatementError::Signature)
        }
    }

    /// Whether this statement is about this list.
    ///
    /// # Errors
    /// [`StatementError::OtherList`].
    pub fn is_about(&self, list: &DeletionList) -> Result<(), StatementError> {
        let same = list.statement().is_ok_and(|statement| statement == self.text);
        if same { Ok(()) } else { Err(StatementError::OtherList) }
    }

    /// Whether this statement is about a CSV file with these bytes.
    ///
    /// # Errors
    /// [`StatementError::OtherList`].
    pub fn is_about_csv(&self, bytes: &[u8]) -> Result<(), StatementError> {
        let line = format!("csv sha256 {}", hex::encode(Sha256::digest(bytes)));
        if self.text.lines().any(|said| said == line) { Ok(()) } else { Err(StatementError::OtherList) }
    }

    /// The text that was signed.
    pub fn text(&self) -> &str {
        &self.text
    }
}
