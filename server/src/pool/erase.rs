//! Taking subjects out of use, and erasing them: what each store of a pool does for it. The order of the steps, and the record of
//! them, are the service's (`service/erasure`).
//!
//! Everything here can be repeated: a step that was cut short is taken again, and what is gone already is no error. It works before
//! the index is loaded, so that an erasure which a stop cut short is finished before anything is answered.
use std::time::Duration;

use jiff::Timestamp;
use likeness_matcher::index::RowKey;

use super::{Pool, PoolError};
use crate::{
    authorise::Permit,
    erasure::{Mark, MarkOf},
    ids::{ImageId, SubjectId},
    keys::KeyState,
    records::{OutOfUse, RecordError, RowsRemoved, State, StoredImage},
    sqlite::DatabaseError,
};

/// How often the write-ahead log is asked for while others use it, and the pause in between.
const FORGET_TRIES: u32 = 100;
const FORGET_PAUSE: Duration = Duration::from_millis(50);

/// A subject as the pool knows it, whatever its state.
#[derive(Debug, Clone)]
pub struct Leaving {
    /// Its id.
    pub subject: SubjectId,
    /// Where it stands.
    pub state: State,
    /// Its images.
    pub images: Vec<ImageId>,
    /// How many of them a search can find.
    pub indexed: u64,
    /// What would recognise its references.
    pub marks: Vec<Mark>,
}

impl Pool {
    /// The subject with its images and the digests of its references; `None` when it is not recorded.
    pub(crate) fn leaving(&self, permit: &Permit, subject: SubjectId) -> Result<Option<Leaving>, PoolError> {
        self.admit(permit)?;
        let Some(kept) = self.records.kept(subject)? else { return Ok(None) };
        let images = self.records.kept_images(subject)?;
        let person = Mark { digest: kept.reference_digest, of: MarkOf::Subject };
        let marks = images.iter().map(|image| Mark { digest: image.source_digest, of: MarkOf::Image });
        Ok(Some(Leaving {
            subject,
            state: kept.state,
            indexed: images.iter().filter(|image| image.enrolled).count() as u64,
            marks: std::iter::once(person).chain(marks).collect(),
            images: images.iter().map(|image| image.id).collect(),
        }))
    }

    /// Puts subjects beyond use, or into erasure: in the records first, then out of the index. When
    /// this returns no search finds them and no reading shows them.
    ///
    /// # Errors
    /// [`PoolError`]; when the index could not follow the records, the pool answers nothing more until a restart.
    pub(crate) fn withdraw(
        &self,
        permit: &Permit,
        subjects: &[SubjectId],
        state: State,
        now: Timestamp,
        out_of_use: Option<&OutOfUse>,
    ) -> Result<(), PoolError> {
        self.admit(permit)?;
        let _turn = self.turn();
        let mut rows = Vec::new();
        for subject in subjects {
            rows.extend(row_keys(&self.records.kept_images(*subject)?));
        }
        self.records.set_state(subjects, state, now, out_of_use)?;
        let (active, other) = (self.active(), self.other());
        for serving in std::iter::once(active).chain(other) {
            if let Err(error) = serving.index.remove(&rows) {
                self.set_out_of_step();
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// Destroys the keys of subjects: from now on nothing that was sealed for them opens, here or in any copy.
    pub(crate) fn destroy_keys(
        &self,
        permit: &Permit,
        subjects: &[SubjectId],
        now: Timestamp,
    ) -> Result<u64, PoolError> {
        self.admit(permit)?;
        Ok(self.keys.destroy_subject_keys(&self.key, subjects, now)?)
    }

    /// Overwrites and removes image files; says how many there were.
    pub(crate) fn erase_files(&self, permit: &Permit, images: &[ImageId]) -> Result<u64, PoolError> {
        self.admit(permit)?;
        Ok(self.blobs.erase(images)?)
    }

    /// Removes the records of subjects, and what their rows held from the file and its log.
    pub(crate) fn erase_rows(
        &self,
        permit: &Permit,
        subjects: &[SubjectId],
    ) -> Result<RowsRemoved, PoolError> {
        self.admit(permit)?;
        let _turn = self.turn();
        let removed = self.records.remove_subjects(subjects)?;
        // The marks of those who are gone go with them.
        self.load_marks()?;
        self.forget_removed()?;
        Ok(removed)
    }

    /// Takes what was removed out of the write-ahead log. Searches and a backup under way use it for moments at a time.
    fn forget_removed(&self) -> Result<(), PoolError> {
        let mut tries = 0;
        loop {
            match self.records.forget_removed() {
                Err(RecordError::Database(DatabaseError::LogInUse)) if tries < FORGET_TRIES => {
                    tries += 1;
                    std::thread::sleep(FORGET_PAUSE);
                }
                done => return Ok(done?),
            }
        }
    }

    /// Looks in every store of the pool for anything of a subject whose images were `images`.
    ///
    /// # Errors
    /// [`PoolError::Disagrees`] with the first thing that is still there.
    pub(crate) fn check_gone(
        &self,
        permit: &Permit,
        subject: SubjectId,
        images: &[ImageId],
    ) -> Result<(), PoolError> {
        self.admit(permit)?;
        let left = |what: &str| {
            Err(PoolError::Disagrees {
                pool: self.definition.name.clone(),
                what: format!("{what} of the erased subject {subject} is still there"),
            })
        };
        if self.keys.key_states(&self.key, &[subject])? != [KeyState::Destroyed] {
            return left("the key");
        }
        if let Some(image) = images.iter().find(|image| !self.blobs.is_gone(**image)) {
            return left(&format!("the file of image {image}"));
        }
        if self.records.kept(subject)?.is_some() {
            return left("the record");
        }
        for image in images {
            if self.records.image(*image)?.is_some() {
                return left(&format!("the record of image {image}"));
            }
        }
        Ok(())
    }

    /// Whether none of these rows is in an index. Rows are never used twice, so this holds for ever.
    pub(crate) fn rows_left(&self, subject: SubjectId) -> Result<u64, PoolError> {
        let rows = row_keys(&self.records.kept_images(subject)?);
        let (active, other) = (self.active(), self.other());
        let indexed = |row: &&RowKey| {
            active.index.contains(**row) || other.as_ref().is_some_and(|other| other.index.contains(**row))
        };
        Ok(rows.iter().filter(indexed).count() as u64)
    }

    /// Subjects that the records still have although they are among `erased`: an older copy was put back.
    pub(crate) fn still_recorded(
        &self,
        permit: &Permit,
        erased: &[SubjectId],
    ) -> Result<Vec<SubjectId>, PoolError> {
        self.admit(permit)?;
        let mut back = Vec::new();
        for subject in erased {
            if self.records.kept(*subject)?.is_some() {
                back.push(*subject);
            }
        }
        Ok(back)
    }

    fn turn(&self) -> std::sync::MutexGuard<'_, ()> {
        // A writer that panicked left either nothing or a pool that is out of step, which readers see.
        self.writing.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn row_keys(images: &[StoredImage]) -> Vec<RowKey> {
    images.iter().map(|image| RowKey(image.row.0)).collect()
}
