//! What has to be set right when the log is opened: after a crash, or after somebody touched the files.

use super::content;
use super::merkle::Frontier;
use super::note::Checkpoint;
use super::writer::BATCH_ENTRIES;
use super::{AuditError, StoredEntry, canonical, expiry, read};
use crate::ids::{EventId, first_at};
use crate::keys::{KeyStore, VerifierKey};
use crate::sqlite::{Database, from_row, to_row};
use rusqlite::{Connection, OptionalExtension};
use std::collections::HashSet;

/// How far back from the end each file is checked. At most one commit can have been cut short, because the writer
/// stops at its first error; one commit is at most [`BATCH_ENTRIES`] entries with three pieces of content each.
const TAIL: usize = 8 * BATCH_ENTRIES;

/// What opening the log found.
#[derive(Debug)]
pub struct Recovery {
    /// Entries in the log, those that opening appended included.
    pub size: u64,
    /// Intents without outcome: operations cut short. Their real state must be looked up and an outcome appended.
    pub open_intents: Vec<StoredEntry>,
    /// Entries whose content did not reach the disk; they were never answered. An entry now says so for each.
    pub content_not_stored: Vec<EventId>,
    /// Content and keys whose entry did not reach the disk; they are removed.
    pub orphans_removed: u64,
}

/// Where the writer continues.
pub(super) struct Resume {
    pub frontier: Frontier,
    pub commit: u64,
    pub previous: [u8; 32],
}

/// Checks the end of the log against its signed checkpoint, without reading all of it.
pub(super) fn resume(connection: &Connection, key: &VerifierKey) -> Result<Resume, AuditError> {
    let unsound = |what: &str| AuditError::Unsound(what.to_owned());
    let (head, _) = read::newest_checkpoint(connection, key)?;
    let (size, peaks): (i64, Vec<u8>) = connection
        .query_row("SELECT size, frontier FROM head", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .ok_or_else(|| unsound("its head is missing"))?;
    let frontier = Frontier::from_bytes(from_row(size)?, &peaks)
        .filter(|frontier| frontier.size() == head.size && frontier.root() == head.root)
        .ok_or_else(|| unsound("its head is not what its newest checkpoint says"))?;
    let last: Option<i64> = connection.query_row("SELECT max(idx) FROM entry", [], |row| row.get(0))?;
    if last.map_or(0, |last| last + 1) != size {
        return Err(unsound("entries are missing or added at its end"));
    }
    let previous = match last {
        None => [0; 32],
        Some(last) => {
            let newest = read::entries(connection, from_row(last)?, 1)?.pop();
            let newest = newest.ok_or_else(|| unsound("its last entry is missing"))?;
            if canonical::leaf_hash(&newest.body) != newest.hash {
                return Err(unsound("its last entry was changed"));
            }
            newest.hash
        }
    };
    Ok(Resume { frontier, commit: head.commit + 1, previous })
}

/// Checks the checkpoint file against the log: it may be behind after a crash, never ahead, never different.
/// `true` when it is behind.
pub(super) fn check_file(
    connection: &Connection,
    note: &str,
    key: &VerifierKey,
    head: &Frontier,
) -> Result<bool, AuditError> {
    let filed = Checkpoint::open(note, key)
        .map_err(|error| AuditError::Unsound(format!("the file `checkpoint`: {error}")))?;
    if filed.size > head.size() {
        let lost = filed.size - head.size();
        return Err(AuditError::Unsound(format!(
            "{lost} entries are missing at its end, says the file `checkpoint`"
        )));
    }
    let root = if filed.size == head.size() { head.root() } else { root_at(connection, filed.size)? };
    if root != filed.root {
        return Err(AuditError::Unsound(
            "it is not the log that the file `checkpoint` was signed for".into(),
        ));
    }
    Ok(filed.size < head.size())
}

fn root_at(connection: &Connection, size: u64) -> Result<[u8; 32], AuditError> {
    let mut statement = connection.prepare("SELECT hash FROM entry WHERE idx < ?1 ORDER BY idx")?;
    let mut rows = statement.query([to_row(size)?])?;
    let mut frontier = Frontier::default();
    while let Some(row) = rows.next()? {
        frontier.push(row.get(0)?);
    }
    Ok(frontier.root())
}

/// Removes content and keys at the end of their files that belong to no entry.
pub(super) fn remove_orphans(
    log: &Connection,
    store: &Database,
    keys: &dyn KeyStore,
) -> Result<u64, AuditError> {
    let mut known = log.prepare("SELECT 1 FROM entry WHERE event = ?1")?;
    let mut orphans = |events: Vec<EventId>| -> Result<Vec<EventId>, AuditError> {
        let mut orphans = Vec::new();
        for event in events {
            if known.query_row([event.as_bytes()], |_| Ok(())).optional()?.is_none() {
                orphans.push(event);
            }
        }
        Ok(orphans)
    };
    let lost_keys = orphans(keys.newest_content_keys(TAIL)?)?;
    let lost_content = orphans(content::newest(&*store.reader()?, TAIL)?)?;
    let mut removed = 0;
    // Keys first, as everywhere: what cannot be read is as good as gone.
    if !lost_keys.is_empty() {
        removed += keys.destroy_content_keys(&lost_keys)?;
    }
    if !lost_content.is_empty() {
        removed += content::remove(store, &lost_content)?;
    }
    Ok(removed)
}

/// Finishes purges that a crash cut short.
pub(super) fn finish_purges(
    open_intents: &[StoredEntry],
    log: &Database,
    store: &Database,
    keys: &dyn KeyStore,
) -> Result<(), AuditError> {
    let forgotten = open_intents.iter().filter_map(|intent| intent.entry.metadata_purged.as_ref());
    if let Some(entries) = forgotten.map(|mark| mark.entries).max() {
        expiry::remove_bodies(log, entries)?;
    }
    if let Some(before) = open_intents.iter().filter_map(|intent| intent.entry.content_purged_before).max() {
        keys.destroy_content_keys_before(before)?;
        content::remove_before(store, before)?;
    }
    Ok(())
}

/// Entries at the end of the log that should have content and do not, and about which no entry says so yet.
pub(super) fn without_content(
    log: &Connection,
    store: &Connection,
    keys: &dyn KeyStore,
    size: u64,
) -> Result<Vec<StoredEntry>, AuditError> {
    let tail = read::entries(log, size.saturating_sub(TAIL as u64), TAIL)?;
    let purged = tail.iter().filter_map(|stored| stored.entry.content_purged_before).max();
    let told: HashSet<EventId> = tail
        .iter()
        .filter(|stored| stored.entry.refusal.as_deref() == Some(NOT_STORED))
        .filter_map(|stored| stored.entry.related)
        .collect();
    let erased: HashSet<EventId> =
        tail.iter().flat_map(|stored| stored.entry.content_erased.iter().copied()).collect();
    let mut missing = Vec::new();
    for stored in tail {
        let Some(digests) = &stored.entry.content else { continue };
        let event = stored.entry.event_id;
        let forgotten = purged.is_some_and(|before| event.as_bytes() < &first_at(before));
        if forgotten || told.contains(&event) || erased.contains(&event) {
            continue;
        }
        let mut complete = keys.content_key(event)?.is_some();
        for part in digests.0.keys() {
            complete &= content::get(store, event, *part)?.is_some();
        }
        if !complete {
            missing.push(stored);
        }
    }
    Ok(missing)
}

/// Refusal code of the entry that tells about lost content.
pub(super) const NOT_STORED: &str = "content_not_stored";
