//! Backups: a folder with everything of a data directory except the keys, that proves to be whole before anything is taken from it.
//!
//! A backup is made while the service works: of each pool the records as they are at one moment and then the files they name, of
//! the audit log last, so that whatever the records say is in the log. Everything in it is sealed under keys that are **not** in it: who is
//! erased after it was made is erased in it, too.
//!
//! `Copying` writes one, [`Backup`] reads one. What is done with it, and who may, is the service's (`service/backup.rs`,
//! `service/restore.rs`).

use std::{
    io,
    path::{Path, PathBuf},
};

use thiserror::Error;

use crate::{audit::AuditError, durable::FileError, pool::PoolError, sqlite::DatabaseError};

mod contents;
mod copying;
mod manifest;
mod opened;
mod place;

pub(crate) use contents::{copy_audit, copy_credentials, copy_keys, copy_settings};
pub(crate) use copying::Copying;
pub use manifest::{AuditHead, Manifest};
pub use opened::Backup;
pub(crate) use place::Destination;

/// Name of the file that describes a backup.
pub const MANIFEST: &str = "backup.json";
/// Name of the file that lists every other file with its SHA-256, as `sha256sum` reads it.
pub const SUMS: &str = "SHA256SUMS";

/// Why a backup was not made, or is not used.
#[derive(Debug, Error)]
pub enum BackupError {
    /// A folder that should be made cannot be used.
    #[error("`{}` cannot be used: {why}", path.display())]
    Destination {
        /// As named.
        path: PathBuf,
        /// What is wrong, and what to do.
        why: &'static str,
    },
    /// The folder to read from is no backup.
    #[error("`{}` is not a backup: {why}", path.display())]
    NotABackup {
        /// As named.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A newer program wrote it.
    #[error("`{}` has backup format {found}; this program reads format {known}", path.display())]
    Version {
        /// The manifest.
        path: PathBuf,
        /// The version in it.
        found: u32,
        /// The version this program reads.
        known: u32,
    },
    /// A file of it is missing, was changed, or does not belong.
    #[error("the backup is damaged: `{}` {what}; use another backup, nothing was taken from this one", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A file cannot be copied.
    #[error("cannot copy `{}`: {source}", path.display())]
    Copy {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A pool could not be copied.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// The audit log could not be copied.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A database could not be copied.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A file could not be made.
    #[error(transparent)]
    File(#[from] FileError),
}

fn copy_error(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_path_buf();
    move |source| BackupError::Copy { path, source }
}
