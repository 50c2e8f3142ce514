//! The record as a signed note (C2SP signed-note): the record's JSON exactly as written, an empty line, the signature.
//!
//! The bytes are signed as they are, so no canonical form of numbers is needed; and the file can be read as it is.
use base64::prelude::{BASE64_STANDARD, Engine};
use thiserror::Error;

use super::{InvalidRecord, OperatingPoint};
use crate::keys::{TesterKey, VerifierKey};

/// Longest note that is read: a curve of a few thousand steps at a dozen gallery sizes.
pub const MOST_BYTES: usize = 4 * 1024 * 1024;

/// Why a text is not an operating point that may be trusted.
#[derive(Debug, Error)]
pub enum SignedError {
    /// It is too long to be one.
    #[error("it is longer than {MOST_BYTES} bytes, so it is not an operating point")]
    TooLong,
    /// It has no signature.
    #[error("it is not a signed operating point; make one with `likeness calibrate`")]
    Form,
    /// It is not signed by this key, or was changed afterwards.
    #[error(
        "it is not signed by the tester `{0}`, or was changed since; ask the tester for the record and the public key again"
    )]
    Signature(String),
    /// It is signed, but not in the known form.
    #[error("it is signed, but line {line}, column {column} is not as in a record of this version")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// It is signed, but contradicts itself.
    #[error(transparent)]
    Invalid(#[from] InvalidRecord),
}

/// Signs a record. The text of the note is what an approver reads.
///
/// # Errors
/// [`SignedError::Invalid`] for a record that contradicts itself.
pub fn sign(point: &OperatingPoint, key: &TesterKey) -> Result<String, SignedError> {
    point.check()?;
    sign_text(serde_json::to_string_pretty(point).map_err(json)?, key)
}

/// Signs a text of JSON.
pub(super) fn sign_text(mut text: String, key: &TesterKey) -> Result<String, SignedError> {
    text.push('\n');
    if text.len() > MOST_BYTES {
        return Err(SignedError::TooLong);
    }
    let verifier = key.verifier();
    let mut signature = verifier.id().to_vec();
    signature.extend_from_slice(&key.sign(text.as_bytes()));
    Ok(format!("{text}\n\u{2014} {} {}\n", verifier.name(), BASE64_STANDARD.encode(signature)))
}

/// Verifies a note and reads the record in it.
///
/// # Errors
/// [`SignedError`]: nothing of the record is to be believed then.
pub fn open(note: &str, key: &VerifierKey) -> Result<(super::PointId, OperatingPoint), SignedError> {
    let text = verified(note, key)?;
    let point: OperatingPoint = serde_json::from_str(text).map_err(json)?;
    point.check()?;
    Ok((super::PointId::of(text), point))
}

/// The text of a note that verifies.
pub(super) fn verified<'a>(note: &'a str, key: &VerifierKey) -> Result<&'a str, SignedError> {
    if note.len() > MOST_BYTES {
        return Err(SignedError::TooLong);
    }
    let split = note.rfind("\n\n").ok_or(SignedError::Form)?;
    let (text, signatures) = (&note[..=split], &note[split + 2..]);
    let prefix = format!("\u{2014} {} ", key.name());
    let verifies = |encoded: &str| {
        let bytes = BASE64_STANDARD.decode(encoded).unwrap_or_default();
        let (id, signature) = bytes.split_at_checked(4).unwrap_or_default();
        id == key.id() && signature.try_into().is_ok_and(|signature| key.verify(text.as_bytes(), signature))
    };
    if !signatures.lines().filter_map(|line| line.strip_prefix(prefix.as_str())).any(verifies) {
        return Err(SignedError::Signature(key.name().to_owned()));
    }
    Ok(text)
}

pub(super) fn json(error: serde_json::Error) -> SignedError {
    SignedError::Json { line: error.line(), column: error.column() }
}
