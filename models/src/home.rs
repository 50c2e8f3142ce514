//! Where model packs and the inference runtime live on this machine.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use thiserror::Error;

use crate::manifest::PackName;
use crate::runtime::{self, RuntimeError};

/// The folder that holds `packs/<name>/` and `runtime/`.
///
/// It holds nothing personal: models only. Several data directories may share one home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home(PathBuf);

/// The home cannot be found.
#[derive(Debug, Error)]
pub enum HomeError {
    /// Neither `LIKENESS_HOME` nor a home directory of the user exists.
    #[error("no place for model packs: set LIKENESS_HOME to a folder (this user has no home directory)")]
    NoHomeDirectory,
    /// `LIKENESS_HOME` is set and relative, so it would mean another folder in each working directory.
    #[error("LIKENESS_HOME is `{0}`: give an absolute path")]
    Relative(PathBuf),
}

impl Home {
    /// `$LIKENESS_HOME`, else `likeness` in the user's XDG data folder.
    ///
    /// # Errors
    /// [`HomeError`] when there is no such place. The folder itself need not exist yet.
    pub fn locate() -> Result<Self, HomeError> {
        if let Some(path) = std::env::var_os("LIKENESS_HOME").filter(|path| !path.is_empty()) {
            let path = PathBuf::from(path);
            return if path.is_absolute() { Ok(Self(path)) } else { Err(HomeError::Relative(path)) };
        }
        let folders = etcetera::base_strategy::Xdg::new().map_err(|_| HomeError::NoHomeDirectory)?;
        Ok(Self(folders.data_dir().join("likeness")))
    }

    /// A home in a folder of the caller's choice, which need not exist yet.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The ONNX Runtime library to load, after checking its size and SHA-256.
    ///
    /// `LIKENESS_ONNXRUNTIME` names a site's own build instead; that file is the site's to vouch for and
    /// is not checked here beyond being a file.
    ///
    /// # Errors
    /// [`RuntimeError`] when the library is absent, altered, or this platform has no pinned one.
    pub fn runtime_library(&self) -> Result<PathBuf, RuntimeError> {
        runtime::locate(self)
    }

    pub(crate) fn packs(&self) -> PathBuf {
        self.0.join("packs")
    }

    pub(crate) fn pack(&self, name: &PackName) -> PathBuf {
        self.packs().join(name.as_str())
    }

    pub(crate) fn runtime(&self) -> PathBuf {
        self.0.join("runtime")
    }
}
