//! Carrying on: erasures that were interrupted.
use std::collections::{BTreeMap, HashSet};

use super::{EraseError, Erased, Service, TOGETHER, upkeep};
use crate::{
    audit::{Entry, Phase, Submission},
    erasure::Erasure,
    ids::{ErasureId, EventId},
    keys::verify_statement,
};

impl Service {
    /// Finishes every erasure that has begun, and records how each ended. `open` are the intents without an outcome. Gives the
    /// events that are concluded now.
    pub(in crate::service) fn finish_erasures(
        &self,
        open: &HashSet<EventId>,
    ) -> Result<HashSet<EventId>, EraseError> {
        let unfinished = self.ledger.unfinished()?;
        let finished: Vec<(ErasureId, EventId)> =
            unfinished.iter().map(|erasure| (erasure.id, erasure.event)).collect();
        let mut by_pool: BTreeMap<String, Vec<Erasure>> = BTreeMap::new();
        for erasure in unfinished {
            by_pool.entry(erasure.pool.clone()).or_default().push(erasure);
        }
        for (name, erasures) in by_pool {
            // A pool that was dropped took everything with it: keys, files and records.
            let Some(pool) = self.pool(&name) else { continue };
            let permit = upkeep(&pool);
            for piece in erasures.chunks(TOGETHER) {
                self.carry_out(&pool, &permit, piece)?;
                tracing::info!(
                    pool = name,
                    subjects = piece.len(),
                    "finished erasures that had been interrupted"
                );
            }
        }
        let mut concluded = HashSet::new();
        for event in open {
            let Some(stored) = self.audit.entry(*event)? else { continue };
            let id = stored.entry.notes.get("erasure_id").and_then(|id| id.parse::<ErasureId>().ok());
            let Some(erased) = id.map(|id| self.certified(id)).transpose()?.flatten() else { continue };
            self.record_finished(self.concluded(&stored.entry, &erased))?;
            concluded.insert(*event);
        }
        // Whose intent was closed as failed when the erasure broke off: that it was finished is an event of its own.
        for (id, event) in finished.into_iter().filter(|(_, event)| !open.contains(event)) {
            let (Some(stored), Some(erased)) = (self.audit.entry(event)?, self.certified(id)?) else {
                continue;
            };
            let mut entry = self.concluded(&stored.entry, &erased);
            entry.phase = Phase::Single;
            self.record_finished(entry)?;
        }
        Ok(concluded)
    }

    /// A complete erasure, from the ledger.
    fn certified(&self, id: ErasureId) -> Result<Option<Erased>, EraseError> {
        let Some(note) = self.ledger.erasure(id)?.and_then(|erasure| erasure.certificate) else {
            return Ok(None);
        };
        let text = verify_statement(&note, &self.keys.audit_key())?;
        Ok(Some(Erased { certificate: serde_json::from_str(text)?, note }))
    }

    fn record_finished(&self, mut entry: Entry) -> Result<(), EraseError> {
        entry.notes.insert("finished".to_owned(), "after an interruption".to_owned());
        self.record_one(Submission::from(entry))?;
        Ok(())
    }
}
