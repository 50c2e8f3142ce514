//! Reading a signed note strictly, for a file in which every byte must mean something.

use crate::keys::VerifierKey;
use base64::prelude::{BASE64_STANDARD, Engine};

/// What a head says, when it was signed by the log's key.
pub(super) struct Signed {
    pub size: u64,
    pub root: [u8; 32],
}

/// Reads a note of exactly this form: four lines, a blank line, one signature line; or says why it is none.
pub(super) fn read(note: &[u8], key: &VerifierKey) -> Result<Signed, &'static str> {
    let note = std::str::from_utf8(note).map_err(|_| "it is not text")?;
    let (text, signature) = note.split_once("\n\n").ok_or("it has no signature")?;
    let line = signature.strip_suffix('\n').filter(|line| !line.contains('\n'));
    let line = line.ok_or("what follows its blank line is not one signature line")?;
    let encoded = line
        .strip_prefix("\u{2014} ")
        .and_then(|line| line.strip_prefix(key.name()))
        .and_then(|line| line.strip_prefix(' '))
        .ok_or("its signature line does not name the log's key")?;
    let bytes = BASE64_STANDARD.decode(encoded).map_err(|_| "its signature is not base64")?;
    let (id, signature) = bytes.split_first_chunk::<4>().ok_or("its signature is too short")?;
    let signature: &[u8; 64] = signature.try_into().map_err(|_| "its signature is not 64 bytes")?;
    if *id != key.id() {
        return Err("it was signed with another key");
    }
    // The signature is over the text up to and including its last line feed.
    if !key.verify(format!("{text}\n").as_bytes(), signature) {
        return Err("its signature does not verify");
    }
    let lines: Vec<&str> = text.split('\n').collect();
    let [origin, size, root, extension] = lines.as_slice() else {
        return Err("it has not four lines");
    };
    if *origin != key.name() || !extension.starts_with("commit ") {
        return Err("it is a note of something else");
    }
    let size: u64 = size.parse().map_err(|_| "its size is not a number")?;
    let root = BASE64_STANDARD.decode(root).ok().and_then(|root| root.try_into().ok());
    Ok(Signed { size, root: root.ok_or("its root is not 32 bytes")? })
}
