//! Subjects under a protected view (R21): their existence is suppressed, or only their owner's name may be told.
//!
//! What the mark says (owner, reason, dates) is sealed under the subject's own key; which view it is stands beside it.

use super::{Counts, RecordError, SqliteRecords, SubjectRow};
use crate::ids::SubjectId;
use crate::sqlite::from_row;
use rusqlite::params;

/// A subject's mark as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMark {
    /// Whose.
    pub subject: SubjectId,
    /// That subject's number.
    pub row: SubjectRow,
    /// The mark, sealed under the subject's key.
    pub sealed: Vec<u8>,
}

/// Marks of protected views. The same promises as [`super::RecordStore`].
pub trait ProtectionRecords {
    /// Puts a subject under a protected view, or changes its mark; `false` when there is no such subject.
    fn put_mark(&self, subject: SubjectId, sealed: &[u8]) -> Result<bool, RecordError>;

    /// Takes a subject out of its protected view; `false` when it was in none.
    fn lift_mark(&self, subject: SubjectId) -> Result<bool, RecordError>;

    /// Every mark, by the subject's number.
    fn marks(&self) -> Result<Vec<StoredMark>, RecordError>;

    /// How much of what there is belongs to marked subjects.
    fn marked_counts(&self) -> Result<Counts, RecordError>;
}

impl ProtectionRecords for SqliteRecords {
    fn put_mark(&self, subject: SubjectId, sealed: &[u8]) -> Result<bool, RecordError> {
        self.database.write(|transaction| {
            let put = transaction.execute(
                "INSERT INTO protected (subject, mark) SELECT row, ?2 FROM subject WHERE id = ?1
                 ON CONFLICT (subject) DO UPDATE SET mark = excluded.mark",
                params![subject.as_bytes(), sealed],
            )?;
            Ok(put > 0)
        })
    }

    fn lift_mark(&self, subject: SubjectId) -> Result<bool, RecordError> {
        let lifted = self.database.write(|transaction| -> Result<usize, RecordError> {
            Ok(transaction.execute(
                "DELETE FROM protected WHERE subject IN (SELECT row FROM subject WHERE id = ?1)",
                [subject.as_bytes()],
            )?)
        })?;
        Ok(lifted > 0)
    }

    fn marks(&self) -> Result<Vec<StoredMark>, RecordError> {
        let reader = self.database.reader()?;
        let mut statement = reader.prepare(
            "SELECT subject.id, subject.row, protected.mark FROM protected JOIN subject ON subject.row = protected.subject
             ORDER BY subject.row",
        )?;
        let marks = statement.query_map([], |row| {
            Ok(StoredMark {
                subject: SubjectId::from_bytes(row.get(0)?),
                row: SubjectRow(from_row(row.get(1)?)?),
                sealed: row.get(2)?,
            })
        })?;
        Ok(marks.collect::<Result<_, _>>()?)
    }

    fn marked_counts(&self) -> Result<Counts, RecordError> {
        let (subjects, images, enrolled): (i64, i64, i64) = self.database.reader()?.query_row(
            // Of those in use: the others are in no count already.
            "WITH marked AS (SELECT subject.row FROM protected JOIN subject ON subject.row = protected.subject
                 WHERE subject.state = 0)
             SELECT (SELECT count(*) FROM marked), count(*), count(*) FILTER (WHERE enrolled = 1)
             FROM image WHERE subject IN (SELECT row FROM marked)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        Ok(Counts { subjects: from_row(subjects)?, images: from_row(images)?, enrolled: from_row(enrolled)? })
    }
}
