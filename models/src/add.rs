//! Registers an operator's own models as a pack of their own.

mod options;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use thiserror::Error;

pub use options::{AddDetector, AddEmbedder, AddLandmarks, AddOptions};

use crate::digest::Digest;
use crate::home::Home;
use crate::install::{self, Content, Existing, InstallError};
use crate::manifest::{
    Detector, DetectorKind, Embedder, FileName, Landmarks, Manifest, ManifestError, RawManifest,
};
use crate::pack::{Pack, PackError, PackSummary, read_bounded};

/// As for any model of a pack.
const MODEL_LIMIT_BYTES: u64 = 1 << 30;

/// Why a pack is not added. Nothing is left behind.
#[derive(Debug, Error)]
pub enum AddError {
    /// A part is neither given nor to be had from a base pack.
    #[error("the pack has no {part}: give one, or name a base pack to take it from")]
    PartMissing {
        /// Which part.
        part: &'static str,
    },
    /// A new embedder makes a new space, where no other pack's threshold means anything.
    #[error("the pack has no threshold: state the similarity and who measured it on what")]
    NoThreshold,
    /// The base pack is refused.
    #[error("the base pack cannot be used: {0}")]
    Base(#[source] PackError),
    /// A model file or the manifest file is refused.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// What was given does not make a valid manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The pack cannot be installed.
    #[error(transparent)]
    Install(#[from] InstallError),
}

/// Adds a pack made of the files in `options`, with the parts not given taken from its base pack.
///
/// The files are copied into `home` and their digests stated in the new pack's manifest; the originals are not
/// needed any more.
///
/// # Errors
/// [`AddError`] when a part is missing, a value is out of range, a model takes or gives something else than
/// stated, or a pack of that name exists.
pub fn add(home: &Home, options: &AddOptions) -> Result<PackSummary, AddError> {
    let base = match &options.base {
        None => None,
        Some(name) => Some(Pack::open(home, name).map_err(AddError::Base)?),
    };
    let base = base.as_ref();
    let mut files = Files::default();

    let detector = match (&options.detector, base) {
        (Some(own), _) => own.part(files.read("detector.onnx", &own.path)?),
        (None, Some(base)) => {
            let part = base.manifest().detector.clone();
            Detector { file: files.keep("detector.onnx", base.detector_onnx())?.0, ..part }
        }
        (None, None) => return Err(AddError::PartMissing { part: "detector" }),
    };
    let landmarks = match (
        &options.landmarks,
        base.and_then(|base| base.manifest().landmarks.as_ref().zip(base.landmarks_onnx())),
    ) {
        (Some(AddLandmarks::File { path, size, colour, mean, divide }), _) => {
            let (file, sha256) = files.read("landmarks.onnx", path)?;
            Some(Landmarks { file, sha256, size: *size, colour: *colour, mean: *mean, divide: *divide })
        }
        (Some(AddLandmarks::FromBase), None) => {
            return Err(AddError::PartMissing { part: "landmarks model" });
        }
        (Some(AddLandmarks::FromBase), Some((part, bytes))) => Some(from_base(&mut files, part, bytes)?),
        // A new detector that gives points of its own is used for what it gives.
        (None, Some((part, bytes)))
            if options.detector.is_none() || detector.kind == DetectorKind::TinyFace =>
        {
            Some(from_base(&mut files, part, bytes)?)
        }
        (None, _) => None,
    };
    let embedder = match (&options.embedder, base) {
        (Some(own), _) => own.part(files.read("embedder.onnx", &own.path)?),
        (None, Some(base)) => {
            let part = base.manifest().embedder.clone();
            Embedder { file: files.keep("embedder.onnx", base.embedder_onnx())?.0, ..part }
        }
        (None, None) => return Err(AddError::PartMissing { part: "embedder" }),
    };
    let threshold = match (&options.threshold, &options.embedder, base) {
        (Some(own), _, _) => own.clone(),
        (None, None, Some(base)) => base.manifest().threshold.clone(),
        (None, Some(_), _) | (None, None, None) => return Err(AddError::NoThreshold),
    };
    let manifest = Manifest::try_from(RawManifest {
        format: 1,
        name: options.name.parse()?,
        version: options.version.clone(),
        licence: options.licence.clone(),
        provenance: options.provenance.clone(),
        detector,
        landmarks,
        embedder,
        threshold,
    })?;
    let content = Content { manifest: &manifest, files: &files.0, licence: None };
    Ok(install::pack(home, content, Existing::Keep)?.summary())
}

/// Adds the pack that a manifest file describes; its models lie beside it and have the digests it states.
///
/// # Errors
/// [`AddError`] as for [`add`], and when a digest differs.
pub fn add_manifest(home: &Home, manifest: &Path) -> Result<PackSummary, AddError> {
    let folder = match manifest.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let pack = Pack::read(&folder, manifest)?;
    let own = pack.manifest();
    let mut files = vec![
        (own.detector.file.clone(), pack.detector_onnx().to_vec()),
        (own.embedder.file.clone(), pack.embedder_onnx().to_vec()),
    ];
    files.extend(
        own.landmarks
            .as_ref()
            .zip(pack.landmarks_onnx())
            .map(|(part, bytes)| (part.file.clone(), bytes.to_vec())),
    );
    let content = Content { manifest: own, files: &files, licence: None };
    Ok(install::pack(home, content, Existing::Keep)?.summary())
}

/// The files of the pack to be, under the names they get there.
#[derive(Default)]
struct Files(Vec<(FileName, Vec<u8>)>);

impl Files {
    fn read(&mut self, name: &str, path: &Path) -> Result<(FileName, Digest), AddError> {
        let bytes = read_bounded(path, &path.display().to_string(), MODEL_LIMIT_BYTES)?;
        self.keep(name, &bytes)
    }

    fn keep(&mut self, name: &str, bytes: &[u8]) -> Result<(FileName, Digest), AddError> {
        let name: FileName = name.parse()?;
        self.0.push((name.clone(), bytes.to_vec()));
        Ok((name, Digest::of(bytes)))
    }
}

fn from_base(files: &mut Files, part: &Landmarks, bytes: &[u8]) -> Result<Landmarks, AddError> {
    Ok(Landmarks { file: files.keep("landmarks.onnx", bytes)?.0, ..part.clone() })
}
