//! Scores that some matcher made: `probe,reference,mated,score`, so that any vendor's black box can be reported on.
//!
//! `mated` is 0 or 1 (also `no`/`yes`, `false`/`true`). An empty `score` means that one side gave no template. Optional columns:
//! `probe_subject` and `reference_subject` (who is on the image; otherwise every name is a subject of its own), and demographic
//! labels as pairs of columns `probe_X` and `reference_X`, or `probe_X` alone. The same columns are read from a Parquet file; the
//! `scores.csv` and `scores.parquet` of a run on pairs are such files.
use std::{collections::HashMap, path::Path};

use crate::malformed::{Place, ReadError, shown};
use crate::table::{Rows, guarded};

/// Largest score on either side of zero: beyond it, differences of scores lose their digits or overflow.
const MOST_SCORE: f64 = 1e15;

/// One comparison.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreRow {
    /// Number of the probe in [`ScoreFile::probes`].
    pub probe: u32,
    /// Number of the reference in [`ScoreFile::references`].
    pub reference: u32,
    /// True when both show one person.
    pub mated: bool,
    /// Larger is more alike. `None`: the comparison could not be made.
    pub score: Option<f64>,
}

/// One side of the comparisons.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Side {
    /// Names, in the order of appearance.
    pub names: Vec<String>,
    /// Subject of each name, as a number in [`ScoreFile::subjects`]. Empty without the column.
    pub subjects: Vec<u32>,
    /// Labels of each name, in the order of [`ScoreFile::attributes`]; an empty text is no label.
    pub labels: Vec<Vec<String>>,
}

/// A whole file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScoreFile {
    /// Probe side.
    pub probes: Side,
    /// Reference side.
    pub references: Side,
    /// Names of subjects, of both sides. Empty without the columns.
    pub subjects: Vec<String>,
    /// Names of the demographic attributes.
    pub attributes: Vec<String>,
    /// In the order of the file.
    pub rows: Vec<ScoreRow>,
}

/// Where the columns are.
struct Columns {
    probe: usize,
    reference: usize,
    mated: usize,
    score: usize,
    rank: Option<usize>,
    subjects: Option<(usize, usize)>,
    attributes: Vec<(usize, Option<usize>)>,
}

impl Columns {
    fn find(path: &Path, place: Place, header: &[String]) -> Result<(Self, Vec<String>), ReadError> {
        let at = |name: &str| header.iter().position(|column| column.trim().eq_ignore_ascii_case(name));
        let need = |name: &str| {
            at(name).ok_or_else(|| {
                let found: Vec<_> = header.iter().map(|column| shown(column)).collect();
                let problem = format!(
                    "the column is missing; expected probe, reference, mated, score; found {}",
                    found.join(", ")
                );
                ReadError::malformed(path, place, format!("`{name}`"), problem)
            })
        };
        let subjects = match (at("probe_subject"), at("reference_subject")) {
            (Some(probe), Some(reference)) => Some((probe, reference)),
            (None, None) => None,
            _ => {
                let problem = "`probe_subject` and `reference_subject` come together; one is missing";
                return Err(ReadError::malformed(path, place, "`probe_subject`", problem));
            }
        };
        let mut names = Vec::new();
        let mut attributes = Vec::new();
        for (number, column) in header.iter().enumerate() {
            let name = column.trim().to_ascii_lowercase();
            let Some(name) = name.strip_prefix("probe_").filter(|name| *name != "subject") else { continue };
            names.push(name.to_owned());
            attributes.push((number, at(&format!("reference_{name}"))));
        }
        let columns = Self {
            probe: need("probe")?,
            reference: need("reference")?,
            mated: need("mated")?,
            score: need("score")?,
            rank: at("rank"),
            subjects,
            attributes,
        };
        Ok((columns, names))
    }
}

/// Numbers for names.
#[derive(Default)]
struct Numbers(HashMap<String, u32>);

