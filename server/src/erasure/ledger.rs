//! The ledger of erasures: who is being erased, who was, and which references must not come back unasked.
//!
//! One SQLite file beside the pools. It holds ids, dates, reasons, keyed digests and signed certificates; nothing in it is
//! about a person's face, name or history.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::ErasureReason;
use crate::{
    durable::{self, FileError},
    ids::{ErasureId, EventId, ImageId, SubjectId},
    seal::LookupDigest,
    sqlite::{Database, DatabaseError, Format, from_ms, from_row, to_ms},
};

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

/// Who a reference belonged to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Recognised {
    /// The digest that was recognised.
    pub digest: LookupDigest,
    /// The erasure that left it.
    pub erasure: ErasureId,
}

/// What was decided about references that came again.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// They may come in as new.
    Allowed,
    /// They stay out.
    Refused,
}

/// A re-import that was held back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reimport {
    /// Its number.
    pub id: u64,
    /// The pool.
    pub pool: String,
    /// The system that sent it.
    pub system: String,
    /// The erasure it would undo; `None` while the person is only beyond use.
    pub erasure: Option<ErasureId>,
    /// The subject that is beyond use.
    pub subject: Option<SubjectId>,
    /// First and last attempt.
    pub attempted: (Timestamp, Timestamp),
    /// How often.
    pub attempts: u64,
    /// What was decided, by whom and why.
    pub decision: Option<ReimportDecision>,
}

/// A decision about a re-import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReimportDecision {
    /// What.
    pub resolution: Resolution,
    /// By whom.
    pub authority: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
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
                "INSERT INTO mark (pool, digest, erasure, what) VALUES (?1, ?2, ?3, ?4)
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
                    mark.execute(params![begun.pool, kept.digest.as_bytes(), begun.id.as_bytes(), what])?;
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

    /// Whether one of these digests was left by an erasure in this pool, unless it was decided that it may come again.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn recognises(
        &self,
        pool: &str,
        digests: &[LookupDigest],
    ) -> Result<Option<Recognised>, LedgerError> {
        let reader = self.database.reader()?;
        let mut look = reader.prepare("SELECT erasure FROM mark WHERE pool = ?1 AND digest = ?2")?;
        for digest in digests {
            let found: Option<[u8; 16]> =
                look.query_row(params![pool, digest.as_bytes()], |row| row.get(0)).optional()?;
            if let Some(erasure) = found {
                return Ok(Some(Recognised { digest: *digest, erasure: ErasureId::from_bytes(erasure) }));
            }
        }
        Ok(None)
    }

    /// Notes that a reference came again, and gives the number of the question. One that was allowed in before, and left use once
    /// more since, is asked about anew; a refusal stands.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn hold_back(
        &self,
        pool: &str,
        digest: LookupDigest,
        system: &str,
        of: (Option<ErasureId>, Option<SubjectId>),
        now: Timestamp,
    ) -> Result<u64, LedgerError> {
        self.database.write(|transaction| {
            let id: i64 = transaction.query_row(
                "INSERT INTO reimport (pool, digest, system, erasure, subject, first_ms, last_ms, attempts)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, 1)
                 ON CONFLICT (pool, digest) DO UPDATE SET last_ms = excluded.last_ms, attempts = attempts + 1,
                     erasure = excluded.erasure, subject = excluded.subject,
                     decision = iif(decision = 'allowed', NULL, decision),
                     authority = iif(decision = 'allowed', NULL, authority),
                     reason = iif(decision = 'allowed', NULL, reason),
                     decided_ms = iif(decision = 'allowed', NULL, decided_ms)
                 RETURNING id",
                params![
                    pool,
                    digest.as_bytes(),
                    system,
                    of.0.map(|id| *id.as_bytes()),
                    of.1.map(|id| *id.as_bytes()),
                    to_ms(now)
                ],
                |row| row.get(0),
            )?;
            Ok(from_row(id)?)
        })
    }

    /// Re-imports that were held back: those not decided yet, or all.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn held_back(&self, pool: &str, also_decided: bool) -> Result<Vec<Reimport>, LedgerError> {
        let reader = self.database.reader()?;
        let mut statement = reader.prepare(
            "SELECT id, pool, system, erasure, subject, first_ms, last_ms, attempts, decision, authority, reason, decided_ms
             FROM reimport WHERE pool = ?1 AND (?2 OR decision IS NULL) ORDER BY id",
        )?;
        let mut rows = statement.query(params![pool, also_decided])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(reimport(row)?);
        }
        Ok(found)
    }

    /// Decides about a re-import. Allowed: every mark of that erasure is forgotten. `None` when there is no such question in
    /// this pool, or it was decided before.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn decide(
        &self,
        pool: &str,
        id: u64,
        decision: &ReimportDecision,
    ) -> Result<Option<Reimport>, LedgerError> {
        let number = i64::try_from(id).unwrap_or(i64::MAX);
        let word = match decision.resolution {
            Resolution::Allowed => "allowed",
            Resolution::Refused => "refused",
        };
        let changed = self.database.write(|transaction| -> Result<usize, LedgerError> {
            let changed = transaction.execute(
                "UPDATE reimport SET decision = ?3, authority = ?4, reason = ?5, decided_ms = ?6
                 WHERE id = ?1 AND pool = ?2 AND decision IS NULL",
                params![number, pool, word, decision.authority, decision.reason, to_ms(decision.at)],
            )?;
            if changed > 0 && decision.resolution == Resolution::Allowed {
                transaction.execute(
                    "DELETE FROM mark WHERE erasure = (SELECT erasure FROM reimport WHERE id = ?1)",
                    [number],
                )?;
            }
            Ok(changed)
        })?;
        if changed == 0 {
            return Ok(None);
        }
        Ok(self.held_back(pool, true)?.into_iter().find(|reimport| reimport.id == id))
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

fn reimport(row: &Row<'_>) -> Result<Reimport, LedgerError> {
    let resolution = match row.get::<_, Option<String>>(8)?.as_deref() {
        None => None,
        Some("allowed") => Some(Resolution::Allowed),
        Some("refused") => Some(Resolution::Refused),
        Some(_) => return Err(LedgerError::Malformed("decision")),
    };
    let decision = match resolution {
        None => None,
        Some(resolution) => Some(ReimportDecision {
            resolution,
            authority: row.get(9)?,
            reason: row.get(10)?,
            at: from_ms(row.get(11)?)?,
        }),
    };
    Ok(Reimport {
        id: from_row(row.get(0)?)?,
        pool: row.get(1)?,
        system: row.get(2)?,
        erasure: row.get::<_, Option<[u8; 16]>>(3)?.map(ErasureId::from_bytes),
        subject: row.get::<_, Option<[u8; 16]>>(4)?.map(SubjectId::from_bytes),
        attempted: (from_ms(row.get(5)?)?, from_ms(row.get(6)?)?),
        attempts: from_row(row.get(7)?)?,
        decision,
    })
}
