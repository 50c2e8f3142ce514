//! The index of a pool: which kind, and how much of the machine it takes.
use std::{collections::BTreeSet, num::NonZeroUsize, path::Path};

use likeness_matcher::index::{CertifiedIndex, CompressedIndex, IndexFault, IndexWrite, compressed::Bits};

use super::{gather::Gathering, serving::Geometry};
use crate::keys::PoolName;

/// How pools are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexOptions {
    /// Threads of one pass over an index, the calling one included.
    pub threads: NonZeroUsize,
    /// Full-precision templates of each pool kept in memory; those beyond are kept on disk, sealed.
    pub full_precision_bytes: u64,
    /// How searches that arrive together are gathered.
    pub gathering: Gathering,
    /// Approximate search; `None`, the default, is certified exact.
    pub compression: Option<Compression>,
}

/// How a pool is searched approximately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compression {
    /// Bits per dimension of what is scanned.
    pub bits: Bits,
    /// Images compared in full precision per probe, at least.
    pub rescored: NonZeroUsize,
}

/// The pools that an operator wants to be searched approximately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompressedPools {
    /// Their names.
    pub pools: BTreeSet<PoolName>,
    /// How each of them is searched.
    pub compression: Compression,
}

impl CompressedPools {
    /// The options of this pool.
    pub fn options(&self, usual: IndexOptions, pool: &PoolName) -> IndexOptions {
        IndexOptions { compression: self.pools.contains(pool).then_some(self.compression), ..usual }
    }
}

/// An empty index for an algorithm of a pool in this folder.
pub(super) fn make(
    geometry: &Geometry,
    options: IndexOptions,
    folder: &Path,
) -> Result<Box<dyn IndexWrite>, IndexFault> {
    let template = (geometry.dimension * size_of::<f32>()).max(1) as u64;
    let memory_rows = usize::try_from(options.full_precision_bytes / template).unwrap_or(usize::MAX);
    let (space, dimension, metric) = (geometry.space, geometry.dimension, geometry.metric);
    Ok(match options.compression {
        None => Box::new(
            CertifiedIndex::new(space, dimension, metric)?
                .with_threads(options.threads)
                .with_sealed_tier(folder, memory_rows)?,
        ),
        Some(Compression { bits, rescored }) => Box::new(
            CompressedIndex::new(space, dimension, metric, bits)?
                .with_rescored(rescored)
                .with_threads(options.threads)
                .with_sealed_tier(folder, memory_rows)?,
        ),
    })
}
