//! Gets what a fresh machine lacks: ONNX Runtime, and the default model pack.

#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::fetch::{self, FetchError};
use crate::home::Home;
use crate::import::{self, ImportError, PACKAGE_FILE};
use crate::install::{self, Content, Existing, InstallError};
use crate::pack::{Pack, PackError, PackSummary, read_bounded};
use crate::runtime::{self, RuntimeError, WheelError};

/// The npm package is 12.7 MB, the wheels are 24 MB and less.
const DOWNLOAD_LIMIT_BYTES: u64 = 128 << 20;

/// What to pull from where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullOptions {
    /// Instead of asking the package clients: a folder that holds the npm package
    /// (`vladmandic-face-api-1.7.15.tgz`) and an `onnxruntime-1.31.1-*.whl` for this machine, or one of these
    /// files. Nothing is fetched then: what is lacking and not there is an error.
    pub from: Option<PathBuf>,
}

/// One of the two things that are pulled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullItem {
    /// The library that runs the models.
    Runtime,
    /// The default model pack.
    FaceApi,
}

impl PullItem {
    /// Why it is needed, for people.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Self::Runtime => "runs the models; 24 MB from the Python package index",
            Self::FaceApi => {
                "finds faces and turns them into numbers that compare; 13 MB from the npm registry"
            }
        }
    }
}

impl fmt::Display for PullItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Runtime => write!(f, "ONNX Runtime {}", runtime::VERSION),
            Self::FaceApi => f.write_str("model pack face-api 1.7.15"),
        }
    }
}

/// What [`pull`] is doing, for a progress display.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PullEvent {
    /// It is installed and intact: nothing to do.
    Present(PullItem),
    /// A site's own library is used instead (`LIKENESS_ONNXRUNTIME`), so none is pulled.
    Overridden(PathBuf),
    /// What is installed was altered, and is being replaced.
    Repairing(PullItem),
    /// A package client is fetching it.
    Fetching {
        /// What.
        item: PullItem,
        /// Through which command.
        client: &'static str,
    },
    /// The file is being checked and unpacked.
    Importing(PullItem),
    /// It is installed.
    Installed(PullItem),
}

/// What is there after a pull.
#[derive(Clone, Debug, PartialEq)]
pub struct Pulled {
    /// The runtime library.
    pub runtime: PathBuf,
    /// The default pack.
    pub pack: PackSummary,
}

