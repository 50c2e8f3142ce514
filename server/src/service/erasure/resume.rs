//! Carrying on: erasures that were interrupted, and people whom an older copy of the records brought back.
use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use super::{EraseError, Erased, RPC, Service, TOGETHER, upkeep};
use crate::{
    audit::{Entry, Operation, Outcome, Phase, Submission},
    erasure::Erasure,
    ids::{ErasureId, EventId},
    keys::verify_statement,
    pool::Pool,
    records::State,
    service::case::touched,
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

    /// Erases again whoever an older copy of the records brought back.
    pub(in crate::service) fn keep_erased(&self, pool: &Arc<Pool>) -> Result<u64, EraseError> {
        let permit = upkeep(pool);
        let name = pool.definition().name.as_str();
        let back = pool.still_recorded(&permit, &self.ledger.subjects_of(name)?)?;
        for piece in back.chunks(TOGETHER) {
            let mut images = Vec::new();
            for subject in piece {
                images.extend(
                    pool.leaving(&permit, *subject)?.map(|leaving| leaving.images).unwrap_or_default(),
                );
            }
            let mut intent = Entry::new(self.clock.now(), RPC, Operation::Erasure, Phase::Intent);
            intent.pool = Some(touched(pool, None));
            intent.subjects = piece.to_vec();
            intent.counts.insert("subjects".to_owned(), piece.len() as u64);
            intent.counts.insert("images".to_owned(), images.len() as u64);
            intent
                .notes
                .insert("why".to_owned(), "the records were older than the erasure ledger".to_owned());
            self.record_one(Submission::from(intent.clone()))?;
            pool.withdraw(&permit, piece, State::Erasing, self.clock.now(), None)?;
            pool.destroy_keys(&permit, piece, self.clock.now())?;
            pool.erase_files(&permit, &images)?;
            pool.erase_rows(&permit, piece)?;
            for subject in piece {
                pool.check_gone(&permit, *subject, &[])?;
            }
            let outcome = intent.to_outcome(self.clock.now(), Outcome::Answered);
            self.record_one(Submission::from(outcome))?;
        }
        if !back.is_empty() {
            tracing::warn!(
                pool = name,
                subjects = back.len(),
                "erased again whom an older copy of the records had brought back"
            );
        }
        Ok(back.len() as u64)
    }
}
