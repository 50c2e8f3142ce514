//! Entries as bytes: JSON with one spelling per value, because the bytes are hashed and signed.
//!
//! Keys in byte order, no white space, whole numbers only, the shortest escapes: for such values the same bytes as
//! RFC 8785. The position in the log and the hash of the entry before are part of the body.

use super::{AuditError, Entry, StoredEntry};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

const INDEX: &str = "index";
const PREVIOUS: &str = "prev";

/// The entry as JSON members; position and link are added by [`body`].
pub(super) fn members(entry: &Entry) -> Result<Map<String, Value>, AuditError> {
    match serde_json::to_value(entry) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(AuditError::Invalid("the entry has no JSON form")),
    }
}

/// The bytes that are kept and hashed.
pub(super) fn body(
    mut members: Map<String, Value>,
    index: u64,
    previous: &[u8; 32],
) -> Result<Vec<u8>, AuditError> {
    members.insert(INDEX.into(), index.into());
    members.insert(PREVIOUS.into(), hex::encode(previous).into());
    let mut out = Vec::with_capacity(1024);
    write(&Value::Object(members), &mut out)?;
    Ok(out)
}

/// RFC 6962 leaf hash.
pub(super) fn leaf_hash(body: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update([0]).chain_update(body).finalize().into()
}

/// Why a body cannot be read. Repeats no content.
#[derive(Copy, Clone, Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// It is not an entry.
    #[error("{0}")]
    Form(&'static str),
    /// It is an entry, of another place in the log.
    #[error("it says that it belongs to another position")]
    Position,
}

/// Reads a body back.
pub(super) fn read(index: u64, hash: [u8; 32], body: Vec<u8>) -> Result<StoredEntry, ReadError> {
    use ReadError::{Form, Position};
    let mut members: Map<String, Value> =
        serde_json::from_slice(&body).map_err(|_| Form("it is not a JSON object"))?;
    if members.get("version").and_then(Value::as_u64) != Some(super::entry::VERSION.into()) {
        return Err(Form("its version is not known to this program"));
    }
    if members.remove(INDEX).and_then(|index| index.as_u64()) != Some(index) {
        return Err(Position);
    }
    let mut previous = [0; 32];
    let link = members.remove(PREVIOUS);
    let link = link.as_ref().and_then(Value::as_str).ok_or(Form("it has no link to the entry before"))?;
    hex::decode_to_slice(link, &mut previous)
        .map_err(|_| Form("its link to the entry before is not a hash"))?;
    let entry = serde_json::from_value(Value::Object(members))
        .map_err(|_| Form("its fields are not those of an entry"))?;
    Ok(StoredEntry { index, hash, previous, body, entry })
}

fn write(value: &Value, out: &mut Vec<u8>) -> Result<(), AuditError> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) if number.is_f64() => {
            return Err(AuditError::Invalid("a number is not whole"));
        }
        Value::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::String(text) => write_text(text, out)?,
        Value::Array(values) => {
            separated(b"[]", values, out, write)?;
        }
        Value::Object(members) => {
            // Sorted here: whether serde_json's map is sorted depends on what other crates switch on.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(key, _)| key.as_bytes());
            separated(b"{}", &members, out, |(key, value), out| {
                write_text(key, out)?;
                out.push(b':');
                write(value, out)
            })?;
        }
    }
    Ok(())
}

fn separated<T>(
    brackets: &[u8; 2],
    items: &[T],
    out: &mut Vec<u8>,
    write: impl Fn(&T, &mut Vec<u8>) -> Result<(), AuditError>,
) -> Result<(), AuditError> {
    out.push(brackets[0]);
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write(item, out)?;
    }
    out.push(brackets[1]);
    Ok(())
}

fn write_text(text: &str, out: &mut Vec<u8>) -> Result<(), AuditError> {
    serde_json::to_writer(out, text).map_err(|_| AuditError::Invalid("a text has no JSON form"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use serde_json::json;

    fn canonical(value: Value) -> String {
        let mut out = Vec::new();
        write(&value, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn one_spelling_per_value() {
        // The strings of RFC 8785 section 3.2.2, without its floats.
        let value = json!({"string": "\u{20ac}$\u{f}\nA'\u{42}\u{22}\u{5c}\\\"\u{2f}", "literals": [null, true, false]});
        let expected = r#"{"literals":[null,true,false],"string":"€$\u000f\nA'B\"\\\\\"/"}"#;
        assert_eq!(canonical(value), expected);
        assert_eq!(canonical(json!({"b": 1, "a": {"d": [], "c": {}}})), r#"{"a":{"c":{},"d":[]},"b":1}"#);
    }

    #[test]
    fn floats_are_refused() {
        assert!(write(&json!([0.5]), &mut Vec::new()).is_err());
    }
}
