//! The raw scores of a run, as CSV for everyone and as Parquet for programs. Same rows, same order.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use parquet::basic::Compression;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int32Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use sha2::{Digest as _, Sha256};

/// Rows written at a time.
const GROUP: usize = 1 << 18;

const SCHEMA: &str = "message scores {
    required binary probe (UTF8);
    optional binary reference (UTF8);
    optional boolean mated;
    optional double score;
    optional int32 rank;
    optional binary refusal (UTF8);
}";

/// One comparison, or one candidate of a search.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ScoreRow<'a> {
    /// Name of the probe.
    pub probe: &'a str,
    /// Name of the reference, or of the candidate's subject. Absent for a search without candidates.
    pub reference: Option<&'a str>,
    /// Whether both are one person.
    pub mated: Option<bool>,
    /// Absent when the comparison could not be made.
    pub score: Option<f64>,
    /// Place in the candidate list, from 1.
    pub rank: Option<u32>,
    /// Why there is no score.
    pub refusal: Option<&'a str>,
}

#[derive(Default)]
struct Buffer {
    probe: Vec<ByteArray>,
    reference: Vec<Option<ByteArray>>,
    mated: Vec<Option<bool>>,
    score: Vec<Option<f64>>,
    rank: Vec<Option<i32>>,
    refusal: Vec<Option<ByteArray>>,
}

/// Writes `scores.csv` and `scores.parquet`.
pub struct RawScores {
    csv: BufWriter<File>,
    sha: Sha256,
    parquet: SerializedFileWriter<File>,
    buffer: Buffer,
}

impl RawScores {
    /// Begins both files in a folder.
    ///
    /// # Errors
    /// When a file cannot be made.
    pub fn create(folder: &Path) -> anyhow::Result<Self> {
        let make = |name: &str| {
            let path = folder.join(name);
            File::create(&path).with_context(|| format!("cannot write `{}`", path.display()))
        };
        let schema = Arc::new(parse_message_type(SCHEMA)?);
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let parquet = SerializedFileWriter::new(make("scores.parquet")?, schema, Arc::new(properties))?;
        let csv = BufWriter::with_capacity(1 << 20, make("scores.csv")?);
        let mut scores = Self { csv, sha: Sha256::new(), parquet, buffer: Buffer::default() };
        scores.line(b"probe,reference,mated,score,rank,refusal\n")?;
        Ok(scores)
    }

    fn line(&mut self, line: &[u8]) -> anyhow::Result<()> {
        self.sha.update(line);
        self.csv.write_all(line).context("cannot write `scores.csv`")
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When the disk is full or gone.
    pub fn push(&mut self, row: &ScoreRow<'_>) -> anyhow::Result<()> {
        let quoted = |text: &str| {
            if text.contains([',', '"', '\n', '\r']) {
                format!("\"{}\"", text.replace('"', "\"\""))
            } else {
                text.to_owned()
            }
        };
        let number = |value: Option<String>| value.unwrap_or_default();
        let line = format!(
            "{},{},{},{},{},{}\n",
            quoted(row.probe),
            quoted(row.reference.unwrap_or_default()),
            number(row.mated.map(|mated| u8::from(mated).to_string())),
            number(row.score.map(|score| format!("{score}"))),
            number(row.rank.map(|rank| rank.to_string())),
            row.refusal.unwrap_or_default(),
        );
        self.line(line.as_bytes())?;
        let bytes = |text: &str| ByteArray::from(text);
        self.buffer.probe.push(bytes(row.probe));
        self.buffer.reference.push(row.reference.map(bytes));
        self.buffer.mated.push(row.mated);
        self.buffer.score.push(row.score);
        self.buffer.rank.push(row.rank.and_then(|rank| i32::try_from(rank).ok()));
        self.buffer.refusal.push(row.refusal.map(bytes));
        if self.buffer.probe.len() >= GROUP { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        let buffer = std::mem::take(&mut self.buffer);
        if buffer.probe.is_empty() {
            return Ok(());
        }
        let mut group = self.parquet.next_row_group()?;
        if let Some(mut column) = group.next_column()? {
            column.typed::<ByteArrayType>().write_batch(&buffer.probe, None, None)?;
            column.close()?;
        }
        macro_rules! optional {
            ($kind:ty, $values:expr) => {
                if let Some(mut column) = group.next_column()? {
                    let levels: Vec<i16> = $values.iter().map(|value| i16::from(value.is_some())).collect();
                    let values: Vec<_> = $values.into_iter().flatten().collect();
                    column.typed::<$kind>().write_batch(&values, Some(&levels), None)?;
                    column.close()?;
                }
            };
        }
        optional!(ByteArrayType, buffer.reference);
        optional!(BoolType, buffer.mated);
        optional!(DoubleType, buffer.score);
        optional!(Int32Type, buffer.rank);
        optional!(ByteArrayType, buffer.refusal);
        group.close()?;
        Ok(())
    }

    /// Ends both files. Returns the SHA-256 of the CSV, in hexadecimal digits.
    ///
    /// # Errors
    /// When the disk is full or gone.
    pub fn finish(mut self) -> anyhow::Result<String> {
        self.flush()?;
        self.parquet.close()?;
        let file = self.csv.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(hex::encode(self.sha.finalize()))
    }
}
