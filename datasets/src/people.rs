//! Who is on which image: a folder per person, a manifest, or a sigset. The common shape of what galleries and probe sets are given as.
use std::path::{Path, PathBuf};

use crate::folder::{FolderError, folder_per_person};
use crate::malformed::{Place, ReadError, shown};
use crate::{sigset, table};

/// An image of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonImage {
    /// Who.
    pub subject: String,
    /// Name for score files: the path as the data set writes it.
    pub name: String,
    /// Where the image is.
    pub path: PathBuf,
    /// Labels in the order of [`People::attributes`]; an empty text is none.
    pub labels: Vec<String>,
    /// How it came about, where a manifest says so.
    pub circumstance: Option<String>,
}

/// Labelled images.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    /// In the order of the data set.
    pub images: Vec<PersonImage>,
    /// Names of demographic attributes.
    pub attributes: Vec<String>,
}

impl People {
    /// True when the data set itself says that a generator made every image.
    #[must_use]
    pub fn synthetic(&self) -> bool {
        let made = |image: &PersonImage| {
            image.circumstance.as_ref().is_some_and(|circumstance| circumstance.starts_with("synthetic_"))
        };
        !self.images.is_empty() && self.images.iter().all(made)
    }
}

/// Reads people from a folder per person (with labels from its `manifest.csv`, if there is one), a manifest (`.csv`, `.parquet`) or a
/// sigset (`.xml`).
///
/// # Errors
/// [`ReadError`] with file, place and field.
pub fn read_people(path: &Path) -> Result<People, ReadError> {
    if path.is_dir() {
        return from_folder(path);
    }
    match path.extension().unwrap_or_default().to_string_lossy().to_lowercase().as_str() {
        "xml" => sigset::read_sigset(path),
        "csv" | "parquet" => read_manifest(path),
        other => {
            let problem = format!("`.{}` is none of: a folder, .csv, .parquet, .xml", shown(other));
            Err(ReadError::malformed(path, Place::Whole, "format", problem))
        }
    }
}

fn from_folder(root: &Path) -> Result<People, ReadError> {
    let found = folder_per_person(root).map_err(|error| match error {
        FolderError::Unreadable { path, source } => ReadError::Unreadable { path, source },
        other => ReadError::malformed(root, Place::Whole, "layout", other.to_string()),
    })?;
    let manifest = root.join("manifest.csv");
    let labels = if manifest.is_file() { Some(read_manifest(&manifest)?) } else { None };
    let attributes = labels.as_ref().map(|labels| labels.attributes.clone()).unwrap_or_default();
    let known: std::collections::HashMap<&Path, &PersonImage> =
        labels.iter().flat_map(|labels| &labels.images).map(|image| (image.path.as_path(), image)).collect();
    let one = |labelled: crate::Labelled| {
        let row = known.get(labelled.image.as_path());
        let name =
            labelled.image.strip_prefix(root).unwrap_or(&labelled.image).to_string_lossy().into_owned();
        PersonImage {
            subject: labelled.subject,
            name,
            labels: row.map_or_else(|| vec![String::new(); attributes.len()], |row| row.labels.clone()),
            circumstance: row.and_then(|row| row.circumstance.clone()),
            path: labelled.image,
        }
    };
    Ok(People { images: found.into_iter().map(one).collect(), attributes: attributes.clone() })
}

/// Reads a manifest: a table (CSV or Parquet) with the columns `subject` and `image`, image paths relative to the file. Columns named
/// `attr.X` are demographic attributes; so are the columns `sex`, `age_band`, `ethnicity`, `phenotype`, `monk_tone` and `skin_type`.
///
/// # Errors
/// [`ReadError`] with file, line and field.
pub fn read_manifest(path: &Path) -> Result<People, ReadError> {
    const ATTRIBUTES: [&str; 6] = ["sex", "age_band", "ethnicity", "phenotype", "monk_tone", "skin_type"];
    let table = table::read(path)?;
    let at = |name: &str| table.columns.iter().position(|column| column.eq_ignore_ascii_case(name));
    let need = |name: &str| {
        at(name).ok_or_else(|| {
            let found: Vec<_> = table.columns.iter().map(|column| shown(column)).collect();
            let problem = format!("the column is missing; found {}", found.join(", "));
            ReadError::malformed(path, table.place(None), format!("`{name}`"), problem)
        })
    };
    let (subject, image) = (need("subject")?, need("image")?);
    let circumstance = at("capture_circumstance");
    let mut people = People::default();
    let mut places = Vec::new();
    for (number, column) in table.columns.iter().enumerate() {
        let name =
            column.strip_prefix("attr.").or(ATTRIBUTES.contains(&column.as_str()).then_some(column.as_str()));
        if let Some(name) = name {
            people.attributes.push(name.to_owned());
            places.push(number);
        }
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    for (number, row) in table.rows.iter().enumerate() {
        for (column, field) in [(subject, "`subject`"), (image, "`image`")] {
            if row[column].is_empty() {
                return Err(ReadError::malformed(path, table.place(Some(number)), field, "it is empty"));
            }
        }
        people.images.push(PersonImage {
            subject: row[subject].clone(),
            name: row[image].clone(),
            path: folder.join(&row[image]),
            labels: places.iter().map(|&at| row[at].clone()).collect(),
            circumstance: circumstance.map(|at| row[at].clone()),
        });
    }
    if people.images.is_empty() {
        return Err(ReadError::malformed(path, Place::Whole, "rows", "there are none below the header"));
    }
    Ok(people)
}
