//! Labelled pairs: a CSV with the columns `file_x`, `file_y`, `Decision` (`Yes` or `No`).
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

/// Two images and whether they show the same person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// File name of the one.
    pub one: String,
    /// File name of the other.
    pub other: String,
    /// True when both show the same person.
    pub mated: bool,
}

/// Why a pair list cannot be read.
#[derive(Debug, Error)]
pub enum PairsError {
    /// Not readable, or not the expected columns.
    #[error("`{path}`: {source}; expected the columns file_x, file_y, Decision")]
    Csv {
        /// The list.
        path: PathBuf,
        /// What the reader says, with its position.
        source: csv::Error,
    },
    /// A decision that is neither yes nor no.
    #[error("`{path}` line {line}: the decision is `{found}`; expected Yes or No")]
    Decision {
        /// The list.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// What stands there.
        found: String,
    },
    /// Nothing but a header.
    #[error("`{0}` holds no pairs")]
    Empty(PathBuf),
}

#[derive(Deserialize)]
struct Row {
    file_x: String,
    file_y: String,
    #[serde(rename = "Decision")]
    decision: String,
}

/// Reads a pair list.
///
/// # Errors
/// [`PairsError`] with file, line and field.
pub fn read_pairs(path: &Path) -> Result<Vec<Pair>, PairsError> {
    let fault = |source| PairsError::Csv { path: path.to_path_buf(), source };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(fault)?;
    let headers = reader.headers().map_err(fault)?.clone();
    let mut pairs = Vec::new();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(fault)? {
        let row: Row = record.deserialize(Some(&headers)).map_err(fault)?;
        let mated = match row.decision.to_ascii_lowercase().as_str() {
            "yes" => true,
            "no" => false,
            _ => {
                let line = record.position().map_or(0, csv::Position::line);
                return Err(PairsError::Decision { path: path.to_path_buf(), line, found: row.decision });
            }
        };
        pairs.push(Pair { one: row.file_x, other: row.file_y, mated });
    }
    if pairs.is_empty() {
        return Err(PairsError::Empty(path.to_path_buf()));
    }
    Ok(pairs)
}
