//! Looking for bytes in every file of a folder.
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Something that must not be found, and what it is.
pub struct Needle {
    /// What it is, for the message.
    pub what: &'static str,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Copies a folder with its permissions, in the place of what is there; without `keys/` when they are not wanted.
///
/// # Panics
/// When a file cannot be copied.
pub fn copy(from: &Path, to: &Path, keys: bool) {
    if to.exists() {
        fs::remove_dir_all(to).unwrap();
    }
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.unwrap();
        let relative = entry.path().strip_prefix(from).unwrap();
        if !keys && relative.starts_with("keys") {
            continue;
        }
        let target = to.join(relative);
        if entry.file_type().is_dir() {
            fs::create_dir(&target).unwrap();
            fs::set_permissions(&target, entry.metadata().unwrap().permissions()).unwrap();
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// Every file below a folder.
///
/// # Panics
/// When the folder cannot be read.
#[must_use]
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let found = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap);
    found.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
}

/// Every file in which a needle is found.
///
/// # Panics
/// When a file cannot be read.
#[must_use]
pub fn found(folder: &Path, needles: &[Needle]) -> Vec<String> {
    let mut found = Vec::new();
    for path in files(folder) {
        let bytes = fs::read(&path).unwrap();
        for needle in needles {
            if bytes.windows(needle.bytes.len()).any(|window| window == needle.bytes) {
                found.push(format!("{} in {}", needle.what, path.display()));
            }
        }
    }
    found
}
