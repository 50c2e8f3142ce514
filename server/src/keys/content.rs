//! The keys of audit content, one per event, wrapped by the root key.

use super::KeyError;
use super::pool_key::unwrap;
use crate::ids::{EventId, first_at};
use crate::seal::{SealKey, associated};
use crate::sqlite::{Database, Format};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

pub(super) const FORMAT: Format = Format {
    what: "a file of audit content keys",
    application_id: 0x4c4b_434f,
    version: 1,
    // `seq` remembers the order of arrival, so that the end can be checked after a crash without reading it all.
    tables: "CREATE TABLE content_key (
                 seq INTEGER PRIMARY KEY,
                 event BLOB NOT NULL UNIQUE CHECK (length(event) = 16),
                 wrapped BLOB NOT NULL
             ) STRICT;",
    page_bytes: 4096,
};

fn aad(event: EventId) -> Vec<u8> {
    associated(&[b"content key", event.as_bytes()])
}

pub(super) fn put(database: &Database, root: &SealKey, keys: &[(EventId, SealKey)]) -> Result<(), KeyError> {
    database.write(|transaction| {
        let mut insert = transaction.prepare("INSERT INTO content_key (event, wrapped) VALUES (?1, ?2)")?;
        for (event, key) in keys {
            insert.execute(params![event.as_bytes(), root.seal(&aad(*event), key.expose())?])?;
        }
        Ok(())
    })
}

pub(super) fn get(database: &Database, root: &SealKey, event: EventId) -> Result<Option<SealKey>, KeyError> {
    let wrapped: Option<Vec<u8>> = database
        .reader()?
        .query_row("SELECT wrapped FROM content_key WHERE event = ?1", [event.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(wrapped.map(|wrapped| unwrap(root, &aad(event), &wrapped)).transpose()?)
}

pub(super) fn newest(database: &Database, limit: usize) -> Result<Vec<EventId>, KeyError> {
    let reader = database.reader()?;
    let mut statement = reader.prepare("SELECT event FROM content_key ORDER BY seq DESC LIMIT ?1")?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let events = statement.query_map([limit], |row| Ok(EventId::from_bytes(row.get(0)?)))?;
    Ok(events.collect::<Result<_, _>>()?)
}

pub(super) fn destroy(database: &Database, events: &[EventId]) -> Result<u64, KeyError> {
    let destroyed = database.write(|transaction| -> Result<u64, KeyError> {
        let mut delete = transaction.prepare("DELETE FROM content_key WHERE event = ?1")?;
        let mut destroyed = 0;
        for event in events {
            destroyed += delete.execute([event.as_bytes()])? as u64;
        }
        Ok(destroyed)
    })?;
    database.forget_log()?;
    Ok(destroyed)
}

pub(super) fn destroy_before(database: &Database, before: Timestamp) -> Result<u64, KeyError> {
    let destroyed = database.write(|transaction| -> Result<u64, KeyError> {
        Ok(transaction.execute("DELETE FROM content_key WHERE event < ?1", [first_at(before)])? as u64)
    })?;
    database.forget_log()?;
    Ok(destroyed)
}
