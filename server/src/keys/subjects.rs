//! The data keys of one pool's subjects, wrapped, in a file of their own.

use super::{KeyError, KeyState, PoolKey};
use crate::ids::SubjectId;
use crate::seal::SealKey;
use crate::sqlite::{Database, Format, to_ms};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::HashMap;

pub(super) const FORMAT: Format = Format {
    what: "a file of subject keys",
    application_id: 0x4c4b_5355,
    version: 1,
    // `wrapped` is NULL in a tombstone.
    tables: "CREATE TABLE subject_key (
                 subject BLOB PRIMARY KEY CHECK (length(subject) = 16),
                 wrapped BLOB,
                 created_ms INTEGER NOT NULL,
                 destroyed_ms INTEGER,
                 CHECK ((wrapped IS NULL) = (destroyed_ms IS NOT NULL))
             ) STRICT, WITHOUT ROWID;",
    page_bytes: 4096,
};

/// What is known of a subject's key.
enum Kept {
    Wrapped(Vec<u8>),
    Tombstone,
}

/// Finds or makes one key per subject, all in one transaction.
pub(super) fn create(
    database: &Database,
    pool: &PoolKey,
    subjects: &[SubjectId],
    now: Timestamp,
) -> Result<Vec<SealKey>, KeyError> {
    database.write(|transaction| {
        let mut insert = transaction
            .prepare("INSERT INTO subject_key (subject, wrapped, created_ms) VALUES (?1, ?2, ?3)")?;
        let mut keys = Vec::with_capacity(subjects.len());
        for &subject in subjects {
            keys.push(match kept(transaction, subject)? {
                Some(Kept::Wrapped(wrapped)) => pool.unwrap(subject, &wrapped)?,
                Some(Kept::Tombstone) => return Err(KeyError::Destroyed { subject }),
                None => {
                    let key = SealKey::generate()?;
                    insert.execute(params![subject.as_bytes(), pool.wrap(subject, &key)?, to_ms(now)])?;
                    key
                }
            });
        }
        Ok(keys)
    })
}

fn kept(transaction: &Transaction<'_>, subject: SubjectId) -> Result<Option<Kept>, KeyError> {
    let found: Option<Option<Vec<u8>>> = transaction
        .query_row("SELECT wrapped FROM subject_key WHERE subject = ?1", [subject.as_bytes()], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(found.map(|wrapped| wrapped.map_or(Kept::Tombstone, Kept::Wrapped)))
}

/// The subject's key, if it has one.
pub(super) fn get(
    database: &Database,
    pool: &PoolKey,
    subject: SubjectId,
) -> Result<Option<SealKey>, KeyError> {
    let wrapped: Option<Vec<u8>> = database
        .reader()?
        .query_row("SELECT wrapped FROM subject_key WHERE subject = ?1", [subject.as_bytes()], |row| {
            row.get(0)
        })
        .optional()?
        .flatten();
    Ok(wrapped.map(|wrapped| pool.unwrap(subject, &wrapped)).transpose()?)
}

/// What became of each subject's key.
pub(super) fn states(database: &Database, subjects: &[SubjectId]) -> Result<Vec<KeyState>, KeyError> {
    let reader = database.reader()?;
    let mut statement = reader.prepare("SELECT wrapped IS NOT NULL FROM subject_key WHERE subject = ?1")?;
    let state = |subject: &SubjectId| -> Result<KeyState, KeyError> {
        let kept: Option<bool> = statement.query_row([subject.as_bytes()], |row| row.get(0)).optional()?;
        Ok(match kept {
            Some(true) => KeyState::Kept,
            Some(false) => KeyState::Destroyed,
            None => KeyState::Unknown,
        })
    };
    subjects.iter().map(state).collect()
}

/// All keys that are not destroyed.
pub(super) fn all(database: &Database, pool: &PoolKey) -> Result<HashMap<SubjectId, SealKey>, KeyError> {
    let reader = database.reader()?;
    let mut statement =
        reader.prepare("SELECT subject, wrapped FROM subject_key WHERE wrapped IS NOT NULL")?;
    let mut rows = statement.query([])?;
    let mut keys = HashMap::new();
    while let Some(row) = rows.next()? {
        let subject = SubjectId::from_bytes(row.get(0)?);
        let wrapped: Vec<u8> = row.get(1)?;
        keys.insert(subject, pool.unwrap(subject, &wrapped)?);
    }
    Ok(keys)
}

/// Overwrites keys with tombstones, in the file and in its log, in one transaction. Subjects without a key get a tombstone, too.
pub(super) fn destroy(database: &Database, subjects: &[SubjectId], now: Timestamp) -> Result<u64, KeyError> {
    let destroyed = database.write(|transaction| -> Result<u64, KeyError> {
        let mut destroy = transaction.prepare(
            "UPDATE subject_key SET wrapped = NULL, destroyed_ms = ?2 WHERE subject = ?1 AND wrapped IS NOT NULL",
        )?;
        let mut bury = transaction.prepare(
            "INSERT INTO subject_key (subject, wrapped, created_ms, destroyed_ms) VALUES (?1, NULL, ?2, ?2)
             ON CONFLICT DO NOTHING",
        )?;
        let mut destroyed = 0;
        for subject in subjects {
            destroyed += destroy.execute(params![subject.as_bytes(), to_ms(now)])? as u64;
            bury.execute(params![subject.as_bytes(), to_ms(now)])?;
        }
        Ok(destroyed)
    })?;
    // Also when nothing changed: an earlier call may have been cut off right here.
    database.forget_log()?;
    Ok(destroyed)
}
