//! A small table of texts, from CSV or Parquet.
use std::fs::File;
use std::path::Path;

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;

use crate::malformed::{Place, ReadError};

/// Most rows of a manifest.
const MOST_ROWS: usize = 50_000_000;

/// Rows of equal length.
pub(crate) struct Table {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
    lines: Option<Vec<u64>>,
}

impl Table {
    /// Where a row is; `None`: the header.
    pub(crate) fn place(&self, row: Option<usize>) -> Place {
        match (&self.lines, row) {
            (Some(_), None) => Place::Line(1),
            (Some(lines), Some(row)) => Place::Line(lines.get(row).copied().unwrap_or(0)),
            (None, None) => Place::Whole,
            (None, Some(row)) => Place::Row(row as u64 + 1),
        }
    }
}

pub(crate) fn read(path: &Path) -> Result<Table, ReadError> {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    if ending != "parquet" {
        return from_csv(path);
    }
    // The library indexes by numbers that it reads: some damaged files make it panic. Nothing of ours is left half done.
    std::panic::catch_unwind(|| from_parquet(path)).unwrap_or_else(|_| {
        Err(ReadError::malformed(
            path,
            Place::Whole,
            "Parquet",
            "the file is damaged in a way that cannot be told more closely",
        ))
    })
}

fn from_csv(path: &Path) -> Result<Table, ReadError> {
    let fault = |error| ReadError::csv(path, error);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(fault)?;
    let columns = reader.headers().map_err(fault)?.iter().map(str::to_owned).collect();
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(fault)? {
        lines.push(record.position().map_or(0, csv::Position::line));
        rows.push(record.iter().map(str::to_owned).collect());
    }
    Ok(Table { columns, rows, lines: Some(lines) })
}

fn from_parquet(path: &Path) -> Result<Table, ReadError> {
    let file = File::open(path).map_err(ReadError::unreadable(path))?;
    let fault = |place: Place, error: parquet::errors::ParquetError| {
        ReadError::malformed(path, place, "Parquet", crate::malformed::shown(&error.to_string()))
    };
    let reader = SerializedFileReader::new(file).map_err(|error| fault(Place::Whole, error))?;
    let schema = reader.metadata().file_metadata().schema();
    let columns: Vec<String> = schema.get_fields().iter().map(|field| field.name().to_owned()).collect();
    if schema.get_fields().iter().any(|field| !field.is_primitive()) {
        let problem = "a manifest has plain columns; one of these is a list, a map or a group";
        return Err(ReadError::malformed(path, Place::Whole, "columns", problem));
    }
    let mut rows = Vec::new();
    for row in reader.get_row_iter(None).map_err(|error| fault(Place::Whole, error))? {
        let place = Place::Row(rows.len() as u64 + 1);
        let row = row.map_err(|error| fault(place, error))?;
        let text = |field: &Field| match field {
            Field::Null => String::new(),
            Field::Str(text) => text.clone(),
            other => other.to_string(),
        };
        rows.push(row.get_column_iter().map(|(_, field)| text(field)).collect());
        if rows.len() > MOST_ROWS {
            return Err(ReadError::malformed(path, place, "rows", format!("at most {MOST_ROWS} are read")));
        }
    }
    Ok(Table { columns, rows, lines: None })
}
