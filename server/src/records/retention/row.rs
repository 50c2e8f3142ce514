//! One row of the table of subjects.

use jiff::{Timestamp, civil::Date};
use rusqlite::{Connection, Row};

use super::{Counts, Kept, Marks, RecordError, State};
use crate::{
    ids::SubjectId,
    records::SubjectRow,
    seal::LookupDigest,
    sqlite::{from_ms, from_row},
};

pub(super) const KEPT: &str =
    "SELECT id, row, reference, details, created_ms, state, state_ms, erase_ms, facts, rules, look_on, due_on,
        review_on, chase_on, why FROM subject";

/// Reads a row of [`KEPT`].
pub(super) fn kept(row: &Row<'_>) -> Result<Kept, rusqlite::Error> {
    let state = match row.get::<_, i64>(5)? {
        0 => State::Active,
        1 => State::BeyondUse,
        2 => State::Erasing,
        other => return Err(rusqlite::Error::IntegralValueOutOfRange(5, other)),
    };
    let rules: Option<String> = row.get(9)?;
    let review_on = date(row, 12)?;
    let marks = match rules.zip(review_on) {
        Some((rules, review_on)) => Some(Marks {
            rules,
            look_on: date(row, 10)?,
            due_on: date(row, 11)?,
            review_on,
            chase_on: date(row, 13)?,
        }),
        None => None,
    };
    Ok(Kept {
        id: SubjectId::from_bytes(row.get(0)?),
        row: SubjectRow(from_row(row.get(1)?)?),
        reference_digest: LookupDigest::from_bytes(row.get(2)?),
        sealed_details: row.get(3)?,
        created_at: from_ms(row.get(4)?)?,
        state,
        state_at: time(row, 6)?,
        erase_at: time(row, 7)?,
        why: row.get(14)?,
        sealed_facts: row.get(8)?,
        marks,
    })
}

/// Counts the rows of each table by itself, and takes off what belongs to subjects that are leaving: a row that belongs to nobody
/// stays in the count, and is noticed by whoever counts person by person.
pub(super) fn rows_held(connection: &Connection) -> Result<Counts, RecordError> {
    let (subjects, images, enrolled): (i64, i64, i64) = connection.query_row(
        "SELECT (SELECT count(*) FROM subject) - (SELECT count(*) FROM subject WHERE state = 2),
                (SELECT count(*) FROM image) - (SELECT count(*) FROM subject JOIN image ON image.subject = subject.row
                    WHERE subject.state = 2),
                (SELECT count(*) FROM image WHERE enrolled = 1) - (SELECT count(*) FROM subject
                    JOIN image ON image.subject = subject.row WHERE subject.state <> 0 AND image.enrolled = 1)",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    Ok(Counts { subjects: from_row(subjects)?, images: from_row(images)?, enrolled: from_row(enrolled)? })
}

fn time(row: &Row<'_>, column: usize) -> Result<Option<Timestamp>, rusqlite::Error> {
    row.get::<_, Option<i64>>(column)?.map(from_ms).transpose()
}

fn date(row: &Row<'_>, column: usize) -> Result<Option<Date>, rusqlite::Error> {
    let text: Option<String> = row.get(column)?;
    let malformed = |error: jiff::Error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
    };
    text.map(|text| text.parse::<Date>().map_err(malformed)).transpose()
}