/// Why something could not be pulled. What was there before is still there.
#[derive(Debug, Error)]
pub enum PullError {
    /// A package client did not deliver.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The wheel is not the pinned one.
    #[error(transparent)]
    Wheel(#[from] WheelError),
    /// The npm package is not the pinned one.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The home cannot be written to.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// The runtime is not usable on this machine.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The installed pack cannot be read, and it is not altered either.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The default pack was installed by another version of this software and has another embedding space.
    #[error(
        "the installed pack `face-api` is another version, and galleries may depend on it: \
         move `{folder}` away to install this version's"
    )]
    OtherSpace {
        /// The installed pack's folder.
        folder: PathBuf,
    },
    /// The folder or file given does not hold what is lacking.
    #[error("`{from}` holds no {what}")]
    NotThere {
        /// The folder or file given.
        from: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// The folder or file given cannot be read.
    #[error("`{from}` cannot be read: {source}")]
    Read {
        /// The folder or file given.
        from: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Makes sure that `home` holds ONNX Runtime and the default pack, both intact.
///
/// What is there and intact is left alone, so a second call needs no network. What is fetched is checked
/// against digests in this source before it is used, and appears whole or not at all.
///
/// # Errors
/// [`PullError`], which says what to install or do.
pub fn pull(home: &Home, options: &PullOptions, on: &mut dyn FnMut(PullEvent)) -> Result<Pulled, PullError> {
    Ok(Pulled { runtime: pull_runtime(home, options, on)?, pack: pull_pack(home, options, on)?.summary() })
}

fn pull_runtime(
    home: &Home,
    options: &PullOptions,
    on: &mut dyn FnMut(PullEvent),
) -> Result<PathBuf, PullError> {
    let item = PullItem::Runtime;
    if let Some(own) = runtime::overridden() {
        on(PullEvent::Overridden(own));
        return Ok(home.runtime_library()?);
    }
    match runtime::installed(home) {
        Ok(path) => {
            on(PullEvent::Present(item));
            return Ok(path);
        }
        Err(RuntimeError::NotInstalled) => {}
        Err(RuntimeError::Altered(_)) => on(PullEvent::Repairing(item)),
        Err(other) => return Err(other.into()),
    }
    let pinned = runtime::pinned()?;
    let wheel = match &options.from {
        Some(from) => {
            // A folder may hold the wheels of several machines.
            let ours = |name: &str| {
                name.starts_with(&format!("onnxruntime-{}-", runtime::VERSION))
                    && name.ends_with(&format!("{}.whl", std::env::consts::ARCH))
            };
            offline(from, ours, "onnxruntime-1.31.1 wheel (.whl) for this machine")?
        }
        None => {
            on(PullEvent::Fetching { item, client: "pip" });
            download(home, |folder| fetch::pip(folder, pinned))?
        }
    };
    on(PullEvent::Importing(item));
    let unpacked = runtime::unpack(&wheel, pinned)?;
    install::runtime(home, &unpacked.library, &unpacked.licence, pinned)?;
    on(PullEvent::Installed(item));
    Ok(runtime::installed(home)?)
}

fn pull_pack(home: &Home, options: &PullOptions, on: &mut dyn FnMut(PullEvent)) -> Result<Pack, PullError> {
    let item = PullItem::FaceApi;
    let current = import::current()?;
    match Pack::open(home, crate::DEFAULT_PACK) {
        Ok(pack) if *pack.manifest() == current => {
            on(PullEvent::Present(item));
            return Ok(pack);
        }
        // Intact, and not what this version makes. Galleries may have been made with it.
        Ok(pack) if pack.space_id() != current.space_id() => {
            return Err(PullError::OtherSpace { folder: home.pack(&current.name) });
        }
        Err(PackError::NotFound(_)) => {}
        // The disk, not the pack: replacing it would not help.
        Err(error @ PackError::Read { .. }) => return Err(error.into()),
        // Altered, or only worded differently by another version of this software.
        Ok(_) | Err(_) => on(PullEvent::Repairing(item)),
    }
    let package = match &options.from {
        Some(from) => offline(from, |name| name == PACKAGE_FILE, "vladmandic-face-api-1.7.15.tgz")?,
        None => {
            on(PullEvent::Fetching { item, client: "npm" });
            download(home, fetch::npm)?
        }
    };
    on(PullEvent::Importing(item));
    let imported = import::import(&package)?;
    let content =
        Content { manifest: &imported.manifest, files: &imported.files, licence: Some(&imported.licence) };
    let pack = install::pack(home, content, Existing::Replace)?;
    on(PullEvent::Installed(item));
    Ok(pack)
}

/// Runs a client in a folder that is gone afterwards, and returns what it fetched.
fn download(
    home: &Home,
    client: impl Fn(&Path) -> Result<PathBuf, FetchError>,
) -> Result<Vec<u8>, PullError> {
    let folder = install::unfinished(home.path())
        .map_err(|source| InstallError::Write { folder: home.path().display().to_string(), source })?;
    let file = client(folder.path())?;
    Ok(read_bounded(&file, "download", DOWNLOAD_LIMIT_BYTES)?)
}

fn offline(from: &Path, wanted: impl Fn(&str) -> bool, what: &'static str) -> Result<Vec<u8>, PullError> {
    let failed = |source| PullError::Read { from: from.to_owned(), source };
    let fits = |path: &Path| path.file_name().and_then(|name| name.to_str()).is_some_and(&wanted);
    let file = if from.is_dir() {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(from).map_err(failed)? {
            files.push(entry.map_err(failed)?.path());
        }
        files.sort();
        files.into_iter().find(|path| fits(path))
    } else {
        fits(from).then(|| from.to_owned())
    };
    let file = file.ok_or(PullError::NotThere { from: from.to_owned(), what })?;
    Ok(read_bounded(&file, &file.display().to_string(), DOWNLOAD_LIMIT_BYTES)?)
}
