//! The algorithms that are loaded: the configured one, and those of pools that moved, or are moving, to another.
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use likeness_models::SpaceId;

use super::{Engine, OpenError, Opening, Refusal, RefusalKind, Service, open::open_engine};
use crate::pool::{Geometry, Pool};

/// Every loaded algorithm, by space.
pub(super) struct Engines {
    opening: Opening,
    loaded: RwLock<BTreeMap<SpaceId, Arc<Engine>>>,
}

impl Engines {
    pub(super) fn new(opening: Opening, main: &Arc<Engine>) -> Self {
        Engines { opening, loaded: RwLock::new(BTreeMap::from([(main.space(), Arc::clone(main))])) }
    }

    /// What pools need to know of them.
    pub(super) fn geometries(&self) -> Vec<Geometry> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        loaded.values().map(|engine| engine.geometry()).collect()
    }
}

impl Service {
    /// The algorithm of this pack, loaded when it is not yet. It stays loaded until the server stops.
    pub(super) fn open_pack(&self, pack: &str) -> Result<Arc<Engine>, OpenError> {
        let known = {
            let loaded = self.engines.loaded.read().unwrap_or_else(PoisonError::into_inner);
            loaded.values().find(|engine| engine.pack() == pack).cloned()
        };
        if let Some(engine) = known {
            return Ok(engine);
        }
        let engine = Arc::new(open_engine(&self.config, pack, self.engines.opening)?);
        let mut loaded = self.engines.loaded.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(loaded.entry(engine.space()).or_insert(engine)))
    }

    /// The algorithm with this space.
    pub(super) fn engine_with(&self, space: SpaceId) -> Result<Arc<Engine>, Refusal> {
        let loaded = self.engines.loaded.read().unwrap_or_else(PoisonError::into_inner);
        loaded.get(&space).cloned().ok_or_else(|| {
            Refusal::new(
                RefusalKind::Unavailable,
                "algorithm_not_loaded",
                "the pool's algorithm is not loaded; restart the server",
            )
        })
    }

    /// The algorithm that searches of this pool use now.
    pub(super) fn engine_of(&self, pool: &Pool) -> Result<Arc<Engine>, Refusal> {
        self.engine_with(pool.space())
    }
}
