//! A statement of the service as a signed note (C2SP signed-note): JSON exactly as written, an empty line, the signature.

use base64::prelude::{BASE64_STANDARD, Engine};

use super::{KeyError, VerifierKey};

/// Why a text is no statement that may be believed, or cannot be made one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// It is not a JSON object on lines of its own.
    #[error("a signed statement is a JSON object that ends with a line break and has no empty line in it")]
    Form,
    /// It is not about a deletion list.
    #[error("the statement about a deletion list starts with `{LIST}`")]
    NotAList,
    /// It has no signature.
    #[error("it carries no signature; ask for the certificate as the service gave it")]
    Unsigned,
    /// It is not signed by this key, or was changed afterwards.
    #[error("it is not signed by `{0}`, or was changed since")]
    Signature(String),
}

/// How the statement about a deletion list starts.
const LIST: &str = "likeness deletion list ";

/// Signs the statement about a deletion list, and nothing else.
pub(super) fn sign_list(text: &str, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Result<[u8; 64], KeyError> {
    if text.starts_with(LIST) { Ok(sign(text.as_bytes())) } else { Err(StatementError::NotAList.into()) }
}

/// Signs `json`, which must be an object ending with a line break.
pub(super) fn sign(
    json: &str,
    verifier: &VerifierKey,
    sign: impl FnOnce(&[u8]) -> [u8; 64],
) -> Result<String, KeyError> {
    if !json.starts_with('{') || !json.ends_with("}\n") || json.contains("\n\n") {
        return Err(StatementError::Form.into());
    }
    let mut signature = verifier.id().to_vec();
    signature.extend_from_slice(&sign(json.as_bytes()));
    Ok(format!("{json}\n\u{2014} {} {}\n", verifier.name(), BASE64_STANDARD.encode(signature)))
}

/// The JSON of a signed statement, when this key signed it and nothing was changed since.
///
/// # Errors
/// [`StatementError`]: nothing in the text is to be believed then.
pub fn verify<'n>(note: &'n str, key: &VerifierKey) -> Result<&'n str, StatementError> {
    let split = note.rfind("\n\n").ok_or(StatementError::Unsigned)?;
    let (text, signatures) = (&note[..=split], &note[split + 2..]);
    if !text.starts_with('{') {
        return Err(StatementError::Form);
    }
    let prefix = format!("\u{2014} {} ", key.name());
    let verifies = |encoded: &str| {
        let bytes = BASE64_STANDARD.decode(encoded).unwrap_or_default();
        let (id, signature) = bytes.split_at_checked(4).unwrap_or_default();
        id == key.id() && signature.try_into().is_ok_and(|signature| key.verify(text.as_bytes(), signature))
    };
    if signatures.lines().filter_map(|line| line.strip_prefix(prefix.as_str())).any(verifies) {
        Ok(text)
    } else {
        Err(StatementError::Signature(key.name().to_owned()))
    }
}
