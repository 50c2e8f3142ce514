//! At start, and before a restored pool is put in place: what there is of erased people is removed again.
use super::{Service, Unanswered};
use crate::{
    audit::{AuditError, Entry, Operation, Outcome, Phase, Submission},
    authorise::{Action, Permit},
    erasure::LedgerError,
    lists::ListsError,
    pool::{Pool, PoolError, Reapplied},
};

/// How the log names it.
pub(super) const RPC: &str = "likeness/reapply";
const WHY: &str = "erased people are removed from what was restored; no person asks";

/// Why the erased could not be removed again.
#[derive(Debug, thiserror::Error)]
pub enum ReapplyError {
    /// The pool failed, or its key store is not the one that belongs to it.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// The erasure ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The deletion lists failed.
    #[error(transparent)]
    Lists(#[from] ListsError),
    /// It could not be recorded.
    #[error(transparent)]
    Audit(#[from] AuditError),
}

impl Service {
    /// Removes what a pool holds of people who were erased. Before the pool serves anything.
    ///
    /// Tombstones in the key store decide. The ledger may have outlived an older key store, so it is applied to that first.
    pub(super) fn reapply_erasures(&self, pool: &Pool) -> Result<Reapplied, ReapplyError> {
        let name = &pool.definition().name;
        let permit = Permit::for_upkeep(name, Action::DropPool, WHY);
        let back = pool.still_recorded(&permit, &self.ledger.subjects_of(name.as_str())?)?;
        pool.destroy_keys(&permit, &back, self.clock.now())?;
        let mut all = Reapplied::default();
        pool.reapply_erasures(&permit, |subjects, remove| -> Result<(), ReapplyError> {
            let mut intent = Entry::new(self.clock.now(), RPC, Operation::Erasure, Phase::Intent);
            intent.pool = Some(super::case::touched(pool, None));
            intent.subjects = subjects.to_vec();
            intent.notes.insert("because".to_owned(), "the key store holds a tombstone for each".to_owned());
            self.append_one(intent.clone())?;
            let removed = remove()?;
            self.lists.forget(subjects)?;
            let mut outcome = intent.to_outcome(self.clock.now(), Outcome::Answered);
            for (name, count) in [
                ("subjects", removed.rows.subjects),
                ("images", removed.rows.images),
                ("files", removed.files),
            ] {
                outcome.counts.insert(name.to_owned(), count);
            }
            self.append_one(outcome)?;
            all.rows.subjects += removed.rows.subjects;
            all.rows.images += removed.rows.images;
            all.files += removed.files;
            Ok(())
        })?;
        if all != Reapplied::default() {
            tracing::warn!(
                pool = %name,
                subjects = all.rows.subjects,
                images = all.rows.images,
                "removed what a restore had brought back of erased people"
            );
        }
        Ok(all)
    }

    fn append_one(&self, entry: Entry) -> Result<(), AuditError> {
        self.record_one(Submission::from(entry)).map(|_| ()).map_err(|unanswered| match unanswered {
            Unanswered::Unrecorded(error) => error,
            Unanswered::Refused { .. } => AuditError::Invalid("an upkeep entry was refused"),
        })
    }
}
