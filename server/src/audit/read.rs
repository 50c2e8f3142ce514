//! Statements that read the log, shared by the open log and the read-only reader.

use super::content::{self, Part};
use super::note::Checkpoint;
use super::{AuditError, Content, Head, Receipt, StoredEntry, canonical};
use crate::ids::EventId;
use crate::keys::{KeyStore, VerifierKey};
use crate::sqlite::{Format, from_row, to_row};
use rusqlite::{Connection, OptionalExtension, Row};

pub(super) const FORMAT: Format = Format {
    what: "an audit log",
    application_id: 0x4c4b_4155,
    version: 1,
    // The triggers stop mistakes, not attackers; attackers meet the hashes. Checkpoints are all kept: they make
    // old receipts reproducible, and narrow down where a log was changed.
    tables: "CREATE TABLE entry (
                 idx INTEGER PRIMARY KEY CHECK (idx >= 0),
                 event BLOB NOT NULL UNIQUE CHECK (length(event) = 16),
                 body BLOB NOT NULL,
                 hash BLOB NOT NULL CHECK (length(hash) = 32)
             ) STRICT;
             CREATE TRIGGER entry_stays BEFORE UPDATE ON entry
                 BEGIN SELECT RAISE(ABORT, 'audit entries are never changed'); END;
             CREATE TRIGGER entry_remains BEFORE DELETE ON entry
                 BEGIN SELECT RAISE(ABORT, 'audit entries are never removed'); END;
             CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;
             CREATE TRIGGER checkpoint_stays BEFORE UPDATE ON checkpoint
                 BEGIN SELECT RAISE(ABORT, 'checkpoints are never changed'); END;
             CREATE TRIGGER checkpoint_remains BEFORE DELETE ON checkpoint
                 BEGIN SELECT RAISE(ABORT, 'checkpoints are never removed'); END;
             CREATE TABLE head (
                 one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, frontier BLOB NOT NULL
             ) STRICT;
             CREATE TABLE open_intent (event BLOB PRIMARY KEY, idx INTEGER NOT NULL) STRICT, WITHOUT ROWID;",
    page_bytes: 4096,
};

const ENTRY: &str = "SELECT entry.idx, entry.hash, entry.body FROM entry";

fn stored(row: &Row<'_>) -> Result<StoredEntry, AuditError> {
    let index = from_row(row.get(0)?)?;
    canonical::read(index, row.get(1)?, row.get(2)?)
        .map_err(|why| AuditError::Unsound(format!("entry {index} cannot be read: {why}")))
}

fn collect(
    connection: &Connection,
    statement: &str,
    values: impl rusqlite::Params,
) -> Result<Vec<StoredEntry>, AuditError> {
    let mut statement = connection.prepare(statement)?;
    let mut rows = statement.query(values)?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(stored(row)?);
    }
    Ok(entries)
}

/// The newest checkpoint, verified, and its note.
pub(super) fn newest_checkpoint(
    connection: &Connection,
    key: &VerifierKey,
) -> Result<(Checkpoint, String), AuditError> {
    let newest: Option<String> = connection
        .query_row("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1", [], |row| row.get(0))
        .optional()?;
    let note = newest.ok_or_else(|| AuditError::Unsound("it has no checkpoint".into()))?;
    let checkpoint = Checkpoint::open(&note, key)
        .map_err(|error| AuditError::Unsound(format!("its newest checkpoint: {error}")))?;
    Ok((checkpoint, note))
}

pub(super) fn head(connection: &Connection, key: &VerifierKey) -> Result<Head, AuditError> {
    let (Checkpoint { size, root, .. }, checkpoint) = newest_checkpoint(connection, key)?;
    Ok(Head { size, root, checkpoint })
}

pub(super) fn entry(connection: &Connection, event: EventId) -> Result<Option<StoredEntry>, AuditError> {
    Ok(collect(connection, &format!("{ENTRY} WHERE event = ?1"), [event.as_bytes()])?.pop())
}

pub(super) fn entries(
    connection: &Connection,
    from: u64,
    limit: usize,
) -> Result<Vec<StoredEntry>, AuditError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    // Beyond the largest row number there is nothing.
    let from = to_row(from).unwrap_or(i64::MAX);
    collect(connection, &format!("{ENTRY} WHERE idx >= ?1 ORDER BY idx LIMIT ?2"), [from, limit])
}

pub(super) fn open_intents(connection: &Connection) -> Result<Vec<StoredEntry>, AuditError> {
    collect(
        connection,
        &format!("{ENTRY} JOIN open_intent ON open_intent.event = entry.event ORDER BY entry.idx"),
        [],
    )
}

pub(super) fn receipt(connection: &Connection, event: EventId) -> Result<Option<Receipt>, AuditError> {
    let Some(stored) = entry(connection, event)? else { return Ok(None) };
    // The commit that holds the entry is the first one that reaches beyond it.
    let (size, note): (i64, String) = connection
        .query_row(
            "SELECT size, note FROM checkpoint WHERE size > ?1 ORDER BY size LIMIT 1",
            [to_row(stored.index)?],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?
        .ok_or_else(|| AuditError::Unsound(format!("no checkpoint covers entry {}", stored.index)))?;
    Ok(Some(Receipt::of_stored(&stored, from_row(size)?, note.into())))
}

pub(super) fn content(
    connection: &Connection,
    keys: &dyn KeyStore,
    event: EventId,
) -> Result<Option<Content>, AuditError> {
    let Some(key) = keys.content_key(event)? else { return Ok(None) };
    let mut found = Content::default();
    for part in Part::ALL {
        if let Some(sealed) = content::get(connection, event, part)? {
            found.set(part, content::open(&key, event, part, &sealed)?);
        }
    }
    let empty = found.parts().next().is_none();
    Ok((!empty).then_some(found))
}
