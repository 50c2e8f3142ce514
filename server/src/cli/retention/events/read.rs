//! The file of a force: every line read and checked, each fault with its line and its column.

use std::{fs::File, io::Read, path::Path};

use ::csv::{ReaderBuilder, StringRecord};
use jiff::civil::Date;
use likeness_proto::v1::{CustodyEvent, alter_retention_request::Subject};
use likeness_server::retention::CustodyOutcome;

use crate::cli::{failure::Failure, retention::alter::offence, text::plain};

/// Most lines of one file: what is held in memory is bounded.
const MOST_LINES: usize = 1_000_000;
/// Most faults that are told.
const TOLD: usize = 20;

const REQUIRED: [&str; 5] = ["event_reference", "force", "occurred_on", "offences", "outcome"];
const OPTIONAL: [&str; 3] = ["outcome_on", "serious", "prison"];
const SUBJECT: [&str; 2] = ["subject_id", "subject_reference"];

/// One event and whom it is about.
#[derive(Debug, PartialEq)]
pub struct Line {
    /// Where it stands, from 1, the header being line 1.
    pub number: u64,
    /// Whom it is about.
    pub subject: Subject,
    /// The event.
    pub event: CustodyEvent,
}

/// Reads a file.
///
/// # Errors
/// It cannot be opened, or any line of it is wrong; every fault is named, up to twenty.
pub fn file(path: &Path) -> Result<Vec<Line>, Failure> {
    let file = File::open(path)
        .map_err(|error| Failure::usage(format!("cannot open `{}`: {error}", path.display())))?;
    lines(file).map_err(|faults| {
        let told = faults.iter().take(TOLD).map(|fault| format!("  {}", plain(fault))).collect::<Vec<_>>();
        Failure::usage(format!("`{}` has {} faults", path.display(), faults.len()))
            .advise("correct the file; nothing of it was sent")
            .showing(told.join("\n"))
    })
}

/// Reads all lines, or says what is wrong with which.
pub fn lines(from: impl Read) -> Result<Vec<Line>, Vec<String>> {
    let mut reader = ReaderBuilder::new().from_reader(from);
    let columns = header(reader.headers().map_err(|error| vec![format!("line 1: {error}")])?)?;
    let (mut lines, mut faults) = (Vec::new(), Vec::new());
    for record in reader.records() {
        if lines.len() + faults.len() >= MOST_LINES {
            return Err(vec![format!("more than {MOST_LINES} events; send them in several files")]);
        }
        match record {
            Ok(record) => {
                let number = record.position().map_or(0, ::csv::Position::line);
                match line(number, &columns, &record) {
                    Ok(line) => lines.push(line),
                    Err(why) => faults.push(format!("line {number}: {why}")),
                }
            }
            Err(error) => {
                let number = error.position().map_or(0, ::csv::Position::line);
                let why = match error.kind() {
                    ::csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                        format!("{len} values, but the header has {expected_len} columns")
                    }
                    ::csv::ErrorKind::Utf8 { .. } => "not valid UTF-8".to_owned(),
                    ::csv::ErrorKind::Io(error) => return Err(vec![format!("cannot be read: {error}")]),
                    _ => error.to_string(),
                };
                faults.push(format!("line {number}: {why}"));
            }
        }
    }
    if lines.is_empty() && faults.is_empty() {
        faults.push("line 1: no event follows the header".to_owned());
    }
    if faults.is_empty() { Ok(lines) } else { Err(faults) }
}

fn header(found: &StringRecord) -> Result<Vec<String>, Vec<String>> {
    let columns: Vec<String> =
        found.iter().map(|name| name.trim().trim_start_matches('\u{feff}').to_owned()).collect();
    let has = |name: &str| columns.iter().any(|column| column == name);
    let mut faults = Vec::new();
    for (place, column) in columns.iter().enumerate() {
        if ![&REQUIRED[..], &OPTIONAL, &SUBJECT].concat().contains(&column.as_str()) {
            faults.push(format!("line 1: unknown column `{column}`"));
        }
        if columns[..place].contains(column) {
            faults.push(format!("line 1: column `{column}` appears twice"));
        }
    }
    faults.extend(
        REQUIRED
            .into_iter()
            .filter(|name| !has(name))
            .map(|name| format!("line 1: the header has no column `{name}`")),
    );
    if !SUBJECT.into_iter().any(has) {
        faults.push("line 1: the header has neither `subject_id` nor `subject_reference`".to_owned());
    }
    if faults.is_empty() { Ok(columns) } else { Err(faults) }
}

fn line(number: u64, columns: &[String], record: &StringRecord) -> Result<Line, String> {
    let cell = |name: &str| {
        columns.iter().position(|column| column == name).and_then(|at| record.get(at)).map_or("", str::trim)
    };
    let must = |name: &'static str| match cell(name) {
        "" => Err(format!("`{name}` is empty")),
        text => Ok(text.to_owned()),
    };
    let date = |name: &str| {
        let text = cell(name);
        let date = text.parse::<Date>().ok().filter(|date| date.to_string() == text);
        date.map(|date| date.to_string()).ok_or_else(|| format!("`{name}` is not a date; write YYYY-MM-DD"))
    };
    let flag = |name: &str| match cell(name) {
        "yes" => Ok(true),
        "no" | "" => Ok(false),
        _ => Err(format!("`{name}` is neither yes nor no")),
    };
    let subject = match (cell("subject_id"), cell("subject_reference")) {
        ("", "") => return Err("`subject_id` and `subject_reference` are empty; give one".to_owned()),
        (id, "") => Subject::SubjectId(id.to_owned()),
        ("", reference) => Subject::SubjectReference(reference.to_owned()),
        _ => return Err("`subject_id` and `subject_reference` are both given; give one".to_owned()),
    };
    let outcome = must("outcome")?;
    if !CustodyOutcome::ALL.into_iter().any(|known| known.code() == outcome) {
        let known = CustodyOutcome::ALL.map(CustodyOutcome::code).join(", ");
        return Err(format!("`outcome` is none of {known}"));
    }
    let offences = cell("offences").split(';').map(str::trim).filter(|one| !one.is_empty());
    let event = CustodyEvent {
        reference: must("event_reference")?,
        force: must("force")?,
        occurred_on: date("occurred_on")?,
        offences: offences
            .map(offence)
            .collect::<Result<_, _>>()
            .map_err(|why| format!("`offences`: {why}"))?,
        outcome_on: if cell("outcome_on").is_empty() { String::new() } else { date("outcome_on")? },
        outcome,
        serious: flag("serious")?,
        prison: flag("prison")?,
    };
    Ok(Line { number, subject, event })
}
