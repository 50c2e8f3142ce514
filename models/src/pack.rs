//! An opened pack: a valid manifest, and the very bytes that its digests were checked on.

mod listing;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use thiserror::Error;

pub use listing::{Listed, PackSummary, list};

use crate::digest::Digest;
use crate::home::Home;
use crate::manifest::{FileName, Manifest, ManifestError, PackName};
use crate::onnx::{FirstLayers, InterfaceError, check, split};
use crate::space::SpaceId;

/// Name of the manifest in a pack's folder.
pub(crate) const MANIFEST: &str = "pack.toml";

/// A manifest is a page of text; more is not a manifest.
const MANIFEST_LIMIT_BYTES: u64 = 64 * 1024;

/// The largest face embedders in use are about 250 MB.
const MODEL_LIMIT_BYTES: u64 = 1 << 30;

/// A model pack whose every file has the digest and the interface that its manifest states.
///
/// The models are held in memory from the check on: what is run is what was checked, whatever happens to
/// the files meanwhile.
#[derive(Clone, Debug)]
pub struct Pack {
    manifest: Manifest,
    space: SpaceId,
    detector: Vec<u8>,
    landmarks: Option<Vec<u8>>,
    embedder: Vec<u8>,
}

/// Why a pack is refused. There is no way to use a pack that is.
#[derive(Debug, Error)]
pub enum PackError {
    /// The name is none that a pack can have.
    #[error(transparent)]
    Name(ManifestError),
    /// There is no such pack in this home.
    #[error(
        "there is no model pack `{0}`: `likeness models list` shows what there is, `likeness models pull` gets the default one"
    )]
    NotFound(PackName),
    /// A file could not be read.
    #[error("`{file}` of the pack cannot be read: {source}")]
    Read {
        /// The file's name within the pack.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// The manifest names a file that is not there.
    #[error("`{0}` is missing from the pack: install the pack again")]
    FileMissing(FileName),
    /// Larger than anything that belongs in a pack.
    #[error("`{file}` of the pack is larger than {limit} bytes")]
    TooLarge {
        /// The file's name within the pack.
        file: String,
        /// The most that is read.
        limit: u64,
    },
    /// The manifest is not valid.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A pack was renamed by moving its folder; records name packs, so that is refused.
    #[error(
        "the pack in folder `{folder}` calls itself `{name}`: rename the folder back, or add the pack anew"
    )]
    Misnamed {
        /// The folder.
        folder: PackName,
        /// The name in its manifest.
        name: PackName,
    },
    /// The file is not the one that the manifest was written for.
    #[error(
        "`{file}` was altered: its SHA-256 is {found}, the manifest states {expected}; install the pack again"
    )]
    Digest {
        /// The file.
        file: FileName,
        /// What the manifest states.
        expected: Digest,
        /// What the bytes have.
        found: Digest,
    },
    /// The model takes or gives something else than the manifest says.
    #[error("`{file}` does not fit the manifest: {source}")]
    Interface {
        /// The file.
        file: FileName,
        /// What does not fit.
        source: InterfaceError,
    },
}

impl Pack {
    /// Opens the pack `name` of `home`, checking every file's digest and interface.
    ///
    /// # Errors
    /// [`PackError`] on an unknown name, a manifest that is not valid, a missing or altered file, or a model
    /// with other inputs or outputs than its kind has.
    pub fn open(home: &Home, name: &str) -> Result<Self, PackError> {
        let name: PackName = name.parse().map_err(PackError::Name)?;
        let folder = home.pack(&name);
        let pack = Self::read(&folder, &folder.join(MANIFEST)).map_err(|error| match error {
            PackError::Read { ref file, ref source }
                if file == MANIFEST && source.kind() == io::ErrorKind::NotFound =>
            {
                PackError::NotFound(name.clone())
            }
            other => other,
        })?;
        if pack.manifest.name != name {
            return Err(PackError::Misnamed { folder: name, name: pack.manifest.name });
        }
        Ok(pack)
    }

    /// Reads a pack from a manifest and the folder in which its files are.
    pub(crate) fn read(folder: &Path, manifest: &Path) -> Result<Self, PackError> {
        let bytes = read_bounded(manifest, MANIFEST, MANIFEST_LIMIT_BYTES)?;
        let text = String::from_utf8(bytes).map_err(|_| PackError::Read {
            file: MANIFEST.to_owned(),
            source: io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"),
        })?;
        let manifest = Manifest::parse(&text)?;
        Self::assemble(manifest, |file| {
            read_bounded(&folder.join(file.as_str()), file.as_str(), MODEL_LIMIT_BYTES).map_err(|error| {
                match error {
                    PackError::Read { ref source, .. } if source.kind() == io::ErrorKind::NotFound => {
                        PackError::FileMissing(file.clone())
                    }
                    other => other,
                }
            })
        })
    }

    /// INVARIANT: the only maker of a `Pack`, so that no model escapes the checks.
    pub(crate) fn assemble(
        manifest: Manifest,
        load: impl Fn(&FileName) -> Result<Vec<u8>, PackError>,
    ) -> Result<Self, PackError> {
        let load = |file: &FileName, expected: Digest| {
            let bytes = load(file)?;
            let found = Digest::of(&bytes);
            if found == expected {
                Ok(bytes)
            } else {
                Err(PackError::Digest { file: file.clone(), expected, found })
            }
        };
        let unfit = |file: &FileName| {
            let file = file.clone();
            move |source| PackError::Interface { file, source }
        };
        let detector = load(&manifest.detector.file, manifest.detector.sha256)?;
        check::detector(&detector, &manifest).map_err(unfit(&manifest.detector.file))?;
        let landmarks = match &manifest.landmarks {
            None => None,
            Some(part) => {
                let bytes = load(&part.file, part.sha256)?;
                check::landmarks(&bytes, part).map_err(unfit(&part.file))?;
                Some(bytes)
            }
        };
        let embedder = load(&manifest.embedder.file, manifest.embedder.sha256)?;
        check::embedder(&embedder, &manifest.embedder).map_err(unfit(&manifest.embedder.file))?;
        Ok(Self { space: manifest.space_id(), manifest, detector, landmarks, embedder })
    }

    /// What the pack says about itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The identity of the embedding space of this pack.
    #[must_use]
    pub fn space_id(&self) -> SpaceId {
        self.space
    }

    /// The detector, as ONNX.
    #[must_use]
    pub fn detector_onnx(&self) -> &[u8] {
        &self.detector
    }

    /// The detector in two parts that compute the same together: its first layers as numbers, and the rest as ONNX. `None`
    /// when it is not the default pack's detector.
    #[must_use]
    pub fn detector_in_two(&self) -> Option<(FirstLayers, Vec<u8>)> {
        split(&self.detector)
    }

    /// The landmarks model, as ONNX. `None`: align by the detector's own five points.
    #[must_use]
    pub fn landmarks_onnx(&self) -> Option<&[u8]> {
        self.landmarks.as_deref()
    }

    /// The embedder, as ONNX.
    #[must_use]
    pub fn embedder_onnx(&self) -> &[u8] {
        &self.embedder
    }
}

/// Reads a whole file, never more than `limit` bytes of it.
pub(crate) fn read_bounded(path: &Path, shown: &str, limit: u64) -> Result<Vec<u8>, PackError> {
    let failed = |source| PackError::Read { file: shown.to_owned(), source };
    let mut bytes = Vec::new();
    File::open(path)
        .map_err(failed)?
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(PackError::TooLarge { file: shown.to_owned(), limit });
    }
    Ok(bytes)
}
