//! Statements that read records.

use super::{Counts, EnrolledTemplate, ImageRow, RecordError, StoredImage, StoredSubject, SubjectRow};
use crate::ids::{ImageId, SubjectId};
use crate::seal::LookupDigest;
use crate::sqlite::{from_ms, from_row, to_row};
use rusqlite::{Connection, OptionalExtension, Row, ToSql};
use std::collections::BTreeSet;

/// Only subjects that are in use: what is beyond use, or being erased, is read through [`super::RetentionRecords`].
const SUBJECT: &str =
    "SELECT id, row, reference, details, created_ms FROM (SELECT * FROM subject WHERE state = 0)";
const IMAGE: &str =
    "SELECT image.id, image.row, subject.id, subject.row, image.source, image.content, image.record,
        image.enrolled, image.collected_ms
    FROM image JOIN subject ON subject.row = image.subject AND subject.state = 0";

fn stored_subject(row: &Row<'_>) -> Result<StoredSubject, rusqlite::Error> {
    Ok(StoredSubject {
        id: SubjectId::from_bytes(row.get(0)?),
        row: SubjectRow(from_row(row.get(1)?)?),
        reference_digest: LookupDigest::from_bytes(row.get(2)?),
        sealed_details: row.get(3)?,
        created_at: from_ms(row.get(4)?)?,
    })
}

pub(super) fn stored_image(row: &Row<'_>) -> Result<StoredImage, rusqlite::Error> {
    Ok(StoredImage {
        id: ImageId::from_bytes(row.get(0)?),
        row: ImageRow(from_row(row.get(1)?)?),
        subject: SubjectId::from_bytes(row.get(2)?),
        subject_row: SubjectRow(from_row(row.get(3)?)?),
        source_digest: LookupDigest::from_bytes(row.get(4)?),
        content_digest: LookupDigest::from_bytes(row.get(5)?),
        sealed_record: row.get(6)?,
        enrolled: row.get(7)?,
        collected_at: from_ms(row.get(8)?)?,
    })
}

/// Looks every key up with one prepared statement, keeping the order asked.
fn each<K: ToSql, T>(
    connection: &Connection,
    statement: &str,
    keys: impl IntoIterator<Item = K>,
    read: impl Fn(&Row<'_>) -> Result<T, rusqlite::Error>,
) -> Result<Vec<Option<T>>, RecordError> {
    let mut statement = connection.prepare(statement)?;
    let look_up = |key: K| Ok(statement.query_row([key], &read).optional()?);
    keys.into_iter().map(look_up).collect()
}

pub(super) fn subject(connection: &Connection, id: SubjectId) -> Result<Option<StoredSubject>, RecordError> {
    let statement = format!("{SUBJECT} WHERE id = ?1");
    Ok(connection.query_row(&statement, [id.as_bytes()], stored_subject).optional()?)
}

pub(super) fn subjects_by_reference(
    connection: &Connection,
    digests: &[LookupDigest],
) -> Result<Vec<Option<StoredSubject>>, RecordError> {
    let statement = format!("{SUBJECT} WHERE reference = ?1");
    each(connection, &statement, digests.iter().map(LookupDigest::as_bytes), stored_subject)
}

pub(super) fn image(connection: &Connection, id: ImageId) -> Result<Option<StoredImage>, RecordError> {
    let statement = format!("{IMAGE} WHERE image.id = ?1");
    Ok(connection.query_row(&statement, [id.as_bytes()], stored_image).optional()?)
}

pub(super) fn images_by_source(
    connection: &Connection,
    digests: &[LookupDigest],
) -> Result<Vec<Option<StoredImage>>, RecordError> {
    let statement = format!("{IMAGE} WHERE image.source = ?1");
    each(connection, &statement, digests.iter().map(LookupDigest::as_bytes), stored_image)
}

pub(super) fn images_by_row(
    connection: &Connection,
    rows: &[ImageRow],
) -> Result<Vec<Option<StoredImage>>, RecordError> {
    let statement = format!("{IMAGE} WHERE image.row = ?1");
    // A number beyond SQLite's range becomes NULL, which equals no row.
    let keys = rows.iter().map(|row| to_row(row.0).ok());
    each(connection, &statement, keys, stored_image)
}

pub(super) fn images_of(
    connection: &Connection,
    subject: SubjectId,
) -> Result<Vec<StoredImage>, RecordError> {
    let mut statement = connection.prepare(&format!("{IMAGE} WHERE subject.id = ?1 ORDER BY image.row"))?;
    let images = statement.query_map([subject.as_bytes()], stored_image)?;
    Ok(images.collect::<Result<_, _>>()?)
}

pub(super) fn template(connection: &Connection, image: ImageId) -> Result<Option<Vec<u8>>, RecordError> {
    let found = connection.query_row(
        "SELECT template FROM image WHERE id = ?1 AND enrolled = 1
             AND (SELECT state FROM subject WHERE subject.row = image.subject) = 0",
        [image.as_bytes()],
        |row| row.get(0),
    );
    Ok(found.optional()?)
}

pub(super) fn enrolled_after(
    connection: &Connection,
    after: Option<ImageRow>,
    limit: usize,
) -> Result<Vec<EnrolledTemplate>, RecordError> {
    let mut statement = connection.prepare(
        "SELECT image.row, image.id, subject.id, subject.row, image.template
         FROM image JOIN subject ON subject.row = image.subject
         WHERE image.enrolled = 1 AND subject.state = 0 AND image.row > ?1 ORDER BY image.row LIMIT ?2",
    )?;
    // Rows count from 1. Beyond the largest row there is nothing.
    let after = after.map_or(0, |row| to_row(row.0).unwrap_or(i64::MAX));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let templates = statement.query_map([after, limit], |row| {
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

pub(super) fn image_ids(connection: &Connection) -> Result<BTreeSet<ImageId>, RecordError> {
    let mut statement = connection.prepare("SELECT id FROM image")?;
    let ids = statement.query_map([], |row| Ok(ImageId::from_bytes(row.get(0)?)))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

pub(super) fn counts(connection: &Connection) -> Result<Counts, RecordError> {
    let (subjects, images, enrolled): (i64, i64, i64) = connection.query_row(
        // All less those out of use, who are few and have an index of their own.
        "SELECT (SELECT count(*) FROM subject) - (SELECT count(*) FROM subject WHERE state <> 0),
                (SELECT count(*) FROM image) - (SELECT count(*) FROM subject JOIN image ON image.subject = subject.row
                    WHERE subject.state <> 0),
                (SELECT count(*) FROM image WHERE enrolled = 1) - (SELECT count(*) FROM subject
                    JOIN image ON image.subject = subject.row WHERE subject.state <> 0 AND image.enrolled = 1)",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    Ok(Counts { subjects: from_row(subjects)?, images: from_row(images)?, enrolled: from_row(enrolled)? })
}
