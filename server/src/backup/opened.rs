//! Reading a backup: nothing is taken from it before its digest was compared.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    path::{Component, Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use super::{
    BackupError, MANIFEST, Manifest, SUMS, copy_error,
    copying::{new_file, through},
};
use crate::durable;

/// Longest line of the list, in bytes.
const LONGEST_LINE: u64 = 4096;

/// A backup whose description is whole. Its files are checked as they are read.
#[derive(Debug, Clone)]
pub struct Backup {
    folder: PathBuf,
    manifest: Manifest,
    digest: String,
}

/// One file as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Path in the backup, with `/` between its parts.
    pub path: String,
    sum: [u8; 32],
}

impl Backup {
    /// Reads the description of the backup in `folder` and compares it with the list of files, and the list with the folder.
    ///
    /// # Errors
    /// [`BackupError`] when it is none, or description, list and folder do not fit together.
    pub fn open(folder: &Path) -> Result<Self, BackupError> {
        let (manifest, digest) = Manifest::read(folder)?;
        let backup = Self { folder: folder.to_path_buf(), manifest, digest };
        let damaged = |what| BackupError::Damaged { path: folder.join(SUMS), what };
        let mut sums = Sha256::new();
        let path = folder.join(SUMS);
        let mut list = BufReader::new(File::open(&path).map_err(|_| damaged("is missing"))?);
        let mut piece = vec![0; 64 * 1024];
        loop {
            let read = list.read(&mut piece).map_err(copy_error(&path))?;
            let Some(piece) = piece.get(..read).filter(|piece| !piece.is_empty()) else { break };
            sums.update(piece);
        }
        if hex::encode(sums.finalize()) != backup.manifest.sums {
            return Err(damaged("is not the list that the description was made for"));
        }
        let mut listed = 0;
        for file in backup.files()? {
            let path = backup.path(&file?);
            if !path.is_file() {
                return Err(BackupError::Damaged { path, what: "is missing" });
            }
            listed += 1;
        }
        if listed != backup.manifest.files {
            return Err(damaged("lists another number of files than the description says"));
        }
        backup.nothing_else(listed)?;
        Ok(backup)
    }

    /// A file that nobody listed was put there by somebody else.
    fn nothing_else(&self, listed: u64) -> Result<(), BackupError> {
        let mut there = 0;
        for entry in walkdir::WalkDir::new(&self.folder) {
            let entry = entry.map_err(|error| copy_error(&self.folder)(error.into()))?;
            there += u64::from(!entry.file_type().is_dir());
        }
        // The description and the list itself are not listed.
        if there == listed + 2 {
            return Ok(());
        }
        Err(BackupError::Damaged {
            path: self.folder.clone(),
            what: "holds files that its list does not name",
        })
    }

    /// What it says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// SHA-256 of its `backup.json`, hex: the log of the service that made it has the same.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of a listed file.
    pub(crate) fn path(&self, file: &Listed) -> PathBuf {
        self.folder.join(&file.path)
    }

    /// Every file, as listed.
    pub(crate) fn files(
        &self,
    ) -> Result<impl Iterator<Item = Result<Listed, BackupError>> + use<>, BackupError> {
        let path = self.folder.join(SUMS);
        let mut list = BufReader::new(File::open(&path).map_err(copy_error(&path))?);
        Ok(std::iter::from_fn(move || {
            let mut line = Vec::new();
            match (&mut list).take(LONGEST_LINE).read_until(b'\n', &mut line) {
                Err(error) => Some(Err(copy_error(&path)(error))),
                Ok(0) => None,
                Ok(_) => Some(
                    listed(&line)
                        .ok_or(BackupError::Damaged { path: path.clone(), what: "has a malformed line" }),
                ),
            }
        }))
    }

    /// Reads a file and compares its digest.
    ///
    /// # Errors
    /// [`BackupError::Damaged`] with its name.
    pub(crate) fn verify(&self, file: &Listed) -> Result<(), BackupError> {
        self.read(file, &mut io::sink())
    }

    /// Copies a file to a new place, whose folders are made, and compares its digest. Not synced.
    ///
    /// # Errors
    /// As [`Backup::verify`]; the copy must not be used then.
    pub(crate) fn take(&self, file: &Listed, to: &Path) -> Result<(), BackupError> {
        if let Some(folder) = to.parent() {
            durable::create_dir(folder)?;
        }
        self.read(file, &mut new_file(to)?)
    }

    fn read(&self, file: &Listed, to: &mut impl io::Write) -> Result<(), BackupError> {
        let path = self.path(file);
        let link = fs::symlink_metadata(&path).is_ok_and(|found| !found.is_file());
        let mut source = match File::open(&path) {
            Ok(source) if !link => source,
            _ => return Err(BackupError::Damaged { path, what: "is missing" }),
        };
        let (sum, _) = through(&mut source, to).map_err(copy_error(&path))?;
        if sum == file.sum {
            return Ok(());
        }
        Err(BackupError::Damaged { path, what: "is not what was written (its digest differs)" })
    }

    /// Compares the digest of every file.
    ///
    /// # Errors
    /// [`BackupError::Damaged`] with the first that differs.
    pub fn verify_all(&self) -> Result<(), BackupError> {
        self.files()?.try_for_each(|file| self.verify(&file?))
    }
}

/// `<64 hexadecimal digits>  <path>`; no path that could lead out of a folder.
fn listed(line: &[u8]) -> Option<Listed> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (digits, path) = line.split_once("  ")?;
    let mut sum = [0; 32];
    hex::decode_to_slice(digits, &mut sum).ok()?;
    let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    let plain = !path.is_empty() && path != MANIFEST && path != SUMS && !path.contains(char::is_control);
    (inside && plain).then(|| Listed { path: path.to_owned(), sum })
}
