//! One row of a manifest, CSV or JSON: names and values to an [`Item`].

use std::path::Path;

use jiff::civil::Date;
use likeness_proto::v1::SubjectDetails;
use thiserror::Error;

use super::item::Item;

/// Why a row is refused. The line is added by the reader.
#[derive(Debug, Error, PartialEq)]
pub enum RowError {
    /// A column nobody knows; a misspelt one would otherwise be ignored.
    #[error(
        "unknown column `{0}`; known are subject, image, source_reference, capture_date, capture_circumstance, display_name, date_of_birth and attr.NAME"
    )]
    UnknownColumn(String),
    /// A column given twice.
    #[error("column `{0}` appears twice")]
    Twice(String),
    /// A value that has to be there.
    #[error("`{0}` is missing or empty")]
    Missing(&'static str),
    /// A value with too many characters.
    #[error("`{column}` has {found} characters, more than {limit}")]
    TooLong {
        /// The column.
        column: String,
        /// Characters found.
        found: usize,
        /// Characters allowed.
        limit: usize,
    },
    /// A date in another form.
    #[error("`{column}` is `{value}`, which is not a date; write YYYY-MM-DD")]
    NotADate {
        /// The column.
        column: &'static str,
        /// What was there.
        value: String,
    },
    /// A control character, which no name or reference needs.
    #[error("`{0}` holds a control character")]
    ControlCharacter(String),
    /// Too many `attr.*` columns with values.
    #[error("{0} attributes, more than 32")]
    TooManyAttributes(usize),
}

const ATTRIBUTE: &str = "attr.";

/// Refuses a column name that no row can use.
pub fn check_column(name: &str) -> Result<(), RowError> {
    let known = matches!(
        name,
        "subject"
            | "image"
            | "source_reference"
            | "capture_date"
            | "capture_circumstance"
            | "display_name"
            | "date_of_birth"
    ) || name.strip_prefix(ATTRIBUTE).is_some_and(|attribute| !attribute.is_empty());
    if known { Ok(()) } else { Err(RowError::UnknownColumn(name.to_owned())) }
}

/// Builds the item of one row. `folder` is the manifest's, to which images are relative.
pub fn item<'a>(folder: &Path, cells: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Item, RowError> {
    let mut item = Item::default();
    let mut details = SubjectDetails::default();
    let mut image = String::new();
    for (column, value) in cells {
        check_column(column)?;
        let value = value.trim();
        if value.is_empty() {
            continue;
        }
        if value.chars().any(char::is_control) {
            return Err(RowError::ControlCharacter(column.to_owned()));
        }
        let (place, limit) = match column {
            "subject" => (&mut item.subject, 256),
            "image" => (&mut image, 4096),
            "source_reference" => (&mut item.source_reference, 512),
            "capture_date" => (&mut item.capture_date, 10),
            "capture_circumstance" => (&mut item.capture_circumstance, 64),
            "display_name" => (&mut details.display_name, 256),
            "date_of_birth" => (&mut details.date_of_birth, 10),
            attribute => {
                let name = attribute.strip_prefix(ATTRIBUTE).unwrap_or(attribute);
                within(attribute, name, 64)?;
                (details.attributes.entry(name.to_owned()).or_default(), 512)
            }
        };
        if !place.is_empty() {
            return Err(RowError::Twice(column.to_owned()));
        }
        let date = matches!(column, "capture_date" | "date_of_birth");
        if !date {
            within(column, value, limit)?;
        }
        value.clone_into(place);
    }
    for (column, value) in [("capture_date", &item.capture_date), ("date_of_birth", &details.date_of_birth)] {
        date(column, value)?;
    }
    if details.attributes.len() > 32 {
        return Err(RowError::TooManyAttributes(details.attributes.len()));
    }
    if item.subject.is_empty() {
        return Err(RowError::Missing("subject"));
    }
    if image.is_empty() {
        return Err(RowError::Missing("image"));
    }
    if item.source_reference.is_empty() {
        within("image", &image, 512)?;
        item.source_reference.clone_from(&image);
    }
    item.file = folder.join(image);
    item.details = (details != SubjectDetails::default()).then_some(details);
    Ok(item)
}

fn within(column: &str, value: &str, limit: usize) -> Result<(), RowError> {
    let found = value.chars().count();
    if found > limit { Err(RowError::TooLong { column: column.to_owned(), found, limit }) } else { Ok(()) }
}

fn date(column: &'static str, value: &str) -> Result<(), RowError> {
    let strict = value.len() == 10 && value.parse::<Date>().is_ok();
    if value.is_empty() || strict {
        Ok(())
    } else {
        Err(RowError::NotADate { column, value: value.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn of(cells: &[(&str, &str)]) -> Result<Item, RowError> {
        item(Path::new("/m"), cells.iter().copied())
    }

    #[test]
    fn a_full_row() {
        let item = of(&[
            ("subject", " S1 "),
            ("image", "p/a.jpg"),
            ("capture_date", "2024-02-29"),
            ("display_name", "A"),
            ("attr.force", "x"),
        ])
        .unwrap();
        assert_eq!((item.subject.as_str(), item.source_reference.as_str()), ("S1", "p/a.jpg"));
        assert_eq!(item.file, Path::new("/m/p/a.jpg"));
        assert_eq!(item.details.unwrap().attributes["force"], "x");
    }

    #[test]
    fn wrong_rows() {
        let base = [("subject", "S"), ("image", "a.jpg")];
        let with = |column, value| of(&[base[0], base[1], (column, value)]).unwrap_err();
        assert_eq!(of(&[("image", "a.jpg")]).unwrap_err(), RowError::Missing("subject"));
        assert_eq!(of(&[("subject", "S"), ("image", "  ")]).unwrap_err(), RowError::Missing("image"));
        assert!(matches!(with("nmae", "x"), RowError::UnknownColumn(_)));
        assert!(matches!(with("attr.", "x"), RowError::UnknownColumn(_)));
        assert!(matches!(with("subject", "T"), RowError::Twice(_)));
        assert!(matches!(with("capture_date", "2023-02-29"), RowError::NotADate { .. }));
        assert!(matches!(with("date_of_birth", "1/2/1990"), RowError::NotADate { .. }));
        assert!(matches!(with("display_name", "a\u{7}b"), RowError::ControlCharacter(_)));
        assert!(matches!(with("source_reference", &"x".repeat(513)), RowError::TooLong { .. }));
    }
}
