//! Statements that read the log, shared by the open log and the read-only reader.

use super::content::{self, Part};
use super::note::Checkpoint;
use super::{AuditError, Content, Head, Receipt, StoredEntry, canonical};
use crate::ids::{EventId, first_at};
use crate::keys::{KeyStore, VerifierKey};
use crate::sqlite::{Format, Upgrade, from_row, to_row};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::ops::Range;

pub(super) const FORMAT: Format = Format {
    what: "an audit log",
    application_id: 0x4c4b_4155,
    version: 2,
    // The triggers stop mistakes, not attackers; attackers meet the hashes. Checkpoints are all kept: they make
    // old receipts reproducible, and narrow down where a log was changed.
    tables: "CREATE TABLE entry (
                 idx INTEGER PRIMARY KEY CHECK (idx >= 0),
                 event BLOB NOT NULL UNIQUE CHECK (length(event) = 16),
                 body BLOB NOT NULL,
                 hash BLOB NOT NULL CHECK (length(hash) = 32)
             ) STRICT;
             CREATE TRIGGER entry_stays BEFORE UPDATE ON entry
                 WHEN NOT (NEW.body = x'' AND NEW.idx = OLD.idx AND NEW.event = OLD.event AND NEW.hash = OLD.hash)
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

/// From version 1, in which no entry could be forgotten.
pub(super) const UPGRADES: [Upgrade; 1] = [Upgrade {
    from: 1,
    statements: "DROP TRIGGER entry_stays;
             CREATE TRIGGER entry_stays BEFORE UPDATE ON entry
                 WHEN NOT (NEW.body = x'' AND NEW.idx = OLD.idx AND NEW.event = OLD.event AND NEW.hash = OLD.hash)
                 BEGIN SELECT RAISE(ABORT, 'audit entries are never changed'); END;",
}];

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
    Ok(collect(connection, &format!("{ENTRY} WHERE event = ?1 AND body != x''"), [event.as_bytes()])?.pop())
}

pub(super) fn entries(
    connection: &Connection,
    from: u64,
    limit: usize,
) -> Result<Vec<StoredEntry>, AuditError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    // Beyond the largest row number there is nothing.
    let from = to_row(from).unwrap_or(i64::MAX);
    collect(
        connection,
        &format!("{ENTRY} WHERE idx >= ?1 AND body != x'' ORDER BY idx LIMIT ?2"),
        [from, limit],
    )
}

/// The position of an event, forgotten or not.
pub(super) fn position(connection: &Connection, event: EventId) -> Result<Option<u64>, AuditError> {
    let statement = "SELECT idx FROM entry WHERE event = ?1";
    let found = connection.query_row(statement, [event.as_bytes()], |row| row.get(0)).optional()?;
    Ok(found.map(from_row).transpose()?)
}

/// Leaf hashes from a position on.
pub(super) fn hashes(connection: &Connection, from: u64, limit: usize) -> Result<Vec<[u8; 32]>, AuditError> {
    let mut statement = connection.prepare("SELECT hash FROM entry WHERE idx >= ?1 ORDER BY idx LIMIT ?2")?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let hashes = statement.query_map(params![to_row(from)?, limit], |row| row.get(0))?;
    Ok(hashes.collect::<Result<_, _>>()?)
}

/// The signed head of exactly this size.
pub(super) fn checkpoint(connection: &Connection, size: u64) -> Result<Option<String>, AuditError> {
    let size = to_row(size).unwrap_or(i64::MAX);
    let statement = "SELECT note FROM checkpoint WHERE size = ?1";
    Ok(connection.query_row(statement, [size], |row| row.get(0)).optional()?)
}

/// Positions between the first event made at or after `from` and the last made before `until`. Ids begin with their time, so an index
/// on them gives the bounds without reading entries; entries are in order of commit, so the bounds may hold a few more.
pub(super) fn span(
    connection: &Connection,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Result<Range<u64>, AuditError> {
    let least = from.map_or([0; 16], first_at);
    let most = until.map_or([255; 16], first_at);
    let (first, last): (Option<i64>, Option<i64>) = connection.query_row(
        "SELECT min(idx), max(idx) FROM entry WHERE event >= ?1 AND event < ?2",
        params![least, most],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    match (first, last) {
        (Some(first), Some(last)) => Ok(from_row(first)?..from_row(last)?.saturating_add(1)),
        _ => Ok(0..0),
    }
}

pub(super) fn probe_digest(
    keys: &dyn KeyStore,
    event: EventId,
    sha256: &[u8; 32],
) -> Result<Option<String>, AuditError> {
    Ok(keys.content_key(event)?.map(|key| content::probe_digest(&key, sha256)))
}

/// What is signed for a size, for making proofs; the caller has checked that the log is that long.
pub(super) fn signed_root(
    connection: &Connection,
    key: &VerifierKey,
    size: u64,
) -> Result<[u8; 32], AuditError> {
    let note = checkpoint(connection, size)?.ok_or(AuditError::Invalid("no commit ended at this size"))?;
    let checkpoint = Checkpoint::open(&note, key)
        .map_err(|error| AuditError::Unsound(format!("its checkpoint of size {size}: {error}")))?;
    Ok(checkpoint.root)
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
