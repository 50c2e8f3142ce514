//! What is installed.

use std::io;

use super::{Pack, PackError};
use crate::home::Home;
use crate::manifest::{DetectorKind, Metric, PackName, Threshold};
use crate::space::SpaceId;

/// An entry of [`list`]: a pack that cannot be used is shown with the reason, never left out.
#[derive(Debug)]
pub struct Listed {
    /// Name of the pack's folder.
    pub name: PackName,
    /// What it is, or why it is refused.
    pub pack: Result<PackSummary, PackError>,
}

/// What people ask of a pack.
#[derive(Clone, Debug, PartialEq)]
pub struct PackSummary {
    /// Name of the pack.
    pub name: PackName,
    /// Version of the models.
    pub version: String,
    /// Under which licence they may be used.
    pub licence: String,
    /// Where they come from.
    pub provenance: String,
    /// The embedding space.
    pub space_id: SpaceId,
    /// Which detector it has.
    pub detector: DetectorKind,
    /// Whether it has a landmarks model of its own.
    pub landmarks: bool,
    /// Side of the face chip in pixels.
    pub chip_size: u32,
    /// Numbers per embedding.
    pub dimension: u32,
    /// How two embeddings compare.
    pub metric: Metric,
    /// Its operating point.
    pub threshold: Threshold,
}

impl Pack {
    /// The pack in a few words.
    #[must_use]
    pub fn summary(&self) -> PackSummary {
        let manifest = &self.manifest;
        PackSummary {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            licence: manifest.licence.clone(),
            provenance: manifest.provenance.clone(),
            space_id: self.space,
            detector: manifest.detector.kind,
            landmarks: manifest.landmarks.is_some(),
            chip_size: manifest.embedder.size,
            dimension: manifest.embedder.dimension,
            metric: manifest.embedder.metric,
            threshold: manifest.threshold.clone(),
        }
    }
}

/// All packs of a home by name, each opened and checked. No packs at all is an empty list.
///
/// # Errors
/// When the folder exists and cannot be read. Folders whose name is no pack name (an interrupted
/// installation, say) are not packs and are passed over.
pub fn list(home: &Home) -> io::Result<Vec<Listed>> {
    let entries = match std::fs::read_dir(home.packs()) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        if let Some(Ok(name)) = entry.file_name().to_str().map(str::parse::<PackName>)
            && entry.path().is_dir()
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names
        .into_iter()
        .map(|name| Listed { pack: Pack::open(home, name.as_str()).map(|pack| pack.summary()), name })
        .collect())
}
