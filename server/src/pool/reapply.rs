//! Erased stays erased: rows and files of subjects whose key is destroyed are removed before anything of the pool is served.
//!
//! A restored record file may hold people who were erased since it was copied. Their keys are gone and nothing of them can be read;
//! here what is left of them goes, too. The key store decides: a tombstone there means erased. No entry at all means that this is
//! not the key store that belongs to the records, and then nothing is removed and the pool does not open.

use super::{Pool, PoolError};
use crate::{
    authorise::Permit,
    ids::SubjectId,
    keys::KeyState,
    records::{RowsRemoved, SubjectRow},
};

/// Subjects whose keys are looked up at a time.
const PAGE: usize = 4096;
/// Subjects that are removed, and recorded, at a time.
const BATCH: usize = 256;

/// What was removed of one batch of subjects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reapplied {
    /// Rows.
    pub rows: RowsRemoved,
    /// Image files, overwritten and removed.
    pub files: u64,
}

impl Pool {
    /// Removes what there is of erased subjects, in batches of at most 256: `batch` is called with the subjects of each, records
    /// that they are about to go, calls what it is given, and records what that removed.
    ///
    /// Repeating it changes nothing more; cut off anywhere, the next call finishes. Works before the index is loaded.
    ///
    /// # Errors
    /// [`PoolError::KeyGone`] when a subject has neither key nor tombstone: nothing was removed then. What `batch` fails with.
    pub(crate) fn reapply_erasures<E: From<PoolError>>(
        &self,
        permit: &Permit,
        mut batch: impl FnMut(&[SubjectId], &dyn Fn() -> Result<Reapplied, PoolError>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.admit(permit)?;
        let erased = self.erased_subjects()?;
        for subjects in erased.chunks(BATCH) {
            batch(subjects, &|| self.remove(subjects))?;
        }
        // Also when nothing was removed: an earlier run may have been cut off right here.
        Ok(self.records.forget_removed().map_err(PoolError::from)?)
    }

    /// Recorded subjects whose key is a tombstone.
    fn erased_subjects(&self) -> Result<Vec<SubjectId>, PoolError> {
        let mut erased = Vec::new();
        let mut after: Option<SubjectRow> = None;
        loop {
            let page = self.records.subjects_after(after, PAGE)?;
            let Some((last, _)) = page.last() else { return Ok(erased) };
            after = Some(*last);
            let subjects: Vec<SubjectId> = page.iter().map(|(_, subject)| *subject).collect();
            for (subject, state) in subjects.iter().zip(self.keys.key_states(&self.key, &subjects)?) {
                match state {
                    KeyState::Kept => {}
                    KeyState::Destroyed => erased.push(*subject),
                    // Before anything is removed: a wrong key store must not empty a pool.
                    KeyState::Unknown => {
                        return Err(PoolError::KeyGone { pool: self.definition.name.clone() });
                    }
                }
            }
        }
    }

    /// Files before rows: cut off in between, the rows still name what is left to do.
    fn remove(&self, subjects: &[SubjectId]) -> Result<Reapplied, PoolError> {
        let files = self.blobs.erase(&self.records.images_of_all(subjects)?)?;
        Ok(Reapplied { rows: self.records.remove_subjects(subjects)?, files })
    }

    /// Whether every recorded image has its file. For a pool that is not loaded.
    pub(crate) fn check_files(&self, permit: &Permit) -> Result<(), PoolError> {
        self.admit(permit)?;
        let missing = self.blobs.reconcile(&self.records.image_ids()?)?.missing;
        missing.first().map_or(Ok(()), |first| {
            let what = format!("{} recorded images have no file, the first is {first}", missing.len());
            Err(PoolError::Disagrees { pool: self.definition.name.clone(), what })
        })
    }
}
