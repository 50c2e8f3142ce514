//! The index of a pool: which kind, and how much of the machine it takes.
use std::{num::NonZeroUsize, path::Path};

use likeness_matcher::index::{CertifiedIndex, IndexFault, IndexWrite};

use super::{gather::Gathering, serving::Geometry};

/// How pools are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexOptions {
    /// Threads of one pass over an index, the calling one included.
    pub threads: NonZeroUsize,
    /// Full-precision templates of each pool kept in memory; those beyond are kept on disk, sealed.
    pub full_precision_bytes: u64,
    /// How searches that arrive together are gathered.
    pub gathering: Gathering,
}

/// An empty index for an algorithm of a pool in this folder.
pub(super) fn make(
    geometry: &Geometry,
    options: IndexOptions,
    folder: &Path,
) -> Result<Box<dyn IndexWrite>, IndexFault> {
    let template = (geometry.dimension * size_of::<f32>()).max(1) as u64;
    let memory_rows = usize::try_from(options.full_precision_bytes / template).unwrap_or(usize::MAX);
    let index = CertifiedIndex::new(geometry.space, geometry.dimension, geometry.metric)?
        .with_threads(options.threads)
        .with_sealed_tier(folder, memory_rows)?;
    Ok(Box::new(index))
}
