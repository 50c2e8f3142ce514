//! One key in one file: three lines of text, so that a file put in the wrong place is noticed.
//!
//! `likeness key 1`, then whose key it is, then 64 hexadecimal digits.

use super::KeyError;
use crate::durable;
use crate::seal::SealKey;
use std::path::Path;
use zeroize::Zeroizing;

const HEADER: &str = "likeness key 1";

/// Writes a new key file; refuses to replace one.
pub(super) fn create(path: &Path, role: &str, key: &SealKey) -> Result<(), KeyError> {
    let digits = Zeroizing::new(hex::encode(key.expose()));
    let text = Zeroizing::new(format!("{HEADER}\n{role}\n{}\n", digits.as_str()));
    Ok(durable::create_file(path, text.as_bytes())?)
}

/// Reads the key of `role`; refuses another one's, and a file that other users may read.
pub(super) fn read(path: &Path, role: &str) -> Result<SealKey, KeyError> {
    let file = || path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let malformed = |why| KeyError::Malformed { file: file(), why };
    let bytes = Zeroizing::new(durable::read_private(path)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| malformed("it is not text"))?;
    let mut lines = text.lines();
    if lines.next() != Some(HEADER) {
        return Err(malformed("its first line is not `likeness key 1`; another version may have written it"));
    }
    let found = lines.next().ok_or_else(|| malformed("its second line is missing"))?;
    if found != role {
        let found = found.chars().filter(|c| !c.is_control()).take(80).collect();
        return Err(KeyError::WrongRole { file: file(), found, wanted: role.into() });
    }
    let mut key = Zeroizing::new([0; 32]);
    let digits = lines.next().unwrap_or_default();
    hex::decode_to_slice(digits, key.as_mut())
        .map_err(|_| malformed("its third line is not 64 hexadecimal digits"))?;
    if lines.next().is_some() {
        return Err(malformed("it has more than three lines"));
    }
    Ok(SealKey::from_bytes(*key))
}
