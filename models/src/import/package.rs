//! The npm package: checked as a whole, then read in memory. Nothing is ever unpacked to disk, and only
//! names asked for are looked at, so a hostile name in the archive reaches nothing.

use std::collections::BTreeMap;
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha512};

use super::ImportError;

/// What npm is asked for.
pub(crate) const PACKAGE: &str = "@vladmandic/face-api@1.7.15";
/// What npm calls the file.
pub(crate) const PACKAGE_FILE: &str = "vladmandic-face-api-1.7.15.tgz";
/// As npm's lock files write it.
pub(crate) const INTEGRITY: &str =
    "sha512-WDMmK3CfNLo8jylWqMoQgf4nIst3M0fzx1dnac96wv/dvMTN4DxC/Pq1DGtduDk1lktCamQ3MIDXFnvrdHTXDw==";

/// The largest file used is 6.4 MB.
const FILE_LIMIT_BYTES: u64 = 32 << 20;
/// The whole package is 40 MB unpacked: more is not this package, and not worth unpacking.
const UNPACKED_LIMIT_BYTES: u64 = 256 << 20;

/// The package's integrity string, if it is the pinned one.
pub(crate) fn verify(tgz: &[u8]) -> Result<(), ImportError> {
    let found = format!("sha512-{}", STANDARD.encode(Sha512::digest(tgz)));
    if found == INTEGRITY { Ok(()) } else { Err(ImportError::Integrity { expected: INTEGRITY, found }) }
}

/// The files named in `wanted`, all of them, from a gzipped tar archive.
pub(crate) fn files(tgz: &[u8], wanted: &[String]) -> Result<BTreeMap<String, Vec<u8>>, ImportError> {
    let unpacked = flate2::read::GzDecoder::new(tgz).take(UNPACKED_LIMIT_BYTES);
    let mut found = BTreeMap::new();
    for entry in tar::Archive::new(unpacked).entries()? {
        let mut entry = entry?;
        let path = entry.path_bytes();
        let Some(name) = wanted.iter().find(|name| name.as_bytes() == path.as_ref()).cloned() else {
            continue;
        };
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let mut bytes = Vec::new();
        entry.by_ref().take(FILE_LIMIT_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > FILE_LIMIT_BYTES {
            return Err(ImportError::TooLarge(name));
        }
        found.insert(name, bytes);
    }
    match wanted.iter().find(|name| !found.contains_key(*name)) {
        Some(missing) => Err(ImportError::FileMissing(missing.clone())),
        None => Ok(found),
    }
}
