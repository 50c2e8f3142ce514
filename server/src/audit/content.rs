//! What was sent and what was shown, sealed and apart from the log, with a retention of its own.

use super::AuditError;
use crate::ids::{EventId, first_at};
use crate::seal::{SealKey, associated};
use crate::sqlite::{Database, Format};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A piece of an event's content.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The image that was asked about.
    Probe,
    /// The request as received.
    Request,
    /// The response as sent, up to its receipt.
    Response,
}

impl Part {
    /// All of them.
    pub const ALL: [Part; 3] = [Part::Probe, Part::Request, Part::Response];

    /// The name under which it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Part::Probe => "probe",
            Part::Request => "request",
            Part::Response => "response",
        }
    }
}

/// The content of one event. May be empty.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// The image that was asked about.
    pub probe: Option<Vec<u8>>,
    /// The request as received.
    pub request: Option<Vec<u8>>,
    /// The response message encoded without its receipt; followed by the encoded receipt it is what was sent.
    pub response: Option<Vec<u8>>,
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.parts().map(|(part, bytes)| (part, bytes.len()))).finish()
    }
}

impl Content {
    /// The pieces that are there.
    pub fn parts(&self) -> impl Iterator<Item = (Part, &[u8])> {
        let all =
            [(Part::Probe, &self.probe), (Part::Request, &self.request), (Part::Response, &self.response)];
        all.into_iter().filter_map(|(part, bytes)| bytes.as_deref().map(|bytes| (part, bytes)))
    }

    pub(super) fn set(&mut self, part: Part, bytes: Vec<u8>) {
        let place = match part {
            Part::Probe => &mut self.probe,
            Part::Request => &mut self.request,
            Part::Response => &mut self.response,
        };
        *place = Some(bytes);
    }
}

/// Digests of an event's content under the event's own key, in hex: when the key is gone they tell nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContentDigests(pub BTreeMap<Part, String>);

/// Sealed content on its way to the store.
pub(super) struct Sealed {
    pub key: SealKey,
    pub digests: ContentDigests,
    pub parts: Vec<(Part, Vec<u8>)>,
}

/// Seals content under a fresh key; `None` when there is none.
pub(super) fn seal(event: EventId, content: &Content) -> Result<Option<Sealed>, AuditError> {
    if content.parts().next().is_none() {
        return Ok(None);
    }
    let key = SealKey::generate()?;
    let mut digests = BTreeMap::new();
    let mut parts = Vec::new();
    for (part, bytes) in content.parts() {
        digests.insert(part, digest(&key, part, bytes));
        parts.push((part, key.seal(&aad(event, part), bytes)?));
    }
    Ok(Some(Sealed { key, digests: ContentDigests(digests), parts }))
}

/// Opens one piece.
pub(super) fn open(key: &SealKey, event: EventId, part: Part, sealed: &[u8]) -> Result<Vec<u8>, AuditError> {
    Ok(key.open(&aad(event, part), sealed)?.to_vec())
}

/// The digest of one piece, as an entry keeps it.
pub(super) fn digest(key: &SealKey, part: Part, bytes: &[u8]) -> String {
    key.digest(&[part.as_str().as_bytes(), bytes]).to_string()
}

/// The digest of a probe that an auditor who has the image, or only its SHA-256, can look for.
pub(super) fn probe_digest(key: &SealKey, sha256: &[u8; 32]) -> String {
    key.digest(&[b"probe sha-256", sha256]).to_string()
}

fn aad(event: EventId, part: Part) -> Vec<u8> {
    associated(&[b"audit content", event.as_bytes(), part.as_str().as_bytes()])
}

pub(super) const FORMAT: Format = Format {
    what: "an audit content file",
    application_id: 0x4c4b_4143,
    version: 1,
    tables: "CREATE TABLE content (
                 seq INTEGER PRIMARY KEY,
                 event BLOB NOT NULL CHECK (length(event) = 16),
                 part TEXT NOT NULL,
                 sealed BLOB NOT NULL,
                 UNIQUE (event, part)
             ) STRICT;",
    page_bytes: 8192,
};

/// Stores sealed pieces in one transaction.
pub(super) fn store<'a>(
    database: &Database,
    parts: impl Iterator<Item = (EventId, Part, &'a [u8])>,
) -> Result<(), AuditError> {
    database.write(|transaction| {
        let mut insert =
            transaction.prepare("INSERT INTO content (event, part, sealed) VALUES (?1, ?2, ?3)")?;
        for (event, part, sealed) in parts {
            insert.execute(params![event.as_bytes(), part.as_str(), sealed])?;
        }
        Ok(())
    })
}

/// One sealed piece.
pub(super) fn get(
    connection: &Connection,
    event: EventId,
    part: Part,
) -> Result<Option<Vec<u8>>, AuditError> {
    let statement = "SELECT sealed FROM content WHERE event = ?1 AND part = ?2";
    Ok(connection
        .query_row(statement, params![event.as_bytes(), part.as_str()], |row| row.get(0))
        .optional()?)
}

/// Events of the pieces stored last, newest first.
pub(super) fn newest(connection: &Connection, limit: usize) -> Result<Vec<EventId>, AuditError> {
    let mut statement = connection.prepare("SELECT event FROM content ORDER BY seq DESC LIMIT ?1")?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let events = statement.query_map([limit], |row| Ok(EventId::from_bytes(row.get(0)?)))?;
    Ok(events.collect::<Result<_, _>>()?)
}

/// Removes all pieces of these events, also from the log file.
pub(super) fn remove(database: &Database, events: &[EventId]) -> Result<u64, AuditError> {
    let removed = database.write(|transaction| -> Result<u64, AuditError> {
        let mut delete = transaction.prepare("DELETE FROM content WHERE event = ?1")?;
        let mut removed = 0;
        for event in events {
            removed += delete.execute([event.as_bytes()])? as u64;
        }
        Ok(removed)
    })?;
    database.forget_log()?;
    Ok(removed)
}

/// Removes all pieces of events made before `before`, also from the log file.
pub(super) fn remove_before(database: &Database, before: Timestamp) -> Result<u64, AuditError> {
    let removed = database.write(|transaction| -> Result<u64, AuditError> {
        Ok(transaction.execute("DELETE FROM content WHERE event < ?1", [first_at(before)])? as u64)
    })?;
    database.forget_log()?;
    Ok(removed)
}
