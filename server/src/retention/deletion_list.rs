//! The list back to a force: which images it must delete, signed, and acknowledged line by line (R28).
//!
//! The list has one canonical JSON and one canonical CSV form, with the same lines in the same order. What is signed is a
//! short statement that holds the digests of both, so that either can be checked with what the force has.
use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::FactError;
use super::facts::{check_date, check_text};

mod cell;
mod progress;
mod statement;

pub use cell::{guarded, unguarded};
pub use progress::{
    Acknowledgement, AcknowledgementError, Answered, Difference, LateLine, ListProgress, NationalState,
    Progress, Reconciliation,
};
pub use statement::{Statement, StatementError};

/// Version of the list that this program writes and reads.
pub const FORMAT: u32 = 1;
/// Most lines of one list; a force with more gets several.
pub const MOST_LINES: usize = 100_000;
/// The columns of the CSV form.
const COLUMNS: [&str; 6] = ["source_system", "source_reference", "image_id", "reason", "rule", "due_on"];

/// One image to delete.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListLine {
    /// The force's system that the image came from, 1 to 64 characters.
    pub source_system: String,
    /// Its reference there, 1 to 512 characters.
    pub source_reference: String,
    /// Its id here, 1 to 64 characters.
    pub image_id: String,
    /// Why it is to go, in words; 1 to 1,000 characters. Names no person.
    pub reason: String,
    /// Id of the rule.
    pub rule: String,
    /// Since when it is due.
    pub due_on: Date,
}

/// Why there is no such list.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ListError {
    /// A field of the list.
    #[error(transparent)]
    Field(#[from] FactError),
    /// A field of a line.
    #[error("line {line}: {error}")]
    Line {
        /// The line as given, from 1.
        line: usize,
        /// What is wrong.
        error: FactError,
    },
    /// Nothing to delete.
    #[error("the list has no line; a force with nothing to delete gets no list")]
    Empty,
    /// Too much for one list.
    #[error("the list has more than {MOST_LINES} lines; make several")]
    TooLong,
    /// One image twice.
    #[error("line {line} names an image that another line names too")]
    Twice {
        /// The line as given, from 1.
        line: usize,
    },
    /// Not a list of this version, or not its canonical form.
    #[error("it is not a deletion list of this version")]
    Form,
}

/// A list for one force. Never changed once made: what becomes of its lines is kept apart, in [`ListProgress`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeletionList {
    format: u32,
    force: String,
    made_on: Date,
    rules_version: String,
    lines: Vec<ListLine>,
}

impl DeletionList {
    /// A list with these lines, in their canonical order.
    ///
    /// # Errors
    /// [`ListError`] for no line, too many, one image twice, or a field that is missing, too long or in the future.
    pub fn new(
        force: impl Into<String>,
        made_on: Date,
        rules_version: impl Into<String>,
        mut lines: Vec<ListLine>,
    ) -> Result<Self, ListError> {
        let (force, rules_version) = (force.into(), rules_version.into());
        check_text("list.force", &force, 1, 64)?;
        check_text("list.rules_version", &rules_version, 1, 512)?;
        if lines.is_empty() {
            return Err(ListError::Empty);
        }
        if lines.len() > MOST_LINES {
            return Err(ListError::TooLong);
        }
        let mut seen = BTreeSet::new();
        for (at, line) in lines.iter().enumerate() {
            line.check(made_on).map_err(|error| ListError::Line { line: at + 1, error })?;
            if !seen.insert(line.image_id.as_str()) {
                return Err(ListError::Twice { line: at + 1 });
            }
        }
        lines.sort();
        Ok(Self { format: FORMAT, force, made_on, rules_version, lines })
    }

    /// The force.
    pub fn force(&self) -> &str {
        &self.force
    }

    /// The day on which it was made.
    pub fn made_on(&self) -> Date {
        self.made_on
    }

    /// Version of the rules it follows from.
    pub fn rules_version(&self) -> &str {
        &self.rules_version
    }

    /// Its lines.
    pub fn lines(&self) -> &[ListLine] {
        &self.lines
    }

    /// `dl-` and the first 16 hexadecimal digits of the SHA-256 of its JSON.
    pub fn id(&self) -> String {
        format!("dl-{}", hex::encode(&self.digest()[..8]))
    }

    /// SHA-256 of its JSON.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.json().as_bytes()).into()
    }

    /// The list as canonical JSON: one object, keys in a fixed order, a newline at the end.
    pub fn json(&self) -> String {
        // Text, numbers and dates only: there is nothing that could fail.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// The list as canonical CSV (RFC 4180, every field in quotes): a header, then one row for each line. A field that a spreadsheet
    /// would run as a formula has an apostrophe in front ([`guarded`]); [`DeletionList::lines_of_csv`] takes it away again.
    ///
    /// # Errors
    /// [`ListError::Form`], which a list made by [`DeletionList::new`] does not give.
    pub fn csv(&self) -> Result<String, ListError> {
        let mut builder = csv::WriterBuilder::new();
        builder.quote_style(csv::QuoteStyle::Always).terminator(csv::Terminator::CRLF);
        let mut writer = builder.from_writer(Vec::new());
        writer.write_record(COLUMNS).map_err(|_| ListError::Form)?;
        for line in &self.lines {
            let due_on = line.due_on.to_string();
            let fields = [
                &line.source_system,
                &line.source_reference,
                &line.image_id,
                &line.reason,
                &line.rule,
                &due_on,
            ];
            let fields = fields.map(|field| guarded(field).into_owned());
            writer.write_record(fields).map_err(|_| ListError::Form)?;
        }
        let bytes = writer.into_inner().map_err(|_| ListError::Form)?;
        String::from_utf8(bytes).map_err(|_| ListError::Form)
    }

    /// Reads the lines of a CSV file back, as they were before formulas were disarmed.
    ///
    /// # Errors
    /// [`ListError::Form`] for other columns, or a row that is no line.
    pub fn lines_of_csv(text: &str) -> Result<Vec<ListLine>, ListError> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        if reader.headers().map_err(|_| ListError::Form)? != COLUMNS[..] {
            return Err(ListError::Form);
        }
        let line = |record: csv::StringRecord| {
            let mut fields = record.iter().map(|cell| unguarded(cell).to_owned());
            let mut next = || fields.next().ok_or(ListError::Form);
            Ok(ListLine {
                source_system: next()?,
                source_reference: next()?,
                image_id: next()?,
                reason: next()?,
                rule: next()?,
                due_on: next()?.parse().map_err(|_| ListError::Form)?,
            })
        };
        reader.records().map(|record| line(record.map_err(|_| ListError::Form)?)).collect()
    }

    /// Reads a list back from its canonical JSON.
    ///
    /// # Errors
    /// [`ListError`] for anything else, also for the same list written otherwise.
    pub fn from_json(text: &str) -> Result<Self, ListError> {
        let read: Self = serde_json::from_str(text).map_err(|_| ListError::Form)?;
        let again =
            Self::new(read.force.clone(), read.made_on, read.rules_version.clone(), read.lines.clone())?;
        if again == read && read.json() == text { Ok(read) } else { Err(ListError::Form) }
    }
}

impl ListLine {
    fn check(&self, made_on: Date) -> Result<(), FactError> {
        check_text("source_system", &self.source_system, 1, 64)?;
        check_text("source_reference", &self.source_reference, 1, 512)?;
        check_text("image_id", &self.image_id, 1, 64)?;
        check_text("reason", &self.reason, 1, 1000)?;
        check_text("rule", &self.rule, 1, 64)?;
        check_date("due_on", self.due_on, made_on)
    }
}
