//! The ledger of erasures: who is being erased, who was, and which references must not come back unasked.
//!
//! One SQLite file beside the pools. It holds ids, dates, reasons, keyed digests and signed certificates; nothing in it is
//! about a person's face, name or history.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::ErasureReason;
use crate::{
    durable::{self, FileError},
    ids::{ErasureId, EventId, ImageId, SubjectId},
    seal::LookupDigest,
    sqlite::{Database, DatabaseError, Format, from_ms, from_row, to_ms},
};

mod reimport;

pub use reimport::{Recognised, Reimport, ReimportDecision, Resolution};

const NAME: &str = "ledger.sqlite";

const FORMAT: Format = Format {
    what: "an erasure ledger",
    application_id: 0x4c4b_4552,
    version: 1,
    tables: "CREATE TABLE erasure (
                 id BLOB PRIMARY KEY CHECK (length(id) = 16),
                 pool TEXT NOT NULL,
                 subject BLOB NOT NULL CHECK (length(subject) = 16),
                 images BLOB NOT NULL CHECK (length(images) % 16 = 0),
                 reason TEXT NOT NULL, rule TEXT, rules TEXT, authority TEXT NOT NULL,
                 event BLOB NOT NULL CHECK (length(event) = 16),
                 begun_ms INTEGER NOT NULL,
                 indexed INTEGER NOT NULL,
                 done_ms INTEGER, certificate TEXT,
                 UNIQUE (pool, subject),
                 CHECK ((done_ms IS NULL) = (certificate IS NULL))
             ) STRICT, WITHOUT ROWID;
             CREATE INDEX erasure_open ON erasure(pool) WHERE done_ms IS NULL;
             CREATE INDEX erasure_done ON erasure(done_ms);
             CREATE TABLE mark (
                 pool TEXT NOT NULL, digest BLOB NOT NULL CHECK (length(digest) = 32),
                 erasure BLOB NOT NULL REFERENCES erasure(id), what TEXT NOT NULL CHECK (what IN ('subject', 'image')),
                 PRIMARY KEY (pool, digest)
             ) STRICT, WITHOUT ROWID;
             CREATE TABLE reimport (
                 id INTEGER PRIMARY KEY AUTOINCREMENT,
                 pool TEXT NOT NULL, digest BLOB NOT NULL CHECK (length(digest) = 32),
                 system TEXT NOT NULL, erasure BLOB, subject BLOB,
                 first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, attempts INTEGER NOT NULL,
                 decision TEXT CHECK (decision IN ('allowed', 'refused')), authority TEXT, reason TEXT, decided_ms INTEGER,
                 UNIQUE (pool, digest)
             ) STRICT;",
    page_bytes: 4096,
};

/// What went wrong with the ledger. Nothing is erased, enrolled or started without it.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The folder could not be made or read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file could not be read or written.
    #[error("erasure ledger: {0}")]
    Database(#[from] DatabaseError),
    /// It holds something that this program did not write.
    #[error("the erasure ledger has a line of an unexpected form ({0}); put the file back from where it was")]
    Malformed(&'static str),
}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        LedgerError::Database(error.into())
    }
}

/// What a kept digest is of.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum MarkOf {
    /// A system's name for the person.
    Subject,
    /// A system's name for one of the images.
    Image,
}

/// A digest that recognises a reference when it comes again.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Keyed with the pool's key.
    pub digest: LookupDigest,
    /// Of what.
    pub of: MarkOf,
}

/// An erasure that is about to begin.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Its number.
    pub id: ErasureId,
    /// The pool.
    pub pool: String,
    /// Who.
    pub subject: SubjectId,
    /// The images held of them.
    pub images: Vec<ImageId>,
    /// How many of these could be found by a search.
    pub indexed: u64,
    /// Why.
    pub reason: ErasureReason,
    /// The rule that decided.
    pub rule: Option<String>,
    /// Digest of the rule file.
    pub rules: Option<String>,
    /// On whose authority.
    pub authority: String,
    /// The audit entry that announced it.
    pub event: EventId,
    /// When.
    pub begun_at: Timestamp,
    /// What recognises their references later; empty where nothing may.
    pub marks: Vec<Mark>,
}

/// A line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Its number.
    pub id: ErasureId,
    /// The pool.
    pub pool: String,
    /// Who.
    pub subject: SubjectId,
    /// The images that were held of them.
    pub images: Vec<ImageId>,
    /// Why.
    pub reason: ErasureReason,
    /// The rule that decided.
    pub rule: Option<String>,
    /// Digest of the rule file.
    pub rules: Option<String>,
    /// On whose authority.
    pub authority: String,
    /// The audit entry that announced it.
    pub event: EventId,
    /// When it began.
    pub begun_at: Timestamp,
    /// How many of them could be found by a search.
    pub indexed: u64,
    /// When it was complete.
    pub done_at: Option<Timestamp>,
    /// The signed certificate, when it is complete.
    pub certificate: Option<String>,
}

/// The open ledger.
#[derive(Debug)]
pub struct Ledger {
    database: Database,
}

const ERASURE: &str =
    "SELECT id, pool, subject, images, reason, rule, rules, authority, event, begun_ms, indexed, done_ms,
        certificate FROM erasure";

impl Ledger {
    /// Opens the ledger in `folder`, making it when there is none.
    ///
    /// # Errors
    /// [`LedgerError`]: the service does not start then.
    pub fn open(folder: &Path) -> Result<Self, LedgerError> {
        durable::create_dir(folder)?;
        durable::check_private(folder, 0o700)?;
        let file = folder.join(NAME);
        let database =
            if file.exists() { Database::open(&file, &FORMAT)? } else { Database::create(&file, &FORMAT)? };
        Ok(Ledger { database })
    }

