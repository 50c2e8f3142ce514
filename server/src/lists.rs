//! Lists back to forces (R28) that were made, and what the forces said about each line.
//!
//! One SQLite file beside the pools. Of a line it holds random ids in the clear; what the line says, and why a force keeps an image,
//! is sealed under the key of the person it is about, so that neither outlives the person's erasure, here or in a backup. Of a
//! list there is its heading and its signed statement: counts and digests. The file is never put back from an older backup: what a
//! force was told, and what it said, stays.

mod forget;
mod row;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, path::Path};

use jiff::{Timestamp, civil::Date};
use rusqlite::{OptionalExtension, params};

use crate::{
    durable::{self, FileError},
    ids::{EventId, ImageId, SubjectId},
    sqlite::{Database, DatabaseError, Format, from_row, to_ms, to_row},
};
use row::{LINE, LIST};

const NAME: &str = "lists.sqlite";

const FORMAT: Format = Format {
    what: "a file of deletion lists",
    application_id: 0x4c4b_444c,
    version: 1,
    tables: "CREATE TABLE list (
                 number INTEGER PRIMARY KEY AUTOINCREMENT,
                 pool TEXT NOT NULL, id TEXT NOT NULL, force TEXT NOT NULL,
                 made_on TEXT NOT NULL, made_ms INTEGER NOT NULL, acknowledge_by TEXT NOT NULL,
                 rules TEXT NOT NULL, rules_version TEXT NOT NULL, authority TEXT NOT NULL,
                 event BLOB NOT NULL CHECK (length(event) = 16),
                 statement TEXT NOT NULL,
                 UNIQUE (pool, id)
             ) STRICT;
             CREATE INDEX list_due ON list(pool, acknowledge_by);
             CREATE TABLE line (
                 list INTEGER NOT NULL REFERENCES list(number), place INTEGER NOT NULL,
                 image BLOB NOT NULL CHECK (length(image) = 16),
                 subject BLOB NOT NULL CHECK (length(subject) = 16),
                 sealed BLOB,
                 answered TEXT CHECK (answered IN ('deleted', 'retained', 'not_found')),
                 answered_on TEXT, answered_by TEXT, reason BLOB,
                 PRIMARY KEY (list, place), UNIQUE (list, image),
                 CHECK ((answered IS NULL) = (answered_on IS NULL)),
                 CHECK ((answered IS NULL) = (answered_by IS NULL))
             ) STRICT, WITHOUT ROWID;
             CREATE INDEX line_of_image ON line(image);
             CREATE INDEX line_of_subject ON line(subject);
             CREATE INDEX line_open ON line(list) WHERE answered IS NULL;",
    page_bytes: 4096,
};

/// What went wrong with the lists. None is made, answered or erased from without them.
#[derive(Debug, thiserror::Error)]
pub enum ListsError {
    /// The folder could not be made or read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file could not be read or written.
    #[error("deletion lists: {0}")]
    Database(#[from] DatabaseError),
    /// A line says something of somebody who is erased.
    #[error("a line of a deletion list still says something of an erased person")]
    StillThere,
}

impl From<rusqlite::Error> for ListsError {
    fn from(error: rusqlite::Error) -> Self {
        ListsError::Database(error.into())
    }
}

/// The heading of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// The pool.
    pub pool: String,
    /// Id of the list: `dl-` and 16 digits.
    pub id: String,
    /// The force.
    pub force: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// The day of that.
    pub made_on: Date,
    /// The last day for acknowledging a line, by the rules it was made under.
    pub acknowledge_by: Date,
    /// Digest of these rules.
    pub rules: String,
    /// Their version.
    pub rules_version: String,
    /// Who made it: organisation and person.
    pub authority: String,
    /// The audit entry that announced it.
    pub event: EventId,
    /// What was signed about it: digests and counts.
    pub statement: String,
}

/// A list with its number, which pages go by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptList {
    /// Its number.
    pub number: u64,
    /// What stands above its lines.
    pub heading: Heading,
}

