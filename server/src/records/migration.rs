//! Templates of a second algorithm beside the first, while a pool moves from one to the other (R66).
//!
//! Every image has room for two templates: the active one, which searches compare with, and the other. A template is sealed
//! under its space, so it cannot be taken for one of the other algorithm. Going over exchanges the two for all images in one
//! transaction; going back is the same step.

use super::{EnrolledTemplate, ImageRow, RecordError, SqliteRecords};
use crate::ids::{EventId, ImageId, SubjectId};
use crate::records::SubjectRow;
use crate::sqlite::{from_ms, from_row, to_ms, to_row};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use std::collections::BTreeMap;

/// An algorithm by its pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlgorithmName {
    /// Name of the model pack.
    pub pack: String,
    /// Its space, hex.
    pub space: String,
}

/// A migration that was begun and not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMigration {
    /// The algorithm that is not active now.
    pub other: AlgorithmName,
    /// True after going over: `other` is then the old algorithm.
    pub switched: bool,
    /// True once the inactive templates are being erased: there is no way back.
    pub retiring: bool,
    /// When it was begun.
    pub started_at: Timestamp,
    /// The audit event that announced it.
    pub event: EventId,
}

/// How far the second algorithm has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completeness {
    /// Images that a search finds now, or could not be encoded by the active algorithm.
    pub images: u64,
    /// Those with a template of the other algorithm.
    pub encoded: u64,
    /// Those that it refused, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Those it has not seen yet.
    pub waiting: u64,
}

/// How the two algorithms agreed on live probes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    /// Probes that both searched for.
    pub probes: u64,
    /// Probes for which both had the same person first.
    pub same_first: u64,
    /// Places looked at in the active lists: at most ten a probe.
    pub places: u64,
    /// Persons in those places whom the other list also had.
    pub shared: u64,
    /// Probes that the other algorithm refused: no face found, for example.
    pub refused: u64,
    /// Probes that were not looked at for want of time.
    pub skipped: u64,
}

/// An image that the other algorithm has not seen yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unencoded {
    /// The image.
    pub image: ImageId,
    /// Its number.
    pub row: ImageRow,
    /// Whose it is.
    pub subject: SubjectId,
    /// That subject's number.
    pub subject_row: SubjectRow,
}

/// What the other algorithm made of an image: a sealed template, or the stable code of its refusal.
pub type Encoded = Result<Vec<u8>, String>;

/// Moving the records of one pool to another algorithm. The same promises as [`super::RecordStore`].
pub trait MigrationRecords {
    /// The active algorithm, when it is not the one the pool was made with.
    fn active_algorithm(&self) -> Result<Option<AlgorithmName>, RecordError>;

    /// The migration that is under way.
    fn migration(&self) -> Result<Option<StoredMigration>, RecordError>;

    /// Begins one. [`RecordError::Migrating`] when one is under way.
    fn begin_migration(&self, to: &AlgorithmName, event: EventId, now: Timestamp) -> Result<(), RecordError>;

    /// Up to `limit` images that the other algorithm has not seen, ascending.
    fn unencoded(&self, limit: usize) -> Result<Vec<Unencoded>, RecordError>;

    /// Keeps what the other algorithm made of images; ignores images that are no longer wanted in search.
    fn put_encoded(&self, encoded: &[(ImageId, Encoded)]) -> Result<(), RecordError>;

    /// The next `limit` templates of the other algorithm after number `after`, ascending.
    fn other_after(
        &self,
        after: Option<ImageRow>,
        limit: usize,
    ) -> Result<Vec<EnrolledTemplate>, RecordError>;

    /// How far the other algorithm has come, with the images of subjects that are under no protected view.
    fn completeness(&self) -> Result<Completeness, RecordError>;

    /// Up to `limit` images that the other algorithm refused, with the reason; none of a subject under a protected view.
    fn refused(&self, limit: usize) -> Result<Vec<(ImageId, String)>, RecordError>;

    /// Makes the other algorithm the active one, for all images in one transaction.
    ///
    /// [`RecordError::Incomplete`] when images wait, or more than `refused_accepted` were refused; nothing changed then.
    fn exchange(&self, active: &AlgorithmName, refused_accepted: u64) -> Result<(), RecordError>;

    /// Erases up to `limit` inactive templates; the first call closes the way back. `true` when none is left and the
    /// migration is over.
    fn retire(&self, limit: usize) -> Result<bool, RecordError>;

    /// Adds to the agreement on live probes.
    fn add_agreement(&self, more: Agreement) -> Result<(), RecordError>;

    /// The agreement on live probes so far.
    fn agreement(&self) -> Result<Agreement, RecordError>;
}

