//! Tables of texts, from CSV or Parquet: row by row, or a small one whole.
use std::fs::File;
use std::path::Path;

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;
use parquet::record::reader::RowIter;

use crate::malformed::{Place, ReadError, shown};

/// Most rows of a manifest.
const MOST_ROWS: usize = 50_000_000;

/// A small table, whole.
pub(crate) struct Table {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
    places: Vec<Place>,
    header: Place,
}

impl Table {
    /// Where a row is; `None`: the header.
    pub(crate) fn place(&self, row: Option<usize>) -> Place {
        row.map_or(self.header, |row| self.places.get(row).copied().unwrap_or(Place::Whole))
    }
}

pub(crate) fn read(path: &Path) -> Result<Table, ReadError> {
    guarded(path, || {
        let mut source = Rows::open(path)?;
        let (columns, header) = (source.columns().to_vec(), source.header());
        let (mut rows, mut places) = (Vec::new(), Vec::new());
        while let Some(place) = source.next()? {
            rows.push((0..columns.len()).map(|at| source.text(at).to_owned()).collect());
            places.push(place);
            if rows.len() > MOST_ROWS {
                return Err(ReadError::malformed(
                    path,
                    place,
                    "rows",
                    format!("at most {MOST_ROWS} are read"),
                ));
            }
        }
        Ok(Table { columns, rows, places, header })
    })
}

/// Runs a reader of Parquet files, whose library indexes by numbers that it reads: some damaged files make it panic. Nothing of
/// ours is left half done.
pub(crate) fn guarded<T>(path: &Path, read: impl FnOnce() -> Result<T, ReadError>) -> Result<T, ReadError> {
    if !is_parquet(path) {
        return read();
    }
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)).unwrap_or_else(|_| {
        let problem = "the file is damaged in a way that cannot be told more closely";
        Err(ReadError::malformed(path, Place::Whole, "Parquet", problem))
    })
}

fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("parquet"))
}

/// The rows of a file, one after the other. Callers of Parquet files go through [`guarded`].
pub(crate) struct Rows<'a> {
    path: &'a Path,
    columns: Vec<String>,
    source: Source,
}

enum Source {
    Csv { reader: csv::Reader<File>, record: csv::StringRecord },
    Parquet { rows: RowIter<'static>, row: Vec<String>, number: u64 },
}

impl<'a> Rows<'a> {
    pub(crate) fn open(path: &'a Path) -> Result<Self, ReadError> {
        if is_parquet(path) {
            return Self::open_parquet(path);
        }
        let fault = |error| ReadError::csv(path, error);
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(fault)?;
        let columns = reader.headers().map_err(fault)?.iter().map(str::to_owned).collect();
        Ok(Self { path, columns, source: Source::Csv { reader, record: csv::StringRecord::new() } })
    }

    fn open_parquet(path: &'a Path) -> Result<Self, ReadError> {
        let file = File::open(path).map_err(ReadError::unreadable(path))?;
        let fault = |error: parquet::errors::ParquetError| {
            ReadError::malformed(path, Place::Whole, "Parquet", shown(&error.to_string()))
        };
        let reader = SerializedFileReader::new(file).map_err(fault)?;
        let fields = reader.metadata().file_metadata().schema().get_fields();
        if fields.iter().any(|field| !field.is_primitive()) {
            let problem = "the table has plain columns; one of these is a list, a map or a group";
            return Err(ReadError::malformed(path, Place::Whole, "columns", problem));
        }
        let columns = fields.iter().map(|field| field.name().to_owned()).collect();
        let rows = reader.into_iter();
        Ok(Self { path, columns, source: Source::Parquet { rows, row: Vec::new(), number: 0 } })
    }

    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Where the header is.
    pub(crate) fn header(&self) -> Place {
        match self.source {
            Source::Csv { .. } => Place::Line(1),
            Source::Parquet { .. } => Place::Whole,
        }
    }

    /// Moves to the next row; where it is.
    pub(crate) fn next(&mut self) -> Result<Option<Place>, ReadError> {
        match &mut self.source {
            Source::Csv { reader, record } => {
                let more = reader.read_record(record).map_err(|error| ReadError::csv(self.path, error))?;
                Ok(more.then(|| Place::Line(record.position().map_or(0, csv::Position::line))))
            }
            Source::Parquet { rows, row, number } => {
                *number += 1;
                let place = Place::Row(*number);
                let Some(next) = rows.next() else { return Ok(None) };
                let next = next.map_err(|error| {
                    ReadError::malformed(self.path, place, "Parquet", shown(&error.to_string()))
                })?;
                row.clear();
                row.extend(next.get_column_iter().map(|(_, field)| text(field)));
                Ok(Some(place))
            }
        }
    }

    /// A value of the row; empty when there is none.
    pub(crate) fn text(&self, at: usize) -> &str {
        match &self.source {
            Source::Csv { record, .. } => record.get(at).unwrap_or_default(),
            Source::Parquet { row, .. } => row.get(at).map_or("", String::as_str),
        }
    }
}

/// Numbers are written so that they are read back to the last bit.
fn text(field: &Field) -> String {
    match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        Field::Double(value) => value.to_string(),
        Field::Float(value) => value.to_string(),
        other => other.to_string(),
    }
}
