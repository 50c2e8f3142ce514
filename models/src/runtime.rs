//! The inference runtime: one pinned shared library per platform, checked each time it is handed out.

#[cfg(test)]
mod tests;
mod wheel;

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::digest::Digest;
use crate::home::Home;

pub use wheel::WheelError;
pub(crate) use wheel::unpack;

/// The version that everything is built and tested with.
pub(crate) const VERSION: &str = "1.31.1";
/// The library's file name, in the Python wheel and in the home.
pub(crate) const LIBRARY: &str = "libonnxruntime.so.1.31.1";

/// What pip is asked for, with the digests of the wheels.
pub(crate) const REQUIREMENTS: &str = include_str!("runtime/requirements.txt");

/// The library as it lies in the wheel of one platform. It is the same file in the wheels of every Python
/// version, so its digest is what counts, wherever the wheel came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pinned {
    pub(crate) size: u64,
    pub(crate) sha256: &'static str,
    /// The platform tag for `pip`.
    pub(crate) platform: &'static str,
}

const X86_64: Pinned = Pinned {
    size: 29_352_200,
    sha256: "fc44112fbe06d7d689c57e11d3862031f64711007e4ee020f8eed5185fd2c1d3",
    platform: "manylinux_2_28_x86_64",
};

const AARCH64: Pinned = Pinned {
    size: 25_265_040,
    sha256: "8aa3b76b28c778a2b1dd660d34161adb1d508c9ccd04ff9dc80e26eca5df8467",
    platform: "manylinux_2_28_aarch64",
};

/// There is no runtime to run a model with.
#[derive(Debug, Error)]
pub enum RuntimeError {
    /// Nothing was pulled yet.
    #[error("ONNX Runtime is not installed: run `make setup` or `likeness models pull`")]
    NotInstalled,
    /// The file is not the one that was pulled.
    #[error("ONNX Runtime in `{0}` was altered: run `likeness models pull` to install it again")]
    Altered(PathBuf),
    /// The variable names nothing that can be loaded.
    #[error("LIKENESS_ONNXRUNTIME is `{0}`, which is no file: give the path of a libonnxruntime.so")]
    Override(PathBuf),
    /// The system refused.
    #[error("ONNX Runtime in `{path}` cannot be read: {source}")]
    Read {
        /// The library.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No library is pinned for this kind of machine.
    #[error(
        "no ONNX Runtime is pinned for {os} on {architecture}: set LIKENESS_ONNXRUNTIME to a libonnxruntime {VERSION} of your own"
    )]
    Platform {
        /// The operating system of this build.
        os: &'static str,
        /// The processor of this build.
        architecture: &'static str,
    },
}

/// The library for the machine that this program was built for.
pub(crate) fn pinned() -> Result<Pinned, RuntimeError> {
    let (os, architecture) = (std::env::consts::OS, std::env::consts::ARCH);
    match (os, architecture) {
        ("linux", "x86_64") => Ok(X86_64),
        ("linux", "aarch64") => Ok(AARCH64),
        _ => Err(RuntimeError::Platform { os, architecture }),
    }
}

/// The site's own library when `LIKENESS_ONNXRUNTIME` names one.
pub(crate) fn overridden() -> Option<PathBuf> {
    std::env::var_os("LIKENESS_ONNXRUNTIME").filter(|path| !path.is_empty()).map(PathBuf::from)
}

pub(crate) fn locate(home: &Home) -> Result<PathBuf, RuntimeError> {
    if let Some(path) = overridden() {
        return if path.is_file() { Ok(path) } else { Err(RuntimeError::Override(path)) };
    }
    installed(home)
}

/// The pinned library in this home, checked.
pub(crate) fn installed(home: &Home) -> Result<PathBuf, RuntimeError> {
    let pinned = pinned()?;
    let path = home.runtime().join(LIBRARY);
    match intact(&path, pinned) {
        Ok(true) => Ok(path),
        Ok(false) => Err(RuntimeError::Altered(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(RuntimeError::NotInstalled),
        Err(source) => Err(RuntimeError::Read { path, source }),
    }
}

fn intact(path: &Path, pinned: Pinned) -> io::Result<bool> {
    let file = std::fs::File::open(path)?;
    // The size first: it is free, and it bounds what is hashed.
    if file.metadata()?.len() != pinned.size {
        return Ok(false);
    }
    let mut sha = Sha256::new();
    let mut reader = file.take(pinned.size);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = reader.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        sha.update(&buffer[..read]);
    }
    Ok(hex::encode(sha.finalize()) == pinned.sha256)
}

impl Pinned {
    /// Whether `bytes` are this library.
    pub(crate) fn is(self, bytes: &[u8]) -> bool {
        bytes.len() as u64 == self.size && Digest::of(bytes).to_string() == self.sha256
    }
}
