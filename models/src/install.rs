//! Puts files into the home so that each is there whole or not at all: written beside its place, flushed,
//! read back and checked, then renamed.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use tempfile::TempDir;
use thiserror::Error;

use crate::home::Home;
use crate::manifest::{FileName, Manifest, ManifestError, PackName};
use crate::pack::{MANIFEST, Pack, PackError};
use crate::runtime::{LIBRARY, Pinned};

/// Begins the names of unfinished work. No pack can be called so, and a crash leaves nothing that is used.
const UNFINISHED: &str = ".unfinished-";

/// A pack or the runtime cannot be put into the home.
#[derive(Debug, Error)]
pub enum InstallError {
    /// There is a pack of that name with other content, and galleries may depend on it.
    #[error("there is a pack `{0}` already: choose another name")]
    Exists(PackName),
    /// The files would not make a pack.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The manifest cannot be written.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The system refused.
    #[error("cannot write to the folder for model packs, `{folder}`: {source}")]
    Write {
        /// The home.
        folder: String,
        /// What the system said.
        source: io::Error,
    },
}

/// What to do when a pack of the name is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    /// Refuse.
    Keep,
    /// Put the new one in its place.
    Replace,
}

/// Everything that goes into a pack's folder.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Content<'a> {
    pub(crate) manifest: &'a Manifest,
    pub(crate) files: &'a [(FileName, Vec<u8>)],
    pub(crate) licence: Option<&'a [u8]>,
}

/// Installs a pack and opens it.
pub(crate) fn pack(home: &Home, content: Content<'_>, existing: Existing) -> Result<Pack, InstallError> {
    let failed = |source| InstallError::Write { folder: home.path().display().to_string(), source };
    let name = &content.manifest.name;
    let place = home.pack(name);
    if existing == Existing::Keep && place.exists() {
        return Err(InstallError::Exists(name.clone()));
    }
    let folder = unfinished(&home.packs()).map_err(failed)?;
    for (file, bytes) in content.files {
        write(&folder.path().join(file.as_str()), bytes).map_err(failed)?;
    }
    if let Some(licence) = content.licence {
        write(&folder.path().join("LICENCE.txt"), licence).map_err(failed)?;
    }
    write(&folder.path().join(MANIFEST), content.manifest.to_toml()?.as_bytes()).map_err(failed)?;
    // From the disk, not from memory: what was written is what has to be right.
    let pack = Pack::read(folder.path(), &folder.path().join(MANIFEST))?;
    settle(folder, &place, existing).map_err(|error| match error.kind() {
        // Another process was faster.
        io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists => InstallError::Exists(name.clone()),
        _ => failed(error),
    })?;
    Ok(pack)
}

/// Installs the runtime library, whose bytes were checked against `pinned`.
pub(crate) fn runtime(
    home: &Home,
    library: &[u8],
    licence: &[u8],
    pinned: Pinned,
) -> Result<(), InstallError> {
    debug_assert!(pinned.is(library), "the caller checks");
    let failed = |source| InstallError::Write { folder: home.path().display().to_string(), source };
    let install = || {
        let folder = unfinished(home.path())?;
        write(&folder.path().join(LIBRARY), library)?;
        write(&folder.path().join("LICENCE.txt"), licence)?;
        settle(folder, &home.runtime(), Existing::Replace)
    };
    install().map_err(failed)
}

/// A folder for work in progress beside the place it will go to, so that a rename suffices.
pub(crate) fn unfinished(parent: &Path) -> io::Result<TempDir> {
    fs::create_dir_all(parent)?;
    tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(parent)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Moves a finished folder to its place. Models are public: every user of the machine may read them.
fn settle(folder: TempDir, place: &Path, existing: Existing) -> io::Result<()> {
    #[cfg(unix)]
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    File::open(folder.path())?.sync_all()?;
    let parent = place.parent().unwrap_or(place);
    let old = if existing == Existing::Replace && place.exists() {
        let old = unfinished(parent)?;
        fs::rename(place, old.path().join("old"))?;
        Some(old)
    } else {
        None
    };
    fs::rename(folder.path(), place)?;
    // Its name is gone with the rename: nothing is left to clean up.
    let _moved = folder.keep();
    File::open(parent)?.sync_all()?;
    drop(old);
    Ok(())
}
