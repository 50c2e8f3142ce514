//! Live probes, searched for with both algorithms while a pool moves: how often would the answer have been another?
//!
//! It happens after the answer, on a few probes at a time, and keeps counts only. A probe waits in memory until then; when
//! too many wait, the next one is counted as skipped.
use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use likeness_matcher::{detect::BoundingBox, index::Hit};

use super::encode::embed_again;
use crate::{authorise::Permit, pool::Pool, records::Agreement, service::Service};

/// Probes that may wait.
const MOST_WAITING: usize = 16;
/// Places of a list that are compared.
const PLACES: usize = 10;
const PATIENCE: Duration = Duration::from_secs(30);

/// The queue of probes.
#[derive(Default)]
pub(in crate::service) struct Shadow {
    waiting: Mutex<VecDeque<LiveProbe>>,
}

/// A probe that was answered.
struct LiveProbe {
    pool: Arc<Pool>,
    permit: Permit,
    probe: Bytes,
    face: BoundingBox,
    /// What the active algorithm found, best first.
    shown: Vec<Hit>,
}

impl Shadow {
    /// Leaves a probe to be searched for with the other algorithm, when the pool has one.
    pub(in crate::service) fn leave(
        &self,
        pool: &Arc<Pool>,
        permit: &Permit,
        probe: &Bytes,
        face: BoundingBox,
        hits: &[Hit],
    ) {
        if pool.other_space().is_none() {
            return;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= MOST_WAITING {
            drop(waiting);
            count(pool, permit, Agreement { skipped: 1, ..Agreement::default() });
            return;
        }
        waiting.push_back(LiveProbe {
            pool: Arc::clone(pool),
            permit: permit.clone(),
            probe: probe.clone(),
            face,
            shown: hits.iter().take(PLACES).copied().collect(),
        });
    }

    fn next(&self) -> Option<LiveProbe> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

impl Service {
    /// Looks at the probes that wait; says whether there were any.
    pub(super) fn look_at_live_probes(&self) -> bool {
        let mut looked = false;
        while let Some(live) = self.shadow.next() {
            looked = true;
            count(&live.pool, &live.permit, self.compare_with_other(&live));
        }
        looked
    }

    fn compare_with_other(&self, live: &LiveProbe) -> Agreement {
        let skipped = Agreement { skipped: 1, ..Agreement::default() };
        let Some(space) = live.pool.other_space() else { return skipped };
        let Ok(engine) = self.engine_with(space) else { return skipped };
        let probe = match embed_again(&engine, &live.probe, live.face) {
            Ok(Ok(probe)) => probe,
            Ok(Err(_)) => return Agreement { refused: 1, ..Agreement::default() },
            Err(_) => return skipped,
        };
        let found = live
            .pool
            .reader(&live.permit)
            .and_then(|reader| reader.search_other(&probe, PLACES, Instant::now() + PATIENCE));
        match found {
            Ok(Some(found)) => agreement(&live.shown, &found),
            _ => skipped,
        }
    }
}

/// How far two lists of the same probe agree.
fn agreement(shown: &[Hit], found: &[Hit]) -> Agreement {
    let others: BTreeSet<_> = found.iter().take(PLACES).map(|hit| hit.subject).collect();
    let places = shown.len().min(PLACES);
    let shared = shown.iter().take(PLACES).filter(|hit| others.contains(&hit.subject)).count();
    let same_first = shown.first().map(|hit| hit.subject) == found.first().map(|hit| hit.subject);
    Agreement {
        probes: 1,
        same_first: u64::from(same_first),
        places: places as u64,
        shared: shared as u64,
        ..Agreement::default()
    }
}

fn count(pool: &Pool, permit: &Permit, more: Agreement) {
    if let Err(error) = pool.reader(permit).and_then(|reader| reader.add_agreement(more)) {
        tracing::warn!(pool = %pool.definition().name, %error, "a comparison of algorithms could not be counted");
    }
}

#[cfg(test)]
mod tests {
    use likeness_matcher::index::{RowKey, SubjectKey};

    use super::*;

    fn list(subjects: &[u64]) -> Vec<Hit> {
        subjects
            .iter()
            .map(|subject| Hit { row: RowKey(*subject), subject: SubjectKey(*subject), similarity: 0.5 })
            .collect()
    }

    #[test]
    fn lists_are_compared_by_person() {
        let both = agreement(&list(&[1, 2, 3]), &list(&[1, 3, 4]));
        assert_eq!((both.probes, both.same_first, both.places, both.shared), (1, 1, 3, 2));
        let neither = agreement(&list(&[1, 2]), &list(&[3, 4]));
        assert_eq!((neither.same_first, neither.places, neither.shared), (0, 2, 0));
        let empty = agreement(&[], &[]);
        assert_eq!((empty.probes, empty.same_first, empty.places), (1, 1, 0));
        let long: Vec<u64> = (0..50).collect();
        assert_eq!(agreement(&list(&long), &list(&long)).shared, 10);
    }
}
