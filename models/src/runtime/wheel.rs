//! The Python wheel that carries the library: a zip archive, of which two files are read, in memory.

use std::io::{Cursor, Read as _};

use thiserror::Error;
use zip::ZipArchive;
use zip::result::ZipError;

use super::{LIBRARY, Pinned};

/// A licence is a page.
const LICENCE_LIMIT_BYTES: u64 = 1 << 20;

/// The wheel does not hold the pinned library.
#[derive(Debug, Error)]
pub enum WheelError {
    /// Not a zip archive, or damaged.
    #[error("the onnxruntime wheel cannot be unpacked: {0}")]
    Archive(#[from] ZipError),
    /// The archive's content cannot be read.
    #[error("the onnxruntime wheel cannot be unpacked: {0}")]
    Read(#[from] std::io::Error),
    /// Another version, or for another machine.
    #[error(
        "the library in the onnxruntime wheel is not the pinned {LIBRARY} for {}",
        std::env::consts::ARCH
    )]
    NotPinned,
}

/// What is kept of a wheel.
#[derive(Debug)]
pub(crate) struct Unpacked {
    pub(crate) library: Vec<u8>,
    pub(crate) licence: Vec<u8>,
}

/// Reads the library and its licence. Only these two names are looked at.
pub(crate) fn unpack(wheel: &[u8], pinned: Pinned) -> Result<Unpacked, WheelError> {
    let mut archive = ZipArchive::new(Cursor::new(wheel))?;
    let mut read = |name: &str, limit: u64| -> Result<Vec<u8>, WheelError> {
        let mut bytes = Vec::new();
        archive.by_name(name)?.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let library = match read(&format!("onnxruntime/capi/{LIBRARY}"), pinned.size + 1) {
        Err(WheelError::Archive(ZipError::FileNotFound)) => return Err(WheelError::NotPinned),
        other => other?,
    };
    if !pinned.is(&library) {
        return Err(WheelError::NotPinned);
    }
    let licence = read("onnxruntime/LICENSE", LICENCE_LIMIT_BYTES)?;
    Ok(Unpacked { library, licence })
}