impl Numbers {
    /// The number of a name, and whether it is new.
    fn of(&mut self, name: &str) -> (u32, bool) {
        if let Some(&number) = self.0.get(name) {
            return (number, false);
        }
        let number = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0.insert(name.to_owned(), number);
        (number, true)
    }
}

/// Reads a score file, CSV or (by its ending) Parquet. `each` is called after every row.
///
/// # Errors
/// [`ReadError`] with file, line and field.
pub fn read_scores(path: &Path, each: impl FnMut()) -> Result<ScoreFile, ReadError> {
    guarded(path, || read(path, each))
}

fn read(path: &Path, mut each: impl FnMut()) -> Result<ScoreFile, ReadError> {
    let mut source = Rows::open(path)?;
    let (columns, attributes) = Columns::find(path, source.header(), source.columns())?;
    let mut file = ScoreFile { attributes, ..ScoreFile::default() };
    let (mut probes, mut references, mut subjects) =
        (Numbers::default(), Numbers::default(), Numbers::default());
    while let Some(place) = source.next()? {
        let fault = |field: &str, problem: String| {
            Err(ReadError::malformed(path, place, format!("`{field}`"), problem))
        };
        let text = |at: usize| source.text(at);
        if columns.rank.is_some_and(|rank| !text(rank).is_empty()) {
            let problem = "the rows are candidate lists, which leave out all other comparisons, so that error rates over them \
                would be wrong; give a file in which every comparison has a row, and leave `rank` empty or out";
            return fault("rank", problem.to_owned());
        }
        let mated = match text(columns.mated).to_ascii_lowercase().as_str() {
            "1" | "yes" | "true" => true,
            "0" | "no" | "false" => false,
            other => return fault("mated", format!("it is `{}`; expected 0 or 1", shown(other))),
        };
        let score = match text(columns.score) {
            "" => None,
            given => match given.parse::<f64>() {
                Ok(score) if score.abs() <= MOST_SCORE => Some(score),
                Ok(score) if score.is_finite() => {
                    return fault("score", format!("it is {score:e}; scores lie between -1e15 and 1e15"));
                }
                _ => return fault("score", format!("it is `{}`; expected a finite number", shown(given))),
            },
        };
        for (name, at) in [("probe", columns.probe), ("reference", columns.reference)] {
            if text(at).is_empty() {
                return fault(name, "it is empty; every image needs a name".to_owned());
            }
        }
        if let Some((one, other)) = columns.subjects {
            let same = text(one) == text(other);
            if same != mated && !text(one).is_empty() && !text(other).is_empty() {
                let problem = format!(
                    "it says {}, but the subjects are `{}` and `{}`",
                    if mated { "mated" } else { "not mated" },
                    shown(text(one)),
                    shown(text(other))
                );
                return fault("mated", problem);
            }
        }
        let (probe, new_probe) = probes.of(text(columns.probe));
        let (reference, new_reference) = references.of(text(columns.reference));
        for (side, new, name, subject_column, second) in [
            (&mut file.probes, new_probe, columns.probe, columns.subjects.map(|both| both.0), false),
            (
                &mut file.references,
                new_reference,
                columns.reference,
                columns.subjects.map(|both| both.1),
                true,
            ),
        ] {
            if new {
                side.names.push(text(name).to_owned());
                if let Some(column) = subject_column {
                    let (subject, new) = subjects.of(text(column));
                    if new {
                        file.subjects.push(text(column).to_owned());
                    }
                    side.subjects.push(subject);
                }
                let label = |&(probe, reference): &(usize, Option<usize>)| {
                    let column = if second { reference } else { Some(probe) };
                    column.map_or_else(String::new, |column| text(column).to_owned())
                };
                side.labels.push(columns.attributes.iter().map(label).collect());
            }
        }
        file.rows.push(ScoreRow { probe, reference, mated, score });
        each();
    }
    if file.rows.is_empty() {
        return Err(ReadError::malformed(
            path,
            Place::Whole,
            "rows",
            "the file holds no scores below its header",
        ));
    }
    Ok(file)
}
