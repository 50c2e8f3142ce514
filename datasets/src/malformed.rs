//! Why a file is not what it should be: which file, which line, which field, what to do.
use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use thiserror::Error;

/// A file of a data set that cannot be used.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The system cannot read it.
    #[error("cannot read `{path}`: {source}", path = path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not in the format.
    #[error("`{path}` {place}, {field}: {problem}", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where in it.
        place: Place,
        /// Which field of the format.
        field: String,
        /// What is wrong there, and what is expected.
        problem: String,
    },
}

/// Where in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A line of text, from 1.
    Line(u64),
    /// A byte of a binary file, from 0.
    Byte(u64),
    /// A row of a table, from 1.
    Row(u64),
    /// The file as a whole.
    Whole,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Byte(at) => write!(f, "byte {at}"),
            Self::Row(row) => write!(f, "row {row}"),
            Self::Whole => f.write_str("as a whole"),
        }
    }
}

impl ReadError {
    pub(crate) fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Unreadable { path, source }
    }

    pub(crate) fn malformed(
        path: &Path,
        place: Place,
        field: impl Into<String>,
        problem: impl Into<String>,
    ) -> Self {
        let (field, problem) = (field.into(), problem.into());
        Self::Malformed { path: path.to_path_buf(), place, field, problem }
    }

    /// What the CSV reader says, with the line it says it about.
    pub(crate) fn csv(path: &Path, error: csv::Error) -> Self {
        let line = error.position().map_or(Place::Whole, |at| Place::Line(at.line()));
        match error.into_kind() {
            csv::ErrorKind::Io(source) => Self::Unreadable { path: path.to_path_buf(), source },
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => Self::malformed(
                path,
                line,
                "all fields",
                format!("there are {len} fields where the header has {expected_len}"),
            ),
            csv::ErrorKind::Utf8 { err, .. } => {
                Self::malformed(path, line, format!("field {}", err.field() + 1), "it is not valid UTF-8")
            }
            other => Self::malformed(path, line, "all fields", format!("{other:?}")),
        }
    }
}

/// A whole file of text, without the byte order mark that some editors put before it.
pub(crate) fn text(path: &Path) -> Result<String, ReadError> {
    let bytes = std::fs::read(path).map_err(ReadError::unreadable(path))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count() as u64;
        ReadError::malformed(path, Place::Line(line), "text", "it is not valid UTF-8")
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// A value as it may be shown in a message: short, without control characters.
pub(crate) fn shown(value: &str) -> String {
    let mut text: String =
        value.chars().take(60).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if value.chars().count() > 60 {
        text.push('…');
    }
    text
}
