//! Manifests with metadata: CSV with a header, or one JSON object per line. Errors name the line.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
};

use ::csv::{ReaderBuilder, StringRecord};
use serde_json::{Map, Value};

use super::{
    item::{Entry, Item},
    row,
};
use crate::cli::failure::Failure;

/// Longest line of a JSON manifest, in bytes: far more than 32 attributes of 512 characters.
const LONGEST_LINE: u64 = 256 * 1024;

/// Where a row comes from, for messages.
fn at(path: &Path, line: u64, why: impl std::fmt::Display) -> Failure {
    Failure::usage(format!("`{}` line {line}: {why}", path.display()))
        .advise("correct the manifest; nothing of it was sent")
}

fn open(path: &Path) -> Result<BufReader<File>, Failure> {
    File::open(path)
        .map(BufReader::new)
        .map_err(|error| Failure::usage(format!("cannot open `{}`: {error}", path.display())))
}

fn folder(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).to_owned()
}

fn entry(item: Item) -> Entry {
    Entry::Image(Box::new(item))
}

/// The rows of a CSV manifest.
///
/// # Errors
/// The file cannot be opened, or its header lacks a column or has one that nobody knows.
pub fn csv(path: &Path) -> Result<impl Iterator<Item = Result<Entry, Failure>> + Send + use<>, Failure> {
    let mut reader = ReaderBuilder::new().from_reader(open(path)?);
    let header = reader.headers().map_err(|error| at(path, 1, error))?.clone();
    let columns: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
    for (place, column) in columns.iter().enumerate() {
        row::check_column(column).map_err(|error| at(path, 1, error))?;
        if columns[..place].contains(column) {
            return Err(at(path, 1, row::RowError::Twice(column.clone())));
        }
    }
    for required in ["subject", "image"] {
        if !columns.iter().any(|column| column == required) {
            return Err(at(path, 1, format!("the header has no column `{required}`")));
        }
    }
    let (path, folder) = (path.to_owned(), folder(path));
    Ok(reader.into_records().map(move |record| {
        let record = record.map_err(|error| {
            let line = error.position().map_or(0, ::csv::Position::line);
            at(&path, line, csv_reason(&error))
        })?;
        let line = record.position().map_or(0, ::csv::Position::line);
        csv_row(&folder, &columns, &record).map(entry).map_err(|error| at(&path, line, error))
    }))
}

fn csv_row(folder: &Path, columns: &[String], record: &StringRecord) -> Result<Item, row::RowError> {
    row::item(folder, columns.iter().map(String::as_str).zip(record.iter()))
}

/// The crate's own messages repeat the position and count from zero in places.
fn csv_reason(error: &::csv::Error) -> String {
    match error.kind() {
        ::csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} values, but the header has {expected_len} columns")
        }
        ::csv::ErrorKind::Utf8 { .. } => "not valid UTF-8".to_owned(),
        ::csv::ErrorKind::Io(error) => error.to_string(),
        _ => error.to_string(),
    }
}

/// The rows of a JSON manifest.
///
/// # Errors
/// The file cannot be opened.
pub fn json_lines(
    path: &Path,
) -> Result<impl Iterator<Item = Result<Entry, Failure>> + Send + use<>, Failure> {
    use std::io::Read as _;
    let mut reader = open(path)?;
    let (path, folder) = (path.to_owned(), folder(path));
    let mut number = 0;
    let mut failed = false;
    Ok(std::iter::from_fn(move || {
        loop {
            if failed {
                return None;
            }
            number += 1;
            let mut line = Vec::new();
            // Bounded: a file without line ends must not be read into memory whole.
            match (&mut reader).take(LONGEST_LINE).read_until(b'\n', &mut line) {
                Ok(0) => return None,
                Ok(_) if line.len() as u64 == LONGEST_LINE && line.last() != Some(&b'\n') => {
                    failed = true;
                    return Some(Err(at(&path, number, format!("longer than {LONGEST_LINE} bytes"))));
                }
                Ok(_) if line.trim_ascii().is_empty() => {}
                Ok(_) => {
                    return Some(json_row(&folder, &line).map(entry).map_err(|why| at(&path, number, why)));
                }
                Err(error) => {
                    failed = true;
                    return Some(Err(at(&path, number, error)));
                }
            }
        }
    }))
}

fn json_row(folder: &Path, line: &[u8]) -> Result<Item, String> {
    let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let object: Map<String, Value> =
        serde_json::from_slice(text).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => {
                "not an object such as {\"subject\": \"S1\", \"image\": \"a.jpg\"}".to_owned()
            }
            _ => format!("not valid JSON (column {})", error.column()),
        })?;
    let mut cells = Vec::with_capacity(object.len());
    for (name, value) in &object {
        match value {
            Value::Null => {}
            Value::String(text) => cells.push((name.as_str(), text.as_str())),
            _ => return Err(format!("`{name}` must be text in quotes")),
        }
    }
    row::item(folder, cells.into_iter()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
