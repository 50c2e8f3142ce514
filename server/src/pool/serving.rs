//! The algorithm that a pool is searched with, and the one that stands beside it while the pool moves to another.
//!
//! Each has an index of its own that takes embeddings of its own space only: there is no moment at which templates of two
//! algorithms are compared.
use std::{
    path::Path,
    sync::{Arc, PoisonError, atomic::Ordering},
};

use likeness_matcher::index::IndexWrite;
use likeness_models::{Metric, SpaceId};

use super::{IndexOptions, Pool, PoolError, PoolParts, gather::Gather, index};
use crate::{keys::PoolName, records::AlgorithmName};

/// What a pool needs to know of an algorithm.
#[derive(Debug, Clone, PartialEq)]
pub struct Geometry {
    /// Name of the model pack.
    pub pack: String,
    /// Its space.
    pub space: SpaceId,
    /// Values per template.
    pub dimension: usize,
    /// How templates compare.
    pub metric: Metric,
}

impl Geometry {
    pub(super) fn name(&self) -> AlgorithmName {
        AlgorithmName { pack: self.pack.clone(), space: self.space.to_string() }
    }
}

impl PoolParts<'_> {
    fn main(&self) -> Geometry {
        Geometry {
            pack: self.pack.to_owned(),
            space: self.space,
            dimension: self.dimension,
            metric: self.metric,
        }
    }

    /// The loaded algorithm with this space.
    pub(super) fn geometry(&self, pool: &PoolName, wanted: &AlgorithmName) -> Result<Geometry, PoolError> {
        let loaded = std::iter::once(self.main()).chain(self.others.iter().cloned());
        loaded.into_iter().find(|at| at.space.to_string() == wanted.space).ok_or_else(|| {
            PoolError::OtherSpace {
                pool: pool.clone(),
                pack: wanted.pack.clone(),
                pinned: wanted.space.clone(),
                serving: self.space.to_string(),
            }
        })
    }
}

/// An algorithm with its index.
pub(super) struct Serving {
    pub(super) geometry: Geometry,
    pub(super) index: Box<dyn IndexWrite>,
    pub(super) gather: Gather,
}

impl Serving {
    pub(super) fn empty(
        geometry: Geometry,
        options: IndexOptions,
        folder: &Path,
    ) -> Result<Arc<Self>, PoolError> {
        let index = index::make(&geometry, options, folder)?;
        Ok(Arc::new(Serving { geometry, index, gather: Gather::new(options.gathering) }))
    }
}

/// Both of them.
#[derive(Clone)]
pub(super) struct Algorithms {
    pub(super) active: Arc<Serving>,
    pub(super) other: Option<Arc<Serving>>,
}

impl Pool {
    /// The algorithm that searches use now.
    pub(super) fn active(&self) -> Arc<Serving> {
        Arc::clone(&self.algorithms.read().unwrap_or_else(PoisonError::into_inner).active)
    }

    /// The algorithm beside it.
    pub(super) fn other(&self) -> Option<Arc<Serving>> {
        self.algorithms.read().unwrap_or_else(PoisonError::into_inner).other.clone()
    }

    pub(super) fn set_algorithms(&self, algorithms: Algorithms) {
        *self.algorithms.write().unwrap_or_else(PoisonError::into_inner) = algorithms;
        self.set_pending();
    }

    /// Whether a migration may have work to do in the background; asking makes it `false`, finding some makes it `true` again.
    pub(crate) fn take_pending(&self) -> bool {
        self.pending.swap(false, Ordering::AcqRel)
    }

    /// Says that there may be such work.
    pub(crate) fn set_pending(&self) {
        self.pending.store(true, Ordering::Release);
    }

    /// Name of the model pack that searches use now.
    pub fn pack(&self) -> String {
        self.active().geometry.pack.clone()
    }

    /// The space that searches use now.
    pub fn space(&self) -> SpaceId {
        self.active().geometry.space
    }

    /// The space of the algorithm beside it, while the pool moves to another.
    pub fn other_space(&self) -> Option<SpaceId> {
        self.other().map(|other| other.geometry.space)
    }
}
