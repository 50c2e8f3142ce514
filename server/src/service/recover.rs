//! At start: closing what a crash left open.
//!
//! An intent without an outcome is an operation that was cut short. Nobody was told that it succeeded; what is there now is
//! looked up and recorded, so that the log says how each one ended.
use crate::{
    audit::{Outcome, StoredEntry, Submission},
    authorise::{Action, Permit},
    data::Settled,
    keys::PoolName,
    pool::{Pool, PoolError},
};

use super::{Service, Unanswered, backup, open::OpenError, reapply, restore};

const WHY: &str = "the service looks up what a crash left behind; no person asks";

impl Service {
    /// Removes what is left of pools that were being made. Before the pools are opened.
    pub(super) fn sweep_pools(&self, open_intents: &[StoredEntry]) -> Result<(), OpenError> {
        let folder = self.data.pools();
        for intent in open_intents.iter().filter(|intent| intent.entry.rpc.ends_with("/CreatePool")) {
            if let Some(name) = intent.entry.pool.as_ref().and_then(|pool| pool.name.parse().ok()) {
                Pool::sweep_unfinished(&self.parts(&folder), &name)?;
            }
        }
        Ok(())
    }

    /// Finishes the drops that a stop cut short after the pool's key was destroyed. Before the pools are opened.
    pub(super) fn finish_drops(&self, open_intents: &[StoredEntry]) -> Result<(), OpenError> {
        let folder = self.data.pools();
        for intent in open_intents.iter().filter(|intent| intent.entry.rpc.ends_with("/DropPool")) {
            let name: Option<PoolName> = intent.entry.pool.as_ref().and_then(|pool| pool.name.parse().ok());
            if let Some(name) = name {
                Pool::finish_drop(&self.parts(&folder), &name)?;
                if !folder.join(name.as_str()).exists() {
                    self.lists.forget_pool(name.as_str())?;
                }
            }
        }
        Ok(())
    }

    /// Records an outcome for every open intent. After the pools are opened.
    pub(super) fn close_intents(&self, open_intents: &[StoredEntry]) -> Result<(), OpenError> {
        // In pieces, so that a crash of a large server does not need one huge append.
        for piece in open_intents.chunks(256) {
            let mut outcomes = Vec::with_capacity(piece.len());
            for intent in piece {
                let mut entry = intent.entry.to_outcome(self.clock.now(), Outcome::Failed);
                entry.refusal = Some("interrupted".to_owned());
                entry.notes.insert("found_at_start".to_owned(), self.state_found(intent)?);
                outcomes.push(Submission::from(entry));
            }
            self.record(outcomes).map_err(|unanswered| match unanswered {
                Unanswered::Unrecorded(error) => OpenError::Audit(error),
                Unanswered::Refused { .. } => OpenError::Recovery,
            })?;
        }
        if !open_intents.is_empty() {
            tracing::warn!(
                interrupted = open_intents.len(),
                "closed the intents of operations that a stop cut short"
            );
        }
        Ok(())
    }

    fn state_found(&self, intent: &StoredEntry) -> Result<String, PoolError> {
        let entry = &intent.entry;
        if entry.rpc == backup::RPC {
            return Ok(
                "a folder of this name is a whole backup; one that ends in `.partial` is not".to_owned()
            );
        }
        if entry.rpc == restore::RPC {
            return Ok(match self.lock.settled() {
                Settled::Finished => "the pools of the backup are in place",
                Settled::Undone | Settled::Nothing => "the pools are those of before",
            }
            .to_owned());
        }
        if entry.rpc == reapply::RPC {
            return Ok("finished at this start".to_owned());
        }
        if let Some(id) = entry.notes.get("operating_point") {
            let kept = id.parse().ok().and_then(|id| self.points.get(&id));
            return Ok(match kept {
                None => "not approved".to_owned(),
                Some(kept) if kept.revocation.is_some() => "revoked".to_owned(),
                Some(_) => "approved".to_owned(),
            });
        }
        if let (Some(list), Some(touched)) = (entry.notes.get("list"), &entry.pool) {
            return Ok(self.list_found(&touched.name, list));
        }
        let Some(touched) = &entry.pool else { return Ok("nothing to look up".to_owned()) };
        let Some(pool) = self.pool(&touched.name) else { return Ok("no such pool".to_owned()) };
        if let ([subject], true) = (entry.subjects.as_slice(), entry.changes.contains_key("protected_view")) {
            let permit = Permit::for_upkeep(&pool.definition().name, Action::Protect, WHY);
            let view = pool.marked(&permit, *subject)?;
            return Ok(view.map_or("under no protected view", |view| view.code()).to_owned());
        }
        if let Some(id) = entry.notes.get("application_id").and_then(|id| id.parse().ok()) {
            let permit = Permit::for_upkeep(&pool.definition().name, Action::ReviewRetention, WHY);
            let stands = pool.application(&permit, id)?.map(|applied| applied.application.state().code());
            return Ok(format!("the application: {}", stands.unwrap_or("not there")));
        }
        if entry.images.is_empty() {
            return Ok("the pool exists".to_owned());
        }
        let permit = Permit::for_upkeep(&pool.definition().name, Action::ReadImage, WHY);
        let mut found = Vec::with_capacity(entry.images.len());
        for image in &entry.images {
            found.push(match pool.recorded(&permit, *image)? {
                Some(true) => "stored and searchable",
                Some(false) => "stored, not searchable",
                None => "not stored",
            });
        }
        Ok(found.join(", "))
    }
}
