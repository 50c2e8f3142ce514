//! Writing a backup: under another name until it is whole and on stable storage.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use super::{BackupError, Destination, MANIFEST, Manifest, SUMS, copy_error, manifest::digest};
use crate::{durable, sqlite::Snapshot};

/// Bytes read at a time.
const BUFFER: usize = 256 * 1024;

/// A backup that is being written.
#[derive(Debug)]
pub(crate) struct Copying {
    to: Destination,
    sums: BufWriter<File>,
    sums_digest: Sha256,
    folders: HashSet<PathBuf>,
    files: u64,
    bytes: u64,
}

impl Copying {
    /// Makes the folder under its temporary name.
    pub fn begin(to: Destination) -> Result<Self, BackupError> {
        durable::create_dir(to.staging())?;
        let path = to.staging().join(SUMS);
        let sums = BufWriter::new(new_file(&path)?);
        Ok(Self { to, sums, sums_digest: Sha256::new(), folders: HashSet::new(), files: 0, bytes: 0 })
    }

    /// The place of a file in the backup; its folders are made.
    pub fn place(&mut self, path: &str) -> Result<PathBuf, BackupError> {
        let place = self.to.staging().join(path);
        if let Some(folder) = place.parent().filter(|folder| !self.folders.contains(*folder)) {
            durable::create_dir(folder)?;
            self.folders.insert(folder.to_path_buf());
        }
        Ok(place)
    }

    /// Copies a file.
    pub fn file(&mut self, path: &str, from: &Path) -> Result<(), BackupError> {
        if self.file_if_there(path, from)? {
            return Ok(());
        }
        Err(copy_error(from)(io::ErrorKind::NotFound.into()))
    }

    /// Copies a file; `false` when there is none.
    pub fn file_if_there(&mut self, path: &str, from: &Path) -> Result<bool, BackupError> {
        let mut source = match File::open(from) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            opened => opened.map_err(copy_error(from))?,
        };
        let place = self.place(path)?;
        let mut copy = new_file(&place)?;
        let (sum, length) = through(&mut source, &mut copy).map_err(copy_error(from))?;
        self.list(path, &sum, length)?;
        Ok(true)
    }

    /// Copies a database that may be in use, as it is at one moment. Listed by [`Copying::seal`] when nothing changes it any more.
    pub fn database(&mut self, path: &str, from: &Path) -> Result<PathBuf, BackupError> {
        let place = self.place(path)?;
        Snapshot::take(from)?.write_to(&place)?;
        Ok(place)
    }

    /// Lists a file that was written to its place.
    pub fn seal(&mut self, path: &str) -> Result<(), BackupError> {
        let place = self.to.staging().join(path);
        let mut file = File::open(&place).map_err(copy_error(&place))?;
        let (sum, length) = through(&mut file, &mut io::sink()).map_err(copy_error(&place))?;
        self.list(path, &sum, length)
    }

    fn list(&mut self, path: &str, sum: &[u8; 32], length: u64) -> Result<(), BackupError> {
        let line = format!("{}  {path}\n", hex::encode(sum));
        self.sums_digest.update(line.as_bytes());
        self.sums.write_all(line.as_bytes()).map_err(copy_error(Path::new(SUMS)))?;
        self.files += 1;
        self.bytes += length;
        Ok(())
    }

    /// Describes what was copied, brings it to stable storage, and gives the folder its name. Also the digest of the manifest, hex.
    pub fn finish(mut self, mut manifest: Manifest) -> Result<(Manifest, String), BackupError> {
        self.sums.flush().map_err(copy_error(Path::new(SUMS)))?;
        manifest.files = self.files;
        manifest.bytes = self.bytes;
        manifest.sums = hex::encode(self.sums_digest.finalize());
        let bytes = manifest.to_bytes()?;
        durable::create_file(&self.to.staging().join(MANIFEST), &bytes)?;
        durable::sync_everything(self.to.staging())?;
        self.to.publish()?;
        Ok((manifest, digest(&bytes)))
    }

    /// Removes what was written.
    pub fn give_up(to: &Destination) {
        if let Err(error) = durable::remove_folder(to.staging()) {
            tracing::warn!(%error, "an unfinished backup could not be removed");
        }
    }
}

/// Makes a private file that is written to and not synced: [`durable::sync_everything`] does that once for all.
pub(super) fn new_file(path: &Path) -> Result<File, BackupError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(copy_error(path))
}

/// Copies everything, in pieces; says the SHA-256 and the length.
pub(super) fn through(from: &mut impl Read, to: &mut impl Write) -> io::Result<([u8; 32], u64)> {
    let (mut digest, mut length) = (Sha256::new(), 0);
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = match from.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        let Some(piece) = buffer.get(..read).filter(|piece| !piece.is_empty()) else {
            return Ok((digest.finalize().into(), length));
        };
        digest.update(piece);
        to.write_all(piece)?;
        length += read as u64;
    }
}
