//! What a search promises of its list, and what follows from it.
use std::sync::atomic::AtomicBool;

use jiff::Timestamp;
use likeness_matcher::index::Exactness;

use super::{PoolOutcome, SearchAnswer};
use crate::{
    authorise::{Action, Permit},
    pool::{PoolError, Reader},
    service::{Refusal, Service},
};

const WHY: &str = "the service counts what approximate searches miss; nobody is shown anything";

impl SearchAnswer {
    /// That of the pool with the weakest promise; `None` when no pool was searched.
    pub fn exactness(&self) -> Option<&Exactness> {
        self.pools.iter().filter_map(|pool: &PoolOutcome| pool.exactness.as_ref()).max_by_key(|exactness| {
            match exactness {
                Exactness::Exact => 0,
                Exactness::Certified => 1,
                _ => 2,
            }
        })
    }
}

/// What an entry of the log says of it. Nothing of a list that is complete.
pub(super) fn notes(exactness: Option<&Exactness>) -> Vec<(String, String)> {
    let Some(Exactness::Approximate { recall }) = exactness else { return Vec::new() };
    let measured = recall.and_then(|recall| Timestamp::try_from(recall.at).ok());
    let measured = measured.map_or_else(|| "not measured".to_owned(), |at| at.to_string());
    vec![("exactness".to_owned(), "approximate".to_owned()), ("recall_measured_at".to_owned(), measured)]
}

/// The rates of an operating point were measured with lists that miss nobody: on a pool whose lists may, they are not what was
/// approved.
pub(in crate::service) fn refuse_approximate(reader: &Reader<'_>) -> Result<(), Refusal> {
    match reader.exactness() {
        Exactness::Approximate { .. } => Err(Refusal::invalid(
            "approximate_pool",
            format!(
                "the pool `{}` is searched approximately, so that the error rates of an operating point do not hold for it: people at \
                 or above the threshold may be missing. Search in investigation mode, or have the operator take the pool out of \
                 `search.compressed_pools`",
                reader.definition().name
            ),
        )),
        _ => Ok(()),
    }
}

impl Service {
    /// Whether any pool is searched approximately.
    pub(crate) fn has_compressed_pools(&self) -> bool {
        !self.config.search.compressed.pools.is_empty()
    }

    /// Measures the recall of each pool that is searched approximately and was not measured, or not since much changed. Ends soon
    /// after `cancelled` is set.
    ///
    /// # Errors
    /// [`PoolError`] of the first pool whose index fails; it says "not measured" until the next attempt.
    pub(crate) fn measure_recall(&self, cancelled: &AtomicBool) -> Result<(), PoolError> {
        for pool in self.pools() {
            let name = &pool.definition().name;
            if !self.config.search.compressed.pools.contains(name) {
                continue;
            }
            let permit = Permit::for_upkeep(name, Action::Search, WHY);
            // A pool that is out of step says so to everybody who asks; there is nothing to measure.
            let Ok(reader) = pool.reader(&permit) else { continue };
            if reader.measure(self.clock.now(), cancelled)? {
                tracing::info!(pool = %name, "measured what approximate searches miss");
            }
        }
        Ok(())
    }
}