impl MigrationRecords for SqliteRecords {
    fn active_algorithm(&self) -> Result<Option<AlgorithmName>, RecordError> {
        let found: (Option<String>, Option<String>) =
            self.database.reader()?.query_row("SELECT active_pack, active_space FROM pool", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        Ok(found.0.zip(found.1).map(|(pack, space)| AlgorithmName { pack, space }))
    }

    fn migration(&self) -> Result<Option<StoredMigration>, RecordError> {
        let reader = self.database.reader()?;
        let found = reader.query_row(
            "SELECT pack, space, switched, retiring, started_ms, event FROM migration",
            [],
            |row| {
                Ok(StoredMigration {
                    other: AlgorithmName { pack: row.get(0)?, space: row.get(1)? },
                    switched: row.get(2)?,
                    retiring: row.get(3)?,
                    started_at: from_ms(row.get(4)?)?,
                    event: EventId::from_bytes(row.get(5)?),
                })
            },
        );
        Ok(found.optional()?)
    }

    fn begin_migration(&self, to: &AlgorithmName, event: EventId, now: Timestamp) -> Result<(), RecordError> {
        self.database.write(|transaction| {
            let inserted = transaction.execute(
                "INSERT INTO migration (one, pack, space, switched, retiring, started_ms, event)
                 VALUES (1, ?1, ?2, 0, 0, ?3, ?4) ON CONFLICT DO NOTHING",
                params![to.pack, to.space, to_ms(now), event.as_bytes()],
            )?;
            if inserted == 1 { Ok(()) } else { Err(RecordError::Migrating) }
        })
    }

    fn unencoded(&self, limit: usize) -> Result<Vec<Unencoded>, RecordError> {
        let reader = self.database.reader()?;
        let mut statement = reader.prepare(
            "SELECT image.id, image.row, subject.id, subject.row FROM image JOIN subject ON subject.row = image.subject
             WHERE image.enrolled = 1 AND subject.state = 0 AND image.other IS NULL AND image.other_refused IS NULL
             ORDER BY image.row LIMIT ?1",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let found = statement.query_map([limit], |row| {
            Ok(Unencoded {
                image: ImageId::from_bytes(row.get(0)?),
                row: ImageRow(from_row(row.get(1)?)?),
                subject: SubjectId::from_bytes(row.get(2)?),
                subject_row: SubjectRow(from_row(row.get(3)?)?),
            })
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    fn put_encoded(&self, encoded: &[(ImageId, Encoded)]) -> Result<(), RecordError> {
        self.database.write(|transaction| {
            let mut update = transaction.prepare(
                "UPDATE image SET other = ?2, other_refused = ?3
                 WHERE id = ?1 AND enrolled = 1 AND EXISTS (SELECT 1 FROM migration WHERE retiring = 0)",
            )?;
            for (image, made) in encoded {
                update.execute(params![image.as_bytes(), made.as_ref().ok(), made.as_ref().err()])?;
            }
            Ok(())
        })
    }

    fn other_after(
        &self,
        after: Option<ImageRow>,
        limit: usize,
    ) -> Result<Vec<EnrolledTemplate>, RecordError> {
        let reader = self.database.reader()?;
        let mut statement = reader.prepare(
            "SELECT image.row, image.id, subject.id, subject.row, image.other
             FROM image JOIN subject ON subject.row = image.subject
             WHERE image.other IS NOT NULL AND subject.state = 0 AND image.row > ?1 ORDER BY image.row LIMIT ?2",
        )?;
        let after = after.map_or(0, |row| to_row(row.0).unwrap_or(i64::MAX));
        let templates = statement.query_map([after, i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
            Ok(EnrolledTemplate {
                row: ImageRow(from_row(row.get(0)?)?),
                image: ImageId::from_bytes(row.get(1)?),
                subject: SubjectId::from_bytes(row.get(2)?),
                subject_row: SubjectRow(from_row(row.get(3)?)?),
                sealed_template: row.get(4)?,
            })
        })?;
        Ok(templates.collect::<Result<_, _>>()?)
    }

    fn completeness(&self) -> Result<Completeness, RecordError> {
        let reader = self.database.reader()?;
        let (images, encoded, waiting): (i64, i64, i64) = reader.query_row(
            "SELECT count(*) FILTER (WHERE enrolled = 1 OR other IS NOT NULL), count(*) FILTER (WHERE other IS NOT NULL),
                    count(*) FILTER (WHERE enrolled = 1 AND other IS NULL AND other_refused IS NULL)
             FROM image JOIN subject ON subject.row = image.subject AND subject.state = 0
             WHERE image.subject NOT IN (SELECT subject FROM protected)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        let mut statement = reader.prepare(
            "SELECT other_refused, count(*) FROM image JOIN subject ON subject.row = image.subject AND subject.state = 0
             WHERE enrolled = 1 AND other_refused IS NOT NULL
             AND image.subject NOT IN (SELECT subject FROM protected) GROUP BY 1",
        )?;
        let refused = statement.query_map([], |row| Ok((row.get(0)?, from_row(row.get(1)?)?)))?;
        Ok(Completeness {
            images: from_row(images)?,
            encoded: from_row(encoded)?,
            refused: refused.collect::<Result<_, _>>()?,
            waiting: from_row(waiting)?,
        })
    }

    fn refused(&self, limit: usize) -> Result<Vec<(ImageId, String)>, RecordError> {
        let reader = self.database.reader()?;
        let mut statement = reader.prepare(
            "SELECT image.id, other_refused FROM image JOIN subject ON subject.row = image.subject AND subject.state = 0
             WHERE enrolled = 1 AND other_refused IS NOT NULL
             AND image.subject NOT IN (SELECT subject FROM protected) ORDER BY image.row LIMIT ?1",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let found =
            statement.query_map([limit], |row| Ok((ImageId::from_bytes(row.get(0)?), row.get(1)?)))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    fn exchange(&self, active: &AlgorithmName, refused_accepted: u64) -> Result<(), RecordError> {
        self.database.write(|transaction| {
            let (waiting, refused): (i64, i64) = transaction.query_row(
                "SELECT count(*) FILTER (WHERE other IS NULL AND other_refused IS NULL),
                        count(*) FILTER (WHERE other_refused IS NOT NULL)
                 FROM image JOIN subject ON subject.row = image.subject AND subject.state = 0 WHERE enrolled = 1",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            let (waiting, refused) = (from_row(waiting)?, from_row(refused)?);
            if waiting > 0 || refused > refused_accepted {
                return Err(RecordError::Incomplete { waiting, refused });
            }
            let (pack, space): (String, String) = transaction
                .query_row("SELECT pack, space FROM migration WHERE retiring = 0", [], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?
                .ok_or(RecordError::NotMigrating)?;
            // The right-hand sides are the values before. `other_refused` stays: it is about the algorithm that has no template.
            transaction.execute(
                "UPDATE image SET template = other, other = template, enrolled = (other IS NOT NULL)
                 WHERE template IS NOT NULL OR other IS NOT NULL",
                [],
            )?;
            transaction
                .execute("UPDATE pool SET active_pack = ?1, active_space = ?2", params![pack, space])?;
            transaction.execute(
                "UPDATE migration SET pack = ?1, space = ?2, switched = 1 - switched",
                params![active.pack, active.space],
            )?;
            Ok(())
        })
    }

    fn retire(&self, limit: usize) -> Result<bool, RecordError> {
        let over = self.database.write(|transaction| -> Result<bool, RecordError> {
            let known = transaction.execute("UPDATE migration SET retiring = 1", [])?;
            if known == 0 {
                return Err(RecordError::NotMigrating);
            }
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let erased = transaction.execute(
                "UPDATE image SET other = NULL, other_refused = NULL WHERE row IN
                     (SELECT row FROM image WHERE other IS NOT NULL OR other_refused IS NOT NULL LIMIT ?1)",
                [limit],
            )?;
            if erased > 0 {
                return Ok(false);
            }
            transaction.execute("DELETE FROM migration", [])?;
            Ok(true)
        })?;
        if over {
            // Overwritten in the file by `secure_delete`; this takes the older pages out of the log, too.
            self.database.forget_log()?;
        }
        Ok(over)
    }

    fn add_agreement(&self, more: Agreement) -> Result<(), RecordError> {
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        self.database.write(|transaction| {
            transaction.execute(
                "UPDATE migration SET probes = probes + ?1, same_first = same_first + ?2, places = places + ?3,
                        shared = shared + ?4, refused = refused + ?5, skipped = skipped + ?6",
                params![
                    number(more.probes),
                    number(more.same_first),
                    number(more.places),
                    number(more.shared),
                    number(more.refused),
                    number(more.skipped)
                ],
            )?;
            Ok(())
        })
    }

    fn agreement(&self) -> Result<Agreement, RecordError> {
        let found = self.database.reader()?.query_row(
            "SELECT probes, same_first, places, shared, refused, skipped FROM migration",
            [],
            |row| {
                Ok(Agreement {
                    probes: from_row(row.get(0)?)?,
                    same_first: from_row(row.get(1)?)?,
                    places: from_row(row.get(2)?)?,
                    shared: from_row(row.get(3)?)?,
                    refused: from_row(row.get(4)?)?,
                    skipped: from_row(row.get(5)?)?,
                })
            },
        );
        Ok(found.optional()?.unwrap_or_default())
    }
}