    /// Announces erasures, in one durable step. Lines that are there already stay as they are: an erasure begins once.
    ///
    /// # Errors
    /// [`LedgerError`]: nothing may be destroyed then.
    pub fn begin(&self, erasures: &[Begun]) -> Result<(), LedgerError> {
        self.database.write(|transaction| {
            let mut insert = transaction.prepare(
                "INSERT INTO erasure (id, pool, subject, images, reason, rule, rules, authority, event, begun_ms, indexed)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING",
            )?;
            let mut mark = transaction.prepare(
                "INSERT INTO mark (pool, digest, erasure, what)
                 SELECT ?1, ?2, id, ?4 FROM erasure WHERE pool = ?1 AND subject = ?3
                 ON CONFLICT (pool, digest) DO UPDATE SET erasure = excluded.erasure",
            )?;
            // A question about somebody beyond use is answered by their erasure; where nothing may recognise them, nothing may be
            // left that remembers one either.
            let mut moot = transaction.prepare("DELETE FROM reimport WHERE subject = ?1 AND (?2 OR decision IS NULL)")?;
            for begun in erasures {
                let images: Vec<u8> = begun.images.iter().flat_map(|id| *id.as_bytes()).collect();
                insert.execute(params![
                    begun.id.as_bytes(),
                    begun.pool,
                    begun.subject.as_bytes(),
                    images,
                    begun.reason.code(),
                    begun.rule,
                    begun.rules,
                    begun.authority,
                    begun.event.as_bytes(),
                    to_ms(begun.begun_at),
                    i64::try_from(begun.indexed).unwrap_or(i64::MAX)
                ])?;
                for kept in &begun.marks {
                    let what = match kept.of {
                        MarkOf::Subject => "subject",
                        MarkOf::Image => "image",
                    };
                    mark.execute(params![
                        begun.pool,
                        kept.digest.as_bytes(),
                        begun.subject.as_bytes(),
                        what
                    ])?;
                }
                moot.execute(params![begun.subject.as_bytes(), begun.marks.is_empty()])?;
            }
            Ok(())
        })
    }

    /// Closes erasures with their certificates, in one durable step.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn finish(&self, done: &[(ErasureId, Timestamp, String)]) -> Result<(), LedgerError> {
        self.database.write(|transaction| {
            let mut update = transaction.prepare(
                "UPDATE erasure SET done_ms = ?2, certificate = ?3 WHERE id = ?1 AND done_ms IS NULL",
            )?;
            for (id, at, certificate) in done {
                update.execute(params![id.as_bytes(), to_ms(*at), certificate])?;
            }
            Ok(())
        })
    }

    /// Every erasure that has begun and is not complete, oldest first.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn unfinished(&self) -> Result<Vec<Erasure>, LedgerError> {
        self.many(&format!("{ERASURE} WHERE done_ms IS NULL ORDER BY id"), [])
    }

    /// Every erasure of a pool, oldest first: checked against its records at every start.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn of_pool(&self, pool: &str) -> Result<Vec<Erasure>, LedgerError> {
        self.many(&format!("{ERASURE} WHERE pool = ?1 ORDER BY id"), [pool])
    }

    /// The ids of everybody erased from a pool.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn subjects_of(&self, pool: &str) -> Result<Vec<SubjectId>, LedgerError> {
        let reader = self.database.reader()?;
        let mut statement = reader.prepare("SELECT subject FROM erasure WHERE pool = ?1")?;
        let found = statement.query_map([pool], |row| Ok(SubjectId::from_bytes(row.get(0)?)))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// One erasure by its number.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn erasure(&self, id: ErasureId) -> Result<Option<Erasure>, LedgerError> {
        Ok(self.many(&format!("{ERASURE} WHERE id = ?1"), [id.as_bytes()])?.pop())
    }

    /// The erasure of one subject.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn of_subject(&self, pool: &str, subject: SubjectId) -> Result<Option<Erasure>, LedgerError> {
        let statement = format!("{ERASURE} WHERE pool = ?1 AND subject = ?2");
        Ok(self.many(&statement, params![pool, subject.as_bytes()])?.pop())
    }

    fn many(&self, statement: &str, values: impl rusqlite::Params) -> Result<Vec<Erasure>, LedgerError> {
        let reader = self.database.reader()?;
        let mut statement = reader.prepare(statement)?;
        let mut rows = statement.query(values)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(erasure(row)?);
        }
        Ok(found)
    }
}

fn erasure(row: &Row<'_>) -> Result<Erasure, LedgerError> {
    let images: Vec<u8> = row.get(3)?;
    let reason: String = row.get(4)?;
    Ok(Erasure {
        id: ErasureId::from_bytes(row.get(0)?),
        pool: row.get(1)?,
        subject: SubjectId::from_bytes(row.get(2)?),
        images: images.as_chunks::<16>().0.iter().map(|id| ImageId::from_bytes(*id)).collect(),
        reason: reason.parse().map_err(|_| LedgerError::Malformed("reason"))?,
        rule: row.get(5)?,
        rules: row.get(6)?,
        authority: row.get(7)?,
        event: EventId::from_bytes(row.get(8)?),
        begun_at: from_ms(row.get(9)?)?,
        indexed: from_row(row.get(10)?)?,
        done_at: row.get::<_, Option<i64>>(11)?.map(from_ms).transpose()?,
        certificate: row.get(12)?,
    })
}