/// A line as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptLine {
    /// Its image.
    pub image: ImageId,
    /// Whose image it is.
    pub subject: SubjectId,
    /// What the line says, sealed; gone when the person was erased.
    pub sealed: Option<Vec<u8>>,
    /// What the force said.
    pub said: Option<Said>,
}

/// What a force said about a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// `deleted`, `retained` or `not_found`.
    pub answered: String,
    /// The day.
    pub on: Date,
    /// Who said so.
    pub by: String,
    /// Why it is retained, sealed; gone when the person was erased.
    pub sealed_reason: Option<Vec<u8>>,
}

/// How far a list has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// All lines.
    pub lines: u64,
    /// Not acknowledged.
    pub open: u64,
    /// Acknowledged as deleted.
    pub deleted: u64,
    /// Acknowledged as retained.
    pub retained: u64,
    /// Acknowledged as not found.
    pub not_found: u64,
    /// Lines about people who were erased since: what they said is gone.
    pub erased: u64,
}

/// The open file.
#[derive(Debug)]
pub struct Lists {
    database: Database,
}

impl Lists {
    /// Opens the file in `folder`, making it when there is none.
    ///
    /// # Errors
    /// [`ListsError`]: the service does not start then.
    pub fn open(folder: &Path) -> Result<Self, ListsError> {
        durable::create_dir(folder)?;
        durable::check_private(folder, 0o700)?;
        let file = folder.join(NAME);
        let database =
            if file.exists() { Database::open(&file, &FORMAT)? } else { Database::create(&file, &FORMAT)? };
        Ok(Lists { database })
    }

