//! A folder per person: `FOLDER/<subject>/<image>`.
use std::{
    io,
    path::{Path, PathBuf},
};

use thiserror::Error;
use walkdir::WalkDir;

use crate::type10::TYPE10_ENDINGS;

/// File name endings that are taken for images, in lower case.
pub const IMAGE_ENDINGS: [&str; 7] = ["jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff"];

/// An image and whom it shows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Labelled {
    /// Name of the person's folder.
    pub subject: String,
    /// Path of the image.
    pub image: PathBuf,
}

/// Why a folder cannot be read as a data set.
#[derive(Debug, Error)]
pub enum FolderError {
    /// A folder or file could not be listed.
    #[error("cannot read `{path}`: {source}")]
    Unreadable {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No image lies one level below a person's folder.
    #[error("`{0}` holds no images; expected `{0}/<subject>/<image>` with endings such as .jpg or .png")]
    Empty(PathBuf),
    /// A name that is not text.
    #[error("the name of `{0}` is not valid UTF-8; rename it")]
    Name(PathBuf),
}

/// Lists the images of a folder per person, by subject and then name. Hidden files and other endings are passed over; images deeper or
/// shallower than one folder per person are not part of the layout and are passed over as well.
///
/// # Errors
/// [`FolderError`] when something cannot be read, or there is nothing to read.
pub fn folder_per_person(root: &Path) -> Result<Vec<Labelled>, FolderError> {
    let mut found = Vec::new();
    for entry in WalkDir::new(root).min_depth(2).max_depth(2).follow_links(true).sort_by_file_name() {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(root).to_path_buf();
            FolderError::Unreadable { path, source: error.into() }
        })?;
        let path = entry.path();
        let image = path.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase).is_some_and(
            |ending| IMAGE_ENDINGS.contains(&ending.as_str()) || TYPE10_ENDINGS.contains(&ending.as_str()),
        );
        if !entry.file_type().is_file() || !image || entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let subject = path
            .parent()
            .and_then(Path::file_name)
            .and_then(|name| name.to_str())
            .ok_or_else(|| FolderError::Name(path.to_path_buf()))?;
        found.push(Labelled { subject: subject.to_owned(), image: path.to_path_buf() });
    }
    if found.is_empty() {
        return Err(FolderError::Empty(root.to_path_buf()));
    }
    found.sort();
    Ok(found)
}
