//! What a pack says about itself: parsed once, valid by construction.

mod names;
mod parts;
#[cfg(test)]
mod tests;
mod validate;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use names::{FileName, PackName};
pub use parts::{Colour, Detector, DetectorKind, Embedder, LANDMARK_VALUES, Landmarks, Metric, Threshold};

use crate::space::SpaceId;

/// The only manifest format there is. It is read first, so that a newer file says so instead of failing oddly.
const FORMAT: u32 = 1;

/// A valid manifest: made only by [`Manifest::parse`] and by [`crate::add()`].
///
/// ```toml
#[doc = include_str!("manifest/example.toml")]
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Manifest {
    /// Format of the manifest file: always 1.
    pub format: u32,
    /// Name of the pack, and of its folder.
    pub name: PackName,
    /// Version of the models, as their maker gives it. 1 to 64 characters.
    pub version: String,
    /// Under which licence the models may be used. 1 to 4,000 characters.
    pub licence: String,
    /// Where the files come from and what was done to them. 1 to 4,000 characters.
    pub provenance: String,
    /// Finds faces in an image.
    pub detector: Detector,
    /// Finds 68 points in a face crop. When present, its points are the ones to align by; when absent, the
    /// detector's own five points are (not every kind has them, which is checked).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub landmarks: Option<Landmarks>,
    /// Turns an aligned face chip into numbers.
    pub embedder: Embedder,
    /// The operating point that comes with the pack.
    pub threshold: Threshold,
}

/// The manifest as written. Only [`Manifest::parse`] sees it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawManifest {
    pub(crate) format: u32,
    pub(crate) name: PackName,
    pub(crate) version: String,
    pub(crate) licence: String,
    pub(crate) provenance: String,
    pub(crate) detector: Detector,
    pub(crate) landmarks: Option<Landmarks>,
    pub(crate) embedder: Embedder,
    pub(crate) threshold: Threshold,
}

/// Why a manifest is refused.
#[derive(Debug, Error)]
pub enum ManifestError {
    /// Not TOML, an unknown or missing key, or a value of the wrong type.
    #[error("the manifest cannot be read: {0}")]
    Syntax(Box<toml::de::Error>),
    /// Written for a later version of this software.
    #[error("the manifest has format {0}; this version reads format 1")]
    Format(u32),
    /// A value that no pack can have.
    #[error("`{field}` in the manifest {problem}")]
    Invalid {
        /// Which key, with its table: `detector.scales`.
        field: &'static str,
        /// What is wrong with it and what is allowed.
        problem: String,
    },
    /// The manifest cannot be written as TOML.
    #[error("the manifest cannot be written: {0}")]
    Write(Box<toml::ser::Error>),
}

impl Manifest {
    /// Parses and checks a manifest.
    ///
    /// # Errors
    /// [`ManifestError`] on anything unknown, missing, out of range or inconsistent.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        /// Reads the format alone; every other key is for that format to define.
        #[derive(Deserialize)]
        struct Header {
            format: u32,
        }
        let syntax = |error| ManifestError::Syntax(Box::new(error));
        let header: Header = toml::from_str(text).map_err(syntax)?;
        if header.format != FORMAT {
            return Err(ManifestError::Format(header.format));
        }
        let raw: RawManifest = toml::from_str(text).map_err(syntax)?;
        Self::try_from(raw)
    }

    /// The manifest as TOML; parsing the text gives an equal manifest.
    ///
    /// # Errors
    /// [`ManifestError::Write`], which no valid manifest causes.
    pub fn to_toml(&self) -> Result<String, ManifestError> {
        toml::to_string_pretty(self).map_err(|error| ManifestError::Write(Box::new(error)))
    }

    /// The identity of the embedding space that this manifest defines.
    #[must_use]
    pub fn space_id(&self) -> SpaceId {
        SpaceId::of(self)
    }
}
