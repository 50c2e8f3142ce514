//! Statements that change records. Each runs inside the caller's transaction.

use super::{ImageRow, NewImage, NewSubject, RecordError, SubjectRow};
use crate::ids::ImageId;
use crate::sqlite::{from_row, to_ms};
use rusqlite::{ErrorCode, OptionalExtension, Transaction, params};

pub(super) fn subjects(
    transaction: &Transaction<'_>,
    subjects: &[NewSubject],
) -> Result<Vec<SubjectRow>, RecordError> {
    let mut insert = transaction
        .prepare("INSERT INTO subject (id, reference, details, created_ms) VALUES (?1, ?2, ?3, ?4)")?;
    let insert = |(position, new): (usize, &NewSubject)| {
        let values = params![
            new.id.as_bytes(),
            new.reference_digest.as_bytes(),
            new.sealed_details,
            to_ms(new.created_at)
        ];
        let row = insert
            .insert(values)
            .map_err(|error| or_taken(error, RecordError::SubjectExists { position }))?;
        Ok(SubjectRow(from_row(row)?))
    };
    subjects.iter().enumerate().map(insert).collect()
}

pub(super) fn images(
    transaction: &Transaction<'_>,
    images: &[NewImage],
) -> Result<Vec<ImageRow>, RecordError> {
    let mut owner = transaction.prepare("SELECT row FROM subject WHERE id = ?1")?;
    // What the rules said was said without this image.
    let mut outdate =
        transaction.prepare("UPDATE subject SET rules = '' WHERE row = ?1 AND rules IS NOT NULL")?;
    let mut insert = transaction.prepare(
        "INSERT INTO image (id, subject, source, content, record, held, enrolled, template, collected_ms, other, other_refused)
         VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7, ?8, ?9, ?10)",
    )?;
    let insert = |(position, new): (usize, &NewImage)| {
        let subject: Option<i64> = owner.query_row([new.subject.as_bytes()], |row| row.get(0)).optional()?;
        let subject = subject.ok_or(RecordError::UnknownSubject { position })?;
        let values = params![
            new.id.as_bytes(),
            subject,
            new.source_digest.as_bytes(),
            new.content_digest.as_bytes(),
            new.sealed_record,
            new.sealed_template.is_some(),
            new.sealed_template,
            to_ms(new.collected_at),
            new.other.as_ref().and_then(|made| made.as_ref().ok()),
            new.other.as_ref().and_then(|made| made.as_ref().err())
        ];
        let row =
            insert.insert(values).map_err(|error| or_taken(error, RecordError::SourceExists { position }))?;
        outdate.execute([subject])?;
        Ok(ImageRow(from_row(row)?))
    };
    images.iter().enumerate().map(insert).collect()
}

pub(super) fn set_enrolled(
    transaction: &Transaction<'_>,
    image: ImageId,
    sealed_template: Option<&[u8]>,
) -> Result<bool, RecordError> {
    let changed = transaction.execute(
        // The other algorithm's template goes, too: taken out of search is out of both; put back, it is encoded anew.
        "UPDATE image SET enrolled = ?2, template = ?3, other = NULL, other_refused = NULL WHERE id = ?1 AND held = 1
             AND (SELECT state FROM subject WHERE subject.row = image.subject) = 0",
        params![image.as_bytes(), sealed_template.is_some(), sealed_template],
    )?;
    Ok(changed > 0)
}

/// `taken` when the error says that a unique value is in use, else the error itself.
fn or_taken(error: rusqlite::Error, taken: RecordError) -> RecordError {
    match error.sqlite_error() {
        Some(sqlite)
            if sqlite.code == ErrorCode::ConstraintViolation
                && sqlite.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE =>
        {
            taken
        }
        _ => error.into(),
    }
}
