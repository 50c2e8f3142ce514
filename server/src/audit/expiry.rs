//! Forgetting entries that are past the retention of metadata (R12): their bodies go, their hashes stay.
//!
//! Entries are forgotten from the oldest on, never one by one. What is left of each is a stub, its event id and its leaf hash,
//! so that the tree, every signed head and every proof hold as before. An entry announces each purge and names how far it goes,
//! up to which time, under which period, and the digest of all stubs: `verify` refuses a log in which more is missing than
//! such an entry accounts for, or something younger.

use super::{AuditError, moment};
use crate::ids::{EventId, first_at};
use crate::sqlite::{Database, DatabaseError, from_row, to_row};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Shortest retention of entries, in days: a purge that claims a shorter one is refused by the writer and by `verify`.
pub const LEAST_DAYS: u32 = 366;

/// Bodies removed in one transaction, so that appends wait for milliseconds only.
const BATCH: u64 = 1000;

/// What an entry says about a purge of entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetadataPurge {
    /// Entries made before this time are past their retention.
    #[serde(with = "moment")]
    pub before: Timestamp,
    /// The retention, in days.
    pub days: u32,
    /// The first so many entries of the log are forgotten.
    pub entries: u64,
    /// SHA-256 over event id and leaf hash of each of them, in order, in hex.
    pub stubs: String,
}

/// What is left of a forgotten entry.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Stub {
    /// Its position.
    pub index: u64,
    /// Its event, which tells its time.
    pub event: EventId,
    /// Its leaf hash.
    pub hash: [u8; 32],
}

/// What a purge of entries did.
#[derive(Debug)]
pub struct MetadataPurged {
    /// Bodies removed.
    pub bodies: u64,
    /// Whether older pages of the file's own log could be emptied, too; if not, the next purge does.
    pub log_emptied: bool,
}

/// How many entries from the beginning on were made before `before`, and concern no operation that is still open.
pub(super) fn reach(connection: &Connection, before: Timestamp) -> Result<u64, AuditError> {
    let young: Option<i64> = connection.query_row(
        "SELECT min(idx) FROM entry WHERE event >= ?1",
        params![first_at(before)],
        |row| row.get(0),
    )?;
    let open: Option<i64> = connection.query_row("SELECT min(idx) FROM open_intent", [], |row| row.get(0))?;
    // Without a young entry everything is old; the newest one stays, whose hash the next entry is linked to.
    let last: Option<i64> = connection.query_row("SELECT max(idx) FROM entry", [], |row| row.get(0))?;
    let bound = [young.or(last), open].into_iter().flatten().min().unwrap_or(0);
    Ok(from_row(bound)?)
}

/// Position of the first entry whose body is there.
pub(super) fn first_kept(connection: &Connection) -> Result<u64, AuditError> {
    let first: Option<i64> = connection
        .query_row("SELECT idx FROM entry WHERE body != x'' ORDER BY idx LIMIT 1", [], |row| row.get(0))
        .optional()?;
    Ok(from_row(first.unwrap_or(0))?)
}

/// The digest of the first so many stubs.
pub(super) fn digest_of(connection: &Connection, entries: u64) -> Result<String, AuditError> {
    let mut statement = connection.prepare("SELECT event, hash FROM entry WHERE idx < ?1 ORDER BY idx")?;
    let mut rows = statement.query([to_row(entries)?])?;
    let mut digest = Sha256::new();
    while let Some(row) = rows.next()? {
        let (event, hash): ([u8; 16], [u8; 32]) = (row.get(0)?, row.get(1)?);
        digest.update(event);
        digest.update(hash);
    }
    Ok(hex::encode(digest.finalize()))
}

/// The stubs from a position on.
pub(super) fn stubs(connection: &Connection, from: u64, limit: usize) -> Result<Vec<Stub>, AuditError> {
    let mut statement = connection
        .prepare("SELECT idx, event, hash FROM entry WHERE idx >= ?1 AND body = x'' ORDER BY idx LIMIT ?2")?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found = statement.query_map(params![to_row(from).unwrap_or(i64::MAX), limit], |row| {
        Ok(Stub { index: from_row(row.get(0)?)?, event: EventId::from_bytes(row.get(1)?), hash: row.get(2)? })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Removes the bodies of the first `entries` entries, a batch at a time. Says how many there were, and whether the file's own
/// log could be emptied.
pub(super) fn remove_bodies(log: &Database, entries: u64) -> Result<MetadataPurged, AuditError> {
    let mut from = first_kept(&*log.reader()?)?;
    let mut bodies = 0;
    while from < entries {
        let to = entries.min(from + BATCH);
        bodies += log.write(|transaction| -> Result<u64, AuditError> {
            let gone = transaction.execute(
                "UPDATE entry SET body = x'' WHERE idx >= ?1 AND idx < ?2 AND body != x''",
                [to_row(from)?, to_row(to)?],
            )?;
            Ok(gone as u64)
        })?;
        from = to;
    }
    match log.forget_log() {
        Ok(()) => Ok(MetadataPurged { bodies, log_emptied: true }),
        Err(DatabaseError::LogInUse) => Ok(MetadataPurged { bodies, log_emptied: false }),
        Err(error) => Err(error.into()),
    }
}
