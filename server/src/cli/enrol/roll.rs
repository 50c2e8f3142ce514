//! The list of what is to be enrolled, read twice: once to check and count it, once to send it. Never held in memory.

use std::path::{Path, PathBuf};

use super::{folder, item::Entry, manifest};
use crate::cli::failure::Failure;

/// Where the list comes from.
#[derive(Debug)]
pub enum Roll {
    /// `FOLDER/<subject>/<image>`.
    Folder(PathBuf),
    /// A table with a header.
    Csv(PathBuf),
    /// One JSON object per line.
    JsonLines(PathBuf),
}

/// A walk over the list.
pub type Entries = Box<dyn Iterator<Item = Result<Entry, Failure>> + Send>;

impl Roll {
    /// Decides by what `path` is.
    ///
    /// # Errors
    /// There is nothing, or it is neither a folder nor a manifest.
    pub fn of(path: &Path) -> Result<Self, Failure> {
        let meta = std::fs::metadata(path)
            .map_err(|error| Failure::usage(format!("cannot open `{}`: {error}", path.display())))?;
        if meta.is_dir() {
            return Ok(Self::Folder(path.to_owned()));
        }
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
        match extension.as_str() {
            "csv" => Ok(Self::Csv(path.to_owned())),
            "jsonl" | "ndjson" => Ok(Self::JsonLines(path.to_owned())),
            _ => Err(Failure::usage(format!("`{}` is neither a folder nor a manifest", path.display()))
                .advise("give a folder with one folder per subject, or a manifest whose name ends in .csv or .jsonl")),
        }
    }

    /// How many images it names.
    ///
    /// # Errors
    /// Any row of a manifest is wrong, or a folder cannot be read.
    pub fn count(&self) -> Result<u64, Failure> {
        let mut images = 0;
        for entry in self.entries()? {
            if matches!(entry?, Entry::Image(_)) {
                images += 1;
            }
        }
        Ok(images)
    }

    /// The entries, in a stable order.
    ///
    /// # Errors
    /// The manifest cannot be opened or its header is wrong.
    pub fn entries(&self) -> Result<Entries, Failure> {
        match self {
            Self::Folder(path) => Ok(Box::new(folder::entries(path))),
            Self::Csv(path) => Ok(Box::new(manifest::csv(path)?)),
            Self::JsonLines(path) => Ok(Box::new(manifest::json_lines(path)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_kind_is_decided_by_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Roll::of(folder.path()), Ok(Roll::Folder(_))));
        let file = |name: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, "").unwrap();
            path
        };
        assert!(matches!(Roll::of(&file("a.CSV")), Ok(Roll::Csv(_))));
        assert!(matches!(Roll::of(&file("a.jsonl")), Ok(Roll::JsonLines(_))));
        assert!(Roll::of(&file("a.jpg")).is_err());
        assert!(Roll::of(&folder.path().join("none")).is_err());
    }
}
