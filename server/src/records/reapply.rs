//! Taking the rows of erased subjects out again, after a restore has brought them back; and reading which rows a copy has.

use super::sqlite_store::{FORMAT, UPGRADES};
use super::{RecordError, SqliteRecords, SubjectRow, application};
use crate::ids::{ImageId, SubjectId};
use crate::sqlite::{Format, from_row, open_read_only, to_row};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeSet;
use std::path::Path;

/// How many rows were taken out.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct RowsRemoved {
    /// Subjects.
    pub subjects: u64,
    /// Images.
    pub images: u64,
}

/// Everything that a record file names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// The subjects.
    pub subjects: BTreeSet<SubjectId>,
    /// The images, each of which has a file.
    pub images: BTreeSet<ImageId>,
    /// How many of the images a search can find.
    pub enrolled: u64,
}

/// Removing rows of subjects whose key is destroyed. The same promises as [`super::RecordStore`].
pub trait ReapplyRecords {
    /// The next `limit` subjects after number `after` (`None`: from the start), ascending.
    fn subjects_after(
        &self,
        after: Option<SubjectRow>,
        limit: usize,
    ) -> Result<Vec<(SubjectRow, SubjectId)>, RecordError>;

    /// The images of these subjects, in no particular order.
    fn images_of_all(&self, subjects: &[SubjectId]) -> Result<Vec<ImageId>, RecordError>;

    /// Removes these subjects with all their images and applications, in one transaction; those that are gone are passed over. Of
    /// the applications their number stays, by force and state. Deleted bytes are overwritten in the file; [`ReapplyRecords::forget_removed`] takes them out of the write-ahead log, too.
    fn remove_subjects(&self, subjects: &[SubjectId]) -> Result<RowsRemoved, RecordError>;

    /// Takes what was removed out of the write-ahead log.
    fn forget_removed(&self) -> Result<(), RecordError>;
}

impl ReapplyRecords for SqliteRecords {
    fn subjects_after(
        &self,
        after: Option<SubjectRow>,
        limit: usize,
    ) -> Result<Vec<(SubjectRow, SubjectId)>, RecordError> {
        let reader = self.database.reader()?;
        let mut statement =
            reader.prepare("SELECT row, id FROM subject WHERE row > ?1 ORDER BY row LIMIT ?2")?;
        let after = to_row(after.map_or(0, |row| row.0))?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![after, limit], |row| {
            Ok((SubjectRow(from_row(row.get(0)?)?), SubjectId::from_bytes(row.get(1)?)))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn images_of_all(&self, subjects: &[SubjectId]) -> Result<Vec<ImageId>, RecordError> {
        let reader = self.database.reader()?;
        let mut statement = reader.prepare(
            "SELECT image.id FROM image JOIN subject ON subject.row = image.subject WHERE subject.id = ?1",
        )?;
        let mut images = Vec::new();
        for subject in subjects {
            let found =
                statement.query_map([subject.as_bytes()], |row| Ok(ImageId::from_bytes(row.get(0)?)))?;
            for image in found {
                images.push(image?);
            }
        }
        Ok(images)
    }

    fn remove_subjects(&self, subjects: &[SubjectId]) -> Result<RowsRemoved, RecordError> {
        self.database.write(|transaction| {
            let mut find = transaction.prepare("SELECT row FROM subject WHERE id = ?1")?;
            let mut images = transaction.prepare("DELETE FROM image WHERE subject = ?1")?;
            let mut person = transaction.prepare("DELETE FROM subject WHERE row = ?1")?;
            let mut removed = RowsRemoved::default();
            for subject in subjects {
                let row: Option<i64> = find.query_row([subject.as_bytes()], |row| row.get(0)).optional()?;
                if let Some(row) = row {
                    application::count_and_remove(transaction, row)?;
                    removed.images += images.execute([row])? as u64;
                    removed.subjects += person.execute([row])? as u64;
                }
            }
            Ok(removed)
        })
    }

    fn forget_removed(&self) -> Result<(), RecordError> {
        Ok(self.database.forget_log()?)
    }
}

/// What a record file names, of this or an earlier version of the format; the file is not changed.
pub(crate) fn recorded(file: &Path) -> Result<Recorded, RecordError> {
    let connection = of_any_version(file)?;
    let ids = |table: &str| -> Result<Vec<[u8; 16]>, RecordError> {
        let mut statement = connection.prepare(&format!("SELECT id FROM {table}"))?;
        let ids = statement.query_map([], |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    };
    let enrolled: i64 =
        connection.query_row("SELECT count(*) FROM image WHERE enrolled = 1", [], |row| row.get(0))?;
    Ok(Recorded {
        subjects: ids("subject")?.into_iter().map(SubjectId::from_bytes).collect(),
        images: ids("image")?.into_iter().map(ImageId::from_bytes).collect(),
        enrolled: from_row(enrolled)?,
    })
}

fn of_any_version(file: &Path) -> Result<Connection, RecordError> {
    for upgrade in &UPGRADES {
        let older = Format { what: FORMAT.what, version: upgrade.from, tables: "", ..FORMAT };
        if let Ok(connection) = open_read_only(file, &older) {
            return Ok(connection);
        }
    }
    Ok(open_read_only(file, &FORMAT)?)
}

/// Takes rows of images out of a record file that nobody else uses: a copy whose images were erased while it was made.
pub(crate) fn take_out(file: &Path, images: &[ImageId]) -> Result<(), RecordError> {
    let records = SqliteRecords::open(file)?;
    records.database.write(|transaction| -> Result<(), RecordError> {
        let mut delete = transaction.prepare("DELETE FROM image WHERE id = ?1")?;
        for image in images {
            delete.execute([image.as_bytes()])?;
        }
        Ok(())
    })?;
    records.forget_removed()
}