    /// Keeps a list with its lines, in one durable step; `None` when the pool has one with this id.
    ///
    /// # Errors
    /// [`ListsError`]: nothing was kept then, unless the error is one of the commit itself.
    pub fn keep(&self, heading: &Heading, lines: &[KeptLine]) -> Result<Option<u64>, ListsError> {
        self.database.write(|transaction| {
            let made = transaction.execute(
                "INSERT INTO list (pool, id, force, made_on, made_ms, acknowledge_by, rules, rules_version, authority, event,
                     statement)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING",
                params![
                    heading.pool,
                    heading.id,
                    heading.force,
                    heading.made_on.to_string(),
                    to_ms(heading.made_at),
                    heading.acknowledge_by.to_string(),
                    heading.rules,
                    heading.rules_version,
                    heading.authority,
                    heading.event.as_bytes(),
                    heading.statement
                ],
            )?;
            if made == 0 {
                return Ok(None);
            }
            let number = transaction.last_insert_rowid();
            let mut insert = transaction.prepare(
                "INSERT INTO line (list, place, image, subject, sealed) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            for (place, line) in (1i64..).zip(lines) {
                insert.execute(params![
                    number,
                    place,
                    line.image.as_bytes(),
                    line.subject.as_bytes(),
                    line.sealed
                ])?;
            }
            Ok(Some(from_row(number)?))
        })
    }

    /// A list by its id.
    ///
    /// # Errors
    /// [`ListsError`].
    pub fn list(&self, pool: &str, id: &str) -> Result<Option<KeptList>, ListsError> {
        let reader = self.database.reader()?;
        let statement = format!("{LIST} WHERE pool = ?1 AND id = ?2");
        Ok(reader.query_row(&statement, params![pool, id], row::list).optional()?)
    }

    /// The next `limit` lists of a pool after number `after`, ascending; those of one force, where one is named.
    ///
    /// # Errors
    /// [`ListsError`].
    pub fn lists(
        &self,
        pool: &str,
        force: Option<&str>,
        after: u64,
        limit: usize,
    ) -> Result<Vec<KeptList>, ListsError> {
        let reader = self.database.reader()?;
        let mut statement = reader.prepare(&format!(
            "{LIST} WHERE pool = ?1 AND (?2 IS NULL OR force = ?2) AND number > ?3 ORDER BY number LIMIT ?4"
        ))?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let after = to_row(after).unwrap_or(i64::MAX);
        let found = statement.query_map(params![pool, force, after, limit], row::list)?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// The next `limit` lists after number `after` that have open lines although the last day for them was before `today`.
    ///
    /// # Errors
    /// [`ListsError`].
    pub fn overdue(
        &self,
        pool: &str,
        today: Date,
        after: u64,
        limit: usize,
    ) -> Result<Vec<KeptList>, ListsError> {
        let reader = self.database.reader()?;
        let mut statement = reader.prepare(&format!(
            "{LIST} WHERE pool = ?1 AND acknowledge_by < ?2 AND number > ?3
                 AND EXISTS (SELECT 1 FROM line WHERE line.list = list.number AND line.answered IS NULL)
             ORDER BY number LIMIT ?4"
        ))?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let after = to_row(after).unwrap_or(i64::MAX);
        let found = statement.query_map(params![pool, today.to_string(), after, limit], row::list)?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// The lines of a list, in its order.
    ///
    /// # Errors
    /// [`ListsError`].
    pub fn lines(&self, list: u64) -> Result<Vec<KeptLine>, ListsError> {
        let reader = self.database.reader()?;
        let mut statement = reader.prepare(&format!("{LINE} WHERE list = ?1 ORDER BY place"))?;
        let found = statement.query_map([to_row(list)?], row::line)?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// How far a list has come.
    ///
    /// # Errors
    /// [`ListsError`].
    pub fn tally(&self, list: u64) -> Result<Tally, ListsError> {
        let reader = self.database.reader()?;
        let counted: [i64; 6] = reader.query_row(
            "SELECT count(*), count(*) FILTER (WHERE answered IS NULL),
                    count(*) FILTER (WHERE answered = 'deleted'), count(*) FILTER (WHERE answered = 'retained'),
                    count(*) FILTER (WHERE answered = 'not_found'), count(*) FILTER (WHERE sealed IS NULL)
             FROM line WHERE list = ?1",
            [to_row(list)?],
            |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?]),
        )?;
        let [lines, open, deleted, retained, not_found, erased] = counted;
        Ok(Tally {
            lines: from_row(lines)?,
            open: from_row(open)?,
            deleted: from_row(deleted)?,
            retained: from_row(retained)?,
            not_found: from_row(not_found)?,
            erased: from_row(erased)?,
        })
    }

    /// Keeps what a force said about lines, all of it in one durable step. Images that are not on the list are passed over.
    ///
    /// # Errors
    /// [`ListsError`]: nothing was kept then, unless the error is one of the commit itself.
    pub fn answer(&self, list: u64, said: &[(ImageId, Said)]) -> Result<(), ListsError> {
        self.database.write(|transaction| {
            // A line that was deleted stays so, whoever else answers at the same time.
            let mut update = transaction.prepare(
                "UPDATE line SET answered = ?3, answered_on = ?4, answered_by = ?5, reason = ?6
                 WHERE list = ?1 AND image = ?2 AND (answered IS NULL OR answered <> 'deleted')",
            )?;
            for (image, said) in said {
                update.execute(params![
                    to_row(list)?,
                    image.as_bytes(),
                    said.answered,
                    said.on.to_string(),
                    said.by,
                    said.sealed_reason
                ])?;
            }
            Ok(())
        })
    }

    /// Which of these images are on a list of the pool. With `settled_only`, only those that a force said it deleted.
    ///
    /// # Errors
    /// [`ListsError`].
    pub fn listed(
        &self,
        pool: &str,
        images: &[ImageId],
        settled_only: bool,
    ) -> Result<BTreeSet<ImageId>, ListsError> {
        let reader = self.database.reader()?;
        let mut look = reader.prepare(
            "SELECT EXISTS (SELECT 1 FROM line JOIN list ON list.number = line.list
                 WHERE line.image = ?2 AND list.pool = ?1 AND (NOT ?3 OR line.answered = 'deleted'))",
        )?;
        let mut found = BTreeSet::new();
        for image in images {
            if look.query_row(params![pool, image.as_bytes(), settled_only], |row| row.get(0))? {
                found.insert(*image);
            }
        }
        Ok(found)
    }
}
