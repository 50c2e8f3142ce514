//! Where a backup may be written: a new folder outside the data directory.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{BackupError, copy_error};
use crate::{data::DataDir, durable};

/// A folder that is not there yet, and its name while it is being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    folder: PathBuf,
    staging: PathBuf,
}

impl Destination {
    /// Checks a path on the server's machine.
    ///
    /// # Errors
    /// [`BackupError::Destination`] when it is relative, exists, has no parent, or lies in the data directory.
    pub fn check(path: &Path, data: &DataDir) -> Result<Self, BackupError> {
        let refuse = |why| Err(BackupError::Destination { path: path.to_path_buf(), why });
        if !path.is_absolute() {
            return refuse("it is not an absolute path on the server's machine");
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return refuse("it names no new folder");
        };
        let Ok(parent) = fs::canonicalize(parent) else {
            return refuse("the folder that it should lie in is not there, or may not be read by the server");
        };
        let data = fs::canonicalize(data.path()).map_err(copy_error(data.path()))?;
        if parent.starts_with(&data) {
            return refuse(
                "it lies in the data directory, which may be lost with it; name a folder elsewhere",
            );
        }
        let destination = Self::beside(parent.join(name))?;
        if fs::symlink_metadata(&destination.folder).is_ok() {
            return refuse("it exists already and was left as it is; name a new folder");
        }
        if fs::symlink_metadata(&destination.staging).is_ok() {
            return refuse(
                "an earlier backup to this place was cut short; remove the folder of this name with `.partial` at its end",
            );
        }
        Ok(destination)
    }

    /// A folder of this path, written as `<path>.partial` first.
    pub fn beside(folder: PathBuf) -> Result<Self, BackupError> {
        let Some(name) = folder.file_name() else {
            return Err(BackupError::Destination { path: folder, why: "it names no new folder" });
        };
        let mut staged = name.to_os_string();
        staged.push(".partial");
        Ok(Self { staging: folder.with_file_name(staged), folder })
    }

    /// The folder when it is whole.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder until then.
    pub fn staging(&self) -> &Path {
        &self.staging
    }

    /// Gives it its name, durably.
    pub fn publish(&self) -> Result<(), BackupError> {
        Ok(durable::rename(&self.staging, &self.folder)?)
    }
}
