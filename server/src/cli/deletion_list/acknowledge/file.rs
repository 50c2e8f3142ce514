//! The file that a force sends back: its list with what it did about each line, or only that.

use std::{fs, path::Path};

use likeness_proto::v1::LineAcknowledgement;
use likeness_server::{retention::deletion_list::unguarded, service::MOST_ANSWERS};
use serde::Deserialize;

use crate::cli::{
    failure::{Failure, chain},
    text::plain,
};

/// Longest file that is read.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

#[derive(Deserialize)]
struct Row {
    image_id: String,
    #[serde(default)]
    answered: Option<String>,
    /// Why it is kept. Not called `reason`: the list has a column of this name, why the image is to go.
    #[serde(default)]
    why: Option<String>,
    #[serde(default)]
    on: Option<String>,
}

/// Reads a file: JSON when it is called so, else CSV.
///
/// # Errors
/// It cannot be read, is not of this form, acknowledges nothing or too much; nothing was sent then.
pub fn read(path: &Path) -> Result<Vec<LineAcknowledgement>, Failure> {
    let wrong = |why: String| {
        Failure::usage(format!("cannot read the acknowledgements in `{}`: {}", path.display(), plain(&why)))
            .advise("give a CSV file with the columns `image_id` and `answered`, or a JSON array of objects with these names")
    };
    let length = fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
    if length > MOST_BYTES {
        return Err(wrong("it is longer than 64 MiB".to_owned()));
    }
    let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let is_json = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
    let lines = if is_json { of_json(&text) } else { of_csv(&text) }.map_err(wrong)?;
    match lines.len() {
        0 => Err(wrong("no line of it is acknowledged".to_owned())),
        many if many > MOST_ANSWERS => {
            Err(wrong(format!("it acknowledges more than {MOST_ANSWERS} lines; send it in parts")))
        }
        _ => Ok(lines),
    }
}

/// Rows of a CSV file. Cells that were kept from being formulas are read as what they were.
pub fn of_csv(text: &str) -> Result<Vec<LineAcknowledgement>, String> {
    let mut rows = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let mut lines = Vec::new();
    for row in rows.deserialize() {
        lines.extend(line(row.map_err(|error| chain(&error))?));
    }
    Ok(lines)
}

/// Objects of a JSON array.
pub fn of_json(text: &str) -> Result<Vec<LineAcknowledgement>, String> {
    let rows: Vec<Row> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Ok(rows.into_iter().filter_map(line).collect())
}

/// A line that says something; one that does not is left open.
fn line(row: Row) -> Option<LineAcknowledgement> {
    let text = |cell: Option<String>| unguarded(cell.unwrap_or_default().trim()).to_owned();
    let answered = text(row.answered);
    (!answered.is_empty()).then(|| LineAcknowledgement {
        image_id: unguarded(row.image_id.trim()).to_owned(),
        answered,
        reason: text(row.why),
        on: text(row.on),
    })
}
