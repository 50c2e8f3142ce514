//! What of a data directory goes into a backup. What is not named here does not: above all `keys/`.

use std::path::Path;

use super::{BackupError, Copying, copy_error};
use crate::{
    audit::{self, Head},
    data::DataDir,
    durable,
    keys::VerifierKey,
    sqlite::Snapshot,
};

/// Settings that a site may have beside its pools and its log: files and folders, by name. `siem-position` is left out: without it
/// the feed of security events begins again, which it may.
const SETTINGS: [&str; 10] = [
    "config.toml",
    "systems.toml",
    "revocations.toml",
    "issuers.toml",
    "anomalies.toml",
    "policies",
    "points",
    "retention",
    "erasure",
    "lists",
];

/// What lets a server and a first client prove who they are. Private keys are among them.
const CREDENTIALS: [&str; 3] = ["profile.toml", "tls", "issuer"];

/// Copies the settings, and the credentials when asked for.
pub(crate) fn copy_settings(data: &DataDir, credentials: bool, to: &mut Copying) -> Result<(), BackupError> {
    let wanted = SETTINGS.iter().chain(CREDENTIALS.iter().filter(|_| credentials));
    for name in wanted {
        copy(data.path(), name, to)?;
    }
    Ok(())
}

/// Copies a file or folder, when it is there.
fn copy(root: &Path, name: &str, to: &mut Copying) -> Result<(), BackupError> {
    for entry in files(&root.join(name))? {
        let path = relative(root, &entry)?;
        if is_beside_a_database(&path) {
            continue;
        }
        if path.ends_with(".sqlite") {
            to.database(&path, &entry)?;
            to.seal(&path)?;
        } else {
            // Files are replaced under their names and never written in place; one that has just been removed is not missed.
            to.file_if_there(&path, &entry)?;
        }
    }
    Ok(())
}

/// The audit log as it is at one moment, with its sealed content, and its newest checkpoint.
pub(crate) fn copy_audit(data: &DataDir, key: &VerifierKey, to: &mut Copying) -> Result<Head, BackupError> {
    let checkpoint = to.place(&format!("audit/{}", audit::FILES[2]))?;
    let folder = checkpoint.parent().unwrap_or(&checkpoint);
    let head = audit::copy(&data.audit(), folder, key)?;
    for name in audit::FILES {
        to.seal(&format!("audit/{name}"))?;
    }
    Ok(head)
}

/// Copies a key store that no process uses into a data directory that is being made.
pub(crate) fn copy_keys(from: &Path, to: &Path) -> Result<(), BackupError> {
    copy_folder(from, to)
}

/// Copies credentials that were kept apart into a data directory that is being made.
pub(crate) fn copy_credentials(from: &Path, to: &Path) -> Result<(), BackupError> {
    for name in CREDENTIALS {
        if from.join(name).is_dir() {
            copy_folder(&from.join(name), &to.join(name))?;
        } else {
            durable::create_file(&to.join(name), &durable::read_private(&from.join(name))?)?;
        }
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), BackupError> {
    durable::check_private(from, 0o700)?;
    durable::create_dir(to)?;
    for entry in files(from)? {
        let path = relative(from, &entry)?;
        if is_beside_a_database(&path) {
            continue;
        }
        let place = to.join(&path);
        if let Some(folder) = place.parent() {
            durable::create_dir(folder)?;
        }
        if path.ends_with(".sqlite") {
            Snapshot::take(&entry)?.write_to(&place)?;
        } else {
            durable::create_file(&place, &zeroize::Zeroizing::new(durable::read_private(&entry)?))?;
        }
    }
    Ok(())
}

/// Write-ahead logs are part of the database that is copied; `.new` is what a replacement that was cut short left.
fn is_beside_a_database(path: &str) -> bool {
    [".sqlite-wal", ".sqlite-shm", ".sqlite-journal", ".new"].iter().any(|end| path.ends_with(end))
}

/// Files in a folder, or the file itself, in order; nothing when there is neither. Links are refused: they may lead anywhere.
fn files(path: &Path) -> Result<Vec<std::path::PathBuf>, BackupError> {
    if std::fs::symlink_metadata(path).is_err() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(path).sort_by_file_name() {
        let entry = match entry {
            Err(error) if error.io_error().is_some_and(|io| io.kind() == std::io::ErrorKind::NotFound) => {
                continue;
            }
            entry => entry.map_err(|error| copy_error(path)(error.into()))?,
        };
        if entry.path_is_symlink() {
            return Err(copy_error(entry.path())(std::io::Error::other("it is a link")));
        }
        if entry.file_type().is_file() {
            found.push(entry.into_path());
        }
    }
    Ok(found)
}

fn relative(root: &Path, path: &Path) -> Result<String, BackupError> {
    let inside = path.strip_prefix(root).ok().and_then(Path::to_str);
    let plain = inside.filter(|inside| !inside.contains(char::is_control));
    plain
        .map(str::to_owned)
        .ok_or_else(|| copy_error(path)(std::io::Error::other("its name cannot be written into the list")))
}
