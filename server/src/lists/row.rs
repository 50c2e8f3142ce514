//! Rows of the two tables.

use jiff::civil::Date;
use rusqlite::{Row, types::Type};

use super::{Heading, KeptLine, KeptList, Said};
use crate::{
    ids::{EventId, ImageId, SubjectId},
    sqlite::{from_ms, from_row},
};

pub(super) const LIST: &str =
    "SELECT number, pool, id, force, made_on, made_ms, acknowledge_by, rules, rules_version, authority, event, statement
     FROM list";

pub(super) const LINE: &str =
    "SELECT image, subject, sealed, answered, answered_on, answered_by, reason FROM line";

/// Reads a row of [`LIST`].
pub(super) fn list(row: &Row<'_>) -> Result<KeptList, rusqlite::Error> {
    Ok(KeptList {
        number: from_row(row.get(0)?)?,
        heading: Heading {
            pool: row.get(1)?,
            id: row.get(2)?,
            force: row.get(3)?,
            made_on: date(row, 4)?,
            made_at: from_ms(row.get(5)?)?,
            acknowledge_by: date(row, 6)?,
            rules: row.get(7)?,
            rules_version: row.get(8)?,
            authority: row.get(9)?,
            event: EventId::from_bytes(row.get(10)?),
            statement: row.get(11)?,
        },
    })
}

/// Reads a row of [`LINE`].
pub(super) fn line(row: &Row<'_>) -> Result<KeptLine, rusqlite::Error> {
    let said = match row.get::<_, Option<String>>(3)? {
        Some(answered) => {
            Some(Said { answered, on: date(row, 4)?, by: row.get(5)?, sealed_reason: row.get(6)? })
        }
        None => None,
    };
    Ok(KeptLine {
        image: ImageId::from_bytes(row.get(0)?),
        subject: SubjectId::from_bytes(row.get(1)?),
        sealed: row.get(2)?,
        said,
    })
}

fn date(row: &Row<'_>, column: usize) -> Result<Date, rusqlite::Error> {
    let text: String = row.get(column)?;
    text.parse().map_err(|error: jiff::Error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}
